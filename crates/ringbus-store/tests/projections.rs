//! An application's own tables.

mod common;
#[path = "common/database.rs"]
mod database;

use std::mem;

use common::{Block, feed, records, stream, tell};
use database::{builder, fed, rows};
use ringbus::bus::{Header, OwnedRecord, RecordRef};
use ringbus_store::sqlite::rusqlite::types::Value;
use ringbus_store::sqlite::rusqlite::{self, Connection};
use ringbus_store::sqlite::{Projection, SqliteBuilder, SqliteProblem, SqliteReader, Table};
use tempfile::tempdir;

fn block(ends: bool) -> Block {
    Block { is_repeated: false, ends, events: vec![(0, 8), (1, 8), (2, 8), (1, 8), (0, 8)] }
}

/// Sequences 0 to 4 in a block, 5 to 9 in one without an end, 10 to 14 in a block.
fn stream_of_blocks() -> Vec<OwnedRecord> {
    records(&[block(true), block(false), block(true)], 0)
}

/// Kind and sequence of what is not of kind 0.
fn row(record: RecordRef<'_>) -> Option<(u16, u64)> {
    (record.kind().get() != 0).then(|| (record.kind().get(), record.sequence().get()))
}

fn appended(version: u32) -> impl Projection {
    Table::new("all", version, "CREATE TABLE each (kind INTEGER, sequence INTEGER)")
        .append("INSERT INTO each VALUES (?, ?)", row)
}

fn last() -> impl Projection {
    Table::new("last", 1, "CREATE TABLE last (kind INTEGER PRIMARY KEY, sequence INTEGER, writes INTEGER)").last_by_key(
        "INSERT INTO last VALUES (?, ?, 1) ON CONFLICT (kind) DO UPDATE SET sequence = excluded.sequence, writes = writes + 1",
        |record| row(record).map(|row| (row.0, row)),
    )
}

/// What it is told, block by block.
#[derive(Default)]
struct Blocks {
    records: u32,
    rolled_back: u32,
}

impl Projection for Blocks {
    fn name(&self) -> &str {
        "per block"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &str {
        "CREATE TABLE per_block (height INTEGER, order_number INTEGER, records INTEGER, rolled_back INTEGER)"
    }

    fn record(&mut self, _: RecordRef<'_>) {
        self.records += 1;
    }

    fn end_block(&mut self, connection: &Connection, block: &Header) -> rusqlite::Result<()> {
        let row = (block.block_height, block.order, mem::take(&mut self.records), self.rolled_back);
        connection.execute("INSERT INTO per_block VALUES (?, ?, ?, ?)", row).map(drop)
    }

    fn roll_back_block(&mut self) {
        self.records = 0;
        self.rolled_back += 1;
    }
}

fn integers(rows: &[Vec<Value>]) -> Vec<Vec<i64>> {
    let integer = |value: &Value| match value {
        Value::Integer(integer) => *integer,
        other => panic!("{other:?}"),
    };
    rows.iter().map(|row| row.iter().map(integer).collect()).collect()
}

fn all(reader: &SqliteReader, table: &str) -> Vec<Vec<i64>> {
    integers(&rows(reader.connection(), &format!("SELECT * FROM {table}")))
}

#[test]
fn tables_have_the_rows_of_whole_blocks() {
    for most_open_bytes in [0, 200, 1 << 20] {
        let settings = builder().most_open_bytes(most_open_bytes);
        let settings = settings.projection(appended(1)).projection(last()).projection(Blocks::default());
        let mut store = fed(settings.open_in_memory().unwrap());
        feed(&mut store, &stream_of_blocks(), 4);
        let reader = store.into_store().into_reader().unwrap();
        assert_eq!(all(&reader, "each"), [[1, 1], [2, 2], [1, 3], [1, 11], [2, 12], [1, 13]]);
        // One write for each key of a block.
        assert_eq!(all(&reader, "last"), [[1, 13, 2], [2, 12, 2]]);
        assert_eq!(all(&reader, "per_block"), [[1, 5, 5, 0], [3, 5, 5, 1]]);
    }
}

#[test]
fn they_are_committed_with_their_blocks() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    let mut store = fed(builder().projection(appended(1)).open(&file).unwrap());
    let reader = SqliteReader::open(&file).unwrap();
    for record in &stream_of_blocks()[..5] {
        tell(&mut store, record).unwrap();
    }
    assert_eq!((all(&reader, "each").len(), reader.checkpoint().unwrap()), (0, None));
    ringbus::bus::Subscriber::batch_ended(&mut store).unwrap();
    assert_eq!(
        (all(&reader, "each").len(), reader.checkpoint().unwrap().map(|found| found.records)),
        (3, Some(5))
    );
}

#[test]
fn a_store_that_was_made_with_others_is_refused() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    drop(builder().projection(last()).projection(appended(1)).open(&file).unwrap());
    let refused = |settings: SqliteBuilder| {
        let error = settings.open(&file).unwrap_err();
        assert!(matches!(error.problem, SqliteProblem::Projections { .. }), "{error}");
        error.problem.to_string()
    };
    let expected = "it was made with the projections [`all` 1, `last` 1], this program has [`all` 2, `last` 1]: remove the file, and \
                    fill a new one from the journal";
    assert_eq!(refused(builder().projection(last()).projection(appended(2))), expected);
    assert!(refused(builder()).contains("this program has []"));
    let three = builder().projection(last()).projection(appended(1)).projection(Blocks::default());
    assert!(refused(three).contains("[`all` 1, `last` 1, `per block` 1]"));
    // Their order does not matter.
    assert!(builder().projection(appended(1)).projection(last()).open(&file).is_ok());
}

#[test]
fn tables_that_cannot_be_made_leave_no_store() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    let wrong = Table::new("events", 1, "CREATE TABLE events (id INTEGER)").append("", row);
    let error = builder().projection(wrong).open(&file).unwrap_err();
    assert!(error.to_string().contains("table events already exists"), "{error}");
    assert!(SqliteReader::open(&file).is_err());
    assert!(builder().open(&file).is_ok());
    assert_eq!(SqliteReader::open(&file).unwrap().stream(), &stream());
}
