//! The first start on the database of the service before us (spec T1): its open rows are asked about, booked, and
//! closed where the exchange does not know them. `takeover --dry-run` says the same and writes nothing.

#[path = "support/process.rs"]
mod process;

use anyhow::{Context, ensure};
use order_manager_core::bybit::sign;
use order_manager_core::unit::{Decimal, ExchangeTime, Quantity, Symbol};
use order_manager_sim::exchange::ExchangeConfig;
use order_manager_sim::serve::{self, Prices, ServeConfig, Served};
use process::{Launch, PROGRAM};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;
use std::process::Output;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::process::Command;
use tokio::time::{Instant, interval};

/// A database with the shared tables as the service before us left them, and no schema of ours.
struct Database {
    server: String,
    name: String,
}

impl Database {
    async fn new() -> anyhow::Result<Self> {
        let url = std::env::var("OM_TEST_POSTGRES_URL")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into());
        let (server, _) = url.rsplit_once('/').context("OM_TEST_POSTGRES_URL has no database")?;
        let this = Self { server: server.into(), name: format!("om_test_takeover_{}", std::process::id()) };
        let made = run(&url, &format!("CREATE DATABASE {}", this.name)).await;
        made.context("no PostgreSQL server for tests: set OM_TEST_POSTGRES_URL, or run tests/run: it starts one")?;
        run(&this.url(), include_str!("../migrations/postgres/shared.sql")).await?;
        Ok(this)
    }

    fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    async fn texts(&self, query: &str) -> anyhow::Result<Vec<String>> {
        let mut connection = PgConnection::connect(&self.url()).await?;
        Ok(sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await?)
    }

    async fn drop(self) -> anyhow::Result<()> {
        run(&format!("{}/postgres", self.server), &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await
    }
}

async fn run(url: &str, text: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// A request as the service before us made it: without an order link id. What Bybit answered.
async fn ask(exchange: &Served, path: &str, body: Value) -> anyhow::Result<Value> {
    let body = body.to_string();
    let request = process::client()?.post(format!("{}{path}", exchange.base_url())).body(body.clone());
    signed(request, &body).await.with_context(|| path.to_owned())
}

async fn look(exchange: &Served, path: &str) -> anyhow::Result<Value> {
    let (_, query) = path.split_once('?').context("no query")?;
    signed(process::client()?.get(format!("{}{path}", exchange.base_url())), query).await
}

async fn signed(request: reqwest::RequestBuilder, payload: &str) -> anyhow::Result<Value> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let at = ExchangeTime(u64::try_from(since.as_millis())?);
    let signature = sign::request(b"sim-secret", at, "sim-key", 5_000, payload);
    let answer = request
        .header("X-BAPI-API-KEY", "sim-key")
        .header("X-BAPI-TIMESTAMP", at.0.to_string())
        .header("X-BAPI-RECV-WINDOW", "5000")
        .header("X-BAPI-SIGN", signature.as_str())
        .send()
        .await?;
    let answer: Value = serde_json::from_str(&answer.text().await?)?;
    ensure!(answer["retCode"] == 0, "{answer}");
    Ok(answer["result"].clone())
}

async fn place(exchange: &Served, quantity: &str, price: &str) -> anyhow::Result<String> {
    let order = json!({
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": quantity,
        "price": price, "timeInForce": "GTC", "positionIdx": 0,
    });
    let placed = ask(exchange, "/v5/order/create", order).await?;
    Ok(placed["orderId"].as_str().context("no order id")?.to_owned())
}

/// The engine works a moment after it has acknowledged.
async fn until_filled(exchange: &Served, order: &str, quantity: &str) -> anyhow::Result<()> {
    let (until, mut looks) = (Instant::now() + process::PATIENCE, interval(process::LOOK));
    loop {
        looks.tick().await;
        let path = format!("/v5/order/realtime?category=linear&symbol=BTCUSDT&orderId={order}");
        let rows = look(exchange, &path).await?;
        if rows["list"][0]["cumExecQty"] == quantity {
            return Ok(());
        }
        ensure!(Instant::now() < until, "{order} did not fill {quantity}: {rows}");
    }
}

/// The row that the service before us wrote.
fn row(number: u32, order_id: &str, status: &str, quantity: &str, filled: &str, price: &str) -> String {
    let average = if filled == "0" { "NULL" } else { price };
    format!(
        "INSERT INTO orders (id, order_id, signal_id, asset, side, order_type, quantity, price, status, \
         filled_quantity, average_price, fees, trace_id, created_at, updated_at) VALUES \
         ('00000000-0000-4000-8000-{number:012}', '{order_id}', '00000000-0000-4000-9000-{number:012}', 'BTCUSDT', \
         'Buy', 'Limit', {quantity}, {price}, '{status}', {filled}, {average}, 0, 'trace-{number}', \
         now() AT TIME ZONE 'utc' - interval '1 hour', now() AT TIME ZONE 'utc' - interval '1 hour');"
    )
}

async fn takeover(exchange: &Served, database: &Database, dry_run: bool) -> anyhow::Result<Output> {
    let mut command = Command::new(PROGRAM);
    command.arg("takeover").args(dry_run.then_some("--dry-run"));
    command.env("BYBIT_API_KEY", "sim-key").env("BYBIT_API_SECRET", "sim-secret");
    command.env("ORDERMANAGER_BYBIT_REST_URL", exchange.base_url());
    command.env("ORDERMANAGER_BYBIT_STREAM_URL", exchange.private_stream_url());
    command.env("ORDERMANAGER_STORE", database.url()).env("ORDERMANAGER_LOG_LEVEL", "error");
    Ok(command.output().await?)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Rows as every reader of the shared table sees them.
const ROWS: &str = "SELECT right(id::text, 1) || ' ' || status || ' ' || trim_scale(quantity) || ' ' || \
                    trim_scale(filled_quantity) || ' ' || coalesce(trim_scale(average_price)::text, '-') \
                    FROM orders ORDER BY id";

/// Orders at the exchange, and the rows of them and of others: 1 rests untouched, 2 rests and filled partly while nobody
/// watched, 3 was cancelled by hand, 4 filled whole, 5 and 6 the exchange has never heard of, 7 is closed already.
async fn left_open(exchange: &Served) -> anyhow::Result<String> {
    let handle = exchange.handle();
    let btc = Symbol::clipped("BTCUSDT");
    let now = handle.with(|exchange, _| exchange.last_price(btc)).context("no price")?;
    let resting = place(exchange, "0.01", "40000").await?;
    let above = format!("{}", now.0 + Decimal::ONE);
    let cancelled = place(exchange, "0.01", "39000").await?;
    ask(exchange, "/v5/order/cancel", json!({"category": "linear", "symbol": "BTCUSDT", "orderId": cancelled})).await?;
    let filled = place(exchange, "0.02", &above).await?;
    until_filled(exchange, &filled, "0.02").await?;
    // The book has this much and no more, so the rest of it stays.
    handle.with(|exchange, _| exchange.set_liquidity(btc, Quantity(Decimal::new(4, 3))));
    let partly = place(exchange, "0.01", &above).await?;
    until_filled(exchange, &partly, "0.004").await?;
    Ok([
        row(1, &resting, "pending", "0.01", "0", "40000"),
        row(2, &partly, "partially_filled", "0.01", "0.001", &above),
        row(3, &cancelled, "pending", "0.01", "0", "39000"),
        row(4, &filled, "pending", "0.02", "0", &above),
        row(5, "5b0c6d9e-1111-4000-8000-000000000005", "pending", "0.01", "0", "50000"),
        row(6, "5b0c6d9e-1111-4000-8000-000000000006", "partially_filled", "0.01", "0.003", "50000"),
        row(7, "5b0c6d9e-1111-4000-8000-000000000007", "filled", "0.01", "0.01", "50000"),
    ]
    .concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_the_open_orders_of_the_service_before_us_are_ours_or_closed() -> anyhow::Result<()> {
    let exchange =
        serve::spawn(ServeConfig { exchange: ExchangeConfig::default(), prices: Prices::Still, ..Default::default() })
            .await?;
    let database = Database::new().await?;
    run(&database.url(), &left_open(&exchange).await?).await?;
    let before = database.texts(ROWS).await?;

    let dry = takeover(&exchange, &database, true).await?;
    ensure!(dry.status.success(), "the dry run: {}", said(&dry));
    ensure!(said(&dry).contains("6 orders were left open"), "{}", said(&dry));
    ensure!(said(&dry).contains("nothing was written"), "{}", said(&dry));
    assert_eq!(database.texts(ROWS).await?, before, "a dry run writes nothing");
    let schemas = "SELECT nspname::text FROM pg_namespace WHERE nspname = 'order_manager'";
    assert_eq!(database.texts(schemas).await?, [""; 0], "not even a schema");

    let real = takeover(&exchange, &database, false).await?;
    ensure!(real.status.success(), "{}", said(&real));
    let lines = |output: &Output| -> Vec<String> {
        said(output).lines().filter(|line| line.starts_with("  ")).map(str::to_owned).collect()
    };
    assert_eq!(lines(&dry), lines(&real), "the dry run said what would be done");
    let after = database.texts(ROWS).await?;
    let short: Vec<String> = after.iter().map(|row| row.rsplit_once(' ').map_or("", |(head, _)| head).into()).collect();
    let expected = [
        "1 pending 0.01 0",
        "2 partially_filled 0.01 0.004",
        "3 cancelled 0.01 0",
        "4 filled 0.02 0.02",
        "5 cancelled 0.01 0",
        "6 filled 0.003 0.003",
        "7 filled 0.01 0.01",
    ];
    assert_eq!(short, expected, "{}", said(&real));
    // What is told is what is new: Position Manager knows the rest.
    let told = "SELECT right(body->'order'->>'id', 1) || ' ' || event_type || ' ' || (body->'order'->>'filled_quantity') \
                FROM order_manager.messages ORDER BY 1";
    let told = database.texts(told).await?;
    assert_eq!(told, ["2 partially_filled 0.003", "3 cancelled 0", "4 filled 0.02", "5 cancelled 0", "6 cancelled 0"]);

    let again = takeover(&exchange, &database, false).await?;
    ensure!(said(&again).contains("nothing to take over"), "{}", said(&again));

    goes_on(&exchange, &database).await?;
    database.drop().await
}

/// The service goes on with them: the live ones are its own, and a new signal replaces them.
async fn goes_on(exchange: &Served, database: &Database) -> anyhow::Result<()> {
    let price = exchange.handle().with(|exchange, _| exchange.last_price(Symbol::clipped("BTCUSDT")));
    let now = price.context("no price")?;
    let mut launch = Launch::new(exchange, Path::new("unused"));
    launch.environment.push(("ORDERMANAGER_STORE", database.url()));
    let mut child = launch.start()?;
    let (url, http) = (process::address(&mut child).await?, process::client()?);
    process::ready(&http, &url).await?;
    let signal = json!({
        "signal_id": "00000000-0000-4000-a000-000000000001", "signal_type": "buy", "asset": "BTCUSDT", "amount": 1000,
        "confidence": 0.95, "timestamp": now_text()?, "strategy_id": "s", "model_version": null, "is_warmup": false,
        "market_data_snapshot": {"price": now.to_string(), "spread": 1}, "metadata": null, "trace_id": null,
    });
    let posted = http.post(format!("{url}/api/v1/signals?wait=20000")).header("X-API-Key", process::API_KEY);
    let answer = posted.body(signal.to_string()).send().await?.text().await?;
    let statuses =
        database.texts("SELECT status FROM orders WHERE right(id::text, 1) IN ('1', '2') ORDER BY id").await?;
    assert_eq!(statuses, ["cancelled", "filled"], "both were cancelled by their own ids: {answer}");
    process::leave(&mut child).await
}

fn now_text() -> anyhow::Result<String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(order_manager_core::unit::Timestamp(u64::try_from(since.as_micros())?).to_string())
}
