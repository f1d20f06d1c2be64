//! Two lists side by side, for people.

use std::fmt;

/// What was expected, and what there was instead, line by line. Lines that agree are shown once, those that do not with a sign:
/// `-` was expected, `+` is there.
pub(super) struct Difference {
    pub(super) expected: Vec<String>,
    pub(super) found: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found } = self;
        if expected.is_empty() {
            writeln!(f, "  expected: nothing")?;
        }
        for at in 0..expected.len().max(found.len()) {
            match (expected.get(at), found.get(at)) {
                (Some(expected), Some(found)) if expected == found => writeln!(f, "    {at}: {found}")?,
                (expected, found) => {
                    expected.iter().try_for_each(|line| writeln!(f, "  - {at}: {line}"))?;
                    found.iter().try_for_each(|line| writeln!(f, "  + {at}: {line}"))?;
                }
            }
        }
        write!(f, "  (- expected, + emitted)")
    }
}
