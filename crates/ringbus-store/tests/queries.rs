//! Questions to a store, against plain scans.

#[path = "../../../tests/common/cases.rs"]
mod cases;
mod common;
#[path = "common/database.rs"]
mod database;

use std::collections::{BTreeMap, BTreeSet};

use common::{blocks, feed, kept, plain, records};
use database::{builder, fed, rows};
use proptest::prelude::*;
use recorded::{Generator, Settings};
use ringbus::Sequence;
use ringbus::bus::{Cause, Hash, Header, OwnedRecord, RecordRef};
use ringbus_store::sqlite::rusqlite::types::Value;
use ringbus_store::sqlite::{SqliteReader, StoredBlock};

fn reader(records: &[OwnedRecord]) -> SqliteReader {
    let mut store = fed(builder().open_in_memory().unwrap());
    feed(&mut store, records, 20);
    store.into_store().into_reader().unwrap()
}

/// The records of each block of a store, by a plain scan.
fn by_block(kept: &[OwnedRecord]) -> Vec<&[OwnedRecord]> {
    kept.split_inclusive(|record| record.record().ends_block()).collect()
}

fn cause(record: RecordRef<'_>, block: &[OwnedRecord]) -> Cause {
    let hash = block.last().unwrap().record().trace();
    if record.trace() == hash { Cause::Block(hash) } else { Cause::Transaction(record.trace()) }
}

fn end(record: RecordRef<'_>) -> u64 {
    record.sequence().get() + record.payload().len().div_ceil(64).max(1) as u64
}

/// Asks everything there is to ask.
fn check(records: &[OwnedRecord]) {
    let (reader, kept) = (reader(records), kept(records));
    let blocks = by_block(&kept);
    let matching = |wanted: &dyn Fn(RecordRef<'_>) -> bool| -> Vec<_> {
        plain(&kept.iter().filter(|record| wanted(record.record())).cloned().collect::<Vec<_>>())
    };

    // By sequence: of what is there each fragment, of what is not, nothing.
    let last = records.last().map_or(0, |record| end(record.record()));
    let mut covering = BTreeMap::new();
    for block in &blocks {
        for record in *block {
            let range = record.record().sequence().get()..end(record.record());
            covering.extend(range.map(|sequence| (sequence, (record, *block))));
        }
    }
    for sequence in 0..last + 3 {
        let found = reader.event(Sequence::new(sequence)).unwrap();
        let expected = covering.get(&sequence);
        assert_eq!(
            plain(found.as_slice()),
            plain(expected.map(|found| found.0.clone()).as_slice()),
            "{sequence}"
        );
        let expected = expected.map(|(record, block)| cause(record.record(), block));
        assert_eq!(reader.cause_of(Sequence::new(sequence)).unwrap(), expected, "{sequence}");
    }

    // By hash, of transactions, of blocks, and of what was never said.
    let mut hashes: BTreeSet<Hash> = records.iter().map(|record| record.record().trace()).collect();
    hashes.insert(Hash::new([0xEE; 32]));
    for hash in &hashes {
        let expected = matching(&|record| record.trace() == *hash);
        assert_eq!(plain(&reader.transaction(hash).unwrap()), expected);
        let with = reader.blocks_with(hash).unwrap();
        let answer = reader.audit(&with).unwrap().transaction(hash);
        let found: Vec<_> = answer.records().map(OwnedRecord::from).collect();
        assert_eq!((plain(&found), answer.is_complete()), (expected.clone(), !expected.is_empty()));
        let heights: Vec<_> = answer.blocks().map(|block| block.height()).collect();
        assert_eq!(heights, with.iter().map(|block| block.height).collect::<Vec<_>>());
    }

    // What led to each.
    for block in &blocks {
        for (at, record) in block.iter().enumerate() {
            let trace = record.record().trace();
            let led: Vec<_> =
                block[..=at].iter().filter(|other| other.record().trace() == trace).cloned().collect();
            assert_eq!(plain(&reader.led_to(record.record().sequence()).unwrap()), plain(&led));
        }
    }
    assert!(reader.led_to(Sequence::new(last + 1)).unwrap().is_empty());

    // Blocks, by number and by height.
    let found: Vec<_> = (1..).map_while(|number| reader.block(number).unwrap()).collect();
    let expected: Vec<_> = blocks.iter().map(|block| ends_of(block)).collect();
    let ends = |block: &StoredBlock| {
        (block.height, block.hash, block.time, block.first.get(), block.next.get(), block.events)
    };
    assert_eq!(found.iter().map(ends).collect::<Vec<_>>(), expected);
    assert!(found.iter().zip(1..).all(|(block, number)| block.number == number));
    for (stored, block) in found.iter().zip(&blocks) {
        assert_eq!(plain(&reader.events_of(stored).unwrap()), plain(block));
    }
    let heights: BTreeSet<_> =
        records.iter().map(|record| record.record().block_height()).chain([9_999]).collect();
    for height in heights {
        let of_height: Vec<_> = found.iter().copied().filter(|block| block.height == height).collect();
        assert_eq!(reader.blocks_at(height).unwrap(), of_height);
        for order in 0..4 {
            let with: Vec<_> = blocks
                .iter()
                .flat_map(|block| block.iter().map(move |record| (record.record(), block)))
                .filter(|(record, _)| record.block_height() == height && record.order() == order)
                .map(|(record, block)| (record.sequence(), cause(record, block)))
                .collect();
            assert_eq!(reader.cause_at(height, order).unwrap(), with);
        }
    }

    // By kind, and page by page.
    let mut kinds = BTreeMap::new();
    for record in &kept {
        *kinds.entry(record.record().kind()).or_insert(0) += 1;
    }
    assert_eq!(reader.kinds().unwrap(), kinds.into_iter().collect::<Vec<_>>());
    let (mut paged, mut from) = (Vec::new(), Sequence::new(0));
    while let page @ [.., last] = &reader.events_from(from, 3).unwrap()[..] {
        from = last.record().sequence() + 1;
        paged.extend(plain(page));
    }
    assert_eq!(paged, plain(&kept));
}

fn ends_of(block: &[OwnedRecord]) -> (u64, Hash, i64, u64, u64, u64) {
    let (first, last) = (block[0].record(), block[block.len() - 1].record());
    (
        last.block_height(),
        last.trace(),
        last.block_time(),
        first.sequence().get(),
        end(last),
        block.len() as u64,
    )
}

proptest! {
    #![proptest_config(cases::config(40))]

    #[test]
    fn every_answer_is_that_of_a_plain_scan(blocks in blocks(), first in 0..100_u64) {
        check(&records(&blocks, first));
    }
}

/// A recording's events on a bus with slots of 64 bytes.
fn generated(blocks: u64) -> Vec<OwnedRecord> {
    let (mut all, mut sequence) = (Vec::new(), 0);
    for event in Generator::new(Settings { seed: 1, blocks, unfinished_last_block: true }) {
        let header = Header { len: event.encoded.len().min(64) as u16, ..event.header() };
        let record = OwnedRecord::from(RecordRef::new(Sequence::new(sequence), &header, &event.encoded));
        sequence = record.record().next_sequence().get();
        all.push(record);
    }
    all
}

#[test]
fn a_recordings_answers_are_those_of_a_plain_scan() {
    let records = generated(30);
    check(&records);
    let twice = reader(&records).blocks_at(1).unwrap();
    assert_eq!(twice.len(), 2);
    assert_ne!(twice[0].hash, twice[1].hash);
}

#[test]
fn no_question_scans_the_events() {
    let reader = reader(&generated(3));
    let plan = |question: &str| -> String {
        let rows = rows(reader.connection(), &format!("EXPLAIN QUERY PLAN {question}"));
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        rows.iter().map(|row| text(&row[3])).collect::<Vec<_>>().join("; ")
    };
    let by_key = "SEARCH b USING INTEGER PRIMARY KEY (rowid=?)";
    assert_eq!(
        plan(
            "SELECT e.payload, b.time FROM traces t CROSS JOIN events e CROSS JOIN blocks b ON b.number = e.block \
             WHERE t.hash = x'00' AND e.sequence BETWEEN t.first_sequence AND t.last_sequence AND e.trace = x'00' \
             ORDER BY t.block, e.sequence"
        ),
        format!(
            "SEARCH t USING PRIMARY KEY (hash=?); SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?); {by_key}"
        )
    );
    assert_eq!(
        plan(
            "SELECT e.payload, b.time FROM events e JOIN blocks b ON b.number = e.block \
             WHERE e.sequence >= 3 AND e.sequence <= 9 AND e.trace = x'00' ORDER BY e.sequence"
        ),
        format!("SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?); {by_key}")
    );
    assert_eq!(
        plan(
            "SELECT b.time FROM blocks b JOIN traces t ON t.block = b.number WHERE t.hash = x'00' ORDER BY t.block"
        ),
        format!("SEARCH t USING PRIMARY KEY (hash=?); {by_key}")
    );
    assert_eq!(
        plan("SELECT b.time FROM blocks b WHERE b.height = 1 ORDER BY b.number"),
        "SEARCH b USING INDEX blocks_by_height (height=?)"
    );
}
