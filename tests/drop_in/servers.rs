//! PostgreSQL and RabbitMQ of a test's own, so that it may stop, restart and kill them. `tests/servers` knows how each
//! is run; here is when. Where one is not installed, the server that answers is used: it cannot be restarted, and so
//! its restarts are outages of the way to it ([`crate::proxy::Proxy`]).

use anyhow::{Context, ensure};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval, timeout};

/// The script that knows how.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers");
/// A broker on a busy machine takes a quarter of a minute.
const PATIENCE: Duration = Duration::from_secs(120);
/// PostgreSQL refuses to start while children of one that was killed are still leaving.
const LINGER_MAX: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// One look takes no longer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Rabbitmq,
}

/// How one is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It takes leave of its clients and writes what it has: PostgreSQL's fast, RabbitMQ's only way.
    Orderly,
    /// PostgreSQL's immediate: it drops everything and recovers at its next start. RabbitMQ knows no such thing and
    /// is killed.
    Immediate,
    /// SIGKILL.
    Kill,
}

/// A running server. Dropping it stops it and removes all that it wrote.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    address: SocketAddr,
    own: Option<Own>,
}

/// What belongs to a private one. The folder is dropped last: nobody writes there any more.
#[derive(Debug)]
struct Own {
    server: Option<Child>,
    /// It has answered, and so it understands the signals of its kind.
    is_up: bool,
    /// RabbitMQ's directory of names, private too.
    _epmd: Option<Process>,
    ports: Vec<u16>,
    folder: tempfile::TempDir,
}

/// A process that is killed when it is dropped.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _ended_already = self.0.wait();
    }
}

impl Kind {
    /// As `tests/servers` calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Rabbitmq => "rabbitmq",
        }
    }

    /// Where one answers that is not private.
    fn shared(self) -> anyhow::Result<SocketAddr> {
        let (variable, default) = match self {
            Self::Postgres => ("OM_TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres"),
            Self::Rabbitmq => ("OM_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/%2f"),
        };
        let url = std::env::var(variable).unwrap_or_else(|_| default.into());
        let url = reqwest::Url::parse(&url).with_context(|| variable)?;
        let port = if self == Self::Postgres { 5432 } else { 5672 };
        let addresses = url.socket_addrs(|| Some(port)).with_context(|| variable)?;
        addresses.into_iter().next().with_context(|| format!("{variable} names no host"))
    }

    /// What a client says first, and what the first byte of the answer is when the server can be used.
    fn greeting(self) -> (&'static [u8], u8) {
        match self {
            Self::Postgres => (b"\x00\x00\x00\x29\x00\x03\x00\x00user\0postgres\0database\0postgres\0\0", b'R'),
            Self::Rabbitmq => (b"AMQP\x00\x00\x09\x01", 1),
        }
    }
}

impl Server {
    /// Starts a private one, or says that it uses the one that answers.
    pub(crate) async fn start(kind: Kind) -> anyhow::Result<Self> {
        if !Command::new(SCRIPT).args(["has", kind.name()]).status().context("tests/servers")?.success() {
            let address = kind.shared()?;
            println!("{} is not installed: uses {address}; its restarts are outages of the proxy", kind.name());
            ensure!(
                answers(kind, address).await,
                "{address} does not answer: run tests/run, it starts what is missing"
            );
            return Ok(Self { kind, address, own: None });
        }
        let folder = tempfile::tempdir()?;
        let ports = free_ports(if kind == Kind::Postgres { 1 } else { 3 }).await?;
        let address = SocketAddr::from(([127, 0, 0, 1], ports[0]));
        let epmd = match kind {
            Kind::Postgres => None,
            Kind::Rabbitmq => Some(Process(run("epmd", folder.path(), &ports[1..2])?)),
        };
        let mut server =
            Self { kind, address, own: Some(Own { server: None, is_up: false, _epmd: epmd, ports, folder }) };
        server.start_again().await?;
        Ok(server)
    }

    /// `127.0.0.1:port`, always the same.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it can be stopped and killed.
    pub(crate) fn is_private(&self) -> bool {
        self.own.is_some()
    }

    /// What a person would ask of a private broker with `rabbitmqctl`.
    pub(crate) async fn ctl(&self, words: &[&str]) -> anyhow::Result<()> {
        let own = self.own.as_ref().context("not a private one")?;
        let mut command = tokio::process::Command::new(SCRIPT);
        command.arg("rabbitmqctl").arg(own.folder.path()).arg(own.ports[1].to_string()).args(words);
        let output = command.output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "rabbitmqctl {words:?}: {}{said}", String::from_utf8_lossy(&output.stdout));
        Ok(())
    }

    /// Stops it and waits for its end. A server that is not private stays as it is.
    pub(crate) async fn stop(&mut self, how: Stop) -> anyhow::Result<()> {
        let Some(child) = self.own.as_mut().and_then(|own| own.server.as_mut()) else { return Ok(()) };
        signal(child, word(self.kind, how))?;
        ended(child, self.kind).await?;
        if let Some(own) = &mut self.own {
            own.server = None;
        }
        Ok(())
    }

    /// Starts it on what it had, and waits until it answers: the time that it took.
    pub(crate) async fn start_again(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let Some(own) = &mut self.own else { return Ok(Duration::ZERO) };
        ensure!(own.server.is_none(), "{} runs already", self.kind.name());
        let (name, mut looks) = (self.kind.name(), interval(LOOK));
        own.is_up = false;
        while !answers(self.kind, self.address).await {
            looks.tick().await;
            let over = own.server.as_mut().map(Child::try_wait).transpose()?.flatten();
            let is_late = begun.elapsed() > if over.is_some() { LINGER_MAX } else { PATIENCE };
            ensure!(!is_late, "{name} does not start ({over:?}): {}", log(name, own.folder.path()));
            if own.server.is_none() || over.is_some() {
                own.server = Some(run(name, own.folder.path(), &own.ports)?);
            }
        }
        own.is_up = true;
        Ok(begun.elapsed())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(own) = &mut self.own else { return };
        let Some(mut server) = own.server.take() else { return };
        // PostgreSQL's immediate stop ends its children too, which a kill would leave to find out by themselves.
        let is_told = own.is_up && signal(&server, word(self.kind, Stop::Immediate)).is_ok();
        if !is_told {
            let _ended_already = server.kill();
        }
        let _ended_already = server.wait();
    }
}

/// The signal, as `kill` calls it.
fn word(kind: Kind, how: Stop) -> &'static str {
    match (kind, how) {
        (Kind::Postgres, Stop::Orderly) => "-INT",
        (Kind::Rabbitmq, Stop::Orderly) => "-TERM",
        (Kind::Postgres, Stop::Immediate) => "-QUIT",
        (_, Stop::Kill) | (Kind::Rabbitmq, Stop::Immediate) => "-KILL",
    }
}

fn signal(child: &Child, word: &str) -> anyhow::Result<()> {
    let sent = Command::new("kill").args([word, &child.id().to_string()]).status()?;
    ensure!(sent.success(), "kill {word} {}", child.id());
    Ok(())
}

async fn ended(child: &mut Child, kind: Kind) -> anyhow::Result<ExitStatus> {
    let (begun, mut looks) = (Instant::now(), interval(LOOK));
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        ensure!(begun.elapsed() < PATIENCE, "{} does not stop", kind.name());
        looks.tick().await;
    }
}

/// Becomes the server: the process is the server's own, so that signals reach it.
fn run(name: &str, folder: &Path, ports: &[u16]) -> anyhow::Result<Child> {
    let log = File::create(log_file(name, folder))?;
    let mut command = Command::new(SCRIPT);
    command.arg(name).arg(folder).args(ports.iter().map(ToString::to_string));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| format!("tests/servers {name}"))
}

fn log_file(name: &str, folder: &Path) -> PathBuf {
    folder.join(format!("{name}.out"))
}

fn log(name: &str, folder: &Path) -> String {
    std::fs::read_to_string(log_file(name, folder)).unwrap_or_else(|error| error.to_string())
}

/// Whether it takes a client in now.
async fn answers(kind: Kind, address: SocketAddr) -> bool {
    let (greeting, wanted) = kind.greeting();
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(greeting).await?;
        stream.read_u8().await
    };
    matches!(timeout(ANSWER_MAX, talk).await, Ok(Ok(byte)) if byte == wanted)
}

/// Ports that are free now, all different.
async fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let mut listeners = Vec::new();
    for _ in 0..count {
        listeners.push(TcpListener::bind(("127.0.0.1", 0)).await?);
    }
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
