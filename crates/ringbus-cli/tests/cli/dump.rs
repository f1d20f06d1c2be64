//! `dump`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use recorded::kind;

use crate::support::{
    command, damage, events, imported, journal, journal_with_gap, json, run, segment, text,
};

/// The sequences of the lines that these arguments give.
fn sequences(arguments: &[&str]) -> Vec<u64> {
    let of_text = |line: &str| line.split_whitespace().next().and_then(|word| word.parse().ok());
    let shown = run(&[&["dump"], arguments].concat()).fine();
    let shown: Vec<u64> =
        shown.lines().map(|line| of_text(line).expect("it begins with the sequence")).collect();
    let as_json = run(&[&["dump", "--json"], arguments].concat()).fine();
    let as_json: Vec<u64> =
        as_json.lines().map(|line| json(line)["sequence"].as_u64().expect("it has one")).collect();
    assert_eq!(shown, as_json);
    shown
}

#[test]
fn records_are_decoded_by_their_schema() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 5);
    let shown = run(&["dump", text(&place)]).fine();
    let expected = "         0          7/1     00000000 Order { market: 0, account: 250 }
         1          7/2     00000000 Trade { market: 1, size: 250 }
         2          7/3     00000000 Order { market: 2, account: 250 }
         3          8/1     01010101 Order { market: 3, account: 250 }
         4          8/2     01010101 Trade { market: 4, size: 250 }
";
    assert_eq!(shown, expected);

    let lines = run(&["dump", "--json", text(&place)]).fine();
    let line = json(lines.lines().nth(4).expect("there are five"));
    assert_eq!(
        (&line["event"], &line["fields"]),
        (&"Trade".into(), &serde_json::json!({"market": 4, "size": 250}))
    );
    assert_eq!((&line["height"], &line["trace"]), (&8.into(), &"01".repeat(32).into()));
}

#[test]
fn what_is_asked_for_is_what_is_shown() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    let place = text(&place);
    let range = |range: std::ops::Range<u64>| range.collect::<Vec<u64>>();
    assert_eq!(sequences(&[place]), range(0..29));
    assert_eq!(sequences(&[place, "--from", "12"]), range(12..29));
    assert_eq!(sequences(&[place, "--to", "12"]), range(0..12));
    assert_eq!(sequences(&[place, "--from", "8", "--to", "12"]), range(8..12));
    assert_eq!(sequences(&[place, "--from", "29"]), range(0..0));
    assert_eq!(sequences(&[place, "--block", "10"]), range(9..12));
    assert_eq!(sequences(&[place, "--block", "6"]), range(0..0));
    assert_eq!(sequences(&[place, "--block", "10", "--from", "11"]), [11]);
    assert_eq!(sequences(&[place, "-n", "4"]), range(0..4));
    assert_eq!(sequences(&[place, "-n", "0"]), range(0..0));
    let trace = "04".repeat(32);
    assert_eq!(sequences(&[place, "--trace", &trace]), range(12..15));
    assert_eq!(sequences(&[place, "--trace", &"ff".repeat(32)]), range(0..0));
    assert_eq!(sequences(&[place, "--trace", &trace, "--kind", "8"]), [13]);
    assert_eq!(sequences(&[place, "--kind", "trade", "-n", "3"]), [1, 4, 7]);
    assert_eq!(sequences(&[place, "--kind", "Trade,9", "--to", "5"]), range(0..5));
    assert_eq!(sequences(&[place, "--kind", "77"]), range(0..0));
}

#[test]
fn what_there_is_not_is_said() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 3);
    let error = run(&["dump", text(&place), "--kind", "order,trad"]).failed(1);
    assert!(error.contains("the schema has no event `trad`; expected one of "), "{error}");
    assert!(error.contains("Order, Trade") && error.contains("or a number"), "{error}");
}

#[test]
fn damage_ends_it_unless_it_is_stepped_over() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    damage(&segment(&place, 10), 1);
    let ran = run(&["dump", text(&place)]);
    assert_eq!((ran.code, ran.out.lines().count()), (1, 19));
    let file = segment(&place, 10);
    assert!(ran.error.contains(text(&file)), "{}", ran.error);
    assert!(ran.error.contains("sequences 19 up to 20 cannot be read"), "{}", ran.error);
    // Enough before it is enough.
    run(&["dump", text(&place), "-n", "19"]).fine();

    let ran = run(&["dump", "--step-over", text(&place)]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 28));
    assert!(
        ran.error.contains("stepped over: ") && ran.error.contains("sequences 19 up to 20"),
        "{}",
        ran.error
    );

    let file = segment(&place, 20);
    damage(&file, file.metadata().expect("it is there").len() as usize - 20);
    let ran = run(&["dump", "--step-over", "--from", "25", text(&place)]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.error.contains("its header is damaged"), "{}", ran.error);
    assert!(run(&["dump", "--from", "25", text(&place)]).failed(1).contains("its header is damaged"));
}

#[test]
fn gaps_end_it_unless_they_are_stepped_over() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal_with_gap(directory.path());
    let ran = run(&["dump", text(&place)]);
    assert_eq!((ran.code, ran.out.lines().count()), (1, 5));
    assert!(ran.error.contains("sequences 5 up to 25 are not in the journal"), "{}", ran.error);
    let ran = run(&["dump", "--step-over", text(&place)]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 10));
}

#[test]
fn a_closed_pipe_is_a_clean_end() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = imported(directory.path(), &events(1_000));
    for format in [&["dump"][..], &["dump", "--json"]] {
        let process =
            command().args(format).arg(&place).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut process = process.expect("the command was built");
        // More follows than a pipe holds.
        let mut out = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("there are records");
        assert!(line.contains("kind"), "{line}");
        drop(out);
        let mut error = String::new();
        process.stderr.take().expect("it is piped").read_to_string(&mut error).expect("it is UTF-8");
        assert_eq!((process.wait().expect("it is waited for once").code(), error.as_str()), (Some(0), ""));
    }
}

#[test]
fn the_traces_of_a_recording_are_found() {
    let directory = tempfile::tempdir().expect("there is room");
    let events = events(300);
    let place = imported(directory.path(), &events);
    let mut transactions: BTreeMap<[u8; 32], Vec<u32>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.caused_by_transaction()) {
        transactions.entry(event.tx_hash).or_default().push(event.order);
    }
    assert!(transactions.len() > 5);
    for (hash, orders) in transactions {
        let hash = ringbus::bus::Hash::new(hash).to_string();
        let lines = run(&["dump", "--json", "--trace", &hash, text(&place)]).fine();
        let found: Vec<u32> =
            lines.lines().map(|line| json(line)["order"].as_u64().expect("it has one") as u32).collect();
        assert_eq!(found, orders, "{hash}");
    }
    let begins = run(&["dump", "--kind", &kind::BEGIN_BLOCK.to_string(), text(&place)]).fine();
    assert_eq!(begins.lines().count(), 301);
}
