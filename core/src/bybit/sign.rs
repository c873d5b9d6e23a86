//! Signing (bybit-v5.md 1.2): HMAC-SHA256 in lowercase hex over the bytes that go over the wire.
//!
//! The secret comes in as an argument and is kept nowhere.

use crate::unit::{ExchangeTime, Text};
use core::fmt;
use hmac::digest::{FixedOutput as _, Key};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// 64 lowercase hex digits: the value of `X-BAPI-SIGN`, or of the third argument of a stream's `auth`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(Text<64>);

impl Signature {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Signs one request. `payload` is the query of a GET or the body of a POST, exactly as sent.
#[must_use]
pub fn request(secret: &[u8], timestamp: ExchangeTime, api_key: &str, recv_window_ms: u32, payload: &str) -> Signature {
    let head = alloc::format!("{}{api_key}{recv_window_ms}", timestamp.0);
    sign(secret, &[head.as_bytes(), payload.as_bytes()])
}

/// Signs the `auth` of a private stream that is good until `expires`.
#[must_use]
pub fn stream(secret: &[u8], expires: ExchangeTime) -> Signature {
    sign(secret, &[alloc::format!("GET/realtime{}", expires.0).as_bytes()])
}

/// Is `got` this signature? Takes as long for a wrong first digit as for a wrong last one.
#[must_use]
pub fn verify(expected: &Signature, got: &str) -> bool {
    let expected = expected.as_str().as_bytes();
    let differing = expected.iter().zip(got.as_bytes()).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
    // The length is no secret: every signature is 64 digits long.
    expected.len() == got.len() && core::hint::black_box(differing) == 0
}

fn sign(secret: &[u8], parts: &[&[u8]]) -> Signature {
    let mut mac = Hmac::<Sha256>::new(&block(secret));
    for part in parts {
        mac.update(part);
    }
    Signature(Text::clipped(&hex::encode(mac.finalize_fixed())))
}

/// The secret as the hash's key block (RFC 2104 section 2: longer than a block, hashed; then zero padded).
/// Done here because `Hmac::new_from_slice` wraps the same steps in a `Result` that has no error.
fn block(secret: &[u8]) -> Key<Hmac<Sha256>> {
    let mut key = Key::<Hmac<Sha256>>::default();
    let hashed;
    let secret = if secret.len() > key.len() {
        hashed = Sha256::digest(secret);
        hashed.as_slice()
    } else {
        secret
    };
    for (slot, byte) in key.iter_mut().zip(secret) {
        *slot = *byte;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "test_api_key";
    const SECRET: &[u8] = b"test_secret";
    const AT: ExchangeTime = ExchangeTime(1_700_000_000_000);

    #[test]
    fn requests_are_signed_as_the_vectors_of_1_2_say() {
        for (payload, signature) in [
            ("category=linear&symbol=BTCUSDT", "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7"),
            (
                "category=linear&cursor=page_token%3D39380%26&limit=50",
                "1291989abd2118604e07b855711dcdecf2453af3ae6b3f3ce7ce74646ec2d41c",
            ),
            (
                r#"{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "test-order-1"}"#,
                "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1",
            ),
            (
                r#"{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001","price":"50000","timeInForce":"GTC","positionIdx":0,"orderLinkId":"om-0001"}"#,
                "61b27801813aa5030a26fe8a6dae50c1313c6a6474e6e6a737a6824872d24dcd",
            ),
            ("", "cfffd774219bfa1d400476f699f830daaedcd3c41faa1dbdda95a8f4dd8170cc"),
        ] {
            assert_eq!(request(SECRET, AT, KEY, 5000, payload).as_str(), signature, "{payload}");
        }
    }

    #[test]
    fn the_stream_is_signed_as_the_vector_of_1_2_says() {
        assert_eq!(stream(SECRET, AT).as_str(), "bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925");
    }

    #[test]
    fn secrets_of_every_length_make_the_key_that_hmac_defines() {
        for len in [0, 1, 36, 63, 64, 65, 200] {
            let secret = alloc::vec![0xaa_u8; len];
            let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
            mac.update(b"some text");
            let want = hex::encode(mac.finalize_fixed());
            assert_eq!(sign(&secret, &[b"some ", b"text"]).as_str(), want, "{len}");
        }
    }

    #[test]
    fn only_the_whole_signature_verifies() {
        let good = request(SECRET, AT, KEY, 5000, "");
        assert!(verify(&good, good.as_str()));
        let mut wrong_last = alloc::string::String::from(&good.as_str()[..63]);
        assert!(!verify(&good, &wrong_last), "too short");
        wrong_last.push('0');
        assert!(!verify(&good, &wrong_last), "last digit");
        assert!(!verify(&good, &good.as_str().to_uppercase()));
        assert!(!verify(&good, ""));
    }
}
