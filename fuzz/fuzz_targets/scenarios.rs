//! Bytes as scenario files: nothing panics, problems point into the text, what is read can be written and read back.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| order_manager_sim::fuzz::scenarios(text));
