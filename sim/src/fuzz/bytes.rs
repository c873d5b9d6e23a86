//! Bytes from outside into the decoders: whatever they are, nothing panics, and the same bytes read the same.

use order_manager_core::bybit::{LimitHeaders, Operation, push, rest};
use order_manager_core::intake;
use order_manager_core::journal;

const OPERATIONS: [Operation; 11] = [
    Operation::Create,
    Operation::Cancel,
    Operation::Amend,
    Operation::OpenOrders,
    Operation::OrderHistory,
    Operation::Executions,
    Operation::Instruments,
    Operation::Wallet,
    Operation::Positions,
    Operation::Tickers,
    Operation::ServerTime,
];

/// A body as the answer to every operation, and as a message of the stream and of ws-gateway's queue. What was read
/// survives the journal unchanged.
///
/// # Panics
/// Where a decoder is not a function of its bytes, or what it read cannot be stored and read back.
pub fn wire(body: &[u8]) {
    for operation in OPERATIONS {
        let decode = || rest::decode(operation, 200, LimitHeaders::default(), body);
        let first = decode();
        assert_eq!(first, decode(), "{operation:?}");
        assert_eq!(journaled(&first), first, "{operation:?}");
    }
    for decode in [push::decode, push::decode_gateway] {
        let first = decode(body);
        assert_eq!(first, decode(body));
        if let Ok(push) = first {
            assert_eq!(journaled(&push), push);
        }
    }
    assert_eq!(push::decode_op(body), push::decode_op(body));
}

/// A body as a signal. One that is taken survives the journal unchanged; one that is not says why.
///
/// # Panics
/// Where the decoder is not a function of its bytes, or what it read cannot be stored and read back.
pub fn signals(body: &[u8]) {
    let first = intake::decode(body, None);
    assert_eq!(first, intake::decode(body, None));
    match first {
        Ok(signal) => assert_eq!(journaled(&signal), signal),
        Err(bad) => {
            assert!(!bad.faults.is_empty(), "refused without a reason");
            assert_eq!(journaled(&bad), bad);
        }
    }
}

fn journaled<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let mut bytes = Vec::new();
    journal::write(value, &mut bytes).expect("what was read can be stored");
    journal::read(&bytes).expect("what was stored can be read")
}
