//! The recorded file that `RINGBUS_RECORDED_EVENTS` names; without it, there is nothing to do here.

use std::collections::BTreeMap;
use std::path::Path;

use recorded::Reader;
use ringbus::bus::Hash;
use serde_json::json as value;

use crate::support::{json, run, text};

#[test]
fn every_event_of_the_recorded_file_is_found_again() {
    let Some(file) = std::env::var_os("RINGBUS_RECORDED_EVENTS").filter(|file| !file.is_empty()) else {
        eprintln!("skipped: RINGBUS_RECORDED_EVENTS names no recorded events");
        return;
    };
    let directory = tempfile::tempdir().expect("there is room");
    let place = directory.path().join("journal");
    let place = text(&place);
    let said = run(&["import", text(Path::new(&file)), place]).fine();
    assert!(said.starts_with("31,837 events of stream `testnet-001`, in 5,003 blocks, "), "{said}");

    let verified = json(&run(&["verify", "--json", place]).fine());
    assert_eq!((&verified["records"], &verified["heights"]), (&value!(31_837), &value!(5_002)));
    assert_eq!(
        (&verified["blocks_begun"], &verified["block_heights"]),
        (&value!(5_003), &value!([1, 5_002]))
    );

    let events: Vec<_> =
        Reader::open(&file).expect("it is there").map(|event| event.expect("it is whole")).collect();
    let mut transactions: BTreeMap<Hash, u64> = BTreeMap::new();
    for event in events.iter().filter(|event| event.caused_by_transaction()) {
        *transactions.entry(Hash::new(event.tx_hash)).or_default() += 1;
    }
    assert_eq!(transactions.len(), 315);
    let mut found = 0;
    for (hash, expected) in transactions {
        let lines = run(&["dump", "--trace", &hash.to_string(), place]).fine().lines().count() as u64;
        assert_eq!(lines, expected, "{hash}");
        found += lines;
    }
    assert_eq!(found, 2_181);

    let in_block_1 = events.iter().filter(|event| event.height == 1).count();
    assert_eq!(run(&["dump", "--block", "1", place]).fine().lines().count(), in_block_1);
    let begins = run(&["dump", "--block", "1", "--kind", "49", place]).fine();
    assert_eq!(begins.lines().count(), 2);
    assert!(run(&["replay", place]).fine().starts_with("31,837 records in 5,003 blocks, "));
}
