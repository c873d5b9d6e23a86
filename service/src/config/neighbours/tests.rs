use super::super::{Need, Settings, read};
use super::OrderEvents;
use order_manager_core::config::PositionSource;
use secrecy::ExposeSecret;

/// With a broker and real orders the unit of sells must be said (spec D7).
const ACCOUNT: [(&str, &str); 3] =
    [("BYBIT_API_KEY", "k"), ("BYBIT_API_SECRET", "s"), ("ORDERMANAGER_SELL_AMOUNT_UNIT", "base")];

fn with(pairs: &[(&str, &str)], need: Need) -> Result<Settings, String> {
    let pairs = ACCOUNT.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    read(pairs, need).map_err(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn good(pairs: &[(&str, &str)]) -> Settings {
    with(pairs, Need::Account).unwrap_or_else(|violations| panic!("{violations}"))
}

fn bad(pairs: &[(&str, &str)]) -> String {
    with(pairs, Need::Account).err().expect("violations")
}

/// wire-contracts.md 7, column E, with values where that has none.
const PREDECESSOR: &[(&str, &str)] = &[
    ("ORDERMANAGER_PORT", "4600"),
    ("ORDERMANAGER_API_KEY", "XXXX"),
    ("ORDERMANAGER_LOG_LEVEL", "INFO"),
    ("ORDERMANAGER_SERVICE_NAME", "order-manager"),
    ("BYBIT_ENVIRONMENT", "testnet  # or mainnet"),
    ("POSTGRES_HOST", "postgres"),
    ("POSTGRES_PORT", "5432"),
    ("POSTGRES_DB", "ytrader"),
    ("POSTGRES_USER", "ytrader"),
    ("POSTGRES_PASSWORD", "XXXX"),
    ("RABBITMQ_HOST", "rabbitmq"),
    ("RABBITMQ_PORT", "5672"),
    ("RABBITMQ_USER", "guest"),
    ("RABBITMQ_PASSWORD", "guest"),
    ("REDIS_HOST", "redis"),
    ("REDIS_PORT", "6379"),
    ("REDIS_PASSWORD", ""),
    ("WS_GATEWAY_HOST", "ws-gateway"),
    ("WS_GATEWAY_PORT", "4400"),
    ("WS_GATEWAY_API_KEY", "XXXX"),
    ("POSITION_MANAGER_HOST", "position-manager"),
    ("POSITION_MANAGER_PORT", "4800"),
    ("POSITION_MANAGER_API_KEY", "XXXX"),
    ("ORDERMANAGER_ENABLE_DRY_RUN", "false"),
    ("ORDERMANAGER_MAX_SINGLE_ORDER_SIZE", "500"),
    ("ORDERMANAGER_ENABLE_ORDER_SPLITTING", "false"),
    ("ORDERMANAGER_ORDER_EXECUTION_TIMEOUT", "30"),
    ("ORDERMANAGER_MAX_POSITION_SIZE", "2.0"),
    ("ORDERMANAGER_MAX_EXPOSURE", "10000"),
    ("ORDERMANAGER_MAX_ORDER_SIZE_RATIO", "0.1"),
    ("ORDERMANAGER_BYBIT_API_RETRY_MAX_ATTEMPTS", "3"),
    ("ORDERMANAGER_BYBIT_API_RETRY_BASE_DELAY", "1.0"),
    ("ORDERMANAGER_BYBIT_API_RETRY_MAX_DELAY", "30.0"),
    ("ORDERMANAGER_BYBIT_API_RETRY_MULTIPLIER", "2.0"),
    ("ORDERMANAGER_MARKET_ORDER_CONFIDENCE_THRESHOLD", "0.9"),
    ("ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD", "0.1"),
    ("ORDERMANAGER_LIMIT_ORDER_PRICE_OFFSET_RATIO", "0.5"),
    ("ORDERMANAGER_POSITION_SNAPSHOT_INTERVAL", "300"),
    ("ORDERMANAGER_POSITION_VALIDATION_INTERVAL", "3600"),
    ("ORDERMANAGER_INSTRUMENT_INFO_REFRESH_INTERVAL", "3600"),
    ("ORDERMANAGER_PENDING_ORDER_TIMEOUT_MINUTES", "5"),
    ("ORDERMANAGER_PENDING_ORDER_CHECK_INTERVAL", "60"),
    ("ORDERMANAGER_CANCEL_OPPOSITE_ORDERS_ONLY", "false"),
    ("ORDERMANAGER_CANCEL_STALE_ORDER_TIMEOUT", "3600"),
    ("ORDERMANAGER_UNREALIZED_LOSS_WARNING_THRESHOLD", "10"),
    ("ORDERMANAGER_ENABLE_BALANCE_CHECK", "true"),
    ("ORDERMANAGER_ENABLE_ORDER_SIZE_REDUCTION", "true"),
    ("BALANCE_SYNC_MIN_INTERVAL_SECONDS", "30"),
    ("BALANCE_SYNC_TIMEOUT_SECONDS", "5.0"),
];

#[test]
fn a2_the_predecessors_whole_environment_is_accepted_without_a_warning() {
    let settings = good(PREDECESSOR);
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    let neighbours = settings.neighbours;
    assert_eq!(neighbours.order_events, OrderEvents::WsGateway);
    let gateway = neighbours.ws_gateway.expect("a gateway");
    assert_eq!((gateway.base.as_str(), gateway.key.expose_secret()), ("http://ws-gateway:4400", "XXXX"));
    assert_eq!(neighbours.position_manager.expect("a manager").base, "http://position-manager:4800");
    assert_eq!(settings.rules.position_source, PositionSource::PositionManager);
    assert!(settings.rules.consult_position_manager);
    let noted = settings.notes.join("\n");
    assert!(noted.contains("PENDING_ORDER_TIMEOUT_MINUTES is accepted and has no effect"), "{noted}");
}

#[test]
fn t2_t4_without_neighbours_bybit_is_the_source_of_everything() {
    let settings = good(&[("WS_GATEWAY_HOST", "gw"), ("POSITION_MANAGER_PORT", "4800")]);
    assert_eq!(settings.neighbours.order_events, OrderEvents::Bybit);
    assert!(settings.neighbours.ws_gateway.is_none() && settings.neighbours.position_manager.is_none());
    assert_eq!(settings.rules.position_source, PositionSource::Bybit);
    assert!(!settings.rules.consult_position_manager);
    // A gateway without a broker brings nothing.
    assert_eq!(good(&[("WS_GATEWAY_API_KEY", "k")]).neighbours.order_events, OrderEvents::Bybit);
}

#[test]
fn t2_t4_what_is_set_goes_before_what_follows_from_a_key() {
    let settings = good(&[
        ("WS_GATEWAY_API_KEY", "k"),
        ("RABBITMQ_HOST", "rabbitmq"),
        ("ORDERMANAGER_ORDER_EVENTS", "bybit"),
        ("POSITION_MANAGER_API_KEY", "k"),
        ("ORDERMANAGER_POSITION_SOURCE", "bybit"),
        ("ORDERMANAGER_CONSULT_POSITION_MANAGER", "off"),
    ]);
    assert_eq!(settings.neighbours.order_events, OrderEvents::Bybit);
    assert_eq!(settings.rules.position_source, PositionSource::Bybit);
    assert!(!settings.rules.consult_position_manager);
}

#[test]
fn a2_what_cannot_be_done_is_a_violation_that_names_what_is_missing() {
    let said = bad(&[
        ("ORDERMANAGER_ORDER_EVENTS", "ws-gateway"),
        ("ORDERMANAGER_POSITION_SOURCE", "position-manager"),
        ("ORDERMANAGER_CONSULT_POSITION_MANAGER", "yes"),
        ("ORDERMANAGER_ENABLE_DRY_RUN", "true"),
        ("ORDERMANAGER_SERVICE_NAME", "order manager"),
        ("WS_GATEWAY_PORT", "many"),
        ("POSITION_MANAGER_HOST", "http://pm"),
        ("BALANCE_SYNC_TIMEOUT_SECONDS", "-1"),
    ]);
    for words in [
        "ORDER_EVENTS = ws-gateway: WS_GATEWAY_API_KEY is missing",
        "ORDER_EVENTS = ws-gateway: RABBITMQ_HOST is missing",
        "POSITION_SOURCE = position-manager: POSITION_MANAGER_API_KEY is missing",
        "CONSULT_POSITION_MANAGER = yes: POSITION_MANAGER_API_KEY is missing",
        "ENABLE_DRY_RUN = true: this build has no dry run",
        "SERVICE_NAME = order manager",
        "WS_GATEWAY_PORT = many",
        "POSITION_MANAGER_HOST = http://pm",
        "BALANCE_SYNC_TIMEOUT_SECONDS = -1",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    assert!(bad(&[("ORDERMANAGER_ORDER_EVENTS", "both")]).contains("must be bybit or ws-gateway"));
}

#[test]
fn a2_a_key_may_come_from_a_file_and_is_never_shown() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "the-gate\n").expect("written");
    let path = file.path().display().to_string();
    let settings = good(&[("WS_GATEWAY_API_KEY_FILE", &path), ("POSITION_MANAGER_API_KEY", "the-book")]);
    let gateway = settings.neighbours.ws_gateway.as_ref().expect("a gateway");
    assert_eq!(gateway.key.expose_secret(), "the-gate");
    let shown = format!("{} {:?}", settings.shown(), settings.neighbours);
    assert!(!shown.contains("the-"), "{shown}");
    let said = bad(&[("WS_GATEWAY_API_KEY", "the-g\u{e4}te\u{7}")]);
    assert!(said.contains("WS_GATEWAY_API_KEY") && !said.contains("the-"), "{said}");
}

#[test]
fn paper_trading_has_no_neighbours() {
    let settings = with(PREDECESSOR, Need::Paper).unwrap_or_else(|violations| panic!("{violations}"));
    let neighbours = settings.neighbours;
    assert!(neighbours.ws_gateway.is_none() && neighbours.position_manager.is_none());
    assert_eq!(neighbours.order_events, OrderEvents::Bybit);
    let asked = [("ORDERMANAGER_POSITION_SOURCE", "position-manager"), ("ORDERMANAGER_CONSULT_POSITION_MANAGER", "1")];
    let settings = with(&asked, Need::Paper).unwrap_or_else(|violations| panic!("{violations}"));
    assert_eq!(settings.rules.position_source, PositionSource::Bybit);
    assert!(!settings.rules.consult_position_manager);
}
