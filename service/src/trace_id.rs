//! New trace ids (spec S9).

use order_manager_core::unit::{SignalId, TraceId};
use std::time::{SystemTime, UNIX_EPOCH};

/// A random UUID (version 4 of RFC 9562).
pub(crate) fn fresh() -> TraceId {
    let mut bytes = [0; 16];
    let bits = match getrandom::fill(&mut bytes) {
        Ok(()) => u128::from_be_bytes(bytes),
        // Still tells calls of different moments apart.
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros(),
    };
    TraceId::clipped(&SignalId(bits & !(0xf000 << 64) & !(0xc << 60) | 0x4000 << 64 | 0x8 << 60).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s9_a_new_trace_id_is_a_uuid_of_version_4() {
        let (one, two) = (fresh(), fresh());
        assert_ne!(one, two);
        let bits = SignalId::parse(one.as_str()).unwrap().0;
        assert_eq!((bits >> 76 & 0xf, bits >> 62 & 0x3), (4, 2), "{one}");
    }
}
