//! The private stream: connect, authenticate, subscribe, listen, and again (bybit-v5.md 4).

use super::{Account, Ear, Heard};
use futures_util::{SinkExt, StreamExt};
use order_manager_core::bybit::{push, sign};
use order_manager_core::input::Stream;
use order_manager_core::unit::{Bytes, ExchangeTime};
use secrecy::ExposeSecret;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval_at, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Bybit wants to hear from us this often.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A stream that has said nothing for this long, pongs included, is dead.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Connecting, authenticating and subscribing take no longer, each.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// Waits before the next connection, ever longer (spec P6: back within 5 s).
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// A connection that lasted this long begins the waits anew. One that came up and fell at once does not: Bybit
/// bars an address that connects too often.
const HELD: Duration = Duration::from_secs(30);
/// How far ahead of our clock an authentication expires: room for skew and latency (4.1).
const AUTH_VALID: Duration = Duration::from_secs(10);
/// A larger message is none of Bybit's.
const MESSAGE_MAX: usize = 4 << 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Listens for ever, through every reconnect.
#[derive(Debug)]
pub struct PrivateStream {
    account: Account,
    ear: Ear,
}

/// Why a connection ended, in words.
struct Ended(String);

impl PrivateStream {
    /// Starts listening in the background; it ends when the ear is closed.
    pub fn start(account: Account, ear: Ear) -> tokio::task::JoinHandle<()> {
        let this = Self { account, ear };
        tokio::spawn(this.run())
    }

    async fn run(self) {
        let mut failures = 0_usize;
        while !self.ear.is_closed() {
            match self.connect().await {
                Ok(socket) => {
                    let up_at = Instant::now();
                    if self.say(Stream::Up).await.is_err() {
                        return;
                    }
                    let Ended(why) = self.listen(socket).await;
                    tracing::warn!(why, "private stream ended");
                    if self.say(Stream::Down).await.is_err() {
                        return;
                    }
                    if up_at.elapsed() >= HELD {
                        failures = 0;
                    }
                }
                Err(Ended(why)) => tracing::warn!(why, failures, "private stream did not come up"),
            }
            let wait = BACKOFF[failures.min(BACKOFF.len() - 1)];
            failures = failures.saturating_add(1);
            tokio::time::sleep(wait).await;
        }
    }

    async fn say(&self, stream: Stream) -> Result<(), ()> {
        self.ear.send(Heard::Stream(stream)).await.map_err(|_| ())
    }

    async fn connect(&self) -> Result<Socket, Ended> {
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX));
        let connecting = connect_async_with_config(&self.account.stream, Some(config), true);
        let connected =
            timeout(HANDSHAKE_MAX, connecting).await.map_err(|_| Ended("connecting took too long".into()))?;
        let (mut socket, _) = connected.map_err(|error| Ended(format!("cannot connect: {error}")))?;
        self.ask(&mut socket, "auth", self.auth()).await?;
        let topics = r#"{"op":"subscribe","args":["order","execution","position","wallet"]}"#;
        self.ask(&mut socket, "subscribe", topics.to_string()).await?;
        Ok(socket)
    }

    fn auth(&self) -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + AUTH_VALID;
        let expires = ExchangeTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let signature = sign::stream(self.account.secret.expose_secret().as_bytes(), expires);
        let args = serde_json::json!([self.account.key, expires.0, signature.as_str()]);
        serde_json::json!({ "op": "auth", "args": args }).to_string()
    }

    /// Sends an operation and waits until it is answered.
    async fn ask(&self, socket: &mut Socket, op: &str, text: String) -> Result<(), Ended> {
        let ended = |why: String| Ended(format!("{op}: {why}"));
        socket.send(Message::text(text)).await.map_err(|error| ended(error.to_string()))?;
        let answered = async {
            while let Some(message) = socket.next().await {
                let message = message.map_err(|error| ended(error.to_string()))?;
                let Ok(Some(reply)) = push::decode_op(&message.into_data()) else { continue };
                if reply.op.as_str() == op {
                    let again = reply.message.as_str().contains("already subscribed");
                    let refused = ended(format!("refused: {}", reply.message));
                    return if reply.success || again { Ok(()) } else { Err(refused) };
                }
            }
            Err(ended("the exchange hung up".into()))
        };
        timeout(HANDSHAKE_MAX, answered).await.unwrap_or_else(|_| Err(ended("no answer in time".into())))
    }

    async fn listen(&self, mut socket: Socket) -> Ended {
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        // A moment, not a duration: our own pings come more often than the bound and would begin it anew each time.
        let mut silent_at = Instant::now() + SILENCE_MAX;
        loop {
            tokio::select! {
                heard = timeout_at(silent_at, socket.next()) => {
                    let message = match heard {
                        Err(_) => return Ended("silent for 30 s".into()),
                        Ok(None) => return Ended("the exchange hung up".into()),
                        Ok(Some(Err(error))) => return Ended(error.to_string()),
                        Ok(Some(Ok(message))) => message,
                    };
                    silent_at = Instant::now() + SILENCE_MAX;
                    if let Message::Text(text) = message
                        && is_push(&text)
                        && self.say(Stream::Frame(Bytes(text.as_bytes().to_vec()))).await.is_err()
                    {
                        return Ended("nobody listens any more".into());
                    }
                }
                _ = pings.tick() => {
                    match timeout_at(silent_at, socket.send(Message::text(r#"{"op":"ping"}"#))).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return Ended(format!("ping: {error}")),
                        Err(_) => return Ended("a ping did not get out".into()),
                    }
                }
            }
        }
    }
}

/// Pongs and other operation replies are the socket's business, not the manager's.
fn is_push(text: &str) -> bool {
    !matches!(push::decode_op(text.as_bytes()), Ok(Some(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    /// Takes one connection after the other, agrees to everything, and then does what it is told.
    async fn exchange(hang_up: bool) -> (String, mpsc::Receiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}", listener.local_addr().expect("an address"));
        let (told, connections) = mpsc::channel(1_000);
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let mut socket = tokio_tungstenite::accept_async(tcp).await.expect("a handshake");
                for op in ["auth", "subscribe"] {
                    let _asked = socket.next().await;
                    let yes = format!(r#"{{"success":true,"ret_msg":"","op":"{op}","conn_id":"c"}}"#);
                    socket.send(Message::text(yes)).await.expect("sent");
                }
                let _ = told.try_send(());
                if !hang_up {
                    silent.push(socket);
                }
            }
        });
        (url, connections)
    }

    fn listen(stream: String) -> mpsc::Receiver<Heard> {
        let (ear, heard) = mpsc::channel(1_000);
        let secret = SecretString::from("s".to_string());
        drop(PrivateStream::start(Account { rest: String::new(), stream, key: "k".into(), secret }, ear));
        heard
    }

    #[tokio::test]
    async fn t3_a_stream_that_falls_silent_is_given_up_though_our_pings_go_out() {
        let (url, _connections) = exchange(false).await;
        let mut heard = listen(url);
        assert!(matches!(heard.recv().await, Some(Heard::Stream(Stream::Up))));
        tokio::time::pause(); // from here on nothing comes, and time flies
        let down = timeout(Duration::from_secs(300), heard.recv()).await.expect("noticed within five minutes");
        assert!(matches!(down, Some(Heard::Stream(Stream::Down))), "{down:?}");
    }

    #[tokio::test]
    async fn t3_an_exchange_that_hangs_up_at_once_is_not_stormed_with_connections() {
        let (url, mut connections) = exchange(true).await;
        let _heard = listen(url);
        let (until, mut count) = (Instant::now() + Duration::from_millis(2_500), 0);
        while let Ok(Some(())) = timeout_at(until, connections.recv()).await {
            count += 1;
        }
        assert!((2..=5).contains(&count), "{count} connections in 2.5 s");
    }
}
