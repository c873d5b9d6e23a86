//! The real program as its users meet it: a child process, and its API over a plain socket.
#![allow(dead_code, reason = "each test crate uses its part")]

use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Nothing that a test waits for takes longer on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
pub(crate) const POLL: Duration = Duration::from_millis(50);
/// Key of the API.
pub(crate) const API_KEY: &str = "a-test-key";

/// The program with this environment and no other.
pub(crate) fn program(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_order-manager"));
    command.args(args).env_clear().envs(environment.iter().copied()).stdin(Stdio::null());
    command
}

/// Runs the program to its end; kills it where it does not end, so that a test fails and does not hang.
pub(crate) fn run(args: &[&str], environment: &[(&str, &str)]) -> Output {
    let child = program(args, environment).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id().to_string();
    let (ended, watch) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if watch.recv_timeout(2 * PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ended_already = Command::new("kill").args(["-KILL", &pid]).status();
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    watchdog.join().unwrap();
    output
}

/// Lets real time pass: a step's moment, or the time between two looks.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Looks until there is something.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what} did not come within {PATIENCE:?}");
        pause(POLL);
    }
}

/// A running `order-manager serve`. Dropping it kills it.
pub(crate) struct Service {
    child: Child,
    address: String,
    errors: PathBuf,
}

impl Service {
    /// Starts it with its store in `folder` and on a port that the system chooses, and waits for its first line.
    pub(crate) fn start(args: &[&str], folder: &Path, environment: &[(&str, &str)]) -> Self {
        let store = folder.join("orders.db").display().to_string();
        let errors = folder.join("stderr.txt");
        let own =
            [("ORDERMANAGER_STORE", store.as_str()), ("ORDERMANAGER_PORT", "0"), ("ORDERMANAGER_API_KEY", API_KEY)];
        let mut command = program(args, &own);
        command.envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(File::create(&errors).unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut service = Self { child, address: String::new(), errors };
        let Some(address) = line.trim_end().strip_prefix("listening on http://") else {
            panic!("the service said {line:?} and {}", service.errors());
        };
        service.address = address.to_string();
        service
    }

    /// Until it can carry signals out.
    pub(crate) fn wait_ready(&self) {
        wait_for("a service that is ready", || {
            let ready = self.call("GET", "/ready", "").ok()?;
            (ready.status == 200).then_some(())
        });
    }

    /// `host:port`
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it wrote to standard error so far.
    pub(crate) fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    /// A call with the key.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> std::io::Result<Response> {
        call(&self.address, method, path, Some(API_KEY), body)
    }

    /// What a call answers with 200.
    pub(crate) fn get(&self, path: &str) -> Value {
        let response = self.call("GET", path, "").unwrap();
        assert_eq!(response.status, 200, "{path}: {}", response.body);
        response.json()
    }

    /// SIGTERM, and how it ends.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = wait_for("the end after SIGTERM", || self.child.try_wait().unwrap());
        (status, self.errors())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _ended_already = self.child.wait();
    }
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// One call as HTTP/1.0: the answer ends with the connection, and comes in one piece.
pub(crate) fn call(
    address: &str,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: &str,
) -> std::io::Result<Response> {
    let mut answer = String::new();
    open(address, method, path, key, body)?.read_to_string(&mut answer)?;
    let broken = || std::io::Error::other(format!("no answer: {answer:?}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(broken)?;
    Ok(Response { status, body: body.to_string() })
}

/// Sends a call and leaves its answer to be read.
pub(crate) fn open(
    address: &str,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: &str,
) -> std::io::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    let key = key.map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{key}Content-Length: {length}\r\n\r\n{body}")?;
    Ok(BufReader::new(stream))
}
