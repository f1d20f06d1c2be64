//! How much is measured.

use std::time::Duration;

/// All of it, or just enough to see that everything works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    is_test: bool,
}

impl Extent {
    /// As criterion decides it: a test unless run by `cargo bench`, or where it is asked for.
    pub(crate) fn of(arguments: &[String]) -> Self {
        let given = |option: &str| arguments.iter().any(|argument| argument == option);
        Self { is_test: !given("--bench") || given("--test") || given("--quick") }
    }

    pub(crate) fn rounds(self, all: usize) -> usize {
        if self.is_test { 1 } else { all }
    }

    pub(crate) fn duration(self, all: Duration) -> Duration {
        if self.is_test { Duration::from_millis(5) } else { all }
    }
}
