//! Where its output is no terminal.

use std::io::Read;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use std::{fs, thread};

use crate::support::{bus, top, trade};

fn output(arguments: &[&str], path: &Path) -> Output {
    top(arguments, path).output().expect("the command was built")
}

#[track_caller]
fn lines(output: &Output) -> Vec<String> {
    let [out, error] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!((output.status.code(), &error[..]), (Some(0), ""), "{out}");
    out.lines().map(str::to_owned).collect()
}

fn words<'a>(lines: &'a [String], first: &str) -> Vec<&'a str> {
    let line = lines.iter().find(|line| line.trim_start().starts_with(first));
    line.unwrap_or_else(|| panic!("no line begins with {first:?}:\n{}", lines.join("\n")))
        .split_whitespace()
        .collect()
}

#[test]
fn one_screen_is_printed_of_a_ring_that_rests() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let (mut writer, bus) = bus(&path);
    let journal = bus.subscribe("journal").required().join().expect("there is a place");
    let _monitor = bus.subscribe("monitor").optional().join().expect("anybody can");
    (0..256).for_each(|_| trade(&mut writer));
    let lines = lines(&output(&["--once"], &path));
    assert_eq!(words(&lines, "ringbus")[2..4], ["testnet", "alive"]);
    assert_eq!(words(&lines, "stream")[..4], ["stream", "testnet", "pid", &std::process::id().to_string()]);
    assert_eq!(words(&lines, "cursor")[..4], ["cursor", "257", "capacity", "1,024"]);
    assert_eq!(words(&lines, "events/s")[1], "0");
    assert_eq!(words(&lines, "fill")[1], "25%");
    assert!(words(&lines, "fill").ends_with(&["256", "of", "1,024:", "journal"]), "{}", lines.join("\n"));
    assert_eq!(words(&lines, "waited")[1], "0%");
    assert_eq!(words(&lines, "journal")[1..5], ["required", "running", "256", "25%"]);
    assert_eq!(words(&lines, "monitor")[1..5], ["optional", "running", "256", "25%"]);
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", lines.join("\n"));
    assert!(!lines.join("").contains('\x1b'), "text for scripts has no escapes");
    journal.leave();
}

#[test]
fn rates_are_shown_of_a_ring_that_runs_and_no_terminal_needs_no_flag() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let (mut writer, _bus) = bus(&path);
    let is_over = AtomicBool::new(false);
    let output = thread::scope(|scope| {
        scope.spawn(|| {
            // Not faster than a busy machine can look.
            while !is_over.load(Relaxed) {
                trade(&mut writer);
                thread::sleep(Duration::from_micros(100));
            }
        });
        let output = output(&["--interval", "300"], &path);
        is_over.store(true, Relaxed);
        output
    });
    let lines = lines(&output);
    assert!(!["0", "-"].contains(&words(&lines, "events/s")[1]), "{}", lines.join("\n"));
    let trades = words(&lines, "Trade");
    assert_eq!((trades.len(), trades[2]), (4, "100%"), "{trades:?}");
    assert!(lines[0].ends_with("every 300 ms"), "{}", lines[0]);
}

#[test]
fn columns_say_how_wide_the_text_is() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let (_writer, _bus) = bus(&path);
    let wide =
        top(&["--interval", "50"], &path).env("COLUMNS", "140").output().expect("the command was built");
    let lines = lines(&wide);
    assert!(words(&lines, "CONSUMER").contains(&"EVENTS/S"), "the kinds stand beside:\n{}", lines.join("\n"));
}

#[test]
fn a_ring_that_ended_is_shown_as_it_was() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let (mut writer, bus) = bus(&path);
    (0..9).for_each(|_| trade(&mut writer));
    drop((writer, bus));
    let lines = lines(&output(&["--interval", "50", "--no-kinds"], &path));
    assert_eq!(words(&lines, "ringbus")[3], "closed");
    assert!(
        lines.contains(&"the ring is closed: the producer has finished".to_owned()),
        "{}",
        lines.join("\n")
    );
    assert_eq!(words(&lines, "cursor")[1], "10");
    assert!(lines.contains(&"not counted: --no-kinds".to_owned()), "{}", lines.join("\n"));
}

#[test]
fn what_is_no_ring_is_named() {
    let directory = tempfile::tempdir().expect("there is room");
    let file = directory.path().join("notes.txt");
    fs::write(&file, "nothing of the kind").expect("there is room");
    for path in [&file, &directory.path().join("nowhere")] {
        let output = output(&["--once"], path);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]), "{error}");
        assert!(error.starts_with("ringbus: ") && error.contains(&*path.to_string_lossy()), "{error}");
    }
}

#[test]
fn wrong_arguments_are_told_from_failures() {
    for wrong in [&["--interval", "0"][..], &["--interval", "x"], &["--stalled-after", "0"], &["--colour"]] {
        let output = output(wrong, Path::new("/nowhere"));
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn nobody_who_reads_is_no_failure() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let (_writer, _bus) = bus(&path);
    let mut child = top(&["--interval", "50"], &path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command was built");
    drop(child.stdout.take());
    let mut error = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut error).expect("it is UTF-8");
    assert_eq!((child.wait().expect("it ends").code(), &error[..]), (Some(0), ""));
}
