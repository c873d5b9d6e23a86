//! One connection to the broker, from its handshake to its certain end.

use super::Broker;
use futures_util::StreamExt as _;
use lapin::tcp::{AMQPUriTcpExt as _, AsyncTcpStream};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties, Event};
use secrecy::ExposeSecret as _;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::timeout;

/// Resolving, connecting and shaking hands take no longer.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Seconds between heartbeats: a peer that says nothing for twice as long is dead.
const HEARTBEAT: u16 = 10;
/// For a close that the broker answers.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// Not every end is told as an event: this often it is looked for.
const LOOK: Duration = Duration::from_millis(500);

/// A connection that is up, or was.
pub(crate) struct Link {
    connection: Connection,
    /// The library's thread waits for its socket for ever, also in a handshake that nobody answers and after a close.
    /// Dropping this ends the socket and so the thread.
    _cut: Cut,
}

/// Ends a socket when it is dropped.
#[derive(Clone, Default)]
struct Cut(Arc<OnceLock<TcpStream>>);

impl Drop for Cut {
    fn drop(&mut self) {
        // The connector's own copy goes earlier, while the connection lives.
        if Arc::strong_count(&self.0) == 1
            && let Some(socket) = self.0.get()
        {
            // One that is closed already cannot be shut down: that is what is wanted.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Broker {
    /// Connects, or says why not. The words hold no secret.
    pub(crate) async fn connect(&self, role: &str) -> Result<Link, String> {
        let cut = Cut::default();
        let connecting = timeout(CONNECT_MAX, self.connector(role, cut.clone())).await;
        let connection = connecting.map_err(|_| "connecting took too long".to_owned())?;
        let connection = connection.map_err(|error| error.to_string())?;
        tokio::spawn(log(connection.events_listener(), role.to_owned()));
        Ok(Link { connection, _cut: cut })
    }

    async fn connector(&self, role: &str, cut: Cut) -> lapin::Result<Connection> {
        let userinfo = AMQPUserInfo { username: self.user.clone(), password: self.password.expose_secret().to_owned() };
        let uri = AMQPUri {
            scheme: AMQPScheme::AMQP,
            authority: AMQPAuthority { userinfo, host: self.host.clone(), port: self.port },
            vhost: self.vhost.clone(),
            query: AMQPQueryString { heartbeat: Some(HEARTBEAT), ..AMQPQueryString::default() },
        };
        let properties = ConnectionProperties::default()
            .with_connection_name(self.name.as_str().into())
            .with_client_property("role".into(), role.into());
        let cut = Arc::downgrade(&cut.0);
        let runtime = lapin::runtime::default_runtime()?;
        Connection::connector(
            uri,
            runtime,
            async move |uri: AMQPUri, runtime| {
                let stream = uri.connect_async(&runtime).await?;
                // Who asked may have left meanwhile.
                let cut = cut.upgrade().ok_or_else(|| io::Error::from(io::ErrorKind::TimedOut))?;
                if let AsyncTcpStream::Plain(tcp) = &stream {
                    let _ = cut.set(TcpStream::from(tcp.get_ref().as_fd().try_clone_to_owned()?));
                }
                Ok(stream)
            },
            properties,
        )
        .await
    }
}

impl Link {
    /// Opens a channel.
    pub(crate) async fn channel(&self) -> lapin::Result<Channel> {
        self.connection.create_channel().await
    }

    pub(crate) fn is_up(&self) -> bool {
        self.connection.status().connected()
    }

    /// Does the broker take nothing on this connection for now?
    pub(crate) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Resolves when the connection is no more.
    pub(crate) async fn lost(&self) {
        let mut looks = tokio::time::interval(LOOK);
        while self.is_up() {
            looks.tick().await;
        }
    }

    /// Says goodbye.
    pub(crate) async fn close(self) {
        if self.is_up() && !self.is_blocked() {
            // Whether it is answered does not matter: the socket ends here.
            let _ = timeout(CLOSE_MAX, self.connection.close(200, "OK".into())).await;
        }
    }
}

/// Tells what the broker does with a connection.
async fn log(mut events: impl futures_util::Stream<Item = Event> + Unpin, role: String) {
    while let Some(event) = events.next().await {
        match event {
            Event::ConnectionBlocked(why) => tracing::warn!(role, why, "the broker takes no messages for now"),
            Event::ConnectionUnblocked => tracing::info!(role, "the broker takes messages again"),
            Event::Error(error) => {
                tracing::debug!(role, %error, "connection ended");
                return;
            }
            _ => {}
        }
    }
}
