//! How many random programs are tried.

use std::env;

use proptest::test_runner::Config;

/// So many as `PROPTEST_CASES` says, or `cases`.
pub(crate) fn config(cases: u32) -> Config {
    let default = Config::default();
    let cases = if env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    // Nothing is written into the source tree: a failure prints the smallest case there is.
    Config { cases, failure_persistence: None, ..default }
}
