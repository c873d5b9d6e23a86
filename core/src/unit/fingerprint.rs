//! A 128-bit content hash.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 128-bit content hash; in the journal two halves, since CBOR knows no wider integer than 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub u128);

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        (half(self.0 >> 64), half(self.0)).serialize(s)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let (high, low) = <(u64, u64)>::deserialize(d)?;
        Ok(Self(u128::from(high) << 64 | u128::from(low)))
    }
}
