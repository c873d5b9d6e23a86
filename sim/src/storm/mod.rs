//! A storm: random signals, faults, crashes, gaps, checkpoints and prices; then everything heals. Each seed is a
//! world of its own, and what it drew is told as a story. What must be true afterwards is for judges to say.

mod act;
mod weather;

pub use weather::Weather;

use crate::choice::Choices;
use crate::exchange::{Delays, ExchangeConfig, LinkReuse, NoLiquidity};
use crate::scenario::Link;
use crate::world::{Setup, Trace, World};
use order_manager_core::config::Config;
use order_manager_core::unit::{Decimal, Money, Price, Span, Symbol, Timestamp};

const START: Timestamp = Timestamp(1_704_067_200_000_000);
/// An exit that was never sent is given up after 900 s; then the last word has been spoken.
const HEALING: Span = Span::secs(1_000);
/// Symbols, each with ten times the price that its own prices keep near.
const SYMBOLS: [(&str, i64); 2] = [("BTCUSDT", 500_000), ("ETHUSDT", 30_000)];

/// One storm and the world that it blows through.
#[derive(Debug)]
pub struct Storm {
    /// The world.
    pub world: World,
    /// The manager's rules.
    pub config: Config,
    /// All that was drawn, in words.
    pub story: Vec<String>,
    /// Did anybody trade by hand?
    pub manual: bool,
    /// A checkpoint, and how many records were stored when it was taken.
    pub checkpoint: Option<(usize, Vec<u8>)>,
    c: Choices,
    weather: Weather,
    bodies: Vec<Vec<u8>>,
    /// Requests are doubled on their way, or answers are forced: never both, or a lie of ours would refuse one copy
    /// and take the other, which no exchange does.
    doubles: bool,
}

impl Storm {
    /// The world of this seed, before anything happens; with a trace for people where it is wanted.
    #[must_use]
    pub fn new(seed: u64, weather: Weather, trace: bool) -> Self {
        let mut c = Choices::seeded(seed);
        let config = config(&mut c, &weather);
        let (mut exchange, link) = exchange(&mut c, &weather);
        let doubles = c.chance("doubles", 300);
        if doubles {
            // Where an id may be used again once its order has ended, a late copy of a request is another order, and no
            // client can keep it from being one: TCP brings a request once (seeds 33104 and 50880).
            exchange.link_reuse = LinkReuse::Never;
        }
        let story = vec![format!("{config:?}"), format!("{:?} {link:?}", exchange.delays)];
        let setup = Setup { config: config.clone(), exchange, link, start: START, seed, keep_messages: true };
        let mut world = World::new(setup);
        for (symbol, price) in SYMBOLS {
            world.set_price(Symbol::clipped(symbol), Price(Decimal::new(price, 1)));
        }
        if trace {
            world.trace = Some(Trace::new(START, config.link_id_prefix, Vec::new().into_iter().collect()));
        }
        let (manual, checkpoint, bodies) = (false, None, Vec::new());
        Self { world, config, story, manual, checkpoint, c, weather, bodies, doubles }
    }

    /// Lets it blow, heals everything and waits until the last word has been spoken.
    pub fn run(&mut self) {
        self.world.run_to(START.after(Span::secs(1)));
        let (least, most) = self.weather.acts;
        for _ in 0..self.c.between("acts", least, most) {
            let pause = Span::millis(*self.c.pick("pause", &[0, 1, 7, 40, 200, 900, 3_000, 12_000]));
            self.world.run_to(self.world.now.after(pause));
            self.act();
        }
        self.note("heals".into());
        self.world.heal();
        self.world.run_to(self.world.now.after(HEALING));
    }

    fn note(&mut self, what: String) {
        let at = self.world.elapsed();
        self.story.push(format!("{at}: {what}"));
    }
}

fn config(c: &mut Choices, weather: &Weather) -> Config {
    Config {
        allow_short: c.chance("short", 400) && weather.shorts,
        limit_post_only: c.chance("post-only", 700),
        cancel_opposite_orders_only: c.chance("opposite", 300),
        cancel_partially_filled: c.chance("partial", 700),
        max_position_size: weather.position_max,
        max_exposure: Money(Decimal::from(*c.pick("exposure", weather.exposures))),
        ..Config::default()
    }
}

fn exchange(c: &mut Choices, weather: &Weather) -> (ExchangeConfig, Link) {
    let ms = |c: &mut Choices, label, most| c.between(label, 0, most);
    let mut delays = Delays::default();
    if c.chance("slow", 400) {
        delays = Delays {
            engine_ms: ms(c, "engine", 300),
            order_push_ms: ms(c, "order-push", 400),
            execution_push_ms: ms(c, "execution-push", 800),
            position_push_ms: ms(c, "position-push", 400),
            wallet_push_ms: 3,
            realtime_ms: ms(c, "realtime", 3_000),
            history_ms: ms(c, "history", 10_000),
            executions_ms: ms(c, "executions", 5_000),
        };
    }
    let link_reuse = *c.pick("reuse", &[LinkReuse::Never, LinkReuse::AfterEnd]);
    let no_liquidity = *c.pick("no-liquidity", &[NoLiquidity::Cancel, NoLiquidity::Refuse]);
    let closed_cache = *c.pick("closed-cache", &[500, 1, 0]);
    let liquidity = weather.liquidity;
    let exchange =
        ExchangeConfig { delays, link_reuse, no_liquidity, closed_cache, liquidity, ..ExchangeConfig::default() };
    let link = *c.pick("link", &[Link::Typed, Link::Typed, Link::Typed, Link::Bytes]);
    (exchange, link)
}
