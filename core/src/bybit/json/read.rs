//! JSON objects and lists from text: what stands in them is kept as it came, but for the rows of a body.

use super::{Fields, ROWS_MAX, Shown, Unreadable, Value, why};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Room for the fields of an order, the longest row.
const FIELDS: usize = 56;

/// A body whose rows are objects in a list, all of it JSON that can be read; none where it is not quite so.
pub(super) fn body(json: &str) -> Option<Fields<'_>> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let body = Object::Body.deserialize(&mut reader).ok()?;
    reader.end().is_ok().then_some(body)
}

/// The rows of a list, unread.
pub(super) fn rows<'a>(name: &str, json: &'a str) -> Result<Vec<Value<'a>>, Unreadable> {
    let list: List<'a> =
        serde_json::from_str(json).map_err(|_| why(name, format_args!("is not a list: {}", Shown(json))))?;
    if list.more { Err(why(name, format_args!("has more than {ROWS_MAX} rows"))) } else { Ok(list.rows) }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Object::Any.deserialize(d)
    }
}

/// An object by where it stands: of a body, and of the result in it, the rows are read too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Object {
    Body,
    Result,
    Row,
    Any,
}

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Fields<'de>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Fields<'de>, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Fields<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        let mut fields = Fields(Vec::new());
        while let Some(Key(name)) = map.next_key()? {
            let value = match (self, name.as_ref()) {
                // What came before under the same name would be held for nothing.
                (Self::Body, "result" | "data") | (Self::Result, "list") if fields.has(&name) => {
                    return Err(A::Error::custom("twice"));
                }
                (Self::Body, "result") => Value::Object(map.next_value_seed(Self::Result)?),
                (Self::Body, "data") | (Self::Result, "list") => Value::List(map.next_value_seed(Rows)?),
                _ => Value::Unread(map.next_value()?),
            };
            if fields.0.is_empty() && self == Self::Row {
                fields.0.reserve(FIELDS);
            }
            fields.0.push((name, value));
        }
        Ok(fields)
    }
}

/// A list of at most [`ROWS_MAX`] objects.
struct Rows;

impl<'de> DeserializeSeed<'de> for Rows {
    type Value = Vec<Value<'de>>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows {
    type Value = Vec<Value<'de>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element_seed(Object::Row)? {
            if rows.len() == ROWS_MAX {
                return Err(A::Error::custom("too many"));
            }
            rows.push(Value::Object(row));
        }
        Ok(rows)
    }
}

/// A field's name, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(String::from(name))))
            }
        }
        d.deserialize_str(Reader)
    }
}

/// A list of at most [`ROWS_MAX`] values, and whether there were more.
struct List<'a> {
    rows: Vec<Value<'a>>,
    more: bool,
}

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = List<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<'de>, A::Error> {
                let mut rows = Vec::new();
                while rows.len() < ROWS_MAX {
                    let Some(row) = seq.next_element::<&RawValue>()? else { return Ok(List { rows, more: false }) };
                    rows.push(Value::Unread(row));
                }
                let mut more = false;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    more = true;
                }
                Ok(List { rows, more })
            }
        }
        d.deserialize_seq(Reader)
    }
}
