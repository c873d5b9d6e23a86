//! ws-gateway's REST side: subscriptions, health, balances (wire-contracts.md 3.1).

use super::Neighbour;
use super::client::{Client, Failure, Reply};
use reqwest::Method;
use serde::Deserialize;
use std::time::Duration;

/// As the predecessor had it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The one private channel that orders come through.
const CHANNEL: &str = "order";

/// Why ws-gateway did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// No answer.
    #[error("ws-gateway {0}")]
    Silent(#[from] Failure),
    /// 401.
    #[error("ws-gateway refuses our key (401): set WS_GATEWAY_API_KEY to the key that it knows")]
    Key,
    /// An answer that is no success.
    #[error("ws-gateway answered {status}: {said}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words.
        said: String,
    },
    /// A success that says nothing we understand.
    #[error("ws-gateway's answer cannot be read: {0}")]
    Unreadable(String),
    /// It works, but order events get lost on their way: the named parts of its health are down.
    #[error("ws-gateway forwards no order events now: {0} is down there")]
    Deaf(&'static str),
}

/// A client of ws-gateway.
#[derive(Clone, Debug)]
pub struct WsGateway {
    client: Client,
    service: String,
}

/// A row of its table of subscriptions, as far as it concerns us.
#[derive(Deserialize)]
struct Row {
    channel_type: String,
    requesting_service: String,
    is_active: bool,
}

#[derive(Deserialize)]
struct Rows {
    subscriptions: Vec<Row>,
}

/// A part that it does not mention is taken to work, but its socket to Bybit.
#[derive(Deserialize)]
struct Health {
    #[serde(default)]
    websocket_connected: bool,
    #[serde(default = "yes")]
    database_connected: bool,
    #[serde(default = "yes")]
    queue_connected: bool,
}

const fn yes() -> bool {
    true
}

impl WsGateway {
    /// Prepares a client that subscribes in the name of `service`; connects to nothing yet.
    ///
    /// # Errors
    /// A TLS set-up that cannot be used.
    pub fn new(neighbour: Neighbour, service: String) -> reqwest::Result<Self> {
        Self::with_timeout(neighbour, service, TIMEOUT)
    }

    /// With another time limit.
    ///
    /// # Errors
    /// A TLS set-up that cannot be used.
    pub fn with_timeout(neighbour: Neighbour, service: String, timeout: Duration) -> reqwest::Result<Self> {
        Ok(Self { client: Client::new(neighbour, timeout)?, service })
    }

    /// Subscribes to the account's order events. It may be called again at any time: an active subscription of ours
    /// is returned as it is.
    ///
    /// # Errors
    /// Where there is no active subscription of ours now, or nobody knows.
    pub async fn subscribe(&self) -> Result<(), GatewayError> {
        // The symbol means nothing for this channel, but its table wants one: without it the answer is 500.
        let body = serde_json::json!({
            "channel_type": CHANNEL, "symbol": "*", "requesting_service": self.service,
        });
        match self.ask(Method::POST, &["api", "v1", "subscriptions"], &[], Some(body.to_string())).await {
            Ok(reply) => match serde_json::from_slice::<Row>(&reply.body) {
                Ok(row) if !row.is_active => {
                    let said = "the subscription that it returned is not active".to_owned();
                    Err(GatewayError::Refused { status: reply.status, said })
                }
                // The status is the promise; the list is looked at again and again anyway.
                Ok(_) | Err(_) => Ok(()),
            },
            // It exists already, it says.
            Err(GatewayError::Refused { status: 409, said }) => match self.is_subscribed().await? {
                true => Ok(()),
                false => Err(GatewayError::Refused { status: 409, said }),
            },
            Err(error) => Err(error),
        }
    }

    /// Is there an active subscription of ours?
    ///
    /// # Errors
    /// Where nobody knows.
    pub async fn is_subscribed(&self) -> Result<bool, GatewayError> {
        let filter = [("requesting_service", self.service.as_str()), ("channel_type", CHANNEL), ("is_active", "true")];
        let Rows { subscriptions } = self.read(&["api", "v1", "subscriptions"], &filter).await?;
        Ok(subscriptions
            .iter()
            .any(|row| row.is_active && row.channel_type == CHANNEL && row.requesting_service == self.service))
    }

    /// Does it forward order events? Besides its socket to Bybit that takes its database, in which it looks the
    /// subscriptions up message by message, and its broker: what it cannot publish it drops.
    ///
    /// # Errors
    /// Where it does not, or nobody knows.
    pub async fn check(&self) -> Result<(), GatewayError> {
        match self.read::<Health>(&["health"], &[]).await? {
            Health { websocket_connected: false, .. } => Err(GatewayError::Deaf("its socket to Bybit")),
            Health { database_connected: false, .. } => Err(GatewayError::Deaf("its database")),
            Health { queue_connected: false, .. } => Err(GatewayError::Deaf("its broker")),
            Health { .. } => Ok(()),
        }
    }

    /// Makes it ask Bybit for the balances and write them down; how many coins changed.
    ///
    /// # Errors
    /// Where it did not, or nobody knows.
    pub async fn sync_balances(&self) -> Result<u64, GatewayError> {
        #[derive(Deserialize)]
        struct Synced {
            #[serde(default)]
            updated_count: u64,
        }
        let reply = self.ask(Method::POST, &["api", "v1", "balances", "sync"], &[], None).await?;
        let synced: Synced = serde_json::from_slice(&reply.body).map_err(unreadable)?;
        Ok(synced.updated_count)
    }

    async fn read<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        parameters: &[(&str, &str)],
    ) -> Result<T, GatewayError> {
        let reply = self.ask(Method::GET, path, parameters, None).await?;
        serde_json::from_slice(&reply.body).map_err(unreadable)
    }

    /// An answer that is a success. Its API says 200 where its documents say 201.
    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        parameters: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Reply, GatewayError> {
        let url = self.client.url(path, parameters)?;
        let reply = self.client.send(method, url, body, None).await?;
        match reply.status {
            200 | 201 => Ok(reply),
            401 => Err(GatewayError::Key),
            status => Err(GatewayError::Refused { status, said: self.client.said(&reply.body) }),
        }
    }
}

fn unreadable(error: serde_json::Error) -> GatewayError {
    GatewayError::Unreadable(error.to_string())
}
