//! What stands before the exchange and answers instead of it: maintenance, bans, limits (bybit-v5.md 8.5).

use super::{Quirk, Spell};
use crate::exchange::{Exchange, Timestamp, clock, refusal};
use order_manager_core::bybit::{ApiError, ApiReply, LimitHeaders, Operation};

impl Exchange {
    /// The answer to a request that does not reach the exchange; none where it does. A status other than 200 comes
    /// without an envelope.
    pub(in crate::exchange) fn front(&mut self, now: Timestamp, operation: Operation) -> Option<ApiReply> {
        let refused = self.turn_away(now, operation);
        if refused.is_none() {
            self.effects.request(now, operation);
        }
        refused
    }

    fn turn_away(&mut self, now: Timestamp, operation: Operation) -> Option<ApiReply> {
        if self.knobs.spells.is_empty() {
            return None;
        }
        let bare = LimitHeaders::default();
        if self.turns_away_banned(now) {
            return Some(without_envelope(403));
        }
        if self.is_under(Spell::Maintenance, now) {
            self.effects.spell(now, Spell::Maintenance);
            self.turned_away += 1;
            let by_gateway = self.turned_away.is_multiple_of(2);
            return Some(if by_gateway {
                without_envelope(503)
            } else {
                self.reply(now, bare, Err(refusal::of(10016)))
            });
        }
        let limit = self.config.budgets.of(operation)?;
        let until = self.knobs.spells.get(&Spell::RateLimit).copied().filter(|until| now < *until);
        let limits = LimitHeaders { limit: Some(limit), remaining: Some(0), reset: until.map(clock) };
        let limits = if until.is_some() { limits } else { bare };
        let limited = until.is_some() || self.is_under(Spell::RateLimitBare, now);
        if limited {
            self.effects.spell(now, if until.is_some() { Spell::RateLimit } else { Spell::RateLimitBare });
        }
        limited.then(|| self.reply(now, limits, Err(refusal::of(10006))))
    }

    /// Is this address refused whatever it asks (Q58)? Asking begins the ban anew: it ends where nothing was asked for as
    /// long as it is (bybit-v5.md 1.5).
    pub(in crate::exchange) fn turns_away_banned(&mut self, now: Timestamp) -> bool {
        let is_banned = self.is_under(Spell::Ban, now);
        if is_banned {
            self.effects.spell(now, Spell::Ban);
            self.knobs.spells.insert(Spell::Ban, now.after(self.knobs.ban));
        }
        is_banned
    }

    /// Until when no private stream is let in; none where one is.
    #[must_use]
    pub fn streams_closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.knobs.spells.get(&Spell::Maintenance).copied().filter(|until| now < *until)
    }

    /// Was the private stream closed since this was last asked? Whoever holds the connection has to ask after
    /// [`Exchange::quirk`].
    pub fn take_cut(&mut self) -> bool {
        std::mem::take(&mut self.stream_cut)
    }
}

fn without_envelope(status: u16) -> ApiReply {
    ApiReply { result: Err(ApiError::Status(status)), time: None, limits: LimitHeaders::default() }
}

impl Quirk {
    /// Does it end by itself, or with everything else when it heals?
    #[must_use]
    pub const fn heals(&self) -> bool {
        matches!(self, Self::Lag { .. } | Self::Spell { .. } | Self::Next { .. } | Self::PriceBand { .. })
    }
}
