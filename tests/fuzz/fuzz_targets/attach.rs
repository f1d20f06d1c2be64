//! Attaches to files that say anything at all, and reads them in all ways: `cargo +nightly fuzz run --fuzz-dir tests/fuzz attach`.
#![no_main]

#[path = "../image.rs"]
mod image;
#[path = "../ring_of_bytes.rs"]
mod ring_of_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ring_of_bytes::check(bytes));
