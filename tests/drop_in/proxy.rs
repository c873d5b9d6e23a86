//! A TCP proxy before a server, whose wire can be cut, closed, held and slowed down.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// One piece that is carried.
const PIECE_BYTES: usize = 16 << 10;

/// What happens on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    /// Everything is carried, each piece after this long.
    Carries(Duration),
    /// Connections are taken and kept, and nothing is carried.
    Stalls,
    /// A connection is reset as soon as it is made.
    Refuses,
}

/// The rule of the moment.
#[derive(Clone, Copy, Debug)]
struct Rule {
    wire: Wire,
    /// A connection from before the last cut is over.
    cuts: u64,
}

/// A running proxy. Dropping it ends it: connections are closed.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    rule: watch::Sender<Rule>,
    open: watch::Receiver<usize>,
    taken: watch::Receiver<u64>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Takes connections on a port of its own and carries them to the server.
    pub(crate) async fn start(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (rule, rules) = watch::channel(Rule { wire: Wire::Carries(Duration::ZERO), cuts: 0 });
        let (count, open) = watch::channel(0);
        let (number, taken) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, rules, count, number));
        Ok(Self { address, rule, open, taken, _tasks: tasks })
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets all connections now. New ones are taken.
    pub(crate) fn cut(&self) {
        self.rule.send_modify(|rule| rule.cuts += 1);
    }

    /// Resets all connections, and each new one, until it is healed.
    pub(crate) fn refuse(&self) {
        self.rule.send_modify(|rule| *rule = Rule { wire: Wire::Refuses, cuts: rule.cuts + 1 });
    }

    /// Carries nothing until it is healed; then all that was said meanwhile.
    pub(crate) fn stall(&self) {
        self.rule.send_modify(|rule| rule.wire = Wire::Stalls);
    }

    /// Carries each piece so much later.
    pub(crate) fn delay(&self, by: Duration) {
        self.rule.send_modify(|rule| rule.wire = Wire::Carries(by));
    }

    /// Everything is carried at once again.
    pub(crate) fn heal(&self) {
        self.delay(Duration::ZERO);
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// How many connections were made to it so far.
    pub(crate) fn taken(&self) -> u64 {
        *self.taken.borrow()
    }

    /// Waits until so many connections are open.
    pub(crate) async fn has_open(&mut self, wanted: usize) {
        // The sender lives in the task that this holds.
        let _sender_lives = self.open.wait_for(|open| *open >= wanted).await;
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    rules: watch::Receiver<Rule>,
    count: watch::Sender<usize>,
    number: watch::Sender<u64>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept() => {
                // A connection that is gone before it was taken is nobody's.
                let Ok((client, _)) = taken else { continue };
                number.send_modify(|number| *number += 1);
                connections.spawn(connection(client, server, rules.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
        count.send_replace(connections.len());
    }
}

/// Carries one connection until it ends or is cut. An end that is not an orderly one is a reset for both sides.
async fn connection(mut client: TcpStream, server: SocketAddr, mut rules: watch::Receiver<Rule>) {
    let born = *rules.borrow();
    let mut server = match born.wire {
        Wire::Refuses => return reset(&client),
        Wire::Carries(_) | Wire::Stalls => match TcpStream::connect(server).await {
            Ok(server) => server,
            Err(_) => return reset(&client),
        },
    };
    let _a_small_delay_is_all = (client.set_nodelay(true), server.set_nodelay(true));
    let (back, forth) = (rules.clone(), rules.clone());
    let is_whole = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            ends = async { tokio::try_join!(carry(from_client, to_server, forth), carry(from_server, to_client, back)) } => ends.is_ok(),
            _ = rules.wait_for(|rule| rule.cuts != born.cuts) => false,
        }
    };
    if !is_whole {
        reset(&client);
        reset(&server);
    }
}

/// Carries one direction to its end.
async fn carry(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut rules: watch::Receiver<Rule>) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let bytes = from.read(&mut piece).await?;
        let by = match rules.wait_for(|rule| rule.wire != Wire::Stalls).await.map(|rule| rule.wire) {
            Ok(Wire::Carries(by)) => by,
            _ => Duration::ZERO,
        };
        if !by.is_zero() {
            sleep_until(Instant::now() + by).await;
        }
        if bytes == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..bytes]).await?;
    }
}

/// When it is dropped now, the other side sees a reset and not an end.
fn reset(stream: &TcpStream) {
    let _gone_already = stream.set_zero_linger();
}
