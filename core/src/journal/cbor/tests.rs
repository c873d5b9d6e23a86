use super::super::{read, write, write_record};
use crate::bybit::Operation;
use crate::config::Config;
use crate::event::Seq;
use crate::fixture::{NOW, signal};
use crate::input::{Input, Started};
use crate::unit::{Bytes, Side};
use crate::{Manager, Step};
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

proptest! {
    #[test]
    fn bytes_are_those_of_minicbor_serde(shape in shape()) {
        let mut ours = Vec::new();
        write(&shape, &mut ours).unwrap();
        prop_assert_eq!(ours, minicbor_serde::to_vec(&shape).unwrap());
    }

    #[test]
    fn what_was_written_is_read(shape in shape()) {
        let bytes = minicbor_serde::to_vec(&shape).unwrap();
        let general: Shape = minicbor_serde::from_slice(&bytes).unwrap();
        prop_assert_eq!(read::<Shape>(&bytes).unwrap(), general);
    }

    #[test]
    fn a_reader_that_knows_less_passes_over_the_rest(before in shape(), known: i64, after in shape()) {
        let bytes = minicbor_serde::to_vec(&Wide { before, known, after }).unwrap();
        prop_assert_eq!(read::<Narrow>(&bytes), Ok(Narrow { known }));
    }

    #[test]
    fn what_is_cut_short_is_no_value(shape in shape(), cut: proptest::sample::Index) {
        let bytes = minicbor_serde::to_vec(&shape).unwrap();
        let cut = &bytes[..cut.index(bytes.len())];
        prop_assert!(read::<Shape>(cut).is_err());
        prop_assert!(read::<IgnoredAny>(cut).is_err());
    }

    /// Whatever stands there: a value or an error, and the same value as the general reader's.
    #[test]
    fn any_bytes_end_as_a_value_or_an_error(bytes: Vec<u8>) {
        if let Ok(value) = read::<Shape>(&bytes) {
            prop_assert_eq!(value, minicbor_serde::from_slice(&bytes).unwrap());
        }
        _ = read::<Narrow>(&bytes);
    }
}

/// As a later version may write it.
#[derive(Serialize)]
struct Wide {
    before: Shape,
    known: i64,
    after: Shape,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Narrow {
    known: i64,
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

#[test]
fn a_record_of_ours_is_the_same_bytes() {
    let (mut manager, mut step) = (Manager::new(), Step::default());
    let started = Input::Started(Box::new(Started { life: 1, config: Config::default() }));
    manager.step(NOW, &started, &mut step).unwrap();
    let same = |value: &dyn Fn(&mut Vec<u8>), general: Vec<u8>| {
        let mut ours = Vec::new();
        value(&mut ours);
        assert_eq!(ours, general);
    };
    let sent = Some([Operation::Create, Operation::Tickers].as_slice());
    let record = super::super::RecordRef { seq: Seq(1), at: NOW, input: &started, events: &step.events, sent };
    let general = minicbor_serde::to_vec(&record).unwrap();
    same(&|out| write_record(Seq(1), NOW, &started, &step.events, sent, out).unwrap(), general);
    let signal = signal(Side::Buy, "100.5");
    same(&|out| write(&signal, out).unwrap(), minicbor_serde::to_vec(signal).unwrap());
    same(&|out| write(&step.commands, out).unwrap(), minicbor_serde::to_vec(&step.commands).unwrap());
}
