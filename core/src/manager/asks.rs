//! Readings that a decision needs: who asks for them, when they are stale, what they say.

use super::observed::{Clock, Foreign, Reading};
use super::turn::Turn;
use crate::bybit::{InstrumentRow, Page, PositionRow, Request, TickerRow, WalletRow};
use crate::event::Event;
use crate::input::Tag;
use crate::market::{Instrument, Quote};
use crate::pace::Urgency;
use crate::position::Mark;
use crate::refusal::{Code, Refusal};
use crate::retry::{Backoff, IMPATIENT};
use crate::timer::Why;
use crate::unit::{Category, ClockOffset, Span, Symbol, Timestamp};
use alloc::boxed::Box;
use alloc::vec::Vec;

const CATEGORY: Category = Category::Linear;
const ASK_BACKOFF: Backoff = Backoff { base: Span::millis(500), max: IMPATIENT, multiplier: 2 };
/// No exit waits for Position Manager.
const CONSULT_BACKOFF: Backoff = Backoff { max: Span::secs(30), ..ASK_BACKOFF };
/// Without the exchange's clock nothing can be signed, not even a cancel: its question waits for no longer than this.
const CLOCK_BACKOFF: Backoff = Backoff { max: Span::secs(2), ..ASK_BACKOFF };

impl Turn<'_> {
    /// Asks, unless the question is out, waits for its budget, or waits to be asked again.
    pub(super) fn ask(&mut self, tag: Tag) {
        let observed = &self.m.observed;
        if observed.out.holds(tag) || observed.timers.is_armed(Why::RetryAsk(tag)) {
            return;
        }
        self.ask_again(tag);
    }

    /// A question that failed, again, where somebody still needs its answer.
    pub(super) fn retry_ask(&mut self, tag: Tag) {
        let lanes = &self.m.durable.lanes;
        let needed = match tag {
            Tag::Instrument(symbol) | Tag::Position(symbol) | Tag::Ticker(symbol) => lanes.contains_key(&symbol),
            Tag::Wallet => !lanes.is_empty(),
            Tag::Consult(question) => self.is_worth_asking(question),
            _ => true,
        };
        if needed {
            self.ask_again(tag);
        } else {
            self.m.observed.failures.remove(&tag);
        }
    }

    /// Asks, unless the question is out: with two under one tag nobody could tell whose answer came.
    pub(super) fn ask_again(&mut self, tag: Tag) {
        if self.m.observed.out.holds(tag) {
            return;
        }
        let request = match tag {
            Tag::Clock => Request::ServerTime,
            Tag::Wallet => Request::Wallet,
            Tag::Instrument(symbol) => Request::Instrument { category: CATEGORY, symbol },
            Tag::Ticker(symbol) => Request::Ticker { category: CATEGORY, symbol },
            Tag::Position(symbol) => {
                Request::Positions { category: CATEGORY, symbol: Some(symbol), settle_coin: None, cursor: None }
            }
            Tag::Sweep { .. } => return self.ask_sweep_page(),
            Tag::Consult(question) => return self.consult(question),
            Tag::Inquiry { .. } | Tag::Create(_) | Tag::Cancel(_) => return,
        };
        self.queue(Urgency::Ask, tag, request);
    }

    /// A question failed: it is asked again later, ever less often up to a point. Those of several symbols that failed
    /// together do not come together again.
    pub(super) fn ask_failed(&mut self, tag: Tag) {
        let failures = self.m.observed.failures.entry(tag).or_insert(0);
        let (backoff, of) = match &tag {
            Tag::Clock => (CLOCK_BACKOFF, None),
            Tag::Consult(_) => (CONSULT_BACKOFF, None),
            Tag::Instrument(symbol) | Tag::Position(symbol) | Tag::Ticker(symbol) => (ASK_BACKOFF, Some(symbol)),
            _ => (ASK_BACKOFF, None),
        };
        let wait = backoff.wait(of.map_or("ask", Symbol::as_str).as_bytes(), *failures);
        *failures = failures.saturating_add(1);
        self.arm(Why::RetryAsk(tag), wait);
    }

    /// Asks for every reading that a decision on this symbol needs and that is stale. True where none is. What
    /// only reduces does not wait for the wallet, nor for prices that the exchange failed to tell.
    pub(super) fn fresh(&mut self, symbol: Symbol, opens: bool) -> bool {
        let (now, config, observed) = (self.now(), &self.m.config, &self.m.observed);
        let young = |at: Timestamp, max: Span| now.since(at) <= max;
        let untouched = |at: Timestamp, max: Span| young(at, max) && at >= observed.touched;
        let clock = observed.clock.is_some_and(|clock| young(clock.read_at, config.clock_max_age()));
        let wallet = observed.wallet.as_ref().is_some_and(|r| untouched(r.asked_at, config.balance_max_age()));
        let position = observed
            .positions
            .get(&symbol)
            .is_some_and(|r| untouched(r.asked_at, config.position_max_age()) && !self.is_past(&r.value));
        let quote = observed.quotes.get(&symbol).is_some_and(|r| young(r.asked_at, config.price_max_age()));
        let instrument = observed.instruments.get(&symbol).is_some_and(|at| young(*at, config.instrument_max_age()));
        let readings = [
            (Tag::Clock, clock),
            (Tag::Wallet, wallet || !opens),
            (Tag::Position(symbol), position),
            (Tag::Ticker(symbol), quote || !opens && self.has_failed(Tag::Ticker(symbol))),
            (Tag::Instrument(symbol), instrument),
        ];
        let mut all_fresh = true;
        for (tag, fresh) in readings {
            if !fresh {
                all_fresh = false;
                self.ask(tag);
            }
        }
        for tag in if opens { self.stale_word(symbol) } else { Vec::new() } {
            all_fresh &= self.has_failed(tag); // what cannot be had is judged, not waited for
            self.ask(tag);
        }
        all_fresh
    }

    /// The exchange's clock: its reading lies somewhere between the question and the answer.
    pub(super) fn saw_clock(&mut self, asked_at: Timestamp, server_micros: u64) {
        let half = Span(self.now().since(asked_at).0 / 2);
        let middle = asked_at.after(half);
        let offset = i64::try_from(i128::from(server_micros).saturating_sub(i128::from(middle.0))).unwrap_or(i64::MAX);
        let clock = Clock { offset: ClockOffset(offset), uncertainty: half, read_at: self.now() };
        (self.m.observed.clock, self.m.observed.doubted_clock) = (Some(clock), None);
        if let Some(sweep) = &mut self.m.observed.sweep {
            sweep.until = sweep.until.min(clock.surely_at(sweep.began)); // it may have begun by a clock that was wrong
        }
        self.creates_go_on();
        if self.m.observed.sweep_due {
            self.start_sweep();
        }
    }

    pub(super) fn saw_wallet(&mut self, asked_at: Timestamp, row: &WalletRow) {
        self.m.observed.wallet = Some(Reading { value: row.clone(), asked_at });
    }

    pub(super) fn saw_ticker(&mut self, symbol: Symbol, asked_at: Timestamp, page: &Page<TickerRow>) {
        match page.rows.iter().find(|row| row.symbol == symbol) {
            Some(row) => {
                let value = Quote::from_row(row, asked_at);
                self.m.observed.quotes.insert(symbol, Reading { value, asked_at });
            }
            None => self.unusable(symbol, Refusal::new(Code::NoPrice, format_args!("{symbol} has no ticker"))),
        }
    }

    /// False where a later one was seen: that view is behind.
    pub(super) fn saw_position(&mut self, row: &PositionRow, asked_at: Timestamp) -> bool {
        let mark = |known: &PositionRow| Mark { time: known.updated, seq: Some(known.seq) };
        let older = |known: &Reading<PositionRow>| mark(&known.value).is_after(row.seq, row.updated);
        let older = self.position_like(row).is_some_and(older);
        let reading = Reading { value: *row, asked_at };
        if !older {
            let asked_at = self.m.observed.clock.map(|clock| clock.surely_at(asked_at)).unwrap_or_default();
            let of_it = |foreign: &&mut Foreign| (foreign.open.symbol, foreign.leg) == (row.symbol, row.position_idx);
            let strangers = self.m.observed.foreign.values_mut().filter(of_it);
            strangers.for_each(|foreign| foreign.shown(asked_at, Some(row.updated)));
        }
        match row.position_idx {
            _ if older => {}
            0 => _ = self.m.observed.positions.insert(row.symbol, reading),
            leg => _ = self.m.observed.hedged.insert((row.symbol, leg), reading),
        }
        !older
    }

    /// How long it was on its way nobody knows: it tells what is new, and is no younger than what it replaces. Where it has
    /// no more fills than what was seen last and says something else than the profit of the moment, as of the leverage,
    /// which bears no time of its own, nobody can tell which is the newer: it is asked for again.
    pub(super) fn position_pushed(&mut self, row: &PositionRow) {
        let Some((seen, asked_at)) = self.position_like(row).map(|known| (known.value, known.asked_at)) else {
            self.saw_position(row, Timestamp::default());
            return;
        };
        let worth_as_seen = PositionRow { unrealised_pnl: seen.unrealised_pnl, ..*row };
        if row.seq != seen.seq || row.updated > seen.updated {
            self.saw_position(row, asked_at);
        } else if worth_as_seen != seen {
            self.saw_position(&seen, Timestamp::default());
        }
    }

    /// What was seen last of the position, or of this leg of it.
    fn position_like(&self, row: &PositionRow) -> Option<&Reading<PositionRow>> {
        match row.position_idx {
            0 => self.m.observed.positions.get(&row.symbol),
            leg => self.m.observed.hedged.get(&(row.symbol, leg)),
        }
    }

    /// Position rows asked for by symbol; Bybit answers a flat symbol with a flat row.
    pub(super) fn saw_positions_of(&mut self, symbol: Symbol, asked_at: Timestamp, page: &Page<PositionRow>) {
        let row = page.rows.iter().find(|row| row.symbol == symbol && row.position_idx == 0);
        match row {
            Some(row) if self.saw_position(row, asked_at) && !self.is_past(row) => {}
            Some(_) => self.ask_failed(Tag::Position(symbol)), // a view that is behind comes up in its own time
            None if !page.bad.is_empty() => self.ask_failed(Tag::Position(symbol)),
            None => {
                let text = format_args!("{symbol} has no one-way position row: hedge mode is not supported yet");
                self.unusable(symbol, Refusal::new(Code::UnknownSymbol, text));
            }
        }
    }

    /// Only rules that were read are fresh: those of before are not made so by an answer without any.
    pub(super) fn saw_instrument(&mut self, symbol: Symbol, page: &Page<InstrumentRow>) {
        let read = match page.rows.iter().find(|row| row.symbol == symbol) {
            Some(row) => Instrument::from_row(row).map_err(Refusal::from),
            None => Err(Refusal::new(Code::UnknownSymbol, format_args!("Bybit lists no {symbol}"))),
        };
        match read {
            Ok(instrument) => {
                self.m.observed.instruments.insert(symbol, self.m.now);
                self.m.observed.unusable.remove(&symbol);
                if self.m.durable.instruments.get(&symbol) != Some(&instrument) {
                    self.emit(Event::InstrumentChanged { instrument: Box::new(instrument) });
                }
            }
            Err(refusal) => self.unusable(symbol, refusal),
        }
    }

    /// The exchange's word that this symbol cannot be traded: the waiting signal ends with it.
    pub(super) fn unusable(&mut self, symbol: Symbol, refusal: Refusal) {
        self.m.observed.unusable.insert(symbol, refusal);
    }
}
