//! The fuzz target with random bytes, so that it is tried wherever the tests are: see `fuzz/`.

#[path = "../fuzz/journal_of_bytes.rs"]
mod journal_of_bytes;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;

proptest! {
    #![proptest_config(Config { cases: 1_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_the_files_say_nothing_panics_and_everything_ends(
        mends in any::<bool>(),
        edits in vec((0..9_u8, any::<[u8; 3]>(), prop_oneof![any::<u64>(), 0..70_u64, Just(u64::MAX), Just(1 << 63)]), 0..5),
    ) {
        let mut bytes = vec![u8::from(mends)];
        for (what, place, number) in edits {
            bytes.push(what);
            bytes.extend(place);
            bytes.extend(number.to_le_bytes());
        }
        journal_of_bytes::check(&bytes);
    }
}

#[test]
fn a_journal_that_nobody_has_changed_is_whole() {
    journal_of_bytes::check(&[0]);
    journal_of_bytes::check(&[1]);
}

/// Found by random bytes: an entry of the index that ends where no file does.
#[test]
fn an_index_may_speak_of_what_is_not_there() {
    let end_offset = 24_u16.to_le_bytes();
    for file in 0..6 {
        journal_of_bytes::check(&[&[1, 3, file], &end_offset[..], &[u8::MAX; 8]].concat());
    }
}
