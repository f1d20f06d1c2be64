//! What is said of wrong arguments, and of directories without a journal.

use crate::support::{journal, run, text};

#[test]
fn wrong_arguments_are_told_from_failures() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 3);
    let place = text(&place);
    for (arguments, expected) in [
        (&["verify"][..], "<DIR>"),
        (&["import", "FILE"], "<DIR>"),
        (&["import", "FILE", "DIR", "--slot-payload", "100"], "expected a multiple of 64, from 64 to 65472"),
        (
            &["import", "FILE", "DIR", "--slot-payload", "65536"],
            "expected a multiple of 64, from 64 to 65472",
        ),
        (&["dump", place, "--trace", "12"], "expected 64 hexadecimal digits"),
        (&["dump", place, "--kind", "70000"], "expected the name of an event, or the number of a kind"),
        (&["dump", place, "--kind", ""], "expected the name of an event, or the number of a kind"),
        (&["dump", place, "--from", "x"], "invalid value 'x' for '--from <SEQ>'"),
        (&["replay", place, "--speed", "fast"], "expected `full`, `recorded`, or a number and `x`"),
        (&["replay", place, "--speed", "0x"], "expected `full`, `recorded`, or a number and `x`"),
        (&["replay", place, "--speed", "full", "--each-block", "5"], "cannot be used with"),
        (&["replay", place, "--from", "1", "--from-block", "5"], "cannot be used with"),
        (&["replay", place, "--to", "1", "--to-block", "5"], "cannot be used with"),
        (&["record", "RING", "-o", "DIR", "--from", "newest"], "expected a sequence, or `oldest`"),
        (
            &["record", "RING", "-o", "DIR", "--duration", "0"],
            "expected a number of seconds above 0, such as 2.5",
        ),
        (&["stat", "RING", "--stalled-after", "soon"], "expected a number of seconds above 0, such as 2.5"),
        (&["demo", "--rate", "0"], "invalid value '0' for '--rate <EVENTS>'"),
        (&["demo", "--capacity", "512"], "expected a power of two, from 1024"),
        (&["demo", "--capacity", "1025"], "expected a power of two, from 1024"),
        (&["reply", place], "replay"),
        (&[], "Usage: ringbus <COMMAND>"),
    ] {
        let error = run(arguments).failed(2);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn help_and_version_are_no_failures() {
    let help = run(&["--help"]).fine();
    for expected in [
        "ls",
        "stat",
        "top",
        "tail",
        "record",
        "replay",
        "verify",
        "dump",
        "import",
        "audit",
        "bench",
        "demo",
        "1 if something failed or is damaged",
    ] {
        assert!(help.contains(expected), "{help}");
    }
    assert!(run(&["dump", "--help"]).fine().contains("--trace <HASH>"));
    assert_eq!(run(&["--version"]).fine(), format!("ringbus {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_directory_without_a_journal_is_said_to_be_one() {
    let directory = tempfile::tempdir().expect("there is room");
    let empty = text(directory.path()).to_owned();
    let nowhere = format!("{empty}/nowhere");
    let other = tempfile::NamedTempFile::new().expect("there is room");
    let file = text(other.path()).to_owned();
    for command in ["verify", "dump", "replay"] {
        let error = run(&[command, &empty]).failed(1);
        assert!(
            error.contains(&format!("`{empty}` has no journal; expected a directory with files")),
            "{error}"
        );
        let error = run(&[command, &nowhere]).failed(1);
        assert!(error.contains(&nowhere), "{error}");
        let error = run(&[command, &file]).failed(1);
        assert!(
            error.contains(&format!("`{file}` has no journal; expected a directory with files")),
            "{error}"
        );
    }
}

#[test]
fn what_the_journal_does_not_keep_any_more_is_said() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    std::fs::remove_file(crate::support::segment(&place, 0)).expect("it is there");
    for command in ["verify", "dump", "replay"] {
        let error = run(&[command, text(&place), "--from", "5"]).failed(1);
        assert!(
            error.contains("sequence 5 has been removed from the journal, whose oldest record is 10"),
            "{error}"
        );
        assert_eq!(run(&[command, text(&place)]).code, 0);
    }
}
