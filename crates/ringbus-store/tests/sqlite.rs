//! A store in a file: the same rows whatever becomes of the program that writes them.

#[path = "../../../tests/common/cases.rs"]
mod cases;
mod common;
#[path = "common/database.rs"]
mod database;

use std::fs;

use common::{Block, Ending, block_hash, blocks, feed, kept, place, plain, records, runs, stream, tell};
use database::{builder, dump, fed, filled, no_schema, open};
use proptest::prelude::*;
use ringbus::Sequence;
use ringbus::bus::{OwnedRecord, RecordRef, StreamId, Subscriber};
use ringbus::worker::Shutdown;
use ringbus_store::sqlite::rusqlite::Connection;
use ringbus_store::sqlite::{Sqlite, SqliteError, SqliteProblem, SqliteReader, Synchronous, Table};
use ringbus_store::{BlockStore, Checkpoint, ExactlyOnce, StoreError};
use tempfile::tempdir;

/// Blocks of three records.
fn three_each(count: usize) -> Vec<OwnedRecord> {
    let block = Block { is_repeated: false, ends: true, events: vec![(0, 10), (1, 200), (0, 30)] };
    records(&vec![block; count], 0)
}

fn problem<T: std::fmt::Debug>(result: Result<T, SqliteError>) -> SqliteProblem {
    result.expect_err("it is refused").problem
}

proptest! {
    #![proptest_config(cases::config(60))]

    #[test]
    fn its_rows_are_those_of_a_run_without_interruption(
        blocks in blocks(),
        runs in runs(),
        most_open_bytes in prop_oneof![Just(64 << 20), 0..2_000_usize],
    ) {
        let records = records(&blocks, 7);
        let dir = tempdir().unwrap();
        let (file, other) = (dir.path().join("killed.db"), dir.path().join("uninterrupted.db"));
        let settings = || {
            let trace_of = |record: RecordRef<'_>| *record.trace().bytes();
            let all = Table::new("lengths", 1, "CREATE TABLE lengths (sequence INTEGER PRIMARY KEY, bytes INTEGER)")
                .append("INSERT INTO lengths VALUES (?, ?)", |record| {
                    Some((record.sequence().get(), record.payload().len()))
                });
            let last = Table::new("last", 3, "CREATE TABLE last (trace BLOB PRIMARY KEY, sequence INTEGER) WITHOUT ROWID")
                .last_by_key("INSERT OR REPLACE INTO last VALUES (?, ?)", move |record| {
                    Some((trace_of(record), (trace_of(record), record.sequence().get())))
                });
            builder().most_open_bytes(most_open_bytes).projection(all).projection(last)
        };

        for run in runs {
            let mut store = fed(settings().open(&file).unwrap()).most_blocks_per_commit(run.most_blocks);
            let from = place(&records, store.resume_at()).saturating_sub(run.back);
            feed(&mut store, &records[from..(from + run.take).min(records.len())], run.batch);
            if run.ending == Ending::Shutdown {
                store.shutdown(&Shutdown::Ended(ringbus::End::Closed)).unwrap();
            }
        }
        let mut store = fed(settings().open(&file).unwrap());
        let from = place(&records, store.resume_at());
        feed(&mut store, &records[from..], 4);
        drop(store);

        feed(&mut fed(settings().open(&other).unwrap()), &records, usize::MAX);
        prop_assert_eq!(dump(&file), dump(&other));

        let reader = SqliteReader::open(&file).unwrap();
        let expected = kept(&records);
        prop_assert_eq!(plain(&reader.events_from(Sequence::new(0), u32::MAX).unwrap()), plain(&expected));
        let count = |table: &str| -> usize {
            reader.connection().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        prop_assert_eq!(count("lengths"), expected.len());
        let mut traces: Vec<_> = expected.iter().map(|record| record.record().trace()).collect();
        traces.sort();
        traces.dedup();
        prop_assert_eq!(count("last"), traces.len());
    }
}

#[test]
fn what_a_copy_of_its_files_holds_is_whole_at_every_moment() {
    let records = three_each(20);
    let dir = tempdir().unwrap();
    let (file, copy) = (dir.path().join("store.db"), dir.path().join("copy.db"));
    let mut store = open(&file);
    for (fed, record) in records.iter().enumerate() {
        tell(&mut store, record).unwrap();
        if fed % 7 == 6 {
            store.batch_ended().unwrap();
        }
        // As a killed process leaves them: the kernel has what was written.
        for suffix in ["", "-wal"] {
            fs::copy(
                dir.path().join(format!("store.db{suffix}")),
                dir.path().join(format!("copy.db{suffix}")),
            )
            .unwrap();
        }
        // Blocks that had ended at the last commit.
        let committed = (fed + 1) / 7 * 7 / 3;
        let mut reopened = builder().open(&copy).unwrap();
        let checkpoint = reopened.checkpoint().unwrap();
        assert_eq!(checkpoint.map_or(0, |checkpoint| checkpoint.blocks), committed as u64, "{fed}");
        let reader = reopened.into_reader().unwrap();
        let found = reader.events_from(Sequence::new(0), u32::MAX).unwrap();
        assert_eq!(plain(&found), plain(&records[..3 * committed]));
        drop(reader);
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(dir.path().join(format!("copy.db{suffix}")));
        }
    }
}

#[test]
fn it_says_where_it_stopped() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    let records = three_each(3);
    assert_eq!(builder().open(&file).unwrap().checkpoint().unwrap(), None);
    filled(&file, &records[..8]);
    let checkpoint = Checkpoint {
        stream: stream(),
        // 10 bytes, 200 and 30 take 1, 4 and 1 slots.
        next: Sequence::new(12),
        height: 2,
        time: 999,
        hash: block_hash(1),
        blocks: 2,
        records: 6,
    };
    assert_eq!(builder().open(&file).unwrap().checkpoint().unwrap(), Some(checkpoint.clone()));
    let reader = SqliteReader::open(&file).unwrap();
    assert_eq!((reader.checkpoint().unwrap(), reader.stream()), (Some(checkpoint.clone()), &stream()));
    assert_eq!(checkpoint.to_string(), "stream `exchange` up to sequence 12, height 2: 2 blocks, 6 records");
}

#[test]
fn a_reader_sees_commits_while_the_writer_goes_on() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    let records = three_each(4);
    let mut store = open(&file);
    let reader = SqliteReader::open(&file).unwrap();
    let seen = || reader.events_from(Sequence::new(0), u32::MAX).unwrap().len();
    assert_eq!((seen(), reader.checkpoint().unwrap()), (0, None));
    for record in &records[..7] {
        tell(&mut store, record).unwrap();
    }
    assert_eq!(seen(), 0);
    store.batch_ended().unwrap();
    assert_eq!(seen(), 6);
    assert_eq!(reader.checkpoint().unwrap().map(|checkpoint| checkpoint.records), Some(6));
}

#[test]
fn a_long_block_goes_to_disk_and_vanishes_all_the_same() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    let long = |ends| Block { is_repeated: false, ends, events: vec![(1, 100); 50] };
    let short = Block { is_repeated: false, ends: true, events: vec![(0, 1), (0, 1)] };
    let records = records(&[short.clone(), long(false), short, long(true), long(false)], 0);
    let mut store = fed(builder().most_open_bytes(1_000).open(&file).unwrap());
    let reader = SqliteReader::open(&file).unwrap();
    let seen = || reader.events_from(Sequence::new(0), u32::MAX).unwrap().len();
    for record in &records[..52] {
        tell(&mut store, record).unwrap();
    }
    assert_eq!(seen(), 2, "what had ended before is committed by itself");
    store.batch_ended().unwrap();
    assert_eq!(seen(), 2);
    feed(&mut store, &records[52..], 10);
    drop(store);
    assert_eq!(plain(&reader.events_from(Sequence::new(0), u32::MAX).unwrap()), plain(&kept(&records)));
    let blocks: Vec<_> = (1..=3).map(|number| reader.block(number).unwrap().unwrap()).collect();
    assert_eq!(blocks.iter().map(|block| block.events).collect::<Vec<_>>(), [2, 2, 50]);
    assert_eq!(reader.block(4).unwrap(), None);
}

#[test]
fn another_stream_is_refused() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    builder().open(&file).unwrap();
    let other = StreamId::new("mainnet");
    let error = Sqlite::builder(other.clone(), &no_schema()).open(&file).unwrap_err();
    assert!(matches!(&error.problem, SqliteProblem::OtherStream(found) if found.found == other));
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("store {}: records of stream `mainnet` were offered", file.display())),
        "{text}"
    );

    // Fed with another one than it was opened for.
    let mut store = ExactlyOnce::new(builder().open(&file).unwrap(), &other).unwrap();
    let records = three_each(1);
    tell(&mut store, &records[0]).unwrap();
    tell(&mut store, &records[1]).unwrap();
    let error = tell(&mut store, &records[2]).unwrap_err();
    assert!(
        matches!(&error, StoreError::Store(error) if matches!(error.problem, SqliteProblem::OtherStream(_))),
        "{error}"
    );
}

#[test]
fn what_is_no_store_is_refused_and_not_touched() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("other.db");
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch("CREATE TABLE accounts (id INTEGER); PRAGMA application_id = 77;").unwrap();
    drop(connection);
    let before = fs::read(&file).unwrap();
    for found in [problem(builder().open(&file)), problem(SqliteReader::open(&file))] {
        assert!(matches!(found, SqliteProblem::NotAStore { application_id: 77 }), "{found}");
    }
    assert_eq!(fs::read(&file).unwrap(), before);

    let text = dir.path().join("text.db");
    fs::write(&text, "this is no database, but it is long enough to be looked at as one".repeat(20)).unwrap();
    let found = problem(builder().open(&text)).to_string();
    assert_eq!(found, "SQLite: file is not a database");

    let empty = dir.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    assert!(matches!(problem(SqliteReader::open(&empty)), SqliteProblem::NotAStore { application_id: 0 }));
    assert!(builder().open(&empty).is_ok(), "an empty file becomes a store");
    assert!(SqliteReader::open(&empty).is_ok());

    let missing = problem(SqliteReader::open(dir.path().join("missing.db"))).to_string();
    assert!(missing.starts_with("SQLite: unable to open database file"), "{missing}");
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    builder().open(&file).unwrap();
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 2).unwrap();
    for found in [problem(builder().open(&file)), problem(SqliteReader::open(&file))] {
        assert!(matches!(found, SqliteProblem::NewerFormat { found: 2 }));
        assert_eq!(
            found.to_string(),
            "it has format 2, this release reads up to 1: open it with the release that made it"
        );
    }
}

#[test]
fn a_second_writer_is_found_out() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    let records = three_each(3);
    let (mut one, mut other) = (open(&file), open(&file));
    feed(&mut one, &records[..6], 6);
    for record in &records[..2] {
        tell(&mut other, record).unwrap();
    }
    let error = tell(&mut other, &records[2]).unwrap_err();
    let StoreError::Store(SqliteError { problem: SqliteProblem::OtherWriter { expected, found }, .. }) =
        error
    else {
        panic!("{error}");
    };
    assert_eq!((expected, found), (None, Some(Sequence::new(12))));
    assert!(matches!(other.batch_ended(), Err(StoreError::Failed)));

    feed(&mut one, &records[6..], 3);
    drop((one, other));
    let reader = SqliteReader::open(&file).unwrap();
    assert_eq!(plain(&reader.events_from(Sequence::new(0), u32::MAX).unwrap()), plain(&records));
}

#[test]
fn numbers_that_sqlite_cannot_hold_are_refused() {
    let block = |height, first: u64| {
        let mut all = Vec::new();
        for record in records(&[Block { is_repeated: false, ends: true, events: vec![(0, 1), (0, 1)] }], 0) {
            let record = record.record();
            let header = ringbus::bus::Header { block_height: height, ..*record.header() };
            let sequence = Sequence::new(first + record.sequence().get());
            all.push(OwnedRecord::from(RecordRef::new(sequence, &header, record.payload())));
        }
        all
    };
    let most = i64::MAX as u64;
    let fed_with = |records: &[OwnedRecord]| {
        let mut store = fed(builder().open_in_memory().unwrap());
        let told = records.iter().try_for_each(|record| tell(&mut store, record));
        told.and_then(|()| store.batch_ended()).map(|()| store)
    };
    let refused = |records: &[OwnedRecord]| match fed_with(records).unwrap_err() {
        StoreError::Store(SqliteError { problem: SqliteProblem::TooLarge { what, number }, .. }) => {
            (what, number)
        }
        other => panic!("{other}"),
    };
    assert_eq!(refused(&block(most + 1, 0)), ("height", most + 1));
    assert_eq!(refused(&block(1, most - 1)), ("sequence", most + 1));
    let reader = fed_with(&block(most, most - 2)).unwrap().into_store().into_reader().unwrap();
    assert_eq!(
        reader.checkpoint().unwrap().map(|found| (found.next, found.height)),
        Some((Sequence::new(most), most))
    );
    assert_eq!(reader.blocks_at(most).unwrap().len(), 1);
}

#[test]
fn after_an_error_nothing_of_the_transaction_stays_and_nothing_more_is_taken() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    let records = three_each(4);
    // Its second block breaks the table's condition.
    let tables = "CREATE TABLE small (sequence INTEGER CHECK (sequence < 8))";
    let small = Table::new("small", 1, tables)
        .append("INSERT INTO small VALUES (?)", |record| Some((record.sequence().get(),)));
    let mut store = fed(builder().projection(small).open(&file).unwrap());
    for record in &records[..5] {
        tell(&mut store, record).unwrap();
    }
    let error = tell(&mut store, &records[5]).unwrap_err();
    assert!(error.to_string().contains("CHECK constraint failed"), "{error}");
    assert!(matches!(store.batch_ended(), Err(StoreError::Failed)));
    assert!(matches!(store.finish(), Err(StoreError::Failed)));
    let mut store = store.into_store();
    assert!(matches!(problem(store.commit()), SqliteProblem::Failed));
    drop(store);
    let reader = SqliteReader::open(&file).unwrap();
    assert_eq!(
        (reader.checkpoint().unwrap(), reader.events_from(Sequence::new(0), 9).unwrap().len()),
        (None, 0)
    );
}

#[test]
fn settings_reach_sqlite() {
    let dir = tempdir().unwrap();
    for (place, (synchronous, expected)) in
        [(Synchronous::Off, 0), (Synchronous::Normal, 1), (Synchronous::Full, 2)].into_iter().enumerate()
    {
        let file = dir.path().join(format!("{place}.db"));
        let store = builder().synchronous(synchronous).cache_bytes(3 << 20).open(&file).unwrap();
        assert_eq!(store.path(), file);
        let reader = store.into_reader().unwrap();
        let pragma = |name: &str| -> String {
            reader
                .connection()
                .pragma_query_value(None, name, |row| {
                    row.get::<_, ringbus_store::sqlite::rusqlite::types::Value>(0)
                })
                .map(|value| format!("{value:?}"))
                .unwrap()
        };
        assert_eq!(pragma("synchronous"), format!("Integer({expected})"));
        assert_eq!(pragma("cache_size"), "Integer(-3072)");
        assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    }
}

#[test]
fn a_store_that_becomes_a_reader_shows_what_is_committed() {
    let records = three_each(2);
    let mut store = fed(builder().open_in_memory().unwrap());
    feed(&mut store, &records[..3], 3);
    for record in &records[3..] {
        tell(&mut store, record).unwrap();
    }
    let reader = store.into_store().into_reader().unwrap();
    assert_eq!(reader.events_from(Sequence::new(0), u32::MAX).unwrap().len(), 3);
}
