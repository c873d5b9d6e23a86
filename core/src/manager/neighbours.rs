//! The service before us, whose orders we take over (spec T1), and Position Manager, who is asked too (spec K1, E3).

use super::observed::Reading;
use super::turn::Turn;
use crate::event::Event;
use crate::input::{Answer, Question, Tag};
use crate::neighbours::{self, Word};
use crate::order::InheritedOrder;
use crate::timer::Why;
use crate::unit::{Decimal, Money, OrderLinkId, Price, Quantity, Side, Span, Symbol, Timestamp};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Its queue is longer than ours: a difference may last this long before people are called.
const DIFFERS_MAX: Span = Span::secs(120);
/// What it rounds its figures to, and calls equal itself (wire-contracts.md 1.5.2).
const TOLERANCE: Quantity = Quantity(Decimal::from_parts(1, 0, 0, false, 4));
/// It doubles a repeated event only when it reads it, so a validation that comes before that mends nothing: it is asked
/// soon, and once more when its queue has had its time.
const VALIDATIONS: [Span; 2] = [Span::secs(1), Span::secs(10)];

impl Turn<'_> {
    /// An order that stands open in the rows of the service before us: it is ours, and is asked about.
    pub(super) fn inherit(&mut self, order: &InheritedOrder) {
        let id = order.order_id;
        if OrderLinkId::parse(self.m.config.link_id_prefix, id.as_str()).is_some() {
            return self.quarantine(format_args!("the row of order {id} is ours, and the journal does not know it"));
        }
        let Some(link) = OrderLinkId::inherited(id) else {
            return self.quarantine(format_args!("{id:?} is no id of an order at the exchange"));
        };
        if self.m.durable.book.get(link).is_some() {
            return;
        }
        self.emit(Event::OrderInherited { link, order: Box::new(order.clone()) });
        self.remember_signal(order.signal);
        self.start_inquiry(link);
    }

    /// A fill of this symbol may have reached Position Manager twice.
    pub(super) fn doubt(&mut self, symbol: Symbol) {
        self.emit(Event::PositionDoubted { symbol });
        if self.m.config.consult_position_manager {
            self.m.observed.doubted.insert(symbol, 0);
            self.validate_next(symbol);
        }
    }

    /// A life begins: what was not validated before it is still doubted.
    pub(super) fn doubt_still(&mut self) {
        if self.m.config.consult_position_manager {
            let symbols: Vec<Symbol> = self.m.durable.doubted.iter().copied().collect();
            for symbol in symbols {
                self.m.observed.doubted.insert(symbol, 0);
                self.validate_next(symbol);
            }
        }
    }

    /// The next validation of a doubted symbol; after the last one its figure counts again.
    fn validate_next(&mut self, symbol: Symbol) {
        self.m.observed.their_positions.remove(&symbol);
        let Some(done) = self.m.observed.doubted.get(&symbol).copied() else { return };
        match VALIDATIONS.get(usize::from(done)).copied() {
            Some(wait) => self.arm(Why::RetryAsk(Tag::Consult(Question::Validate(symbol))), wait),
            None => {
                self.m.observed.doubted.remove(&symbol);
                self.emit(Event::PositionValidated { symbol });
                self.ask(Tag::Consult(Question::Position(symbol)));
            }
        }
    }

    /// Its answer, or that there was none.
    pub(super) fn consulted(&mut self, question: Question, asked_at: Option<Timestamp>, answer: &Answer) {
        let tag = Tag::Consult(question);
        let (Some(asked_at), Some(word)) = (asked_at, neighbours::read(question, answer)) else {
            return self.ask_failed(tag);
        };
        self.m.observed.failures.remove(&tag);
        match (question, word) {
            (Question::Position(symbol), Word::Position(size)) => {
                self.m.observed.their_positions.insert(symbol, Reading { value: size, asked_at });
                self.judge_difference(symbol, size);
            }
            (Question::Validate(symbol), _) => {
                if let Some(done) = self.m.observed.doubted.get_mut(&symbol) {
                    *done = done.saturating_add(1);
                }
                self.validate_next(symbol);
            }
            (_, Word::Exposure(total)) => {
                self.m.observed.their_exposure = Some(Reading { value: total, asked_at });
            }
            _ => {}
        }
    }

    /// Is its question worth asking again?
    pub(super) fn is_worth_asking(&self, question: Question) -> bool {
        match question {
            Question::Validate(symbol) => self.m.observed.doubted.contains_key(&symbol),
            Question::Position(symbol) => self.m.durable.lanes.contains_key(&symbol),
            Question::Exposure => !self.m.durable.lanes.is_empty(),
        }
    }

    /// Asks for every position that we keep, to see whether both of us keep the same.
    pub(super) fn compare_with_theirs(&mut self) {
        if self.m.config.consult_position_manager {
            let symbols: Vec<Symbol> = self.m.durable.positions.keys().copied().collect();
            symbols.into_iter().for_each(|symbol| self.ask(Tag::Consult(Question::Position(symbol))));
        }
    }

    fn judge_difference(&mut self, symbol: Symbol, theirs: Quantity) {
        let (ours, now) = (self.own_position(symbol), self.now());
        let apart = theirs.minus(ours).is_none_or(|difference| difference.abs() > TOLERANCE);
        if !apart || self.m.observed.doubted.contains_key(&symbol) {
            self.m.observed.differs.remove(&symbol);
            return;
        }
        let (since, told) = *self.m.observed.differs.entry(symbol).or_insert((now, false));
        if !told && now.since(since) >= DIFFERS_MAX {
            self.m.observed.differs.insert(symbol, (since, true));
            self.emit(Event::PositionDiffers { symbol, ours, theirs, since });
        }
    }

    /// What of Position Manager's word a decision that opens must wait for.
    pub(super) fn stale_word(&self, symbol: Symbol) -> Vec<Tag> {
        if !self.m.config.consult_position_manager {
            return Vec::new();
        }
        let position = self.their_position(symbol).is_some() || self.m.observed.doubted.contains_key(&symbol);
        let asks = [(Question::Position(symbol), position), (Question::Exposure, self.their_exposure().is_some())];
        asks.into_iter().filter(|(_, fresh)| !fresh).map(|(question, _)| Tag::Consult(question)).collect()
    }

    /// Its position, where that is known: what it said long ago says nothing.
    fn their_position(&self, symbol: Symbol) -> Option<Quantity> {
        let reading = self.m.observed.their_positions.get(&symbol)?;
        self.is_young_word(reading).then_some(reading.value)
    }

    fn their_exposure(&self) -> Option<Money> {
        let reading = self.m.observed.their_exposure.as_ref()?;
        self.is_young_word(reading).then_some(reading.value)
    }

    fn is_young_word<T>(&self, reading: &Reading<T>) -> bool {
        self.now().since(reading.asked_at) <= self.m.config.position_max_age()
    }

    /// Did the last try to ask it fail?
    pub(super) fn has_failed(&self, tag: Tag) -> bool {
        self.m.observed.failures.contains_key(&tag)
    }

    /// Its position, where that is the larger one for an order of this side to start from (spec K1).
    pub(super) fn stricter_for_opening(&self, side: Side, symbol: Symbol, position: Quantity) -> Quantity {
        match (self.their_position(symbol), side) {
            (Some(theirs), Side::Buy) => position.max(theirs),
            (Some(theirs), Side::Sell) => position.min(theirs),
            (None, _) => position,
        }
    }

    /// Its exposure without that of this symbol, where that is the larger one (spec K1).
    pub(super) fn stricter_exposure(&self, symbol: Symbol, price: Price, elsewhere: Money) -> Option<Money> {
        let Some(total) = self.their_exposure() else { return Some(elsewhere) };
        let here = self.their_position(symbol).unwrap_or_default().abs();
        Some(total.minus(price.times(here)?)?.max(elsewhere))
    }
}
