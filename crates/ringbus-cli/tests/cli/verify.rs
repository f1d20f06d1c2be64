//! `verify`.

use std::fs::{self, OpenOptions};
use std::io::Write;

use serde_json::json as value;

use crate::support::{
    Exchange, builder, damage, events, imported, journal, journal_with_gap, json, put, reopen, run, segment,
    text,
};

#[test]
fn a_whole_journal_is_told_about() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    let bytes: u64 =
        [0, 10, 20].map(|first| segment(&place, first).metadata().expect("it is there").len()).iter().sum();
    let fingerprint = Exchange::schema().fingerprint().to_string();
    let found = json(&run(&["verify", "--json", text(&place)]).fine());
    let expected = value!({
        "whole": true,
        "stream": "testnet",
        "layouts": [
            {"from": 0, "schema": "Exchange", "version": 3, "fingerprint": fingerprint, "slot_payload": 192}
        ],
        "segments": 3,
        "bytes": bytes,
        "records": 29,
        "payload_bytes": 29 * 8,
        "blocks_begun": 10,
        "blocks_ended": 9,
        "heights": 10,
        "first_sequence": 0,
        "last_sequence": 28,
        "block_heights": [7, 16],
        "block_times": ["2023-11-14T22:13:20.000000000Z", "2023-11-14T22:13:20.000000009Z"],
        "gaps": [],
        "damage": [],
        "torn_end": null,
    });
    assert_eq!(found, expected);

    let found = run(&["verify", text(&place)]).fine();
    let expected = format!(
        "stream          testnet
schema          Exchange, version 3, fingerprint {fingerprint}, from sequence 0
slot payload    192 bytes
segments        3
bytes           {bytes}
records         29
payload bytes   232
blocks          10 begun, 9 ended, 10 heights
sequences       0 to 28
heights         7 to 16
times           2023-11-14T22:13:20.000000000Z to 2023-11-14T22:13:20.000000009Z
whole           yes
"
    );
    assert_eq!(found, expected);
}

#[test]
fn it_can_begin_anywhere() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    let found = json(&run(&["verify", "--json", "--from", "12", text(&place)]).fine());
    assert_eq!(
        (&found["records"], &found["first_sequence"], &found["segments"]),
        (&value!(17), &value!(12), &value!(2))
    );
    let found = json(&run(&["verify", "--json", "--from", "29", text(&place)]).fine());
    assert_eq!((&found["records"], &found["first_sequence"]), (&value!(0), &value!(null)));
}

#[test]
fn damage_is_named_and_what_follows_is_read() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    // In the last record of the first segment, and in the last but one of the second.
    let chunk = 88 + 4 + 64 + 8;
    let [first, second] = [0, 10].map(|first| segment(&place, first));
    damage(&first, 1);
    damage(&second, chunk + 1);
    let size = |of: &std::path::Path| of.metadata().expect("it is there").len();
    let ran = run(&["verify", "--json", text(&place)]);
    assert_eq!((ran.code, ran.error.as_str()), (1, ""));
    let found = json(&ran.out);
    let what = "the checksum is not the one of the records";
    let expected = value!([
        {"segment": text(&first), "offset": size(&first) - chunk as u64, "first": 9, "next": 10, "what": what},
        {"segment": text(&second), "offset": size(&second) - 2 * chunk as u64, "first": 18, "next": 19, "what": what},
    ]);
    assert_eq!(
        (&found["damage"], &found["records"], &found["whole"]),
        (&expected, &value!(27), &value!(false))
    );
    assert_eq!(found["torn_end"], value!(null));

    let ran = run(&["verify", text(&place)]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("damage          `") && ran.out.contains("sequences 18 up to 19 cannot be read"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("whole           no\n"));
    run(&["verify", "--from", "20", text(&place)]).fine();
}

#[test]
fn headers_that_cannot_be_read_are_damage() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 29);
    for first in [0, 10] {
        let file = segment(&place, first);
        let from_end = file.metadata().expect("it is there").len() as usize - 20;
        damage(&file, from_end);
    }
    let ran = run(&["verify", "--json", text(&place)]);
    assert_eq!(ran.code, 1);
    let found = json(&ran.out);
    let damage = found["damage"].as_array().expect("there are two");
    let named: Vec<_> = damage.iter().map(|damage| damage["segment"].as_str().expect("it has one")).collect();
    assert_eq!(named, [0, 10].map(|first| segment(&place, first)).each_ref().map(|file| text(file)));
    assert_eq!((&found["records"], &found["first_sequence"]), (&value!(9), &value!(20)));
}

#[test]
fn what_had_been_durable_and_is_gone_is_damage() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 25);
    let last = OpenOptions::new().write(true).open(segment(&place, 20)).expect("it is there");
    let size = last.metadata().expect("it is there").len();
    last.set_len(size - 1).expect("it can be cut");
    let ran = run(&["verify", "--json", text(&place)]);
    assert_eq!(ran.code, 1);
    let found = json(&ran.out);
    assert_eq!((&found["records"], &found["torn_end"]), (&value!(24), &value!(null)));
    let damage = &found["damage"][0];
    assert_eq!((&damage["first"], &damage["next"]), (&value!(24), &value!(null)));
    assert_eq!(found["damage"].as_array().map(Vec::len), Some(1));
}

#[test]
fn gaps_are_told_and_are_not_whole() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal_with_gap(directory.path());
    let ran = run(&["verify", "--json", text(&place)]);
    assert_eq!(ran.code, 1);
    let found = json(&ran.out);
    assert_eq!((&found["gaps"], &found["damage"]), (&value!([{"first": 5, "next": 25}]), &value!([])));
    assert_eq!((&found["records"], &found["last_sequence"]), (&value!(10), &value!(29)));
    let ran = run(&["verify", text(&place)]);
    assert!(ran.out.contains("gap             sequences 5 up to 25 are not in the journal"), "{}", ran.out);
}

#[test]
fn a_torn_end_is_told_and_is_no_damage() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = journal(directory.path(), 25);
    let last = segment(&place, 20);
    let size = last.metadata().expect("it is there").len();
    OpenOptions::new()
        .append(true)
        .open(&last)
        .and_then(|mut file| file.write_all(b"torn"))
        .expect("there is room");
    let found = json(&run(&["verify", "--json", text(&place)]).fine());
    let what = "the file ends within the header of a chunk";
    let expected = value!({"segment": text(&last), "offset": size, "bytes": 4, "what": what});
    assert_eq!((&found["torn_end"], &found["records"]), (&expected, &value!(25)));
    let found = run(&["verify", text(&place)]).fine();
    assert!(
        found.contains(&format!("torn end        4 bytes of `{}` from byte {size} on", last.display())),
        "{found}"
    );

    // Damage before it stays damage, whether there is an index or not.
    damage(&last, 4 + 1 + 88 + 4 + 64 + 8);
    for _ in 0..2 {
        let ran = run(&["verify", "--json", text(&place)]);
        let found = json(&ran.out);
        assert_eq!((ran.code, &found["torn_end"], &found["records"]), (1, &expected, &value!(24)));
        assert_eq!((&found["damage"][0]["first"], &found["damage"][0]["next"]), (&value!(23), &value!(24)));
        let _ = fs::remove_file(last.with_extension("index"));
    }
}

#[test]
fn another_schema_is_another_layout() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = directory.path().join("journal");
    let mut journal = ringbus_journal::Journal::builder("testnet").open(&place).expect("it is new");
    (0..2).for_each(|at| put(&mut journal, at));
    journal.close().expect("there is room");
    let mut journal = reopen(&builder().slot_payload(448), &place);
    (2..4).for_each(|at| put(&mut journal, at));
    journal.close().expect("there is room");
    let found = json(&run(&["verify", "--json", text(&place)]).fine());
    let layouts = found["layouts"].as_array().expect("there are two");
    let layouts: Vec<_> =
        layouts.iter().map(|layout| (&layout["from"], &layout["schema"], &layout["slot_payload"])).collect();
    assert_eq!(
        layouts,
        [(&value!(0), &value!("Bus"), &value!(192)), (&value!(2), &value!("Exchange"), &value!(448))]
    );
}

#[test]
fn a_recording_is_whole() {
    let directory = tempfile::tempdir().expect("there is room");
    let events = events(200);
    let place = imported(directory.path(), &events);
    let found = json(&run(&["verify", "--json", text(&place)]).fine());
    assert_eq!((&found["records"], &found["heights"]), (&value!(events.len()), &value!(200)));
    assert_eq!((&found["blocks_begun"], &found["stream"]), (&value!(201), &value!(events[0].chain_id)));
}
