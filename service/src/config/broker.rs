//! RabbitMQ's settings: on where its host is named.

use super::{Need, Reader};
use crate::broker::Broker;
use secrecy::SecretString;

/// Names of the broker's settings.
pub(super) const NAMES: &[(&str, &str)] = &[
    ("RABBITMQ_HOST", "RabbitMQ server; none: signals come over HTTP, events go over HTTP"),
    ("RABBITMQ_PORT", "its port; 5672"),
    ("RABBITMQ_USER", "its user; guest"),
    ("RABBITMQ_PASSWORD", "the user's password; guest"),
    ("RABBITMQ_VHOST", "its virtual host; /"),
    ("ORDERMANAGER_SERVICE_NAME", "name of our connections to it; order-manager"),
    ("ORDERMANAGER_PREFETCH", "signals that may be on their way in from it, 1 to 1000; 64"),
];

/// Those of them that may come from a file.
pub(super) const SECRETS: &[&str] = &["RABBITMQ_PASSWORD"];

/// Signals in and events out by RabbitMQ.
#[derive(Clone, Debug)]
pub struct BrokerSettings {
    /// The server.
    pub broker: Broker,
    /// Signals that may be on their way in, not acknowledged.
    pub prefetch: u16,
}

impl BrokerSettings {
    /// What people may see of it.
    pub(super) fn shown(&self) -> String {
        let Broker { host, port, user, vhost, .. } = &self.broker;
        format!("{user} at {host}:{port}, virtual host {vhost}, prefetch {}", self.prefetch)
    }
}

impl Reader {
    pub(super) fn broker(&mut self, need: Need) -> Option<BrokerSettings> {
        let port = self.number("RABBITMQ_PORT", 5672, 1..=u16::MAX);
        let prefetch = self.number("ORDERMANAGER_PREFETCH", 64, 1..=1_000);
        let host = self.get("RABBITMQ_HOST")?;
        if need != Need::Account {
            return None; // signals that are meant for a real account, and fills that nobody must add up
        }
        if self.get("ORDERMANAGER_SELL_AMOUNT_UNIT").is_none() {
            self.violation(
                "ORDERMANAGER_SELL_AMOUNT_UNIT is missing: with signals from RABBITMQ_HOST and real orders it must be \
                 set: base where the model service sends what it sells in coins (it does today), quote where it sends \
                 what that is worth"
                    .into(),
            );
        }
        let text = |name, fallback: &str| self.get(name).unwrap_or_else(|| fallback.into());
        let broker = Broker {
            host,
            port,
            user: text("RABBITMQ_USER", "guest"),
            password: SecretString::from(text("RABBITMQ_PASSWORD", "guest")),
            vhost: text("RABBITMQ_VHOST", "/"),
            name: text("ORDERMANAGER_SERVICE_NAME", "order-manager"),
        };
        Some(BrokerSettings { broker, prefetch })
    }

    fn number(&mut self, name: &str, fallback: u16, range: std::ops::RangeInclusive<u16>) -> u16 {
        let Some(value) = self.get(name) else { return fallback };
        value.parse().ok().filter(|number| range.contains(number)).unwrap_or_else(|| {
            self.violation(format!("{name} = {value}: must be a number from {} to {}", range.start(), range.end()));
            fallback
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Need, Violation, read};

    fn of(pairs: &[(&str, &str)], need: Need) -> Result<crate::config::Settings, Vec<Violation>> {
        read(pairs.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())), need)
    }

    #[test]
    fn a2_the_broker_is_on_where_its_host_is_named_and_its_password_is_never_shown() {
        let none = of(&[("RABBITMQ_PORT", "5673")], Need::Paper).unwrap_or_else(|v| panic!("{v:?}"));
        assert!(none.broker.is_none());
        let pairs = [
            ("RABBITMQ_HOST", "rabbitmq"),
            ("RABBITMQ_PASSWORD", "the-secret"),
            ("ORDERMANAGER_SERVICE_NAME", "om-2"),
            ("ORDERMANAGER_PREFETCH", "1000"),
            ("ORDERMANAGER_SELL_AMOUNT_UNIT", "base"),
            ("BYBIT_API_KEY", "k"),
            ("BYBIT_API_SECRET", "s"),
        ];
        assert!(of(&pairs, Need::Paper).is_ok_and(|settings| settings.broker.is_none()), "its signals are for real");
        let settings = of(&pairs, Need::Account).unwrap_or_else(|v| panic!("{v:?}"));
        let broker = settings.broker.clone().expect("a broker");
        assert_eq!((broker.broker.port, broker.broker.name.as_str(), broker.prefetch), (5672, "om-2", 1_000));
        assert_eq!((broker.broker.user.as_str(), broker.broker.vhost.as_str()), ("guest", "/"));
        let shown = format!("{} {broker:?}", settings.shown());
        assert!(!shown.contains("the-secret") && shown.contains("rabbitmq:5672"), "{shown}");
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    }

    #[test]
    fn d7_real_orders_from_the_broker_need_the_sell_unit_said() {
        let real = [("RABBITMQ_HOST", "rabbitmq"), ("BYBIT_API_KEY", "k"), ("BYBIT_API_SECRET", "s")];
        let violations = of(&real, Need::Account).err().expect("a violation");
        assert!(violations.iter().any(|violation| violation.0.contains("SELL_AMOUNT_UNIT")), "{violations:?}");
        assert!(of(&real, Need::Paper).is_ok(), "paper orders cost nothing");
        let said: Vec<_> = real.into_iter().chain([("ORDERMANAGER_SELL_AMOUNT_UNIT", "quote")]).collect();
        assert!(of(&said, Need::Account).is_ok());
    }

    #[test]
    fn a2_numbers_out_of_range_are_violations() {
        for (name, value) in [("ORDERMANAGER_PREFETCH", "0"), ("ORDERMANAGER_PREFETCH", "1001"), ("RABBITMQ_PORT", "x")]
        {
            let violations = of(&[(name, value)], Need::Paper).err().expect("a violation");
            assert!(violations[0].0.starts_with(&format!("{name} = {value}")), "{violations:?}");
        }
    }
}
