//! Bytes decide the life of a manager; every law of `order_manager_sim::fuzz` must hold after every step.
#![no_main]

use order_manager_sim::fuzz::order_life;

libfuzzer_sys::fuzz_target!(|tape: &[u8]| {
    if let Err(broken) = order_life(tape) {
        panic!("{broken}");
    }
});
