//! Reads journals whose files say anything at all, and opens them to be written: `cargo +nightly fuzz run reader`.
#![no_main]

#[path = "../journal_of_bytes.rs"]
mod journal_of_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| journal_of_bytes::check(bytes));
