//! What neighbours bring into a life: orders of the service before us, Position Manager's words, doubts, messages of
//! ws-gateway, rows that the store refused, positions that nobody traded here. Only lives that ask for it have them,
//! so that the tapes of the others live on as they were.

use super::fact;
use super::venue::{Placed, Venue};
use crate::choice::Choices;
use crate::exchange::face::push_text;
use order_manager_core::bybit::{Create, LimitHeaders, OrderKind, OrderStatus, Push, PushRows, TimeInForce};
use order_manager_core::command::Command;
use order_manager_core::config::Config;
use order_manager_core::input::{Answer, DeliveryId, InheritedOrder, Input, Question, RefusedDelivery, Stream, Tag};
use order_manager_core::unit::{
    Bytes, Category, ClockOffset, Decimal, Intent, LinkPrefix, OrderLinkId, Quantity, SignalId, Span, Symbol, Text,
    Timestamp,
};
use std::collections::VecDeque;

/// Names that are no order's at the exchange, or one of ours that the journal lacks.
const ODD: [&str; 4] = ["", "has space", "DRY-RUN-1", "a-name-that-is-longer-than-thirty-six-bytes"];
/// Later the rows of those that ended say so, and the manager may have forgotten them.
const AGAIN_MAX: Span = Span::secs(24 * 3_600);
const WORDS: [(u16, &str); 10] = [
    (200, r#"{"size":"0E-8","total_exposure_usdt":0}"#),
    (200, r#"{"size":"0.01","total_exposure_usdt":500.5}"#),
    (200, r#"{"size":"-3","total_exposure_usdt":"1e20"}"#),
    (404, r#"{"detail":"Position not found for asset: X"}"#),
    (404, r#"{"detail":"Not Found"}"#),
    (503, "{}"),
    (200, r#"{"size":null}"#),
    (200, "<html>"),
    (200, r#"{"size":"79228162514264337593543950335","total_exposure_usdt":-1}"#),
    (429, ""),
];

/// What is beside a life.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    questions: VecDeque<Question>,
    inherited: Vec<InheritedOrder>,
    first_at: Timestamp,
    made: u64,
}

impl Beside {
    pub(super) fn config(&self, choices: &mut Choices, config: &mut Config) {
        config.consult_position_manager = true;
        config.position_manager_required = choices.chance("required", 500);
        config.position_snapshot_interval = *choices.pick("snapshots", &[1, 300]);
    }

    /// What comes after the start of a life: at first what was left open, later the same once more or nothing.
    pub(super) fn after_start(
        &mut self,
        choices: &mut Choices,
        venue: &mut Venue,
        life: u32,
        at: Timestamp,
    ) -> Option<Input> {
        self.questions.clear();
        if life == 1 {
            let count = choices.below("inherited", 4);
            self.inherited = (0..count).map(|number| inherit(choices, venue, number, at)).collect();
            let ours = Intent { signal: SignalId(5), leg: 0, attempt: 0 };
            if let Some(first) = self.inherited.first().filter(|_| choices.chance("odd", 300)).cloned() {
                let ours = OrderLinkId::of(LinkPrefix::DEFAULT, ours).to_string();
                let odd = choices.pick("which odd", &[ODD[0], ODD[1], ODD[2], ODD[3], &ours]).to_string();
                self.inherited.push(InheritedOrder { order_id: Text::clipped(&odd), id: SignalId(99), ..first });
            }
            self.first_at = at;
        } else if at.since(self.first_at) > AGAIN_MAX || !choices.chance("inherited again", 300) {
            return None;
        }
        Some(Input::Inherited(self.inherited.clone()))
    }

    pub(super) fn asked(&mut self, commands: &[Command]) {
        self.questions.extend(commands.iter().filter_map(|command| match command {
            Command::Consult(question) => Some(*question),
            _ => None,
        }));
    }

    /// Position Manager answers what it was asked, sensibly.
    pub(super) fn good(&mut self) -> Option<Input> {
        self.questions.pop_front().map(|question| said(question, WORDS[0]))
    }

    /// Anything that neighbours may do.
    pub(super) fn any(&mut self, choices: &mut Choices, venue: &mut Venue, at: Timestamp) -> Option<Input> {
        self.made += 1;
        let symbol = Symbol::clipped(fact::SYMBOLS[choices.below("symbol", 2) as usize]);
        Some(match choices.below("beside", 10) {
            0..=3 => {
                let question = self.questions.pop_front()?;
                let lost = || Text::clipped("gone");
                match choices.below("word", WORDS.len() as u64 + 2) as usize {
                    10 => reply(question, Answer::Lost { why: lost() }),
                    11 => reply(question, Answer::NotSent { why: lost() }),
                    word => said(question, WORDS[word]),
                }
            }
            4 => said(Question::Validate(symbol), WORDS[0]), // nobody asked
            5 => Input::Doubted(symbol),
            6 => Input::Refused(Box::new(RefusedDelivery {
                id: DeliveryId((1 << 40) + self.made),
                body: Bytes(b"{}".to_vec()),
                why: Text::clipped("numeric field overflow"),
            })),
            7 => {
                let size = Quantity(Decimal::new(choices.between("by hand", 0, 8) as i64 - 4, 2));
                venue.held.insert(symbol, (size, *choices.pick("position idx", &[0, 0, 0, 1])));
                return None;
            }
            _ => {
                let index = (venue.placed.len() as u64).checked_sub(1)?;
                let index = index - choices.below("which order", index + 1);
                let row = fact::any_order_row(choices, venue, index as usize, venue.now(at));
                let push = Push { time: None, rows: PushRows::Orders(vec![row]), bad: Vec::new() };
                let text = push_text(&push);
                let json: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
                let mut body = format!(r#"{{"event_type":"order","payload":{}}}"#, json["data"][0]).into_bytes();
                if choices.chance("cut", 100) {
                    body.truncate(choices.below("where", 400) as usize);
                }
                Input::Stream(Box::new(Stream::Gateway(Bytes(body))))
            }
        })
    }
}

fn said(question: Question, (status, body): (u16, &str)) -> Input {
    let body = Bytes(body.as_bytes().to_vec());
    reply(question, Answer::Http { status, limits: LimitHeaders::default(), body })
}

fn reply(question: Question, answer: Answer) -> Input {
    Input::Reply { tag: Tag::Consult(question), answer: Box::new(answer) }
}

/// A row that was left open, and what the exchange knows of its order.
fn inherit(choices: &mut Choices, venue: &mut Venue, number: u64, at: Timestamp) -> InheritedOrder {
    let order_id = Text::clipped(&format!("before-{number}"));
    let symbol = Symbol::clipped(fact::SYMBOLS[choices.below("symbol", 2) as usize]);
    let (side, price) = (fact::side(choices), fact::price_of(symbol));
    let ago = *choices.pick("ago", &[Span::ZERO, Span::secs(3_600), Span::secs(30 * 3_600), Span::secs(8 * 86_400)]);
    let created_at = Timestamp(at.0 - ago.0);
    let thousandths = |number: u64| Quantity(Decimal::new(number as i64, 3));
    let (quantity, filled) = (thousandths(20), thousandths(choices.below("filled before", 20)));
    let is_limit = choices.chance("limit", 700);
    let row = InheritedOrder {
        id: SignalId(u128::from(number) + 1),
        order_id,
        signal: SignalId(0xa000_0000_0000_0000 + u128::from(choices.below("whose", 4))),
        symbol,
        side,
        limit: is_limit.then_some(price),
        quantity,
        filled,
        average_price: (!filled.is_zero()).then_some(price),
        fees: fact::fee_of(price.times(filled).unwrap_or_default()),
        created_at,
        trace: Text::EMPTY,
    };
    if let Some(link) = OrderLinkId::inherited(order_id) {
        let kind = match row.limit {
            Some(price) => OrderKind::Limit { price, time_in_force: TimeInForce::Gtc },
            None => OrderKind::Market { slippage: None },
        };
        let category = Category::Linear;
        let create = Create { category, symbol, side, kind, quantity, reduce_only: false, position_idx: 0, link };
        let created = created_at.at_exchange(ClockOffset(0));
        let known = *choices.pick("known", &[Some(OrderStatus::New), Some(OrderStatus::Cancelled), None]);
        let mut placed =
            Placed { create, price, status: known, filled: Quantity::ZERO, executions: Vec::new(), created };
        if known.is_some() && !filled.is_zero() && choices.chance("filled too", 700) {
            let number = venue.number();
            placed.execute(filled, number, created);
        }
        venue.placed.push(placed);
    }
    row
}
