//! Bytes draw a world, as a seed does; every oracle of the simulator must hold in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|tape: &[u8]| {
    if let Err(broken) = order_manager_sim::fuzz::worlds(tape) {
        panic!("{broken}");
    }
});
