//! Stores in files, and all that stands in them.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::Path;

use ringbus::bus::OwnedRecord;
use ringbus::bus::schema::Schema;
use ringbus_store::ExactlyOnce;
use ringbus_store::sqlite::rusqlite::Connection;
use ringbus_store::sqlite::rusqlite::types::Value;
use ringbus_store::sqlite::{Sqlite, SqliteBuilder};

use super::common::{feed, stream};

/// A schema without events.
pub(crate) fn no_schema() -> Schema {
    Schema::new("Nothing", 1, []).expect("there is nothing wrong with it")
}

pub(crate) fn builder() -> SqliteBuilder {
    Sqlite::builder(stream(), &no_schema())
}

pub(crate) fn open(path: &Path) -> ExactlyOnce<Sqlite> {
    fed(builder().open(path).expect("it is a store"))
}

pub(crate) fn fed(store: Sqlite) -> ExactlyOnce<Sqlite> {
    ExactlyOnce::new(store, &stream()).expect("it is the same stream")
}

/// A store that has these records.
pub(crate) fn filled(path: &Path, records: &[OwnedRecord]) {
    feed(&mut open(path), records, 50);
}

/// Every row of every table, as another connection sees them.
pub(crate) fn dump(path: &Path) -> Vec<(String, Vec<Vec<Value>>)> {
    let connection = Connection::open(path).expect("it is a database");
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let names: Vec<String> = rows(&connection, names).into_iter().map(|row| text(&row[0])).collect();
    names
        .into_iter()
        .map(|name| (name.clone(), rows(&connection, &format!("SELECT * FROM {name}"))))
        .collect()
}

/// The rows that a question has.
pub(crate) fn rows(connection: &Connection, question: &str) -> Vec<Vec<Value>> {
    let mut statement = connection.prepare(question).expect("it is a question");
    let width = statement.column_count();
    let row = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect());
    row.expect("it can be asked").collect::<Result<_, _>>().expect("it can be read")
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => panic!("expected a text, got {other:?}"),
    }
}
