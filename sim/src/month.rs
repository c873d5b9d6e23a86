//! A market's prices with a file of signals, acted out in virtual time.

use crate::exchange::ExchangeConfig;
use crate::prices::{self, Bar};
use crate::scenario::Link;
use crate::world::{Setup, World};
use order_manager_core::config::Config;
use order_manager_core::intake;
use order_manager_core::unit::{Span, Symbol, Timestamp};

/// A signal's message travels this long.
const ON_THE_WAY: Span = Span::millis(20);
/// After the last price the world comes to rest.
const REST: Span = Span::secs(120);

/// What is acted out.
#[derive(Clone, Debug)]
pub struct Month {
    /// Instrument of the prices.
    pub symbol: Symbol,
    /// Minute bars, in order.
    pub bars: Vec<Bar>,
    /// Messages, in the order of their arrival.
    pub signals: Vec<Message>,
    /// The manager's rules.
    pub config: Config,
    /// The exchange.
    pub exchange: ExchangeConfig,
    /// The way of the price inside a bar, and how long each message travels.
    pub seed: u64,
    /// How both talk.
    pub link: Link,
    /// Keep the published events themselves?
    pub keep_messages: bool,
}

/// A signal's bytes and when they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When.
    pub at: Timestamp,
    /// The bytes of the line.
    pub body: Vec<u8>,
}

/// Reads signals, one a line. They come a moment after their timestamp; a line without a readable one comes
/// with the line before it.
#[must_use]
pub fn read_signals(text: &str) -> Vec<Message> {
    let mut at = Timestamp(0);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            if let Ok(signal) = intake::decode(line.as_bytes(), None) {
                at = at.max(signal.timestamp.after(ON_THE_WAY));
            }
            Message { at, body: line.as_bytes().to_vec() }
        })
        .collect()
}

impl Month {
    /// Runs it whole.
    #[must_use]
    pub fn run(self) -> World {
        let first = self.bars.first().map_or(Timestamp(0), |bar| Timestamp(bar.end.0 - prices::BAR.0));
        let (config, exchange, link) = (self.config, self.exchange, self.link);
        let mut world = World::new(Setup {
            config,
            exchange,
            link,
            start: first,
            seed: self.seed,
            keep_messages: self.keep_messages,
            oracles: crate::oracle::Set::NONE,
        });
        let mut signals = self.signals.into_iter().peekable();
        for point in prices::points(&self.bars, self.seed) {
            while let Some(message) = signals.next_if(|message| message.at <= point.at) {
                world.run_to(message.at);
                world.bring(message.body);
            }
            world.run_to(point.at);
            world.set_price(self.symbol, point.price);
        }
        for message in signals {
            world.run_to(message.at);
            world.bring(message.body);
        }
        let end = world.now.after(REST);
        world.run_to(end);
        world
    }
}
