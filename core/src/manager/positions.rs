//! Positions: our executions explain them; what they do not explain is taken from the exchange (spec T4).

use super::observed::Reading;
use super::turn::Turn;
use crate::bybit::PositionRow;
use crate::config::PositionSource;
use crate::event::Event;
use crate::input::Tag;
use crate::order::{Order, State};
use crate::position::Mark;
use crate::reconcile::Sweep;
use crate::timer::Why;
use crate::unit::{Price, Quantity, Span, Symbol, Timestamp};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// Executions have this long to explain a position.
const EXPLAIN: Span = Span::secs(5);
/// Executions that have not come so long after their order ended never will; the position does not wait for them.
const EXECUTIONS_COME: Span = Span::secs(3_600);

impl Turn<'_> {
    /// After a sweep every execution up to it is known, so each position must be what they come to. One that is not
    /// gets its time, and another sweep; then the exchange's word is taken. Where we have just come to an account
    /// nothing of ours can explain what is held there.
    pub(super) fn compare_positions(&mut self, sweep: &Sweep, first: bool) {
        let ours = self.m.durable.positions.iter().filter(|(_, position)| !position.size.is_zero());
        let symbols: BTreeSet<Symbol> = ours.map(|(symbol, _)| *symbol).chain(sweep.held.iter().copied()).collect();
        // What is as it should be needs no explanation, and the next difference gets its own time.
        self.m.observed.unexplained.retain(|symbol, _| symbols.contains(symbol));
        for symbol in symbols {
            self.compare_position(symbol, sweep, first);
        }
        // A sweep has no row of what is flat now: the one that we hold goes on saying otherwise, until that is asked for.
        let kept = self.m.observed.positions.iter().filter(|(symbol, row)| {
            !row.value.size.is_zero() && row.asked_at < sweep.began && sweep.shows_flat(**symbol)
        });
        let kept: Vec<Symbol> = kept.map(|(symbol, _)| *symbol).collect();
        kept.into_iter().for_each(|symbol| self.ask(Tag::Position(symbol)));
        self.compare_with_theirs();
    }

    fn compare_position(&mut self, symbol: Symbol, sweep: &Sweep, first: bool) {
        if !self.is_settled(symbol, sweep.began) {
            return;
        }
        let Some((theirs, entry)) = self.shown(symbol, sweep) else { return };
        let own = self.own_position(symbol);
        if own == theirs {
            self.m.observed.unexplained.remove(&symbol);
            return;
        }
        let known = self.m.observed.unexplained.get(&symbol);
        let lasts = known.is_some_and(|known| known.value == theirs && sweep.began.since(known.asked_at) >= EXPLAIN);
        if !first && !lasts {
            if known.is_none_or(|known| known.value != theirs) {
                self.m.observed.unexplained.insert(symbol, Reading { value: theirs, asked_at: sweep.began });
            }
            if !sweep.held.contains(&symbol) {
                self.ask(Tag::Position(symbol));
            }
            return self.arm(Why::ExplainPosition, EXPLAIN);
        }
        let since = known.map(|known| known.asked_at).filter(|_| !sweep.held.contains(&symbol));
        if since.is_some_and(|since| !self.is_flat_by_name(symbol, since)) {
            self.ask(Tag::Position(symbol));
            return self.arm(Why::ExplainPosition, EXPLAIN);
        }
        self.m.observed.unexplained.remove(&symbol);
        let (evidence, at) = (self.m.seq, self.now());
        let (as_of, view) = (sweep.until, self.exchange_position(symbol).map(|reading| reading.value));
        let mark = view.map_or(Mark::default(), |row| Mark { time: row.updated, seq: Some(row.seq) });
        self.emit(Event::PositionAdopted { symbol, was: own, size: theirs, entry, as_of, mark, evidence, at });
    }

    /// Is everything of this symbol known and booked, and did nothing happen since? A fill that is booked by its row
    /// bears no mark: until its execution comes nothing tells a view from before it.
    fn is_settled(&self, symbol: Symbol, began: Timestamp) -> bool {
        let in_time = |order: &Order| order.ended_at.is_none_or(|at| self.now().since(at) < EXECUTIONS_COME);
        let mut unexplained = self.m.durable.book.unexplained().filter(|order| order.spec.symbol == symbol);
        if unexplained.any(in_time) {
            return false;
        }
        let touched = self.m.observed.touched_on.get(&symbol).is_some_and(|at| *at >= began);
        let inquiries = &self.m.observed.inquiries;
        let known = |order: &Order| {
            let certain = matches!(order.state, State::Open) || !order.state.may_fill();
            let told = order.facts.totals().quantity <= order.told.totals.quantity;
            certain && told && !inquiries.contains_key(&order.spec.link)
        };
        !touched && self.m.durable.book.live_of(symbol).all(known)
    }

    /// What the sweep showed. None in hedge mode, where it says nothing of the symbol, and where it shows the past.
    fn shown(&self, symbol: Symbol, sweep: &Sweep) -> Option<(Quantity, Option<Price>)> {
        if !sweep.held.contains(&symbol) {
            return sweep.shows_flat(symbol).then_some((Quantity::ZERO, None));
        }
        let reading = self.exchange_position(symbol)?;
        let row: &PositionRow = &reading.value;
        (reading.asked_at >= sweep.began && !self.is_past(row)).then(|| (row.signed_size(), row.average_price))
    }

    /// A sweep has no row of a symbol that is flat, so nothing tells how old that view is. Does the symbol's own row,
    /// asked for since, say the same?
    fn is_flat_by_name(&self, symbol: Symbol, since: Timestamp) -> bool {
        let reading = self.exchange_position(symbol).filter(|reading| reading.asked_at >= since);
        reading.is_some_and(|reading| reading.value.size.is_zero() && !self.is_past(&reading.value))
    }

    /// Does this row stand from before a fill that is known, of ours or of others? Then it explains nothing, and nothing
    /// is decided by it: views may be behind (bybit-v5.md 10.2).
    pub(super) fn is_past(&self, row: &PositionRow) -> bool {
        self.m.durable.trails.get(&row.symbol).is_some_and(|trail| trail.last().is_after(row.seq, row.updated))
    }

    /// Sets the time of the next snapshot, where they are ours to make.
    pub(super) fn arm_note(&mut self) {
        if self.m.config.position_source == PositionSource::Bybit {
            let every = self.m.config.position_snapshot_every();
            self.arm(Why::NotePositions, every);
        }
    }

    pub(super) fn note_positions(&mut self) {
        let held: Vec<bool> = self.m.durable.positions.values().map(|position| !position.size.is_zero()).collect();
        if held.contains(&true) {
            let at = self.now();
            self.emit(Event::PositionsNoted { at });
        }
        self.arm_note();
    }
}
