//! Processes that measure.

use std::process::{Command, Output};

/// With these arguments.
pub(crate) fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringbus"));
    command.arg("bench").args(arguments).output().expect("the command was built")
}

/// What it printed, if all went well, and nothing but that: there is no bar where there is no terminal.
#[track_caller]
pub(crate) fn fine(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*error), (Some(0), ""));
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// What it said, if it failed with this code.
#[track_caller]
pub(crate) fn failed(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("it prints UTF-8")
}
