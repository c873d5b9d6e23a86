//! The private stream: it breaks, is kept down, and comes back, at once or after attempts that fail.

use super::{Happening, RECONNECT, World};
use crate::scenario::Reconnect;
use order_manager_core::input::{Input, Stream};
use order_manager_core::unit::Span;

impl World {
    /// The private stream breaks and stays down.
    pub fn stream_down(&mut self) {
        self.kept_down = true;
        self.break_stream();
    }

    /// The private stream may connect again; where the exchange cannot be reached, once it can.
    pub fn stream_up(&mut self) {
        if self.unreachable {
            return;
        }
        self.kept_down = false;
        self.connect();
    }

    /// The private stream breaks now and comes back by itself, after attempts that fail.
    pub fn reconnect(&mut self, reconnect: Reconnect) {
        self.reconnect = reconnect;
        self.break_stream();
        if self.life.is_up() && !self.kept_down {
            self.connect();
        }
    }

    pub(super) fn break_stream(&mut self) {
        if std::mem::take(&mut self.connected) && self.life.is_up() {
            self.give(Input::Stream(Box::new(Stream::Down)));
        }
    }

    /// The process begins to connect.
    pub(super) fn connect(&mut self) {
        self.connection += 1;
        self.attempt(RECONNECT);
    }

    fn attempt(&mut self, after: Span) {
        let connection = self.connection;
        self.at(self.now.after(after), Happening::Connected { connection });
    }

    /// An attempt ends: the stream is up, or it is tried again.
    pub(super) fn connected(&mut self) {
        if let Some(until) = self.exchange.streams_closed_until(self.now) {
            return self.attempt(until.after(RECONNECT).since(self.now));
        }
        if self.reconnect.fails > 0 {
            self.reconnect.fails -= 1;
            return self.attempt(self.reconnect.every);
        }
        self.connected = true;
        self.give(Input::Stream(Box::new(Stream::Up)));
    }
}
