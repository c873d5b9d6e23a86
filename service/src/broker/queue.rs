//! The queues, declared exactly as our neighbours declare them (wire-contracts.md 1.1): the broker refuses a
//! declaration that differs in one argument.

use super::Link;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, ErrorKind};

/// AMQP's PRECONDITION_FAILED.
const PRECONDITION_FAILED: u16 = 406;

/// A durable queue on the default exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name, which is also its routing key.
    pub name: String,
    arguments: Arguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arguments {
    None,
    /// Those of all of the ws-gateway's queues: a day, a hundred thousand messages, the oldest go first.
    Gateway,
}

impl Queue {
    /// A queue without arguments.
    #[must_use]
    pub fn plain(name: impl Into<String>) -> Self {
        Self { name: name.into(), arguments: Arguments::None }
    }

    /// One of the ws-gateway's queues.
    #[must_use]
    pub fn of_gateway(name: impl Into<String>) -> Self {
        Self { name: name.into(), arguments: Arguments::Gateway }
    }

    /// Where the model service puts its signals.
    #[must_use]
    pub fn signals() -> Self {
        Self::plain("model-service.trading_signals")
    }

    /// Where the ws-gateway puts what Bybit says of orders.
    #[must_use]
    pub fn gateway_orders() -> Self {
        Self::of_gateway("ws-gateway.order")
    }

    /// Where Position Manager looks for order events.
    #[must_use]
    pub fn order_events() -> Self {
        Self::plain("order-manager.order_events")
    }

    fn table(&self) -> FieldTable {
        let mut table = FieldTable::default();
        if self.arguments == Arguments::Gateway {
            table.insert("x-message-ttl".into(), AMQPValue::LongInt(86_400_000));
            table.insert("x-max-length".into(), AMQPValue::LongInt(100_000));
            table.insert("x-overflow".into(), AMQPValue::LongString(LongString::from("drop-head")));
        }
        table
    }

    /// Opens a channel on which the queue is known to exist. Where it exists with other arguments it is used as it
    /// is, and that is told: a person must have made it so.
    pub(crate) async fn open(&self, link: &Link) -> lapin::Result<Channel> {
        let channel = link.channel().await?;
        match self.declare(&channel, QueueDeclareOptions::durable()).await {
            Ok(()) => Ok(channel),
            Err(error) if is_precondition(&error) => {
                let arguments = self.table();
                tracing::error!(
                    queue = self.name, ?arguments, %error,
                    "the queue exists with other arguments and is used as it is; delete it while nobody publishes, \
                     and it is made again with these arguments"
                );
                let channel = link.channel().await?;
                let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
                self.declare(&channel, passive).await?;
                Ok(channel)
            }
            Err(error) => Err(error),
        }
    }

    async fn declare(&self, channel: &Channel, options: QueueDeclareOptions) -> lapin::Result<()> {
        channel.queue_declare(self.name.as_str().into(), options, self.table()).await.map(|_| ())
    }
}

fn is_precondition(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == PRECONDITION_FAILED)
}
