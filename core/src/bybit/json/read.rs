//! A body in one pass: objects and lists down to the rows, what stands in those as it came.

use super::{Fields, ROWS_MAX, Value};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What stands around rows: whatever these names hold is read in one pass with what is around it, for pages are long. All
/// else is kept as it came until it is asked for, numbers with every digit.
const HOLDERS: [&str; 3] = ["result", "list", "data"];
/// Room for the fields of a usual row.
const FIELDS: usize = 32;

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields<'de>, A::Error> {
                fields(map, &HOLDERS)
            }
        }
        d.deserialize_map(Reader)
    }
}

fn fields<'de, A: MapAccess<'de>>(mut map: A, holders: &[&str]) -> Result<Fields<'de>, A::Error> {
    let mut fields = Vec::with_capacity(FIELDS);
    while let Some(Key(name)) = map.next_key()? {
        let is_holder = holders.contains(&name.as_ref());
        let value = if is_holder { map.next_value()? } else { Value::Unread(map.next_value()?) };
        fields.push((name, value));
    }
    Ok(Fields(fields))
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

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Holder { is_row: false })
    }
}

/// One of a list: in it there are no holders, and what is no object is nothing. So a body cannot hold much more than its rows.
struct Row<'a>(Value<'a>);

impl<'de> Deserialize<'de> for Row<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Holder { is_row: true }).map(Row)
    }
}

struct Holder {
    is_row: bool,
}

impl<'de> Visitor<'de> for Holder {
    type Value = Value<'de>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value<'de>, A::Error> {
        fields(map, if self.is_row { &[] } else { &HOLDERS }).map(Value::Object)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Value<'de>, A::Error> {
        if self.is_row {
            return IgnoredAny.visit_seq(seq).map(|_| Value::Other("a list"));
        }
        List::deserialize(SeqAccessDeserializer::new(seq)).map(Value::List)
    }
    fn visit_str<E>(self, _: &str) -> Result<Value<'de>, E> {
        Ok(Value::Other("a text"))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Value<'de>, E> {
        Ok(Value::Other("a number"))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Other("a number"))
    }
    #[expect(clippy::disallowed_types, reason = "nothing of it is kept")]
    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other("a number"))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Other("true or false"))
    }
    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Other("null"))
    }
}

/// A list of at most [`ROWS_MAX`] values, and whether there were more.
#[derive(Clone)]
pub(in crate::bybit) struct List<'a> {
    pub(super) rows: Vec<Value<'a>>,
    pub(super) more: bool,
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
                    let Some(Row(row)) = seq.next_element()? else { return Ok(List { rows, more: false }) };
                    rows.push(row);
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
