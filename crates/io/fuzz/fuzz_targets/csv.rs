#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gristmill_io_fuzz::data("csv", bytes));
