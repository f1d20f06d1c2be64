//! The fuzz target with random bytes, so that it is tried wherever the tests are: see `fuzz/`.

#[path = "common/cases.rs"]
mod cases;
#[path = "fuzz/image.rs"]
mod image;
#[path = "fuzz/ring_of_bytes.rs"]
mod ring_of_bytes;

use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases::config(1_500))]

    #[test]
    fn whatever_the_file_says_nothing_panics_and_everything_ends(
        flags in any::<u8>(),
        edits in vec(
            (
                0..12_u8,
                prop_oneof![any::<[u8; 3]>(), (0..92_u8).prop_map(|low| [low, 0, 0])],
                prop_oneof![any::<u64>(), 0..70_u64, Just(u64::MAX), Just(1 << 63), 1_u64 << 62..1 << 63],
            ),
            0..5,
        ),
    ) {
        let mut bytes = vec![flags];
        for (what, place, number) in edits {
            bytes.push(what);
            bytes.extend(place);
            bytes.extend(number.to_le_bytes());
        }
        ring_of_bytes::check(&bytes);
    }
}

#[test]
fn files_that_nobody_has_changed_are_read() {
    for flags in 0..6 {
        ring_of_bytes::check(&[flags]);
    }
}
