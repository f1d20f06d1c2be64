//! What is written.

use std::fs;
use std::path::Path;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde_json::Value;
use tempfile::tempdir;

use crate::support::{bench, failed, fine};

const FILES: [&str; 6] =
    ["histograms.hlog", "jitter.hgrm", "latency.hgrm", "latency.svg", "results.json", "table.txt"];

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary directory has such a name")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("it is a directory");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("it can be read").file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every tag is closed, in order, and there is one element at the top.
#[track_caller]
fn assert_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut elements = 0;
    for tag in xml.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('>') && text.matches('&').count() == text.matches(';').count(), "{text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().expect("it has a name");
        if tag.starts_with(['?', '!']) {
            continue;
        } else if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else {
            assert!(!open.is_empty() || elements == 0, "a second element at the top: {name}");
            elements += 1;
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty() && elements > 1, "{open:?} are not closed");
}

/// How many values each histogram of a log has.
fn logged(log: &[u8]) -> Vec<(String, u64)> {
    let entries = IntervalLogIterator::new(log).map(|entry| entry.expect("it is a log"));
    let histograms = entries.filter_map(|entry| match entry {
        LogEntry::Interval(interval) => Some(interval),
        _ => None,
    });
    let lengths = histograms.map(|interval| {
        let encoded = base64(interval.encoded_histogram());
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut &encoded[..]).expect("it is a histogram");
        (interval.tag().expect("all have one").as_str().to_owned(), histogram.len())
    });
    lengths.collect()
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|byte| *byte != b'=');
    let values: Vec<u32> =
        digits.map(|byte| DIGITS.iter().position(|digit| *digit == byte).unwrap() as u32).collect();
    let groups = values.chunks(4).flat_map(|group| {
        let bits = group.iter().fold(0, |bits, value| bits << 6 | value) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    });
    groups.collect()
}

#[test]
fn the_files_tell_what_was_printed() {
    let parent = tempdir().expect("a directory for this test");
    let dir = parent.path().join("made/by/it");
    let printed = fine(bench(&["--quick", "--rate", "50000", "-o", text(&dir)]));
    assert_eq!(names(&dir), FILES);
    assert_eq!(fs::read_to_string(dir.join("table.txt")).unwrap(), printed);
    for row in ["one-to-one, single", "one-to-three, batches of 64", "p99.99", "worst", "taken away"] {
        assert!(printed.contains(row), "{row}: {printed}");
    }

    let report: Value =
        serde_json::from_slice(&fs::read(dir.join("results.json")).unwrap()).expect("it is JSON");
    let histogram = report["latency"]["histogram"].as_array().expect("an array");
    let recorded: u64 = histogram.iter().map(|pair| pair[1].as_u64().unwrap()).sum();
    let gaps: Vec<_> =
        report["jitter"].as_array().unwrap().iter().map(|core| core["gaps"].as_u64().unwrap()).collect();
    assert!(recorded > 0);

    let svg = fs::read_to_string(dir.join("latency.svg")).unwrap();
    assert!(svg.starts_with("<svg "), "{svg}");
    assert_well_formed(&svg);
    for label in ["99.9 %", "handled within", "taken away"] {
        assert!(svg.contains(label), "{label}");
    }

    let count = |count: u64| format!("Total count    = {count:12}]");
    assert!(fs::read_to_string(dir.join("latency.hgrm")).unwrap().contains(&count(recorded)));
    assert!(fs::read_to_string(dir.join("jitter.hgrm")).unwrap().contains(&count(gaps.iter().sum())));

    let logged = logged(&fs::read(dir.join("histograms.hlog")).unwrap());
    assert_eq!(logged[0], ("latency".to_owned(), recorded));
    assert_eq!(logged[1..].iter().map(|(_, length)| *length).collect::<Vec<_>>(), gaps);
    assert!(logged[1..].iter().all(|(tag, _)| tag.starts_with("jitter-")), "{logged:?}");
}

#[test]
fn the_files_of_an_earlier_run_are_replaced_only_by_force() {
    let dir = tempdir().expect("a directory for this test");
    let table = dir.path().join("table.txt");
    fs::write(&table, "of an earlier run").unwrap();
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();

    let said = failed(bench(&["--quick", "-o", text(dir.path())]), 1);
    let expected =
        "is there already, from an earlier run; choose another directory, or replace it with --force";
    assert_eq!(said, format!("ringbus: {} {expected}\n", table.display()));
    assert_eq!(names(dir.path()), ["notes.txt", "table.txt"], "nothing was measured");
    assert_eq!(fs::read_to_string(&table).unwrap(), "of an earlier run");

    let printed = fine(bench(&["--quick", "--rate", "10000", "--force", "-o", text(dir.path())]));
    assert_eq!(fs::read_to_string(&table).unwrap(), printed);
    assert_eq!(fs::read_to_string(dir.path().join("notes.txt")).unwrap(), "mine");
    assert_eq!(names(dir.path()).len(), FILES.len() + 1);
}

#[test]
fn a_directory_that_cannot_be_made_is_said_before_anything_is_measured() {
    let dir = tempdir().expect("a directory for this test");
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let said = failed(bench(&["--quick", "-o", text(&file.join("below"))]), 1);
    assert!(
        said.starts_with(&format!("ringbus: {}/below: the directory could not be made: ", file.display())),
        "{said}"
    );
}
