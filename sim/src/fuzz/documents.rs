//! Good documents with wrong values in them: bytes alone seldom stay JSON, and seldom get beyond the first field.

use super::{signals, wire};
use crate::choice::Choices;
use crate::oracle::Set;
use crate::scenario::Link;
use crate::swarm::{draw, run};
use arbitrary::{Arbitrary, Unstructured};
use order_manager_core::input::{Answer, Input, Stream};
use order_manager_core::journal;
use order_manager_core::unit::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A world that asks and is told everything once: its seed matters to no law.
const SEED: u64 = 0;
/// More edits than any reader needs; each may nest by [`DEPTH_MAX`].
const EDITS_MAX: usize = 8;
const DEPTH_MAX: u8 = 40;

/// What the exchange and the model service send in a world of the simulator, one of each shape; and an order's push as
/// ws-gateway passes it on.
static DOCUMENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut drawn = draw(&mut Choices::seeded(SEED));
    drawn.link = Link::Bytes;
    let (world, _) = run(&drawn, Set::NONE, false);
    let mut shapes = BTreeMap::new();
    for (record, _) in world.life.store.records() {
        let body = journal::read_record(record).ok().and_then(|record| body(record.input));
        if let Some(document) = body.and_then(|Bytes(body)| serde_json::from_slice::<Value>(&body).ok()) {
            if document["topic"] == "order" {
                let passed_on = json!({"event_type": "order", "payload": document["data"][0]});
                shapes.entry(shape(&passed_on)).or_insert(passed_on);
            }
            shapes.entry(shape(&document)).or_insert(document);
        }
    }
    shapes.into_values().collect()
});

fn body(input: Input) -> Option<Bytes> {
    match input {
        Input::Signal(delivery) => Some(delivery.body),
        Input::Reply { answer, .. } => match *answer {
            Answer::Http { body, .. } => Some(body),
            _ => None,
        },
        Input::Stream(stream) => match *stream {
            Stream::Frame(body) => Some(body),
            _ => None,
        },
        _ => None,
    }
}

/// The keys of a document, those of its first row included.
fn shape(document: &Value) -> String {
    match document {
        Value::Object(fields) => {
            fields.iter().fold(String::new(), |all, (key, value)| all + key + "{" + &shape(value) + "}")
        }
        Value::Array(rows) => rows.first().map_or_else(String::new, shape),
        _ => String::new(),
    }
}

/// Which document, and what is changed in it.
#[derive(Debug, Arbitrary)]
struct Edited {
    document: u8,
    edits: Vec<Edit>,
}

#[derive(Debug, Arbitrary)]
struct Edit {
    /// Which field or row, level by level; counts on from the first one after the last.
    path: Vec<u8>,
    to: Odd,
}

/// What stands there instead.
#[derive(Debug, Arbitrary)]
enum Odd {
    Gone,
    Twice,
    Null,
    Bool(bool),
    Whole(i64),
    Real(f64),
    Number { digits: i64, exponent: i8 },
    Text(String),
    Nested(u8),
}

impl Odd {
    fn value(&self) -> Value {
        match self {
            Self::Gone | Self::Twice | Self::Null => Value::Null,
            Self::Bool(it) => (*it).into(),
            Self::Whole(it) => (*it).into(),
            Self::Real(it) => (*it).into(),
            Self::Number { digits, exponent } => format!("{digits}e{exponent}").into(),
            Self::Text(it) => it.as_str().into(),
            Self::Nested(depth) => (0..depth % DEPTH_MAX).fold(Value::Null, |inside, _| vec![inside].into()),
        }
    }
}

/// Puts it where the path ends, or where the document ends before it does.
fn edit(value: &mut Value, path: &[u8], to: &Odd) {
    let Some((first, rest)) = path.split_first() else {
        *value = to.value();
        return;
    };
    let place = |length: usize| usize::from(*first) % length;
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let place = place(fields.len());
            if rest.is_empty() && matches!(to, Odd::Gone) {
                let key = fields.keys().nth(place).cloned();
                key.and_then(|key| fields.remove(&key));
            } else if let Some(inside) = fields.values_mut().nth(place) {
                edit(inside, rest, to);
            }
        }
        Value::Array(rows) if !rows.is_empty() => {
            let place = place(rows.len());
            match (rest, to) {
                ([], Odd::Gone) => _ = rows.remove(place),
                ([], Odd::Twice) => rows.push(rows[place].clone()),
                _ => edit(&mut rows[place], rest, to),
            }
        }
        leaf => *leaf = to.value(),
    }
}

fn edited(bytes: &[u8]) -> Option<Vec<u8>> {
    let Edited { document, edits } = Edited::arbitrary_take_rest(Unstructured::new(bytes)).ok()?;
    let mut document = DOCUMENTS.get(usize::from(document) % DOCUMENTS.len().max(1))?.clone();
    edits.iter().take(EDITS_MAX).for_each(|it| edit(&mut document, &it.path, &it.to));
    serde_json::to_vec(&document).ok()
}

/// A document with these edits, to every decoder: what [`signals`] and [`wire`] demand of bytes. Tells whether there was
/// one.
///
/// # Panics
/// Where one of them does.
pub fn documents(bytes: &[u8]) -> bool {
    let Some(text) = edited(bytes) else { return false };
    signals(&text);
    wire(&text);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use order_manager_core::bybit::{LimitHeaders, Operation, PushRows, Reply, push, rest};
    use order_manager_core::intake;

    /// Left as they are, they are what every decoder takes: edits begin at something good.
    #[test]
    fn the_documents_are_good_and_of_every_kind() {
        let texts: Vec<Vec<u8>> = DOCUMENTS.iter().map(|it| serde_json::to_vec(it).unwrap()).collect();
        assert!(texts.iter().any(|text| intake::decode(text, None).is_ok()), "no signal");
        let read = |operation| {
            texts.iter().any(|text| match rest::decode(operation, 200, LimitHeaders::default(), text).result {
                Ok(Reply::Orders(page)) => !page.rows.is_empty(),
                Ok(Reply::Executions(page)) => !page.rows.is_empty(),
                Ok(Reply::Instruments(page)) => !page.rows.is_empty(),
                Ok(Reply::Positions(page)) => !page.rows.is_empty(),
                Ok(Reply::Tickers(page)) => !page.rows.is_empty(),
                Ok(Reply::Ack { .. } | Reply::Wallet(_) | Reply::ServerTime(_)) => true,
                Err(_) => false,
            })
        };
        use Operation::*;
        for operation in [Create, OpenOrders, Executions, Instruments, Positions, Tickers, Wallet, ServerTime] {
            assert!(read(operation), "no {operation:?} in {texts:?}");
        }
        let kinds: Vec<PushRows> =
            texts.iter().filter_map(|text| push::decode(text).ok()).map(|push| push.rows).collect();
        assert!(kinds.iter().any(|rows| matches!(rows, PushRows::Orders(rows) if !rows.is_empty())), "{kinds:?}");
        assert!(kinds.iter().any(|rows| matches!(rows, PushRows::Executions(rows) if !rows.is_empty())), "{kinds:?}");
        assert!(kinds.iter().any(|rows| matches!(rows, PushRows::Positions(rows) if !rows.is_empty())), "{kinds:?}");
        assert!(kinds.iter().any(|rows| matches!(rows, PushRows::Wallets(rows) if !rows.is_empty())), "{kinds:?}");
        let passed_on = |text: &Vec<u8>| {
            push::decode_gateway(text).is_ok_and(|push| matches!(push.rows, PushRows::Orders(rows) if !rows.is_empty()))
        };
        assert!(texts.iter().any(passed_on), "nothing of ws-gateway");
    }

    #[test]
    fn an_edit_changes_what_its_path_names() {
        let at = |path: &[u8], to: Odd| {
            let mut value = json!({"a": [{"b": 1, "c": 2}], "d": 3});
            edit(&mut value, path, &to);
            value.to_string()
        };
        assert_eq!(at(&[0, 0, 1], Odd::Gone), r#"{"a":[{"b":1}],"d":3}"#);
        assert_eq!(at(&[2, 7], Odd::Twice), r#"{"a":[{"b":1,"c":2},{"b":1,"c":2}],"d":3}"#);
        assert_eq!(at(&[0, 0, 0], Odd::Number { digits: 7, exponent: -9 }), r#"{"a":[{"b":"7e-9","c":2}],"d":3}"#);
        assert_eq!(at(&[1], Odd::Nested(2)), r#"{"a":[{"b":1,"c":2}],"d":[[null]]}"#);
        assert_eq!(at(&[], Odd::Text("x".into())), r#""x""#);
    }
}
