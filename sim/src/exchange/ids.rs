//! Ids that look like Bybit's UUIDs and carry their own number, so that no map from id to order is needed.

use order_manager_core::unit::{OrderLinkId, SignalId, Text};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

/// Which kind of thing an id names; ids of different kinds never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Order = 0x9,
    Execution = 0xb,
}

/// The UUID of the `number`th thing of this kind in this era. Numbers are below 2^48.
pub(super) fn id_of(kind: Kind, era: u64, number: u64) -> Text<64> {
    let mixed = mix(number ^ ((kind as u64) << 60) ^ era);
    let groups = [
        (mixed >> 32, 32),
        (mixed >> 16, 16),
        (mixed & 0xfff | 0x4000, 16),
        (((kind as u64) << 12) | (mixed >> 52), 16),
        (number, 48),
    ];
    let join = |bits: u128, (value, width): (u64, u32)| bits << width | u128::from(value & ((1 << width) - 1));
    let bits = groups.into_iter().fold(0, join);
    Text::clipped(Text::from(SignalId(bits)).as_str()) // written as every UUID is
}

/// The number in an id. Whether it is the id of that thing shows what that thing is called.
pub(super) fn number_in(id: &str) -> Option<u64> {
    u64::from_str_radix(id.get(24..36)?, 16).ok()
}

/// A link id of any client, ours or not; none where it is longer than 36 bytes. An empty one is an order without.
#[must_use]
pub fn link_id(text: &str) -> Option<OrderLinkId> {
    OrderLinkId::deserialize(IntoDeserializer::<Error>::into_deserializer(text)).ok()
}

/// The finaliser of splitmix64: spreads neighbouring numbers over all bits.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_is_a_uuid_and_gives_its_number_back(number in 0_u64..1 << 48, era: u64) {
            let id = id_of(Kind::Order, era, number);
            let parts: Vec<usize> = id.as_str().split('-').map(str::len).collect();
            prop_assert_eq!(parts, vec![8, 4, 4, 4, 12]);
            prop_assert_eq!(number_in(id.as_str()), Some(number));
            prop_assert_ne!(id_of(Kind::Execution, era, number), id);
            prop_assert_ne!(id_of(Kind::Order, era ^ 1, number), id);
        }
    }
}
