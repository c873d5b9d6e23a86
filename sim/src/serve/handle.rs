//! The control plane's deeds, for whoever runs in the same process.

use super::hub::Hub;
use super::truth;
use crate::exchange::{Exchange, Quirk};
use crate::scenario::{Action, Effect, Fault, FaultKind, Manual, Reconnect};
use order_manager_core::unit::{Price, Span, Symbol, Text, Timestamp};
use std::sync::Arc;

/// A hold on a served exchange.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Hub>);

impl Handle {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    /// Looks at the exchange, or turns its knobs, at this moment of its clock. Requests wait meanwhile; the pushes
    /// and prices that come of it are told.
    pub fn with<R>(&self, act: impl FnOnce(&mut Exchange, Timestamp) -> R) -> R {
        self.0.with(|state, now| act(&mut state.exchange, now))
    }

    /// What `GET /sim/truth` answers.
    #[must_use]
    pub fn truth(&self) -> serde_json::Value {
        truth::truth(&self.0)
    }

    /// The last trade is at this price now. False where the symbol is unknown or the price is not positive.
    pub fn set_price(&self, symbol: Symbol, price: Price) -> bool {
        self.with(|exchange, now| exchange.set_price(now, symbol, price))
    }

    /// From now on this goes wrong, as often as it says.
    pub fn add_fault(&self, fault: Fault) {
        self.0.with(|state, _| state.faults.add(fault));
    }

    /// Cuts every stream and lets none in for this long.
    pub fn disconnect(&self, down_for: Span) {
        self.0.with(|state, now| state.keep_streams_down(now, down_for));
        self.0.cut_streams();
    }

    /// Streams are let in again.
    pub fn stream_up(&self) {
        self.0.with(|state, now| state.keep_streams_down(now, Span::ZERO));
    }

    /// Answers nothing and pushes nothing for this long. What comes in meanwhile is carried out at its end.
    pub fn halt(&self, span: Span) {
        self.0.with(|state, now| state.halted_until = now.after(span));
    }

    /// The exchange does something odd by itself.
    ///
    /// # Errors
    /// A symbol that is not listed.
    pub fn quirk(&self, quirk: &Quirk) -> Result<(), String> {
        let (listed, cut) = self.0.with(|state, now| {
            let listed = state.exchange.quirk(now, quirk);
            let until = state.exchange.streams_closed_until(now).unwrap_or(now);
            if until > state.streams_down_until {
                state.keep_streams_down(now, until.since(now));
            }
            (listed, state.exchange.take_cut())
        });
        if cut {
            self.0.cut_streams();
        }
        if listed { Ok(()) } else { Err(format!("{}: the exchange does not list its symbol", quirk.name())) }
    }

    /// Carries out a step of a scenario that concerns the exchange.
    ///
    /// # Errors
    /// An unknown symbol, or a step that concerns something else.
    pub fn act(&self, action: &Action) -> Result<(), String> {
        match action {
            Action::Price(prices) => {
                let unknown = prices.iter().find(|(symbol, price)| !self.set_price(**symbol, **price));
                unknown.map_or(Ok(()), |(symbol, _)| Err(not_listed(*symbol)))
            }
            Action::Touch(symbol) => {
                self.with(|exchange, now| {
                    exchange.resting_price(*symbol).map(|price| exchange.set_price(now, *symbol, price))
                });
                Ok(())
            }
            Action::Quirk(quirk) => self.quirk(quirk),
            Action::Fault(fault) => {
                can_carry(fault)?;
                self.add_fault(*fault);
                Ok(())
            }
            Action::Silence(silence) => {
                self.0.with(|state, now| state.faults.silence(now, *silence));
                Ok(())
            }
            Action::Ban(length) => {
                self.0.with(|state, now| state.faults.ban(now, *length));
                Ok(())
            }
            Action::Reconnect(Reconnect { fails, every }) => {
                // Who tries is the client, in its own time: none is let in while the attempts would fail.
                self.disconnect(Span(every.0.saturating_mul(u64::from(*fails))));
                Ok(())
            }
            Action::StreamDown => {
                self.disconnect(Span(u64::MAX));
                Ok(())
            }
            Action::StreamUp => {
                self.stream_up();
                Ok(())
            }
            Action::Manual(Manual { side, symbol, quantity }) => {
                let order = self.with(|exchange, now| exchange.manual_order(now, *symbol, *side, *quantity));
                order.map(drop).ok_or_else(|| not_listed(*symbol))
            }
            Action::Liquidity(liquidity) => self.with(|exchange, _| {
                exchange.last_price(liquidity.symbol).ok_or_else(|| not_listed(liquidity.symbol))?;
                exchange.set_liquidity(liquidity.symbol, liquidity.at_best);
                Ok(())
            }),
            Action::RejectNext => {
                let reason = Text::clipped("EC_Others");
                self.with(|exchange, _| exchange.knobs_mut().reject_next_after_ack.push_back(reason));
                Ok(())
            }
            Action::ExchangeDown | Action::ExchangeUp => Err("a served exchange is taken down by who serves it".into()),
            Action::Signal(_)
            | Action::Raw(_)
            | Action::Again(_)
            | Action::StoreDown
            | Action::StoreUp
            | Action::Crash(_)
            | Action::Broker(_)
            | Action::Commit(_)
            | Action::Checkpoint
            | Action::CheckpointEvery(_)
            | Action::Clock(_)
            | Action::Pause(_)
            | Action::Expect(_) => Err("this step does not concern the exchange".into()),
        }
    }
}

/// Sockets carry most faults, but not these.
fn can_carry(fault: &Fault) -> Result<(), String> {
    let why = match fault.kind {
        FaultKind::Carry { effect: Effect::Refuse, .. } => "a served exchange listens: it cannot refuse one connection",
        FaultKind::Carry { effect: Effect::Reset(Some(_)), .. } => {
            "a served exchange cannot reset a connection and carry its request out later: write `reset` without `by`"
        }
        FaultKind::Carry { effect: Effect::Reorder(_), .. } => {
            "a served exchange does not hold a message back for the next one: write `delay` with `by`"
        }
        _ => return Ok(()),
    };
    Err(why.into())
}

fn not_listed(symbol: Symbol) -> String {
    format!("the exchange does not list {symbol}")
}
