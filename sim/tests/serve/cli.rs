//! `order-sim serve-exchange` as its users meet it.

use super::client::{PATIENCE, get};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Ends the process with the test, however that ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _status = self.0.wait();
    }
}

fn order_sim(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_order-sim"));
    command.arg("serve-exchange").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn it_prints_where_it_is_and_answers_there() {
    let mut process = Process(order_sim(&["--port", "0", "--seed", "7"]).spawn().expect("order-sim runs"));
    let output = process.0.stdout.take().expect("its output");
    let read = tokio::task::spawn_blocking(|| BufReader::new(output).lines().take(6).collect::<Result<Vec<_>, _>>());
    let lines = tokio::time::timeout(PATIENCE, read).await.expect("in time").expect("read").expect("text");
    let (name, url) = lines[0].split_once(' ').expect("two words");
    assert_eq!((name, lines[4].split_whitespace().last()), ("REST", Some("sim-key")), "{lines:?}");
    let address = url.trim().trim_start_matches("http://").trim_end_matches("/v5/...").parse().expect("an address");
    assert_eq!(get(address, "/v5/order/realtime", "category=linear&symbol=BTCUSDT").await.code(), 0);

    // The port is taken now: a second one says what to do.
    let port = address.port().to_string();
    let second = order_sim(&["--port", &port]).output().expect("order-sim runs");
    let error = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(2));
    assert!(error.contains("cannot listen on 127.0.0.1") && error.contains("choose another --port"), "{error}");
}

#[test]
fn what_it_cannot_play_it_says() {
    for (args, words) in [
        (&["--port", "0", "--market", "no-such-file.csv"][..], "no-such-file.csv"),
        (&["--port", "0", "--market", "no-such-file.csv", "--symbol", "NOPE"], "does not list NOPE"),
        (&["--port", "0", "--speed", "2"], "--market"),
    ] {
        let output = order_sim(args).output().expect("order-sim runs");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(error.contains(words), "{args:?}: {error}");
    }
}
