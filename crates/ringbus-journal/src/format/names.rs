//! The files of a journal.

/// Held by the one who writes.
pub(crate) const LOCK: &str = "lock";
/// How far the journal is durable.
pub(crate) const DURABLE: &str = "durable";

/// A segment that is being made: it gets its name when its header is durable, so that nobody finds half a one.
pub(crate) const NEW_SEGMENT: &str = "new-segment";

const SEGMENT: &str = ".journal";
const INDEX: &str = ".index";
const READER: &str = "reader-";

/// The segment whose first record has this sequence. The names sort as the sequences do.
pub(crate) fn segment(first: u64) -> String {
    format!("{first:020}{SEGMENT}")
}

/// Its index.
pub(crate) fn index(first: u64) -> String {
    format!("{first:020}{INDEX}")
}

/// Where a registered reader says how far it is.
pub(crate) fn reader(name: &str) -> String {
    format!("{READER}{name}")
}

/// The first sequence of the segment of this name, if it is one's name.
pub(crate) fn first_of_segment(name: &str) -> Option<u64> {
    sequence(name.strip_suffix(SEGMENT)?)
}

fn sequence(digits: &str) -> Option<u64> {
    let is_one = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_one { digits.parse().ok() } else { None }
}

/// The registered reader whose file has this name, if it is one's.
pub(crate) fn name_of_reader(name: &str) -> Option<&str> {
    name.strip_prefix(READER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_nothing_else_is() {
        assert_eq!(segment(7), "00000000000000000007.journal");
        for first in [0, 7, u64::MAX] {
            assert_eq!(first_of_segment(&segment(first)), Some(first));
            assert_ne!(index(first), segment(first));
        }
        for name in [
            "7.journal",
            "+0000000000000000007.journal",
            "00000000000000000007",
            "lock",
            "new-segment",
            "99999999999999999999.journal",
        ] {
            assert_eq!(first_of_segment(name), None, "{name}");
        }
        assert_eq!(name_of_reader(&reader("store")), Some("store"));
        assert_eq!(name_of_reader("durable"), None);
    }
}
