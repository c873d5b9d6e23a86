//! The third depth: the real binary against a served exchange, each step at its real time. An expectation is
//! looked at until it holds or its patience is over, so that nobody waits longer than the story needs.

use crate::expect;
use crate::support::{API_KEY, PATIENCE, POLL, Service, open, pause, run as run_program};
use crate::told;
use order_manager_core::unit::{Price, SignalId, Timestamp};
use order_manager_sim::judge;
use order_manager_sim::scenario::{Action, Expect, Scenario, signal_body};
use order_manager_sim::serve::{self, Handle, Prices, ServeConfig, Served};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// After the last step nothing more may happen for so long.
const QUIET: Duration = Duration::from_secs(1);

/// What a run leaves behind.
pub(crate) struct End {
    /// The published events, as the API streams them.
    pub(crate) events: Vec<Value>,
    /// The exported journal.
    pub(crate) journal: Vec<u8>,
}

/// Acts a scenario out over sockets; panics where an expectation does not hold.
pub(crate) fn run(scenario: &Scenario) -> End {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let exchange = scenario.exchange_as().unwrap_or_else(|error| panic!("{error}"));
    let config = ServeConfig { exchange, prices: Prices::Still, seed: scenario.seed, ..ServeConfig::default() };
    let exchange = runtime.block_on(serve::spawn(config)).unwrap();
    assert!(exchange.handle().set_price(scenario.prices.symbol, scenario.prices.start));
    let service = start(scenario, &exchange, folder.path());
    let mut stage = Stage {
        scenario,
        events: follow(service.address()),
        service,
        exchange: exchange.handle().clone(),
        bodies: BTreeMap::new(),
        duplicates: 0,
        conflicts: 0,
    };
    stage.act();
    stage.end(folder.path())
}

/// The service on the scenario's rules, in its first life.
fn start(scenario: &Scenario, exchange: &Served, folder: &Path) -> Service {
    let rules = toml::Table::from_iter([("rules".to_string(), scenario.config.clone().into())]);
    let file = folder.join("config.toml");
    fs::write(&file, rules.to_string()).unwrap();
    let credentials = ServeConfig::default().credentials;
    let environment = [
        ("BYBIT_API_KEY", credentials.key.as_str()),
        ("BYBIT_API_SECRET", credentials.secret.as_str()),
        ("ORDERMANAGER_BYBIT_REST_URL", &exchange.base_url()),
        ("ORDERMANAGER_BYBIT_STREAM_URL", &exchange.private_stream_url()),
        ("ORDERMANAGER_LOG_LEVEL", "warn"),
        ("ORDERMANAGER_CONFIG", &file.display().to_string()),
    ];
    let service = Service::start(&["serve"], folder, &environment);
    service.wait_ready();
    service
}

/// The event stream from its beginning, as it grows.
fn follow(address: &str) -> Arc<Mutex<Vec<Value>>> {
    let stream = open(address, "GET", "/api/v1/events?after=0", Some(API_KEY), "").unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    thread::spawn(move || {
        for line in stream.lines().map_while(Result::ok) {
            if let Some(data) = line.strip_prefix("data:") {
                told.lock().unwrap().push(serde_json::from_str(data).unwrap());
            }
        }
    });
    events
}

/// One scenario on real sockets.
pub(crate) struct Stage<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) service: Service,
    pub(crate) exchange: Handle,
    pub(crate) events: Arc<Mutex<Vec<Value>>>,
    bodies: BTreeMap<String, Vec<u8>>,
    pub(crate) duplicates: u32,
    pub(crate) conflicts: u32,
}

impl Stage<'_> {
    fn act(&mut self) {
        let scenario = self.scenario;
        let began = Instant::now();
        for step in &scenario.steps {
            if let Action::Expect(expect) = &step.action {
                self.await_expected(step.line, expect);
                continue;
            }
            let at = Duration::from_micros(step.at.0);
            pause(at.saturating_sub(began.elapsed()));
            self.act_step(step.line, &step.action);
        }
        pause(QUIET);
        if let Some((line, Action::Expect(expect))) = scenario.steps.last().map(|step| (step.line, &step.action)) {
            let failures = expect::failures(self, expect);
            assert!(failures.is_empty(), "{}:{line}, a little later: {failures:#?}", scenario.path());
        }
    }

    fn await_expected(&self, line: usize, expect: &Expect) {
        let until = Instant::now() + PATIENCE;
        loop {
            let failures = expect::failures(self, expect);
            if failures.is_empty() {
                return;
            }
            let (path, errors) = (self.scenario.path(), self.service.errors());
            assert!(Instant::now() < until, "{path}:{line}: {failures:#?}\nthe service's log:\n{errors}");
            pause(POLL);
        }
    }

    fn act_step(&mut self, line: usize, action: &Action) {
        match action {
            Action::Signal(signal) => {
                let current = self.exchange.with(|exchange, _| exchange.last_price(signal.symbol));
                let body = signal_body(signal, now(), current.unwrap_or(Price::ZERO));
                self.bodies.insert(signal.alias.clone(), body.clone());
                (0..signal.deliveries).for_each(|_| self.bring(&body));
            }
            Action::Raw(raw) => (0..raw.deliveries).for_each(|_| self.bring(&raw.body)),
            Action::Again(alias) => self.bring(&self.bodies[alias].clone()),
            action => {
                let acted = self.exchange.act(action);
                // A crash at an exact moment cannot be ordered from outside; `tests/kill.rs` kills at any moment.
                acted.unwrap_or_else(|why| panic!("{}:{line} over sockets: {why}", self.scenario.path()));
            }
        }
    }

    fn bring(&mut self, body: &[u8]) {
        let body = std::str::from_utf8(body).expect("bodies over sockets are text here");
        let answer = self.service.call("POST", "/api/v1/signals", body).unwrap();
        match answer.status {
            200 if answer.json()["status"] == "duplicate" => self.duplicates += 1,
            200 | 202 | 422 => {}
            409 => self.conflicts += 1,
            other => panic!("a signal was answered with {other}: {}", answer.body),
        }
    }

    /// The aliases of the signals that were brought.
    pub(crate) fn brought(&self) -> impl Iterator<Item = &str> {
        self.bodies.keys().map(String::as_str)
    }

    /// The id of the signal that an alias names.
    pub(crate) fn id_of(&self, alias: &str) -> SignalId {
        let id = self.scenario.steps.iter().find_map(|step| match &step.action {
            Action::Signal(signal) if signal.alias == alias => Some(signal.id),
            _ => None,
        });
        id.unwrap_or_else(|| panic!("no signal is called {alias}"))
    }

    /// Exports the journal of the running service, and compares the books that it adds up to with the exchange's.
    fn end(self, folder: &Path) -> End {
        let file = folder.join("journal").display().to_string();
        let store = folder.join("orders.db").display().to_string();
        let export = run_program(&["journal", "export", &file, "--store", &store], &[]);
        assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
        let journal = fs::read(&file).unwrap();
        let books = told::ledger_of(&journal).books;
        let differences = self.exchange.with(|exchange, _| judge::differences(&books, exchange));
        assert!(differences.is_empty(), "{}: {differences:#?}", self.scenario.name);
        let events = self.events.lock().unwrap().clone();
        End { events, journal }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(since.as_micros().try_into().unwrap())
}
