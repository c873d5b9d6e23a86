use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect()
}

#[test]
fn a2_old_names_work_and_comments_after_a_value_are_tolerated() {
    let pairs = [
        ("ORDERMANAGER_MAX_EXPOSURE", "2500.5 # USDT"),
        ("ORDERMANAGER_ENABLE_BALANCE_CHECK", "off"),
        ("ORDERMANAGER_MARKET_ORDER_CONFIDENCE_THRESHOLD", "0.8"),
        ("ORDERMANAGER_LOG_LEVEL", "WARNING"),
        ("ORDERMANAGER_PORT", "4601"),
        ("ORDERMANAGER_SERVICE_NAME", "order-manager"),
    ];
    let settings = read(environment(&pairs), Need::Paper).unwrap_or_else(|v| panic!("{v:?}"));
    assert_eq!(settings.rules.max_exposure.to_string(), "2500.5");
    assert!(!settings.rules.enable_balance_check);
    assert_eq!((settings.log_level.as_str(), settings.listen.port()), ("warn", 4601));
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
}

#[test]
fn a2_every_violation_comes_at_once_and_names_the_variable() {
    let pairs = [
        ("ORDERMANAGER_MAX_LEVERAGE", "0"),
        ("ORDERMANAGER_ALLOW_SHORT", "maybe"),
        ("ORDERMANAGER_PORT", "eighty"),
        ("ORDERMANAGER_HOST", "0.0.0.0"),
        ("BYBIT_ENVIRONMENT", "moon"),
    ];
    let violations = read(environment(&pairs), Need::Account).err().expect("violations");
    let text = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for name in ["ORDERMANAGER_MAX_LEVERAGE = 0", "ALLOW_SHORT = maybe", "PORT = eighty", "HOST = 0.0.0.0", "= moon"] {
        assert!(text.contains(name), "{name} is not in\n{text}");
    }
}

#[test]
fn a2_an_unknown_name_is_warned_about_with_the_nearest() {
    let settings = read(environment(&[("ORDERMANAGER_MAX_EXPOSUR", "1")]), Need::Paper)
        .unwrap_or_else(|violations| panic!("{violations:?}"));
    assert_eq!(
        settings.warnings,
        ["ORDERMANAGER_MAX_EXPOSUR is not known here; did you mean ORDERMANAGER_MAX_EXPOSURE?"]
    );
}

#[test]
fn a2_a_file_that_is_no_toml_is_told_by_its_line_and_not_by_its_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("om.toml");
    std::fs::write(&path, "[service]\nbybit_api_secret = \"the-secret\n").expect("written");
    let name = path.display().to_string();
    let violations = read(environment(&[("ORDERMANAGER_CONFIG", &name)]), Need::Paper).err().expect("violations");
    let text = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(!text.contains("the-secret") && text.contains("line 2"), "{text}");
}

#[test]
fn a2_an_empty_secret_file_is_a_violation() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let name = file.path().display().to_string();
    let violations = read(environment(&[("ORDERMANAGER_API_KEY_FILE", &name)]), Need::Paper).err().expect("violations");
    assert!(violations.iter().any(|violation| violation.0.contains("ORDERMANAGER_API_KEY_FILE")), "{violations:?}");
}

#[test]
fn a4_the_store_is_a_database_where_one_is_named_and_nothing_else_is() {
    let store = |pairs: &[(&str, &str)]| {
        let settings = read(environment(pairs), Need::Store).unwrap_or_else(|violations| panic!("{violations:?}"));
        assert!(!format!("{} {:?}", settings.shown(), settings.store).contains("the-secret"));
        (settings.store.to_string(), settings.warnings)
    };
    let server = [("POSTGRES_DB", "ytrader"), ("POSTGRES_HOST", "postgres"), ("POSTGRES_PASSWORD", "the-secret")];
    assert_eq!(store(&[]).0, "order-manager.db");
    assert_eq!(store(&server[1..]).0, "order-manager.db", "no database is named");
    assert_eq!(store(&server), ("postgres://ytrader@postgres:5432/ytrader".into(), Vec::new()));
    let url = "postgres://om:the-secret@elsewhere:6000/books";
    assert_eq!(store(&[("ORDERMANAGER_STORE", url)]).0, "postgres://om@elsewhere:6000/books");
    let (named, warnings) = store(&[server[0], ("ORDERMANAGER_STORE", "here.db")]);
    assert_eq!(named, "here.db");
    assert_eq!(warnings, ["the store is here.db (ORDERMANAGER_STORE), not POSTGRES_DB = ytrader"]);
    let bad = [("ORDERMANAGER_STORE", "postgres://om:the-secret@host:port/x"), ("POSTGRES_PORT", "0")];
    let violations = read(environment(&bad), Need::Store).err().expect("violations");
    let text = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(text.contains("ORDERMANAGER_STORE: ") && text.contains("POSTGRES_PORT = 0"), "{text}");
    assert!(!text.contains("the-secret"), "{text}");
    // Orders on paper have no place in it.
    let paper = read(environment(&server), Need::Paper).unwrap_or_else(|violations| panic!("{violations:?}"));
    assert_eq!(paper.store.to_string(), "order-manager.db");
}

#[test]
fn a2_secrets_are_not_shown() {
    let pairs =
        [("BYBIT_API_KEY", "the-key"), ("BYBIT_API_SECRET", "the-secret"), ("ORDERMANAGER_API_KEY", "the-door")];
    let settings = read(environment(&pairs), Need::Account).unwrap_or_else(|violations| panic!("{violations:?}"));
    let shown = format!("{} {:?}", settings.shown(), settings.account);
    assert!(!shown.contains("the-"), "{shown}");
    assert!(shown.contains("max_exposure"));
}

/// Every name that the predecessor's compose file and settings give (wire-contracts.md 7), and none that is unknown.
#[test]
fn a2_the_example_environment_is_whole_and_is_understood() {
    const OLD: &[&str] = &[
        "ORDERMANAGER_PORT",
        "ORDERMANAGER_API_KEY",
        "ORDERMANAGER_LOG_LEVEL",
        "ORDERMANAGER_SERVICE_NAME",
        "BYBIT_API_KEY",
        "BYBIT_API_SECRET",
        "BYBIT_ENVIRONMENT",
        "POSTGRES_HOST",
        "POSTGRES_PORT",
        "POSTGRES_DB",
        "POSTGRES_USER",
        "POSTGRES_PASSWORD",
        "RABBITMQ_HOST",
        "RABBITMQ_PORT",
        "RABBITMQ_USER",
        "RABBITMQ_PASSWORD",
        "WS_GATEWAY_HOST",
        "WS_GATEWAY_PORT",
        "WS_GATEWAY_API_KEY",
        "POSITION_MANAGER_HOST",
        "POSITION_MANAGER_PORT",
        "POSITION_MANAGER_API_KEY",
        "ORDERMANAGER_MAX_POSITION_SIZE",
        "ORDERMANAGER_MAX_EXPOSURE",
        "ORDERMANAGER_MAX_ORDER_SIZE_RATIO",
        "ORDERMANAGER_MARKET_ORDER_CONFIDENCE_THRESHOLD",
        "ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD",
        "ORDERMANAGER_LIMIT_ORDER_PRICE_OFFSET_RATIO",
        "ORDERMANAGER_POSITION_SNAPSHOT_INTERVAL",
        "ORDERMANAGER_POSITION_VALIDATION_INTERVAL",
        "ORDERMANAGER_CANCEL_OPPOSITE_ORDERS_ONLY",
        "ORDERMANAGER_ENABLE_BALANCE_CHECK",
        "ORDERMANAGER_ENABLE_ORDER_SIZE_REDUCTION",
    ];
    let example = include_str!("../../../env.example");
    let lines = example.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let pairs: Vec<(&str, &str)> = lines.collect();
    let missing: Vec<_> = OLD
        .iter()
        .chain(neighbours::WITHOUT_EFFECT)
        .filter(|name| **name != "ORDERMANAGER_DRY_RUN" && !pairs.iter().any(|(known, _)| known == *name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let settings = read(environment(&pairs), Need::Account).unwrap_or_else(|v| panic!("{v:?}"));
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
}
