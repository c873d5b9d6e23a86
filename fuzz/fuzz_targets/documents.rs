//! Bytes choose a good document and what is wrong in it: nothing panics, the same document reads the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|edits: &[u8]| {
    order_manager_sim::fuzz::documents(edits);
});
