//! Walks through a type as serde sees it, and lists the fields and variants of all that it reaches.

use serde::Deserialize;
use serde::de::value::{Error, U32Deserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A struct and its fields, an enum and its variants, or a variant and its fields.
type Shape = (String, Vec<String>);

/// Often enough that each enum within each variant of each other one shows all of its own.
const ROUNDS: usize = 2_000;

/// The list of all shapes that `T` reaches, if each of those that were listed is the beginning of one of them, and `T` can
/// be read where nothing but these is written.
pub(crate) fn check<T: for<'de> Deserialize<'de>>(listed: &str) -> Result<String, String> {
    let listed = shapes(listed);
    let found = walk::<T>(&[])?;
    for (head, members) in &listed {
        if !found.iter().any(|(name, found)| name == head && found.starts_with(members)) {
            let now: Vec<_> = found.iter().filter(|(name, _)| name == head).map(|(_, members)| members).collect();
            return Err(format!(
                "{head} was written as {members:?} and now is {now:?}: journals could not be read any more. Add at the end, \
                 move nothing, take nothing out, and let what is renamed keep its name (`#[serde(rename)]`)"
            ));
        }
    }
    walk::<T>(&listed).map_err(|error| format!("{error}: a field that is added needs a default"))?;
    let blocks = found.iter().map(|(head, members)| format!("{head}\n  {}\n", members.join("\n  ")));
    Ok(blocks.collect::<Vec<_>>().join("\n"))
}

/// All shapes, where nothing is written of those that are listed but what is listed.
fn walk<T: for<'de> Deserialize<'de>>(listed: &[Shape]) -> Result<BTreeSet<Shape>, String> {
    let walk = Walk { listed, found: RefCell::default(), turns: RefCell::default() };
    for _ in 0..ROUNDS {
        T::deserialize(Walker(&walk)).map_err(|error| error.to_string())?;
    }
    Ok(walk.found.into_inner())
}

fn shapes(text: &str) -> Vec<Shape> {
    let blocks = text.split("\n\n").filter(|block| !block.is_empty());
    let lines = blocks.map(|block| block.lines().map(|line| line.trim().to_owned()));
    lines.map(|mut lines| (lines.next().unwrap_or_default(), lines.collect())).collect()
}

struct Walk<'l> {
    listed: &'l [Shape],
    found: RefCell<BTreeSet<Shape>>,
    /// How often an enum was come to.
    turns: RefCell<BTreeMap<Shape, usize>>,
}

impl Walk<'_> {
    /// Takes the shape down; how many of its members were listed, all where it is new.
    fn find(&self, head: &str, members: &[&str]) -> usize {
        let shape = (head.to_owned(), members.iter().map(|&member| member.to_owned()).collect::<Vec<_>>());
        let known = self.listed.iter().filter(|(name, known)| *name == shape.0 && shape.1.starts_with(known));
        let length = known.map(|(_, known)| known.len()).max().unwrap_or(members.len());
        self.found.borrow_mut().insert(shape);
        length
    }

    fn turn(&self, name: &str, variants: &[&str]) -> usize {
        let shape = (name.to_owned(), variants.iter().map(|&variant| variant.to_owned()).collect());
        let mut turns = self.turns.borrow_mut();
        let turn = turns.entry(shape).or_default();
        *turn += 1;
        *turn % variants.len()
    }
}

/// Gives whatever is asked for.
#[derive(Clone, Copy)]
struct Walker<'w>(&'w Walk<'w>);

macro_rules! give {
    ($($method:ident: $visit:ident($value:expr)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit($value)
        }
    )*};
}

impl<'de, 'w> Deserializer<'de> for Walker<'w> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }
    give! {
        deserialize_any: visit_bytes(&[0; 16]), // of a signal's id
        deserialize_bytes: visit_bytes(&[0; 16]),
        deserialize_byte_buf: visit_bytes(&[0; 16]),
        deserialize_bool: visit_bool(false),
        deserialize_u8: visit_u64(1), deserialize_u16: visit_u64(1), deserialize_u32: visit_u64(1),
        deserialize_u64: visit_u64(1), deserialize_u128: visit_u128(0),
        deserialize_i8: visit_i64(1), deserialize_i16: visit_i64(1), deserialize_i32: visit_i64(1),
        deserialize_i64: visit_i64(1),
        deserialize_str: visit_str("a"), deserialize_string: visit_str("a"),
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Members { walker: self, left: 1 })
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Members { walker: self, left })
    }
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Members { walker: self, left: 1 })
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let left = self.0.find(name, fields);
        let value = visitor.visit_seq(Members { walker: self, left });
        value.map_err(|error| de::Error::custom(format_args!("{name}: {error}")))
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.find(name, variants);
        let index = self.0.turn(name, variants);
        visitor.visit_enum(Variant { walker: self, index, name: format!("{name}::{}", variants[index]) })
    }
    forward_to_deserialize_any! { f32 f64 char i128 unit unit_struct tuple_struct identifier ignored_any }
}

struct Members<'w> {
    walker: Walker<'w>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.walker).map(Some)
    }
}

impl<'de> de::MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        de::SeqAccess::next_element_seed(self, seed)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.walker)
    }
}

struct Variant<'w> {
    walker: Walker<'w>,
    index: usize,
    name: String,
}

impl<'de> de::EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let index: U32Deserializer<Error> = u32::try_from(self.index).unwrap_or_default().into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.walker)
    }
    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Members { walker: self.walker, left })
    }
    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        let left = self.walker.0.find(&self.name, fields);
        let value = visitor.visit_seq(Members { walker: self.walker, left });
        value.map_err(|error| de::Error::custom(format_args!("{}: {error}", self.name)))
    }
}
