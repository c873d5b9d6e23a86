use super::super::{read, write};
use super::Reader;
use crate::fixture::quantity;
use crate::unit::{Bytes, Quantity, Text};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Every shape that serde knows and a journal may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(i64),
    Tuple(i8, u16, bool),
    Struct { number: u64, text: String, maybe: Option<Box<Shape>> },
    Bytes(#[serde(serialize_with = "bytes", deserialize_with = "of_bytes")] Vec<u8>),
    List(Vec<Shape>),
    Map(BTreeMap<String, u32>),
    Pair((), [u8; 16]),
    Char(char),
    Open(#[serde(serialize_with = "open")] Vec<u8>),
}

fn of_bytes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
    Bytes::deserialize(d).map(|bytes| bytes.0)
}

fn bytes<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_bytes(bytes)
}

/// As a sequence whose length nobody said before.
fn open<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(bytes.iter().filter(|byte| **byte > 3))
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Unit),
        prop_oneof![any::<i64>(), -300_i64..70_000].prop_map(Shape::Newtype),
        any::<(i8, u16, bool)>().prop_map(|(a, b, c)| Shape::Tuple(a, b, c)),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Shape::Bytes),
        proptest::collection::vec(any::<u8>(), 0..30).prop_map(Shape::Open),
        proptest::collection::btree_map("[a-z]{0,30}", any::<u32>(), 0..30).prop_map(Shape::Map),
        any::<[u8; 16]>().prop_map(|bytes| Shape::Pair((), bytes)),
        any::<char>().prop_map(Shape::Char),
    ];
    leaf.prop_recursive(3, 40, 30, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..30).prop_map(Shape::List),
            (any::<u64>(), "\\PC{0,90}", proptest::option::of(inner)).prop_map(|(number, text, maybe)| Shape::Struct {
                number,
                text,
                maybe: maybe.map(Box::new)
            }),
        ]
    })
}

/// By name, as minicbor-serde writes and up to version 3 we did.
fn named<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    super::super::named::write(value, &mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn by_name_bytes_are_those_of_minicbor_serde(shape in shape()) {
        prop_assert_eq!(named(&shape), minicbor_serde::to_vec(&shape).unwrap());
    }

    #[test]
    fn what_was_written_is_read_in_either_shape(shape in shape()) {
        let bytes = named(&shape);
        let general: Shape = minicbor_serde::from_slice(&bytes).unwrap();
        prop_assert_eq!(read::<Shape>(&bytes).unwrap(), general.clone());
        prop_assert_eq!(read::<Shape>(&written(&shape)).unwrap(), general);
    }

    #[test]
    fn without_names_it_is_one_whole_item_for_any_reader(shape in shape()) {
        let bytes = written(&shape);
        let mut general = minicbor_serde::Deserializer::new(&bytes);
        IgnoredAny::deserialize(&mut general).unwrap();
        prop_assert_eq!(general.decoder().position(), bytes.len());
        let mut ours = Reader(&bytes);
        IgnoredAny::deserialize(&mut ours).unwrap();
        prop_assert!(ours.0.is_empty());
    }

    #[test]
    fn a_reader_that_knows_less_passes_over_the_rest(known: i64, after in shape(), more in shape()) {
        let wide = Wide { known, after, more };
        let narrow = Narrow { known };
        prop_assert_eq!(read(&named(&wide)), Ok(narrow.clone()));
        prop_assert_eq!(read(&written(&(&wide, 7))), Ok((narrow.clone(), 7)));
        let variants = [WideVariant::Bare(wide.clone()), WideVariant::Fields { known, more: wide.more }];
        let known = [NarrowVariant::Bare(narrow), NarrowVariant::Fields { known }];
        prop_assert_eq!(read(&written(&variants)), Ok(known));
    }

    #[test]
    fn what_is_cut_short_is_no_value(shape in shape(), cut: proptest::sample::Index) {
        for bytes in [named(&shape), written(&shape)] {
            let cut = &bytes[..cut.index(bytes.len())];
            prop_assert!(read::<Shape>(cut).is_err());
            prop_assert!(read::<IgnoredAny>(cut).is_err());
        }
    }

    /// Whatever stands there: a value or an error, and the same value as the general reader's.
    #[test]
    fn any_bytes_end_as_a_value_or_an_error(bytes: Vec<u8>) {
        if let (Ok(value), Ok(general)) = (read::<Shape>(&bytes), minicbor_serde::from_slice::<Shape>(&bytes)) {
            prop_assert_eq!(value, general);
        }
        _ = read::<Narrow>(&bytes);
    }
}

/// As a later version may write it.
#[derive(Clone, Serialize)]
struct Wide {
    known: i64,
    after: Shape,
    more: Shape,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Narrow {
    known: i64,
}

#[derive(Serialize)]
enum WideVariant {
    Bare(Wide),
    Fields { known: i64, more: Shape },
}

#[derive(Debug, PartialEq, Deserialize)]
enum NarrowVariant {
    Bare(Narrow),
    Fields { known: i64 },
}

/// The same with a field that was added to it.
#[derive(Debug, PartialEq, Deserialize)]
struct Grown {
    known: i64,
    #[serde(default)]
    added: Option<u8>,
}

#[test]
fn a_field_that_was_not_written_yet_has_its_default() {
    for bytes in [named(&Narrow { known: 5 }), written(&Narrow { known: 5 })] {
        assert_eq!(read(&bytes), Ok(Grown { known: 5, added: None }));
    }
    assert!(read::<(Narrow, u8)>(&written(&(Narrow { known: 5 },))).is_err());
}

#[derive(Serialize)]
enum Bare {
    One,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Filled {
    One {
        #[serde(default)]
        added: Option<u8>,
    },
}

#[test]
fn a_variant_that_held_nothing_may_hold_fields_later() {
    for bytes in [named(&Bare::One), written(&Bare::One)] {
        assert_eq!(read(&bytes), Ok(Filled::One { added: None }));
    }
}

/// No writer of ours spends a byte more on a length than it needs.
#[test]
fn a_number_may_say_its_length_in_more_bytes() {
    let long = [&[0x82, 0x58, 2, 1, 5, 0x58, 20][..], &[9; 20]].concat();
    let short = [&[0x82, 0x42, 1, 5, 0x54][..], &[9; 20]].concat();
    let number = |bytes| read::<(Quantity, Bytes)>(bytes).map(|(number, _)| number);
    assert_eq!((number(&long), number(&short)), (Ok(quantity("0.5")), Ok(quantity("0.5"))));
}

#[test]
fn what_holds_text_is_written_as_text() {
    for text in ["", "BTCUSDT", "a text that is longer than twenty-three bytes"] {
        let ours = written(&Text::<64>::new(text).unwrap());
        assert_eq!(ours, minicbor_serde::to_vec(text).unwrap());
        assert_eq!(read::<Text<64>>(&ours).unwrap().as_str(), text);
    }
}

fn written<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_value_of_another_kind_is_an_error_that_says_where() {
    let wrong = |bytes: &[u8]| read::<(u8, u8)>(bytes).unwrap_err().0;
    assert_eq!(wrong(&written(&("text", 300_u16))), "8 bytes before the end: 0x64, not an integer");
    let bytes = written(&(1_u8, 300_u16));
    assert!(wrong(&bytes).contains("invalid value: integer `300`"), "{}", wrong(&bytes));
    assert_eq!(wrong(&bytes[..2]), "the end, not an integer");
    assert!(read::<(u8, u8, u8)>(&bytes).unwrap_err().0.contains("invalid length 2"));
    assert_eq!(read(&written(&Shape::Newtype(-1))), Ok(Shape::Newtype(-1)));
    let bare = read::<Shape>(&written(&"Newtype")).unwrap_err().0;
    assert!(bare.contains("what the variant before this holds"), "{bare}");
}
