//! Bytes as answers of the exchange and as messages of its stream: nothing panics, the same bytes read the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| order_manager_sim::fuzz::wire(body));
