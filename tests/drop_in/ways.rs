//! The ground that the other tests stand on: servers that start, stop and start again, and wires that break and heal.

use crate::bank;
use crate::process::{self, LOOK, Launch};
use crate::proxy::Proxy;
use crate::queues::{Events, SIGNALS, Signals, waiting};
use crate::servers::{Kind, Server, Stop};
use crate::stage::Stage;
use anyhow::{Context, ensure};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval, timeout};

/// Long enough to see that nothing comes.
const SILENCE: Duration = Duration::from_millis(150);
/// As the model service writes one.
const SIGNAL: &str = r#"{"signal_id":"00000000-0000-4000-8000-000000000001","signal_type":"buy","asset":"ETHUSDT",
    "amount":100.0,"confidence":0.99,"timestamp":"NOW","strategy_id":"stage","model_version":"v1","is_warmup":false,
    "market_data_snapshot":{"price":3000.0,"spread":1.5,"volume_24h":10.0,"volatility":0.01,"orderbook_depth":null,
    "technical_indicators":null},"metadata":null,"trace_id":null}"#;

#[tokio::test]
async fn postgres_starts_stops_and_starts_again() -> anyhow::Result<()> {
    comes_back(Kind::Postgres).await
}

#[tokio::test]
async fn rabbitmq_starts_stops_and_starts_again() -> anyhow::Result<()> {
    comes_back(Kind::Rabbitmq).await
}

/// Stopped in each way, it refuses clients; started again, it takes them on the same port.
async fn comes_back(kind: Kind) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut server = Server::start(kind).await?;
    println!("{kind:?}: first start {:?}", begun.elapsed());
    if !server.is_private() {
        return Ok(());
    }
    // A broker takes long, and knows no stop between the two.
    let ways: &[Stop] = match kind {
        Kind::Postgres => &[Stop::Orderly, Stop::Immediate, Stop::Kill],
        Kind::Rabbitmq => &[Stop::Orderly, Stop::Kill],
    };
    for &how in ways {
        let begun = Instant::now();
        server.stop(how).await?;
        let stopped = begun.elapsed();
        let error = TcpStream::connect(server.address()).await.err().context("a stopped server took a client")?;
        ensure!(error.kind() == ErrorKind::ConnectionRefused, "{error}");
        println!("{kind:?}: {how:?} stop {stopped:?}, start {:?}", server.start_again().await?);
    }
    Ok(())
}

#[tokio::test]
async fn the_service_starts_and_leaves() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let exchange = bank::open(1).await?;
    let mut child = Launch::new(&exchange, &folder.path().join("orders.db")).start()?;
    let url = process::address(&mut child).await?;
    process::ready(&process::client()?, &url).await?;
    process::leave(&mut child).await
}

#[tokio::test]
async fn on_the_stage_a_signal_goes_in_and_its_order_comes_out() -> anyhow::Result<()> {
    let stage = Stage::open(1).await?;
    let mut service = stage.launch().start()?;
    let url = process::address(&mut service).await?;
    process::ready(&stage.http, &url).await?;
    let events = Events::start(stage.amqp_url());
    Signals::new(stage.amqp_url()).send(SIGNAL.replace("NOW", &bank::now().to_string()).as_bytes()).await?;
    let (begun, mut looks) = (Instant::now(), interval(LOOK));
    while !events.noted().iter().any(|noted| noted.is_fill() && noted.asset == "ETHUSDT") {
        ensure!(begun.elapsed() < process::PATIENCE, "no fill: {:?}\n{}", events.noted(), stage.log());
        looks.tick().await;
    }
    ensure!(waiting(stage.amqp_url(), SIGNALS).await? == 0, "the signal was acknowledged");
    process::leave(&mut service).await?;
    let count = "SELECT count(*) FROM signal_order_relationships";
    let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut stage.database().await?).await?;
    ensure!(rows == 1 && stage.replay_journal().await? > 0, "{rows} rows");
    stage.close().await
}

#[tokio::test]
async fn a_cut_resets_what_is_open_and_nothing_else() -> anyhow::Result<()> {
    let mut proxy = Proxy::start(echo().await?).await?;
    let (mut one, mut two) = (TcpStream::connect(proxy.address()).await?, TcpStream::connect(proxy.address()).await?);
    ensure!(ask(&mut one, b'1').await? == b'1' && ask(&mut two, b'2').await? == b'2', "the wires carry");
    proxy.has_open(2).await;

    proxy.cut();
    for stream in [&mut one, &mut two] {
        is_reset(stream.read_u8().await)?;
    }
    ensure!(ask(&mut TcpStream::connect(proxy.address()).await?, b'3').await? == b'3', "a new wire carries");
    Ok(())
}

#[tokio::test]
async fn who_is_refused_is_let_in_after_the_healing() -> anyhow::Result<()> {
    let proxy = Proxy::start(echo().await?).await?;
    let mut early = TcpStream::connect(proxy.address()).await?;
    ensure!(ask(&mut early, b'1').await? == b'1', "the wire carries");
    proxy.refuse();
    is_reset(early.read_u8().await)?;
    // The reset may come before the client has looked at its connection, or after.
    if let Ok(mut refused) = TcpStream::connect(proxy.address()).await {
        is_reset(ask(&mut refused, b'2').await)?;
    }
    proxy.heal();
    ensure!(ask(&mut TcpStream::connect(proxy.address()).await?, b'3').await? == b'3', "healed");
    Ok(())
}

#[tokio::test]
async fn a_stalled_wire_loses_nothing() -> anyhow::Result<()> {
    let proxy = Proxy::start(echo().await?).await?;
    let mut stream = TcpStream::connect(proxy.address()).await?;
    ensure!(ask(&mut stream, b'1').await? == b'1', "the wire carries");
    proxy.stall();
    ensure!(timeout(SILENCE, ask(&mut stream, b'2')).await.is_err(), "a stalled wire carried");
    proxy.heal();
    ensure!(stream.read_u8().await? == b'2', "what was said meanwhile comes");
    Ok(())
}

#[tokio::test]
async fn a_delay_holds_each_way() -> anyhow::Result<()> {
    let proxy = Proxy::start(echo().await?).await?;
    let mut stream = TcpStream::connect(proxy.address()).await?;
    proxy.delay(Duration::from_millis(30));
    let begun = Instant::now();
    ensure!(ask(&mut stream, b'1').await? == b'1' && begun.elapsed() >= Duration::from_millis(60), "there and back");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_down_resets_its_clients() -> anyhow::Result<()> {
    let gone = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
    let proxy = Proxy::start(gone).await?;
    if let Ok(mut stream) = TcpStream::connect(proxy.address()).await {
        is_reset(ask(&mut stream, b'1').await)?;
    }
    Ok(())
}

/// Answers each byte with itself.
async fn echo() -> std::io::Result<std::net::SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    Ok(address)
}

async fn ask(stream: &mut TcpStream, byte: u8) -> std::io::Result<u8> {
    stream.write_u8(byte).await?;
    stream.read_u8().await
}

fn is_reset(result: std::io::Result<u8>) -> anyhow::Result<()> {
    let error = result.err().context("the wire carried")?;
    ensure!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    Ok(())
}
