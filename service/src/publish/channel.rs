//! A channel in confirm mode: a run of messages out, the broker's answers to all of them back.

use super::window::{Open, Window};
use crate::broker::{Failed, Link, Queue};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, ErrorKind, PublisherConfirm};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// A broker that takes messages confirms them within this time.
const CONFIRM_MAX: Duration = Duration::from_secs(30);
/// AMQP: survives a restart of the broker.
const PERSISTENT: u8 = 2;

pub(super) struct Confirming {
    channel: Channel,
    queue: Queue,
}

/// What became of a run.
pub(super) struct Answered {
    /// The broker has these; they are no longer in the window.
    pub(super) confirmed: Vec<Open>,
    /// Why the others are still there.
    pub(super) failed: Option<Failed>,
}

impl Confirming {
    pub(super) async fn open(queue: &Queue, link: &Link) -> lapin::Result<Self> {
        let channel = queue.open(link).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { channel, queue: queue.clone() })
    }

    /// Sends what is open and waits for every answer.
    pub(super) async fn send(&mut self, link: &Link, window: &mut Window) -> Answered {
        let mut failed = None;
        let mut confirms = Vec::with_capacity(window.open.len());
        for open in &mut window.open {
            match self.publish(open).await {
                Ok(confirm) => confirms.push(confirm),
                Err(error) => {
                    failed = Some(Failed::from(error));
                    break;
                }
            }
        }
        let mut acked = vec![false; window.open.len()];
        // The library hangs a returned message on whichever confirmation it comes to next: its own id is asked.
        let mut returned = BTreeSet::new();
        for (acked, confirm) in acked.iter_mut().zip(confirms) {
            match answer(confirm, link).await {
                Ok(confirmation) => {
                    *acked = confirmation.is_ack();
                    let message = confirmation.take_message();
                    returned.extend(message.and_then(|message| message.delivery.properties.message_id().clone()));
                }
                Err(error) => _ = failed.get_or_insert(error),
            }
        }
        let mut confirmed = Vec::with_capacity(window.open.len());
        for (mut open, acked) in std::mem::take(&mut window.open).into_iter().zip(acked) {
            let id = open.message.event_id.to_string();
            let is_returned = returned.iter().any(|returned| returned.as_str() == id);
            if acked && !is_returned {
                confirmed.push(open);
            } else {
                // What found no queue is surely in none; of anything else nobody knows.
                open.doubtful &= !is_returned;
                window.open.push(open);
            }
        }
        if failed.is_none() && !window.open.is_empty() {
            failed = Some(self.refused(returned.len(), window.open.len()));
        }
        Answered { confirmed, failed }
    }

    /// The next channel declares the queue anew.
    fn refused(&self, returned: usize, all: usize) -> Failed {
        let queue = &self.queue.name;
        let why =
            format!("{all} events are sent again: {returned} found no queue {queue}, the broker refused the rest");
        Failed { why, progress: false }
    }

    async fn publish(&self, open: &mut Open) -> lapin::Result<PublisherConfirm> {
        let message = &open.message;
        let mut headers = FieldTable::default();
        headers.insert("trace_id".into(), AMQPValue::LongString(message.trace_id.as_str().into()));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_message_id(message.event_id.to_string().into())
            .with_timestamp(now)
            .with_headers(headers);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (body, queue) = (message.body.as_bytes(), self.queue.name.as_str().into());
        let sent = self.channel.basic_publish("".into(), queue, options, body, properties).await;
        // On a channel that was closed before, not a byte of it left.
        open.doubtful |= !matches!(&sent, Err(error) if matches!(error.kind(), ErrorKind::InvalidChannelState(..)));
        sent
    }
}

/// The broker's answer. A broker that takes nothing for now is waited for: publishing waits, as it wants.
async fn answer(mut confirm: PublisherConfirm, link: &Link) -> Result<Confirmation, Failed> {
    loop {
        match timeout(CONFIRM_MAX, &mut confirm).await {
            Ok(confirmation) => return Ok(confirmation?),
            Err(_) if link.is_blocked() => {}
            Err(_) => return Err(Failed { why: "the broker does not confirm".into(), progress: false }),
        }
    }
}
