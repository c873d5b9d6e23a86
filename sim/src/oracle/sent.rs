//! What leaves, against what is durable and what it became at the exchange.

use super::bench::{Bench, Scene};
use super::list::Oracle;
use super::memory::{Memory, Track};
use crate::exchange::Budgets;
use order_manager_core::bybit::{Create, Operation, Request};
use order_manager_core::command::{Command, Outgoing};
use order_manager_core::config::Config;
use order_manager_core::event::Seq;
use order_manager_core::input::Tag;
use order_manager_core::unit::{ExchangeTime, Span, Timestamp};
use std::collections::VecDeque;

const SECOND: Span = Span::secs(1);
/// An address may send so many requests within so long (bybit-v5.md 1.5).
const ADDRESS_MAX: usize = 600;
const ADDRESS_WINDOW: Span = Span::secs(5);
/// Market data has no budget of its own: in one second no more of one kind than the address has on average.
const MARKET_MAX: usize = 120;

#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    /// Requests that steps asked for and that have not left, in order.
    commanded: VecDeque<(Seq, Tag, ExchangeTime)>,
    durable: Seq,
    /// When requests of the last second left, by endpoint.
    spent: [VecDeque<Timestamp>; Operation::ServerTime as usize + 1],
    /// When those of the last five left.
    address: VecDeque<Timestamp>,
}

impl Sent {
    pub(super) fn stepped(&mut self, seq: Seq, commands: &[Command]) {
        for command in commands {
            if let Command::Send(outgoing) = command {
                self.commanded.push_back((seq, outgoing.tag, outgoing.signed_at));
            }
        }
    }

    pub(super) const fn committed(&mut self, seq: Seq) {
        self.durable = seq;
    }

    /// What was not sent in this life is not sent by the next.
    pub(super) fn died(&mut self) {
        self.commanded.clear();
    }

    pub(super) fn sends(
        &mut self,
        bench: &mut Bench,
        scene: Scene<'_>,
        outgoing: &Outgoing,
        config: &Config,
        memory: &mut Memory,
    ) {
        let next = self.commanded.pop_front();
        let of_this = next.is_some_and(|(_, tag, signed_at)| (tag, signed_at) == (outgoing.tag, outgoing.signed_at));
        let is_durable = of_this && next.is_some_and(|(seq, ..)| seq <= self.durable);
        bench.must(Oracle::DurableBeforeSent, is_durable, || {
            format!("{:?} leaves; next is {next:?}, durable are records up to {}", outgoing.tag, self.durable.0)
        });
        self.budget(bench, scene, outgoing.request.operation());
        match &outgoing.request {
            Request::Create(create) => {
                let signal = memory.track(create.link).spec.map(|spec| spec.intent.signal);
                let at = signal.and_then(|signal| memory.signals.get(signal)).map(|heard| heard.at);
                let track = memory.track(create.link);
                creates(bench, scene, outgoing, create, track);
                let rules_read = track.decided.rules_read;
                young(bench, outgoing, create, at, config, track);
                track.under_way = Some(outgoing.signed_at);
                bench.rule(Oracle::WellFormed, memory.rules.well_formed(scene, create, rules_read));
            }
            Request::Cancel(cancel) => {
                let wanted = memory.track(cancel.link).cancel_wanted.is_some();
                bench.must(Oracle::CancelHasReason, wanted, || {
                    format!("{} is cancelled, nobody wanted it", cancel.link)
                });
            }
            _ => {}
        }
    }

    /// No endpoint sees more requests in any second than it answers, by default at the most, and the exchange no more from
    /// an address in five (bybit-v5.md 1.5).
    fn budget(&mut self, bench: &mut Bench, scene: Scene<'_>, operation: Operation) {
        let spent = &mut self.spent[operation as usize];
        while spent.front().is_some_and(|first| scene.now.since(*first) >= SECOND) {
            spent.pop_front();
        }
        spent.push_back(scene.now);
        let (here, usual) = (scene.exchange.config().budgets, Budgets::default());
        let max = here.of(operation).min(usual.of(operation)).map_or(MARKET_MAX, |max| max as usize);
        bench.must(Oracle::BudgetPerEndpoint, spent.len() <= max, || {
            format!("{} requests of {operation:?} in a second, {max} are allowed", spent.len())
        });
        while self.address.front().is_some_and(|first| scene.now.since(*first) >= ADDRESS_WINDOW) {
            self.address.pop_front();
        }
        self.address.push_back(scene.now);
        bench.must(Oracle::BudgetPerEndpoint, self.address.len() <= ADDRESS_MAX, || {
            format!("{} requests in five seconds, {ADDRESS_MAX} are allowed from an address", self.address.len())
        });
    }
}

fn creates(bench: &mut Bench, scene: Scene<'_>, outgoing: &Outgoing, create: &Create, track: &Track) {
    let link = create.link;
    let said = track.signed_at;
    bench.must(Oracle::DurableBeforeSent, said == Some(outgoing.signed_at), || {
        format!("{link} leaves signed {}, durable is {said:?}", outgoing.signed_at)
    });
    let intended = track.spec.map(|spec| spec.create());
    bench.must(Oracle::SentAsIntended, intended.as_ref() == Some(create), || {
        format!("{create:?} leaves where {intended:?} was intended")
    });
    let window = Span::millis(u64::from(outgoing.recv_window_ms));
    let may_arrive = track.under_way.is_some_and(|signed_at| signed_at.after(window) >= scene.clock());
    bench.must(Oracle::NoResendWhileAlive, track.accepted == 0 && !may_arrive, || {
        let (accepted, under_way) = (track.accepted, track.under_way);
        format!("{link} is sent again; orders under it: {accepted}, under way since {under_way:?}")
    });
}

/// How far the clock that a signal was taken by may be from the one that its order is signed by.
const CLOCKS: Span = Span::secs(1);

/// Has its signal's time come, and not run out (spec S6)?
fn young(
    bench: &mut Bench,
    outgoing: &Outgoing,
    create: &Create,
    signal: Option<Timestamp>,
    config: &Config,
    track: &Track,
) {
    let reducing = track.spec.is_some_and(|spec| spec.reduce_only);
    let max = if reducing { config.exit_signal_max_age() } else { config.signal_max_age() };
    let age = signal.map(|at| outgoing.signed_at.since(ExchangeTime(at.0 / 1_000)));
    bench.must(Oracle::NoCreateAfterExpiry, age.is_some_and(|age| age <= max), || {
        format!("{} leaves for a signal {age:?} old, the limit is {max}", create.link)
    });
    let ahead = signal.map(|at| ExchangeTime(at.0 / 1_000).since(outgoing.signed_at));
    let max = config.signal_future_reject();
    bench.must(Oracle::NoCreateAfterExpiry, ahead.is_some_and(|ahead| ahead.0 <= max.0 + CLOCKS.0), || {
        format!("{} leaves for a signal {ahead:?} ahead, the limit is {max}", create.link)
    });
}
