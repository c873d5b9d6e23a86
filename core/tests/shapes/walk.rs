//! Walks through a type as serde sees it, and lists the fields and variants of all that it reaches, with what kind of thing
//! each is. How wide an integer is makes no difference to how it is written.

use serde::Deserialize;
use serde::de::value::{Error, U32Deserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A struct and its fields, an enum and its variants, or a variant and what it holds.
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
    let walk = Walk { listed, found: RefCell::default(), turns: RefCell::default(), kind: RefCell::default() };
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
    /// What kind of thing is being read, as far as it has been come to.
    kind: RefCell<String>,
}

impl Walk<'_> {
    /// Was this variant listed as one that holds nothing?
    fn was_bare(&self, head: &str, variant: &str) -> bool {
        let is_listed = |(name, known): &Shape| name == head && known.iter().any(|member| member == variant);
        self.listed.iter().any(is_listed) && !self.listed.iter().any(|(name, _)| *name == format!("{head}::{variant}"))
    }

    /// How many of these fields were listed, all where they are new.
    fn listed(&self, head: &str, fields: &[&str]) -> usize {
        let is_it = |member: &String, field: &&str| member.split(": ").next() == Some(*field);
        let begins = |known: &Vec<String>| {
            known.len() <= fields.len() && known.iter().zip(fields).all(|(member, field)| is_it(member, field))
        };
        let known = self.listed.iter().filter(|(name, known)| name == head && begins(known));
        known.map(|(_, known)| known.len()).max().unwrap_or(fields.len())
    }

    fn find(&self, head: &str, members: Vec<String>) {
        self.found.borrow_mut().insert((head.to_owned(), members));
    }

    fn is(&self, kind: &str) {
        self.kind.borrow_mut().push_str(kind);
    }

    /// What kind of thing is read there.
    fn kind_in<T>(&self, read: impl FnOnce() -> Result<T, Error>) -> Result<(T, String), Error> {
        let around = self.kind.take();
        let value = read()?;
        Ok((value, self.kind.replace(around)))
    }

    /// Reads so many of these fields, and takes the shape down where it was read whole.
    fn fields<'de, V: Visitor<'de>>(
        &self,
        head: &str,
        left: usize,
        fields: &[&str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut kinds = Vec::new();
        let whole = left == fields.len();
        let value = visitor.visit_seq(Fields { walker: Walker(self), left, kinds: &mut kinds });
        if whole {
            self.find(head, fields.iter().zip(&kinds).map(|(field, kind)| format!("{field}: {kind}")).collect());
        }
        value.map_err(|error| de::Error::custom(format_args!("{head}: {error}")))
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
    ($($method:ident: $kind:literal $visit:ident($value:expr)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.0.is($kind);
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
        deserialize_any: "id" visit_bytes(&[0; 16]), // of a signal
        deserialize_bytes: "bytes" visit_bytes(&[0; 16]),
        deserialize_byte_buf: "bytes" visit_bytes(&[0; 16]),
        deserialize_bool: "flag" visit_bool(false),
        deserialize_u8: "integer" visit_u64(1), deserialize_u16: "integer" visit_u64(1),
        deserialize_u32: "integer" visit_u64(1), deserialize_u64: "integer" visit_u64(1),
        deserialize_i8: "integer" visit_i64(1), deserialize_i16: "integer" visit_i64(1),
        deserialize_i32: "integer" visit_i64(1), deserialize_i64: "integer" visit_i64(1),
        deserialize_u128: "number" visit_u128(0),
        deserialize_str: "text" visit_str("a"), deserialize_string: "text" visit_str("a"),
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.is("maybe ");
        visitor.visit_some(self)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.is("list of ");
        visitor.visit_seq(Elements { walker: self, left: 1, between: None })
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.is("(");
        let value = visitor.visit_seq(Elements { walker: self, left, between: None })?;
        self.0.is(")");
        Ok(value)
    }
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.is("map of ");
        visitor.visit_map(Elements { walker: self, left: 1, between: None })
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.is(name);
        self.0.fields(name, self.0.listed(name, fields), fields, visitor)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.is(name);
        self.0.find(name, variants.iter().map(|&variant| variant.to_owned()).collect());
        let index = self.0.turn(name, variants);
        let was_bare = self.0.was_bare(name, variants[index]);
        visitor.visit_enum(Variant { walker: self, index, name: format!("{name}::{}", variants[index]), was_bare })
    }
    forward_to_deserialize_any! { f32 f64 char i128 unit unit_struct tuple_struct identifier ignored_any }
}

/// Of a struct or of a variant, each of a kind of its own.
struct Fields<'w, 'k> {
    walker: Walker<'w>,
    left: usize,
    kinds: &'k mut Vec<String>,
}

impl<'de> de::SeqAccess<'de> for Fields<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let (value, kind) = self.walker.0.kind_in(|| seed.deserialize(self.walker))?;
        self.kinds.push(kind);
        Ok(Some(value))
    }
}

/// Of a list, a tuple or a map: their kinds are told with what they are in.
struct Elements<'w> {
    walker: Walker<'w>,
    left: usize,
    /// What stands before an element that is not the first, in the words for what it is in.
    between: Option<&'static str>,
}

impl<'de> de::SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.walker.0.is(self.between.replace(", ").unwrap_or_default());
        seed.deserialize(self.walker).map(Some)
    }
}

impl<'de> de::MapAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        de::SeqAccess::next_element_seed(self, seed)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.walker.0.is(" to ");
        seed.deserialize(self.walker)
    }
}

struct Variant<'w> {
    walker: Walker<'w>,
    index: usize,
    name: String,
    /// It held nothing when it was written.
    was_bare: bool,
}

impl Variant<'_> {
    fn must_hold(&self) -> Result<(), Error> {
        let refusal = || de::Error::custom(format_args!("{}: it held nothing when it was written", self.name));
        if self.was_bare { Err(refusal()) } else { Ok(()) }
    }
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
        self.must_hold()?;
        let (value, kind) = self.walker.0.kind_in(|| seed.deserialize(self.walker))?;
        self.walker.0.find(&self.name, vec![kind]);
        Ok(value)
    }
    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        self.must_hold()?;
        let mut kinds = Vec::new();
        let value = visitor.visit_seq(Fields { walker: self.walker, left, kinds: &mut kinds })?;
        self.walker.0.find(&self.name, kinds);
        Ok(value)
    }
    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        let walk = self.walker.0;
        let left = if self.was_bare { 0 } else { walk.listed(&self.name, fields) };
        walk.fields(&self.name, left, fields, visitor)
    }
}
