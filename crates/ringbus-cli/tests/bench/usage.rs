//! How it answers to arguments that make no sense.

use crate::support::{bench, failed};

#[test]
fn a_core_that_is_not_there_is_refused() {
    let said = failed(bench(&["--quick", "--cores", "100000"]), 1);
    assert!(said.starts_with("ringbus: core 100000 cannot be used: this process may run on ["), "{said}");
}

#[test]
fn more_cores_than_are_of_use_are_refused() {
    let said = failed(bench(&["--quick", "--cores", "0,1,2,3,4"]), 1);
    assert_eq!(
        said,
        "ringbus: 5 cores are given, and at most 4 are of use; give the producer's and three consumers'\n"
    );
}

#[test]
fn wrong_calls_end_with_2() {
    for (arguments, expected) in [
        (vec!["--seconds", "0"], "expected a number of seconds above 0"),
        (vec!["--quick", "--seconds", "5"], "cannot be used with"),
        (vec!["--quick", "--force"], "--output <DIR>"),
        (vec!["--quick", "--rate", "0"], "0 is not in 1000..=5000000"),
        (vec!["--quick", "--cores", "a"], "invalid digit"),
    ] {
        let said = failed(bench(&arguments), 2);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
