//! The configuration: environment over file over default, every violation at once, no secret ever shown
//! (spec A2).
//!
//! A rule of the manager is named as in [`order_manager_core::config::Config`], in upper case with the prefix
//! `ORDERMANAGER_`; in the file it stands under `[rules]`. What the service itself needs has the names below.

use crate::exchange::Account;
use crate::neighbours::Neighbour;
use crate::store::{Place, Server};
use order_manager_core::config::Config;
use order_manager_sim::scenario::nearest;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

mod broker;
mod neighbours;

pub use broker::BrokerSettings;
pub use neighbours::{Neighbours, OrderEvents};

const PREFIX: &str = "ORDERMANAGER_";

/// Names of the service's own settings. A secret may also come from a file: `NAME_FILE`.
const OWN: &[(&str, &str)] = &[
    ("BYBIT_API_KEY", "API key of the account"),
    ("BYBIT_API_SECRET", "API secret of the account"),
    ("BYBIT_ENVIRONMENT", "testnet or mainnet; testnet"),
    ("ORDERMANAGER_BYBIT_REST_URL", "instead of the environment's REST address"),
    ("ORDERMANAGER_BYBIT_STREAM_URL", "instead of the environment's private stream address"),
    ("ORDERMANAGER_HOST", "address to listen on; 127.0.0.1"),
    ("ORDERMANAGER_PORT", "port to listen on; 4600"),
    ("ORDERMANAGER_API_KEY", "key that callers must send; none: loopback only"),
    ("ORDERMANAGER_STORE", "SQLite file, or postgres://user@host/database; order-manager.db"),
    ("POSTGRES_DB", "PostgreSQL database; the store, where ORDERMANAGER_STORE names none"),
    ("POSTGRES_HOST", "its server; postgres"),
    ("POSTGRES_PORT", "its server's port; 5432"),
    ("POSTGRES_USER", "its user; ytrader"),
    ("POSTGRES_PASSWORD", "the user's password; none"),
    ("ORDERMANAGER_LOG_LEVEL", "debug, info, warn or error; info"),
    ("ORDERMANAGER_CONFIG", "TOML file with [service] and [rules]"),
];

/// Those of them that may come from a file.
const SECRETS: [&str; 4] = ["BYBIT_API_KEY", "BYBIT_API_SECRET", "ORDERMANAGER_API_KEY", "POSTGRES_PASSWORD"];

/// Everything the service needs.
#[derive(Clone)]
pub struct Settings {
    /// The manager's rules.
    pub rules: Config,
    /// The account; none in paper trading.
    pub account: Option<Account>,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Key of the API.
    pub api_key: Option<SecretString>,
    /// Where the store is.
    pub store: Place,
    /// Log level.
    pub log_level: String,
    /// The broker; none: everything goes over HTTP.
    pub broker: Option<BrokerSettings>,
    /// The services beside us.
    pub neighbours: Neighbours,
    /// What is worth a warning.
    pub warnings: Vec<String>,
    /// What is worth knowing and no warning.
    pub notes: Vec<String>,
}

/// One violation, in words: name, value, what is allowed, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where settings come from, and what was wrong with them.
struct Reader {
    values: BTreeMap<String, String>,
    violations: Vec<Violation>,
}

/// What is asked of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// An account at Bybit.
    Account,
    /// None: the exchange is a fake one.
    Paper,
    /// None: only the store is looked at.
    Store,
}

/// Reads the settings from an environment and the file that it names.
///
/// # Errors
/// Every violation.
pub fn read(environment: impl IntoIterator<Item = (String, String)>, need: Need) -> Result<Settings, Vec<Violation>> {
    let mut reader = Reader { values: BTreeMap::new(), violations: Vec::new() };
    let environment: BTreeMap<String, String> = environment
        .into_iter()
        .map(|(name, value)| (name, bare(&value)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    if let Some(file) = environment.get("ORDERMANAGER_CONFIG") {
        reader.read_file(Path::new(file));
    }
    reader.values.extend(environment);
    reader.read_secret_files();
    let neighbours = reader.neighbours(need);
    let rules = reader.rules();
    let mut warnings = reader.unknown_names();
    let account = reader.account(need);
    let (host, port) = (reader.host(), reader.port("ORDERMANAGER_PORT", 4600, 0));
    let store = reader.store(need, &mut warnings);
    let broker = reader.broker(need);
    let settings = Settings {
        rules,
        account,
        listen: SocketAddr::new(host, port),
        api_key: reader.get("ORDERMANAGER_API_KEY").map(SecretString::from),
        store,
        log_level: reader.log_level(),
        broker,
        neighbours,
        warnings,
        notes: reader.without_effect(),
    };
    reader.check_exposure_of_the_port(&settings);
    if reader.violations.is_empty() { Ok(settings) } else { Err(reader.violations) }
}

/// A value without surrounding space and without a comment after it, as `.env` files have them.
fn bare(value: &str) -> String {
    value.split(" #").next().unwrap_or_default().trim().to_string()
}

impl Reader {
    fn get(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    fn violation(&mut self, words: String) {
        self.violations.push(Violation(words));
    }

    fn read_file(&mut self, path: &Path) {
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.violation(format!("ORDERMANAGER_CONFIG = {shown}: cannot be read: {error}")),
        };
        let tables = match text.parse::<toml::Table>() {
            Ok(tables) => tables,
            Err(error) => {
                // Its own words would quote the line, and with it a secret.
                let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                return self.violation(format!("{shown}: line {line} is no TOML: {}", error.message()));
            }
        };
        for (section, value) in tables {
            let (toml::Value::Table(entries), "service" | "rules") = (value, section.as_str()) else {
                self.violation(format!("{shown}: [{section}] is no section: use [service] and [rules]"));
                continue;
            };
            for (name, value) in entries {
                let name =
                    if section == "rules" { format!("{PREFIX}{}", name.to_uppercase()) } else { own_name(&name) };
                let value = match value {
                    toml::Value::String(text) => text,
                    other => other.to_string(),
                };
                self.values.insert(name, value);
            }
        }
    }

    /// `NAME_FILE` names a file whose content is the value of `NAME`.
    fn read_secret_files(&mut self) {
        for name in SECRETS.iter().chain(broker::SECRETS).chain(neighbours::SECRETS) {
            let Some(path) = self.get(&format!("{name}_FILE")) else { continue };
            match std::fs::read_to_string(&path) {
                Ok(secret) if secret.trim().is_empty() => {
                    self.violation(format!("{name}_FILE = {path}: is empty: put the secret into it"));
                }
                Ok(secret) => _ = self.values.insert(name.to_string(), secret.trim().to_string()),
                Err(error) => self.violation(format!("{name}_FILE = {path}: cannot be read: {error}")),
            }
        }
    }

    /// The manager's rules: each name that a rule has, with its value as text.
    fn rules(&mut self) -> Config {
        let defaults = rule_names();
        let mut table = serde_json::Map::new();
        for (name, default) in &defaults {
            let variable = format!("{PREFIX}{}", name.to_uppercase());
            let Some(value) = self.get(&variable) else { continue };
            let json = as_json(&value, default);
            let alone = serde_json::Map::from_iter([(name.clone(), json.clone())]);
            match serde_json::from_value::<Config>(alone.into()) {
                Ok(_) => _ = table.insert(name.clone(), json),
                Err(error) => self.violation(format!("{variable} = {value}: {error}")),
            }
        }
        let config: Config = serde_json::from_value(table.into()).unwrap_or_default();
        if let Err(faults) = config.validate() {
            for fault in faults {
                self.violation(format!(
                    "{PREFIX}{}",
                    fault.to_string().replacen(fault.name, &fault.name.to_uppercase(), 1)
                ));
            }
        }
        config
    }

    fn account(&mut self, need: Need) -> Option<Account> {
        if need != Need::Account {
            return None;
        }
        let (rest, stream) = match self.get("BYBIT_ENVIRONMENT").as_deref().unwrap_or("testnet") {
            "testnet" => ("https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com/v5/private"),
            "mainnet" => ("https://api.bybit.com", "wss://stream.bybit.com/v5/private"),
            other => {
                self.violation(format!("BYBIT_ENVIRONMENT = {other}: must be testnet or mainnet"));
                return None;
            }
        };
        let rest = self.get("ORDERMANAGER_BYBIT_REST_URL").unwrap_or_else(|| rest.into());
        let stream = self.get("ORDERMANAGER_BYBIT_STREAM_URL").unwrap_or_else(|| stream.into());
        let (key, secret) = (self.get("BYBIT_API_KEY"), self.get("BYBIT_API_SECRET"));
        for (name, value) in [("BYBIT_API_KEY", &key), ("BYBIT_API_SECRET", &secret)] {
            if value.is_none() {
                let remedy =
                    format!("set it, or {name}_FILE with a file that holds it, or add --paper to trade without");
                self.violation(format!("{name} is missing: {remedy}"));
            }
        }
        Some(Account {
            rest: rest.trim_end_matches('/').into(),
            stream,
            key: key?,
            secret: SecretString::from(secret?),
        })
    }

    fn host(&mut self) -> IpAddr {
        let fallback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let Some(value) = self.get("ORDERMANAGER_HOST") else { return fallback };
        value.parse().unwrap_or_else(|_| {
            self.violation(format!("ORDERMANAGER_HOST = {value}: must be an address such as 127.0.0.1 or 0.0.0.0"));
            fallback
        })
    }

    fn port(&mut self, name: &str, fallback: u16, min: u16) -> u16 {
        let Some(value) = self.get(name) else { return fallback };
        value.parse().ok().filter(|port| *port >= min).unwrap_or_else(|| {
            self.violation(format!("{name} = {value}: must be a port from {min} to 65535"));
            fallback
        })
    }

    /// The store: a place that is named, else the database of the shared schema, else a file.
    fn store(&mut self, need: Need, warnings: &mut Vec<String>) -> Place {
        let port = self.port("POSTGRES_PORT", 5432, 1);
        let database = self.get("POSTGRES_DB");
        if let Some(named) = self.get("ORDERMANAGER_STORE") {
            // Not its value: it may hold a password.
            let place = named.parse().unwrap_or_else(|error| {
                self.violation(format!("ORDERMANAGER_STORE: {error}"));
                Place::File(PathBuf::new())
            });
            if let Some(database) = database {
                warnings.push(format!("the store is {place} (ORDERMANAGER_STORE), not POSTGRES_DB = {database}"));
            }
            return place;
        }
        // Orders on paper have no place among those that Position Manager sums up.
        let Some(database) = database.filter(|_| need != Need::Paper) else {
            return Place::File("order-manager.db".into());
        };
        let host = self.get("POSTGRES_HOST").unwrap_or_else(|| "postgres".into());
        let user = self.get("POSTGRES_USER").unwrap_or_else(|| "ytrader".into());
        let password = self.get("POSTGRES_PASSWORD").map(SecretString::from);
        Place::Server(Server::new(&host, port, &database, &user, password.as_ref()))
    }

    fn log_level(&mut self) -> String {
        let level = self.get("ORDERMANAGER_LOG_LEVEL").unwrap_or_else(|| "info".into()).to_lowercase();
        match level.as_str() {
            "debug" | "info" | "error" => level,
            "warn" | "warning" => "warn".into(),
            "critical" => "error".into(),
            other => {
                self.violation(format!("ORDERMANAGER_LOG_LEVEL = {other}: must be debug, info, warn or error"));
                "info".into()
            }
        }
    }

    fn check_exposure_of_the_port(&mut self, settings: &Settings) {
        if settings.api_key.is_none() && !settings.listen.ip().is_loopback() {
            let listen = settings.listen;
            self.violation(format!(
                "ORDERMANAGER_HOST = {}: without a key the API listens on loopback only; set ORDERMANAGER_API_KEY",
                listen.ip()
            ));
        }
    }

    /// Unknown names with our prefix, with the nearest that is known.
    fn unknown_names(&self) -> Vec<String> {
        let rules = rule_names();
        let mut known: Vec<String> = rules.keys().map(|name| format!("{PREFIX}{}", name.to_uppercase())).collect();
        known.extend(own_names().map(str::to_string));
        let ours = self.values.keys().filter(|name| name.starts_with(PREFIX));
        let unknown = ours.filter(|name| !known.contains(name) && !name.ends_with("_FILE"));
        unknown
            .map(|name| {
                let words: Vec<&str> = known.iter().map(String::as_str).collect();
                let near = nearest(name, &words).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                format!("{name} is not known here{near}")
            })
            .collect()
    }
}

/// Every name that is no rule's.
fn own_names() -> impl Iterator<Item = &'static str> {
    let named = OWN.iter().chain(broker::NAMES).chain(neighbours::NAMES).map(|(name, _)| *name);
    named.chain(neighbours::WITHOUT_EFFECT.iter().copied())
}

fn own_name(name: &str) -> String {
    let upper = name.to_uppercase();
    let plain = own_names().any(|own| own == upper);
    if plain { upper } else { format!("{PREFIX}{upper}") }
}

/// Every rule's name with its default.
fn rule_names() -> BTreeMap<String, serde_json::Value> {
    match serde_json::to_value(Config::default()) {
        Ok(serde_json::Value::Object(map)) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}

/// A text as the rule's kind of value; decimals stay text.
fn as_json(text: &str, default: &serde_json::Value) -> serde_json::Value {
    match default {
        serde_json::Value::Bool(_) => match text.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true.into(),
            "false" | "0" | "no" | "off" => false.into(),
            _ => text.into(),
        },
        serde_json::Value::Number(_) => text.parse::<u64>().map_or_else(|_| text.into(), Into::into),
        _ => text.into(),
    }
}

impl Settings {
    /// The effective configuration for people, secrets redacted.
    #[must_use]
    pub fn shown(&self) -> String {
        #[derive(Serialize)]
        struct Shown<'a> {
            service: BTreeMap<&'static str, String>,
            rules: &'a Config,
        }
        let secret = |present: bool| if present { "(set)".to_string() } else { "(not set)".to_string() };
        let account = self.account.as_ref();
        let base = |neighbour: &Option<Neighbour>| match neighbour {
            Some(neighbour) => neighbour.base.clone(),
            None => "(none)".into(),
        };
        let service = BTreeMap::from([
            ("api_key", secret(self.api_key.as_ref().is_some_and(|key| !key.expose_secret().is_empty()))),
            ("bybit_account", secret(account.is_some())),
            ("bybit_rest_url", account.map_or_else(|| "(paper)".into(), |account| account.rest.clone())),
            ("bybit_stream_url", account.map_or_else(|| "(paper)".into(), |account| account.stream.clone())),
            ("broker", self.broker.as_ref().map_or_else(|| "(none)".into(), BrokerSettings::shown)),
            ("listen", self.listen.to_string()),
            ("log_level", self.log_level.clone()),
            ("order_events", self.neighbours.order_events.word().into()),
            ("position_manager", base(&self.neighbours.position_manager)),
            ("service_name", self.neighbours.service_name.clone()),
            ("ws_gateway", base(&self.neighbours.ws_gateway)),
            ("store", self.store.to_string()),
        ]);
        toml::to_string_pretty(&Shown { service, rules: &self.rules }).unwrap_or_else(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
