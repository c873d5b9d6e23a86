//! What is booked and told of orders and their fills, against what the exchange has.

use super::bench::{Bench, Scene, Verdict};
use super::list::Oracle;
use super::memory::{Memory, Track};
use crate::exchange::{Execution, Order};
use order_manager_core::Manager;
use order_manager_core::bybit::{ExecType, ExecutionRow, OrderRow};
use order_manager_core::event::{Change, CreateAnswer, Event, Seq, Told};
use order_manager_core::input::Input;
use order_manager_core::order;
use order_manager_core::unit::{Decimal, ExchangeTime, ExecId, OrderLinkId, Quantity, Span, Symbol};

/// Executions are asked for again from this far before the watermark.
const OVERLAP: Span = Span::secs(120);
/// Views of positions are behind by less than this, and differ for a while before they are taken over.
const UNBOOKED_LATELY: Span = Span::secs(120);
const BOOKED: u8 = 1;
const NAMED: u8 = 2;

#[derive(Clone, Debug, Default)]
pub(super) struct Fills {
    /// What was done with each execution of the exchange, by number.
    done: Vec<u8>,
    /// Executions before this one are behind the watermark and were found booked.
    behind: usize,
    /// When we came to the account: fills of others from before are none of our business.
    born: Option<ExchangeTime>,
}

impl Fills {
    /// An event of this order is durable; `track` is as it was before.
    pub(super) fn of_order(
        &mut self,
        bench: &mut Bench,
        scene: Scene<'_>,
        link: OrderLinkId,
        track: &Track,
        e: &Event,
    ) {
        match e {
            Event::OrderSeen { row, .. } => bench.rule(Oracle::SeenIsReal, seen(scene, link, row, track)),
            Event::OrderNoticed { .. } => {
                bench.must(Oracle::SeenIsReal, track.accepted > 0 || track.inherited, || {
                    format!("{link} is said to exist, and never did")
                });
            }
            Event::OrderAnswered { answer: CreateAnswer::Accepted { order_id }, .. } => {
                let order = scene.exchange.order_by_id(*order_id);
                bench.must(Oracle::SeenIsReal, order.is_some_and(|order| order.link == Some(link)), || {
                    format!("{link} is acknowledged as {order_id}, which is {order:?}")
                });
            }
            Event::OrderAnswered { answer: CreateAnswer::Refused { .. } | CreateAnswer::NotSent { .. }, .. } => {
                // Of a create that arrives twice one copy may be refused and the other taken: that answer is true of
                // the one and says nothing of the other, and nobody who has not heard of the other can know. That its
                // id is known says that it is.
                let is_known =
                    matches!(e, Event::OrderAnswered { answer: CreateAnswer::Refused { code: 110_072, .. }, .. });
                let holds = track.accepted == 0 || (track.doubled && !track.shown && !is_known);
                bench.must(Oracle::AnswerIsTrue, holds, || format!("{link} exists, and is said not to: {e:?}"));
            }
            Event::OrderExecuted { row, .. } => {
                self.executed(bench, scene, Some(link).filter(|_| !track.inherited), row)
            }
            Event::OrderAbsent { proof, .. } if !proof.aged_out => {
                bench.must(Oracle::AbsenceIsTrue, track.accepted == 0, || {
                    format!("{link} is proven absent, and the exchange has {} of it", track.accepted)
                });
            }
            Event::OrderTold(told) => {
                bench.rule(Oracle::ToldIsFilled, is_filled(scene, told, track));
                let whole = told.change == Change::Filled && told.totals.quantity >= told.quantity;
                bench.must(Oracle::TerminalWithEvidence, !told.last || track.evidence || whole, || {
                    format!("{link} is told {:?} and nothing stored shows its end", told.change)
                });
                bench.rule(Oracle::EndedIsEnded, is_ended(scene, told, track));
                told.exec_ids.iter().for_each(|id| self.named(bench, scene, link, *id, track));
            }
            _ => {}
        }
    }

    /// An event of no order of ours is durable.
    pub(super) fn of_others(&mut self, bench: &mut Bench, scene: Scene<'_>, event: &Event) {
        match event {
            Event::ForeignExecuted { row, .. } => self.executed(bench, scene, None, row),
            Event::Reconciled { until, .. } => self.reconciled(bench, scene, *until),
            Event::PositionAdopted { symbol, was, size, .. } => {
                let theirs = scene.exchange.position(*symbol).map_or(Quantity::ZERO, |position| position.size);
                let explained = theirs == *was && !self.moved_unbooked(scene, *symbol);
                bench.must(Oracle::BooksEqual, !explained || size == was, || {
                    format!("{symbol} is {theirs}, as our executions say, and {size} is taken for it")
                });
            }
            _ => {}
        }
    }

    fn executed(&mut self, bench: &mut Bench, scene: Scene<'_>, link: Option<OrderLinkId>, row: &ExecutionRow) {
        let Some(theirs) = scene.exchange.execution_by_id(row.exec_id) else {
            return bench.rule(Oracle::FillBookedIsReal, Err(format!("{} is booked and never was", row.exec_id)));
        };
        bench.must(Oracle::FillBookedIsReal, same(theirs, link, row), || {
            format!("{} is booked as {row:?} of {link:?}, and was {theirs:?}", row.exec_id)
        });
        bench.must(Oracle::FillBookedOnce, self.first(theirs, BOOKED), || format!("{} is booked twice", row.exec_id));
    }

    fn named(&mut self, bench: &mut Bench, scene: Scene<'_>, link: OrderLinkId, id: ExecId, track: &Track) {
        let theirs = scene.exchange.execution_by_id(id).filter(|e| e.link == Some(link) || track.inherited);
        let first = theirs.is_some_and(|theirs| self.first(theirs, NAMED));
        bench.must(Oracle::ExecutionsNamedOnce, first, || format!("{link}: {id} is named again, or is not of it"));
    }

    /// Did executions move this position lately that are of a kind that nobody has heard of, or that are not shown yet and
    /// come to nothing? Then it is as our executions say by chance: a view from between them differs, and nothing that is
    /// known tells its age. What is booked by its row alone does not come to nothing.
    fn moved_unbooked(&self, scene: Scene<'_>, symbol: Symbol) -> bool {
        let since = scene.now.0.saturating_sub(UNBOOKED_LATELY.0);
        let lately = scene.exchange.truth().executions.iter().rev().take_while(|execution| execution.time.0 >= since);
        let is_booked = |of: &Execution| self.done.get(of.number as usize).is_some_and(|done| done & BOOKED != 0);
        let moved = lately.filter(|of| of.symbol == symbol && of.exec_type != ExecType::Funding && !is_booked(of));
        let (mut any, mut sum) = (false, Decimal::ZERO);
        for execution in moved {
            if matches!(execution.exec_type, ExecType::Other(_)) {
                return true;
            }
            (any, sum) = (true, sum + execution.side.signed(execution.quantity).0);
        }
        any && sum.is_zero()
    }

    /// Marks an execution; true where it was not marked before.
    fn first(&mut self, execution: &Execution, mark: u8) -> bool {
        let place = execution.number as usize;
        if self.done.len() <= place {
            self.done.resize(place + 1, 0);
        }
        let before = self.done[place];
        self.done[place] |= mark;
        before & mark == 0
    }

    /// As if nothing had been booked.
    #[cfg(test)]
    pub(super) fn forget_all(&mut self) {
        self.done.clear();
    }

    /// Every fill up to the watermark is booked, but for those that will be asked for again.
    fn reconciled(&mut self, bench: &mut Bench, scene: Scene<'_>, until: ExchangeTime) {
        let born = *self.born.get_or_insert(until);
        let truth = scene.exchange.truth();
        while let Some(execution) = truth.executions.get(self.behind) {
            let time = ExchangeTime(execution.time.0 / 1_000);
            if time.after(OVERLAP) >= until {
                return;
            }
            let booked = self.done.get(self.behind).is_some_and(|done| done & BOOKED != 0);
            let ours = execution.exec_type.moves_position() && (execution.is_ours(truth) || time >= born);
            bench.must(Oracle::WatermarkNotAhead, booked || !ours, || {
                format!("{execution:?} is not booked and will not be asked for again: reconciled until {until}")
            });
            self.behind += 1;
        }
    }
}

/// The evidence of a fact is the frame that brought it.
pub(super) fn at_hand(bench: &mut Bench, seq: Seq, input: &Input, event: &Event) {
    let (Event::OrderSeen { evidence, .. }
    | Event::OrderNoticed { evidence, .. }
    | Event::OrderExecuted { evidence, .. }
    | Event::ForeignExecuted { evidence, .. }
    | Event::PositionAdopted { evidence, .. }
    | Event::Quarantined { evidence, .. }) = event
    else {
        return;
    };
    let from_outside = matches!(input, Input::Reply { .. } | Input::Stream(_) | Input::Inherited(_));
    bench.must(Oracle::EvidenceAtHand, *evidence == seq && from_outside, || {
        format!("record {} names {} as evidence: {event:?}", seq.0, evidence.0)
    });
}

/// An order whose end the exchange has shown does not live again, whatever comes late of it.
pub(super) fn stays_ended(bench: &mut Bench, event: &Event, manager: &Manager) {
    if let Event::OrderSeen { link, .. } | Event::OrderNoticed { link, .. } | Event::OrderExecuted { link, .. } = event
        && let Some(order) = manager.durable().book.get(*link)
    {
        bench.must(Oracle::SeenIsReal, !lives_again(order), || format!("{link} was shown ended, and lives: {order:?}"));
    }
}

pub(super) fn lives_again(order: &order::Order) -> bool {
    order.facts.ending.is_some() && order.state.may_fill()
}

fn same(theirs: &Execution, link: Option<OrderLinkId>, row: &ExecutionRow) -> bool {
    let figures = (theirs.quantity, theirs.price, theirs.value);
    let fee = row.fee == theirs.fee || row.fee == theirs.settle_fee(); // what was paid in another coin is no money of ours
    fee && (theirs.link == link || link.is_none())
        && (theirs.symbol, theirs.side) == (row.symbol, row.side)
        && figures == (row.quantity, row.price, row.value)
        && ExchangeTime(theirs.time.0 / 1_000) == row.time
}

/// Nothing is seen that the exchange never was: more filled, or ended before its end.
fn seen(scene: Scene<'_>, link: OrderLinkId, row: &OrderRow, track: &Track) -> Verdict {
    let Some(order) = scene.exchange.order_by_id(row.order_id) else {
        return Err(format!("{link} is seen as {}, which never was", row.order_id));
    };
    let named = order.link == Some(link) || track.inherited;
    let ended = order.is_closed() || !row.status.is_terminal();
    if named && ended && row.cum_quantity <= order.state.cum_quantity {
        return Ok(());
    }
    Err(format!("{link} is seen as {row:?}, and is {order:?}"))
}

fn order_of<'a>(scene: Scene<'a>, track: &Track) -> Option<&'a Order> {
    scene.exchange.truth().orders.get(track.number? as usize)
}

fn is_filled(scene: Scene<'_>, told: &Told, track: &Track) -> Verdict {
    if told.totals.quantity.is_zero() || track.inherited {
        return Ok(());
    }
    let Some(order) = order_of(scene, track) else {
        return Err(format!(
            "{} is told filled by {}, and the exchange has no such order",
            told.link, told.totals.quantity
        ));
    };
    let (state, totals) = (&order.state, told.totals);
    let figures_agree = totals.quantity < state.cum_quantity
        || (totals.quantity, totals.value, totals.fee) == (state.cum_quantity, state.cum_value, state.cum_fee);
    if figures_agree { Ok(()) } else { Err(format!("{} is told {totals:?}, and has {state:?}", told.link)) }
}

/// What is told ended has ended, with exactly the fills that were told.
fn is_ended(scene: Scene<'_>, told: &Told, track: &Track) -> Verdict {
    if !told.last || track.inherited {
        return Ok(());
    }
    let order = order_of(scene, track);
    let holds = match (told.change, order) {
        (Change::Filled | Change::Modified, Some(order)) => order.leaves().is_zero(),
        // Nothing was left to cancel of what is filled whole.
        (Change::Cancelled, Some(order)) if order.leaves().is_zero() => false,
        (Change::Rejected, None) => true,
        // One copy of a create was refused and the other taken just before that was told: see the answer above.
        (Change::Rejected, Some(_)) if track.doubled && track.denied && !track.shown => true,
        (_, Some(order)) => order.is_closed() && order.state.cum_quantity == told.totals.quantity,
        (_, None) => false,
    };
    if holds { Ok(()) } else { Err(format!("{} is told {:?}, and is {order:?}", told.link, told.change)) }
}

/// Every order that the exchange has taken is told to its end, where it has one, with all its fills.
pub(super) fn all_is_told(scene: Scene<'_>, memory: &Memory) -> Verdict {
    for (link, track) in memory.tracks.iter().filter(|(_, track)| !track.inherited) {
        let Some(order) = order_of(scene, track) else { continue };
        if track.told.quantity != order.state.cum_quantity || track.ended != order.is_closed() {
            let (told, ended) = (track.told.quantity, track.ended);
            return Err(format!("{link}: told {told} filled, ended: {ended}; it is {:?}", order.state));
        }
    }
    Ok(())
}
