//! The neighbours' settings (wire-contracts.md 7).

use super::{Need, Reader};
use crate::neighbours::{Neighbour, balance};
use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use std::time::Duration;

/// Names of the neighbours' settings.
pub(super) const NAMES: &[(&str, &str)] = &[
    ("ORDERMANAGER_SERVICE_NAME", "our name towards the broker and ws-gateway; order-manager"),
    (
        "ORDERMANAGER_ORDER_EVENTS",
        "bybit or ws-gateway; ws-gateway where its key and RABBITMQ_HOST are set, else bybit",
    ),
    ("WS_GATEWAY_HOST", "ws-gateway's host; ws-gateway"),
    ("WS_GATEWAY_PORT", "ws-gateway's port; 4400"),
    ("WS_GATEWAY_API_KEY", "key of ws-gateway's API; none: it is not used"),
    ("POSITION_MANAGER_HOST", "Position Manager's host; position-manager"),
    ("POSITION_MANAGER_PORT", "Position Manager's port; 4800"),
    ("POSITION_MANAGER_API_KEY", "key of Position Manager's API; none: it is not used"),
    ("BALANCE_SYNC_MIN_INTERVAL_SECONDS", "between two balance syncs of ws-gateway; 30"),
    ("BALANCE_SYNC_TIMEOUT_SECONDS", "how long a call of ws-gateway may take; 5"),
];

/// Those of them that may come from a file.
pub(super) const SECRETS: &[&str] = &["WS_GATEWAY_API_KEY", "POSITION_MANAGER_API_KEY"];

/// Names that the predecessor had and that change nothing here: accepted, so that its environment works as it is.
/// The first five were dead or are answered otherwise; what the rest asks for is not part of this build.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "ORDERMANAGER_ORDER_EXECUTION_TIMEOUT",
    "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_PASSWORD",
    "ORDERMANAGER_ENABLE_DRY_RUN",
    "ORDERMANAGER_DRY_RUN",
    "ORDERMANAGER_ENABLE_ORDER_SPLITTING",
    "ORDERMANAGER_BYBIT_API_RETRY_MAX_ATTEMPTS",
    "ORDERMANAGER_BYBIT_API_RETRY_BASE_DELAY",
    "ORDERMANAGER_BYBIT_API_RETRY_MAX_DELAY",
    "ORDERMANAGER_BYBIT_API_RETRY_MULTIPLIER",
    "ORDERMANAGER_INSTRUMENT_INFO_REFRESH_INTERVAL",
    "ORDERMANAGER_PENDING_ORDER_TIMEOUT_MINUTES",
    "ORDERMANAGER_PENDING_ORDER_CHECK_INTERVAL",
    "ORDERMANAGER_CANCEL_STALE_ORDER_TIMEOUT",
    "ORDERMANAGER_UNREALIZED_LOSS_WARNING_THRESHOLD",
];

const POSITION_SOURCE: &str = "ORDERMANAGER_POSITION_SOURCE";
const CONSULT: &str = "ORDERMANAGER_CONSULT_POSITION_MANAGER";

/// Where order events come from (spec T2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderEvents {
    /// Bybit's private stream.
    #[default]
    Bybit,
    /// The queue `ws-gateway.order`; no private stream is opened to Bybit.
    WsGateway,
}

impl OrderEvents {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Bybit => "bybit",
            Self::WsGateway => "ws-gateway",
        }
    }
}

/// The services beside us. Paper trading has none, whatever is set: its orders are not theirs.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// Our name towards them.
    pub service_name: String,
    /// Where order events come from.
    pub order_events: OrderEvents,
    /// ws-gateway, where its key is set.
    pub ws_gateway: Option<Neighbour>,
    /// Position Manager, where its key is set.
    pub position_manager: Option<Neighbour>,
    /// Between two balance syncs that worked.
    pub balance_sync_interval: Duration,
    /// How long a call of ws-gateway may take.
    pub ws_gateway_timeout: Duration,
}

impl Reader {
    /// The neighbours; with them come the defaults of the rules that hang on them.
    pub(super) fn neighbours(&mut self, need: Need) -> Neighbours {
        let paper = need != Need::Account;
        let mut neighbours = Neighbours {
            service_name: self.service_name(),
            order_events: OrderEvents::Bybit,
            ws_gateway: None,
            position_manager: None,
            balance_sync_interval: self.seconds("BALANCE_SYNC_MIN_INTERVAL_SECONDS", balance::MIN_INTERVAL),
            ws_gateway_timeout: self.seconds("BALANCE_SYNC_TIMEOUT_SECONDS", Duration::from_secs(5)),
        };
        if paper {
            self.values.remove(POSITION_SOURCE);
            self.values.remove(CONSULT);
            return neighbours;
        }
        neighbours.ws_gateway = self.neighbour("WS_GATEWAY", "ws-gateway", 4400);
        neighbours.position_manager = self.neighbour("POSITION_MANAGER", "position-manager", 4800);
        neighbours.order_events = self.order_events(neighbours.ws_gateway.is_some());
        self.position_rules(neighbours.position_manager.is_some());
        self.no_dry_run();
        neighbours
    }

    /// What is set and changes nothing.
    pub(super) fn without_effect(&self) -> Vec<String> {
        let set = WITHOUT_EFFECT.iter().filter(|name| self.values.contains_key(**name));
        set.map(|name| format!("{name} is accepted and has no effect in this build")).collect()
    }

    fn neighbour(&mut self, prefix: &str, host: &str, port: u16) -> Option<Neighbour> {
        let (host_name, port_name, key_name) =
            (format!("{prefix}_HOST"), format!("{prefix}_PORT"), format!("{prefix}_API_KEY"));
        let host = self.get(&host_name).unwrap_or_else(|| host.to_owned());
        let base = match self.get(&port_name).map_or(Ok(port), |text| text.parse::<u16>().map_err(|_| text)) {
            Ok(port) => format!("http://{host}:{port}"),
            Err(text) => {
                self.violation(format!("{port_name} = {text}: must be a port from 1 to 65535"));
                return None;
            }
        };
        let names_a_host = |url: Url| url.path() == "/" && url.query().is_none() && url.username().is_empty();
        if host.contains('/') || !Url::parse(&base).is_ok_and(names_a_host) {
            self.violation(format!("{host_name} = {host}: must be a host such as {} alone", prefix.to_lowercase()));
            return None;
        }
        let key = self.get(&key_name)?;
        if HeaderValue::from_str(&key).is_err() {
            self.violation(format!("{key_name}: a header cannot carry it; use visible ASCII"));
            return None;
        }
        Some(Neighbour { base, key: SecretString::from(key) })
    }

    fn order_events(&mut self, gateway: bool) -> OrderEvents {
        let broker = self.get("RABBITMQ_HOST").is_some();
        match self.get("ORDERMANAGER_ORDER_EVENTS").as_deref() {
            None if gateway && broker => OrderEvents::WsGateway,
            None | Some("bybit") => OrderEvents::Bybit,
            Some("ws-gateway") => {
                for (name, there) in [("WS_GATEWAY_API_KEY", gateway), ("RABBITMQ_HOST", broker)] {
                    if !there {
                        self.violation(format!(
                            "ORDERMANAGER_ORDER_EVENTS = ws-gateway: {name} is missing; set it, or use bybit"
                        ));
                    }
                }
                OrderEvents::WsGateway
            }
            Some(other) => {
                self.violation(format!("ORDERMANAGER_ORDER_EVENTS = {other}: must be bybit or ws-gateway"));
                OrderEvents::Bybit
            }
        }
    }

    /// Where there is a Position Manager, it owns the positions and is asked, unless said otherwise (spec K1, T4).
    fn position_rules(&mut self, there: bool) {
        for (name, on) in [(POSITION_SOURCE, "position-manager"), (CONSULT, "true")] {
            match self.get(name) {
                None if there => _ = self.values.insert(name.into(), on.into()),
                Some(value) if !there && wants(&value, on) => {
                    self.violation(format!("{name} = {value}: POSITION_MANAGER_API_KEY is missing; set it"));
                }
                None | Some(_) => {}
            }
        }
    }

    /// Whoever asks for a dry run must not get real orders.
    fn no_dry_run(&mut self) {
        for name in ["ORDERMANAGER_ENABLE_DRY_RUN", "ORDERMANAGER_DRY_RUN"] {
            if let Some(value) = self.get(name)
                && !matches!(value.to_lowercase().as_str(), "false" | "0" | "no" | "off")
            {
                self.violation(format!("{name} = {value}: this build has no dry run; use serve --paper instead"));
            }
        }
    }

    /// It stands in addresses and in a column of 100 characters.
    fn service_name(&mut self) -> String {
        let Some(name) = self.get("ORDERMANAGER_SERVICE_NAME") else { return "order-manager".into() };
        let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
        if name.len() > 100 || !name.chars().all(plain) {
            self.violation(format!(
                "ORDERMANAGER_SERVICE_NAME = {name}: must be 1 to 100 letters, digits, dots, dashes and underscores"
            ));
        }
        name
    }

    fn seconds(&mut self, name: &str, default: Duration) -> Duration {
        let Some(text) = self.get(name) else { return default };
        let seconds = text.parse::<f64>().ok().filter(|seconds| (0.1..=3_600.0).contains(seconds));
        seconds.map_or_else(
            || {
                self.violation(format!("{name} = {text}: must be seconds from 0.1 to 3600"));
                default
            },
            Duration::from_secs_f64,
        )
    }
}

fn wants(value: &str, on: &str) -> bool {
    value == on || (on == "true" && matches!(value.to_lowercase().as_str(), "true" | "1" | "yes" | "on"))
}

#[cfg(test)]
mod tests;
