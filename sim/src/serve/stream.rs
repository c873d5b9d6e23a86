//! One client's stream on its socket.

use super::hub::Hub;
use super::session::{Kind, Session};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Utf8Bytes};

/// A client that takes no byte for so long is cut.
const STALLED: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// A stream that is about to begin.
pub(super) struct Opening {
    pub(super) kind: Kind,
    /// How long it may be silent.
    pub(super) idle: Duration,
    /// Says when all streams are cut, from before this one was let in.
    pub(super) cuts: watch::Receiver<u64>,
    /// Its place among the streams.
    pub(super) permit: OwnedSemaphorePermit,
}

/// Talks until either side hangs up, the streams are cut, or the server stops.
pub(super) async fn run(hub: Arc<Hub>, opening: Opening, upgrade: OnUpgrade, mut stopped: watch::Receiver<bool>) {
    let Opening { kind, idle, mut cuts, permit: _permit } = opening;
    // A client that breaks off during the handshake is no stream.
    let Ok(upgraded) = upgrade.await else { return };
    let bytes = hub.limits.message_bytes;
    let config = WebSocketConfig::default().max_message_size(Some(bytes)).max_frame_size(Some(bytes));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    tokio::select! {
        () = talk(&hub, socket, kind, idle) => {}
        // The socket is dropped without a word, as a cut connection is.
        _ = cuts.changed() => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

async fn talk(hub: &Hub, mut socket: Socket, kind: Kind, idle: Duration) {
    let mut session = Session::new(kind, hub.name());
    let mut messages = match kind {
        Kind::Private => hub.private.subscribe(),
        Kind::Public => hub.public.subscribe(),
    };
    let mut silent_until = Instant::now() + idle;
    loop {
        // What the exchange said before comes before what the client says now: a subscription holds from its
        // moment on, and its acknowledgement is not overtaken by what came later.
        let heard = tokio::select! {
            biased;
            message = messages.recv() => match message {
                Ok(message) => session.wants(&message).into_iter().collect(),
                // So far behind that messages were lost: Bybit would cut it, and so do we.
                Err(_) => return,
            },
            frame = socket.next() => match frame {
                Some(Ok(tungstenite::Message::Text(text))) => {
                    hub.awake().await;
                    let heard = session.hear(hub, &text);
                    if heard.closes {
                        say(&mut socket, heard.replies).await;
                        return close(&mut socket).await;
                    }
                    silent_until = Instant::now() + idle;
                    heard.replies
                }
                // Frames of the protocol are answered by the library; they do not count against silence (4.1).
                Some(Ok(tungstenite::Message::Ping(_) | tungstenite::Message::Pong(_))) => Vec::new(),
                _ => return,
            },
            () = tokio::time::sleep_until(silent_until) => return close(&mut socket).await,
        };
        if heard.is_empty() {
            continue;
        }
        hub.awake().await;
        if !say(&mut socket, heard).await {
            return;
        }
        silent_until = Instant::now() + idle;
    }
}

/// False where the client is gone or takes nothing.
async fn say(socket: &mut Socket, texts: Vec<Utf8Bytes>) -> bool {
    let all = async {
        for text in texts {
            socket.feed(tungstenite::Message::Text(text)).await?;
        }
        socket.flush().await
    };
    matches!(tokio::time::timeout(STALLED, all).await, Ok(Ok(())))
}

async fn close(socket: &mut Socket) {
    // The client may be gone already: then there is nobody to say goodbye to.
    let _gone = tokio::time::timeout(STALLED, socket.close(None)).await;
}
