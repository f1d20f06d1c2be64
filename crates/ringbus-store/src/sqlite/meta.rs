//! What a store says about itself: whose it is, its format, its layouts, its projections, where it stopped.

use ringbus::Sequence;
use ringbus::bus::schema::{EventType, Schema};
use ringbus::bus::{Hash, Kind, StreamId};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::error::SqliteProblem;
use super::projection::Projection;
use super::{APPLICATION_ID, FORMAT};
use crate::checkpoint::Checkpoint;

const TABLES: &str = include_str!("tables.sql");

/// Whether there is nothing in it yet. If there is something, it must be a store, of a format that this release knows.
pub(super) fn is_new(connection: &Connection) -> Result<bool, SqliteProblem> {
    let application_id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application_id, format) {
        (0, 0) if tables == 0 => Ok(true),
        (APPLICATION_ID, found) if found > FORMAT => Err(SqliteProblem::NewerFormat { found }),
        (APPLICATION_ID, _) => Ok(false),
        _ => Err(SqliteProblem::NotAStore { application_id }),
    }
}

/// Makes the tables if it is new, and sees to it that this program may write to it. All or nothing.
pub(super) fn open(
    connection: &mut Connection,
    stream: &StreamId,
    schema: &Schema,
    projections: &[Box<dyn Projection>],
) -> Result<(), SqliteProblem> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_new(&transaction)? {
        create(&transaction, stream, projections)?;
    }
    self::stream(&transaction)?.check(stream)?;
    check_projections(&transaction, projections)?;
    grow(&transaction, schema)?;
    Ok(transaction.commit()?)
}

fn create(
    transaction: &Transaction<'_>,
    stream: &StreamId,
    projections: &[Box<dyn Projection>],
) -> Result<(), SqliteProblem> {
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.execute("INSERT INTO stream VALUES (1, ?, x'')", [stream.as_str()])?;
    for projection in projections {
        transaction.execute_batch(projection.tables())?;
        transaction.execute(
            "INSERT INTO projections VALUES (?, ?)",
            params![projection.name(), projection.version()],
        )?;
    }
    Ok(())
}

/// The stream that it keeps.
pub(super) fn stream(connection: &Connection) -> Result<StreamId, SqliteProblem> {
    let name: String = connection.query_row("SELECT name FROM stream", [], |row| row.get(0))?;
    Ok(StreamId::new(&name))
}

/// The events of the program that wrote to it last.
pub(super) fn schema(connection: &Connection) -> Result<Schema, SqliteProblem> {
    decode(connection.query_row("SELECT schema FROM stream", [], |row| row.get(0))?)
}

/// What payloads of this kind and layout look like, if a program that wrote to it has known.
pub(super) fn layout(
    connection: &Connection,
    kind: Kind,
    version: u8,
) -> Result<Option<EventType>, SqliteProblem> {
    let found = connection
        .prepare_cached("SELECT schema FROM layouts WHERE kind = ? AND version = ?")?
        .query_row((kind.get(), version), |row| row.get(0))
        .optional()?;
    Ok(found.map(decode).transpose()?.and_then(|schema| schema.event(kind).cloned()))
}

fn decode(bytes: Vec<u8>) -> Result<Schema, SqliteProblem> {
    let damaged = |error| SqliteProblem::Damaged { what: format!("its schema cannot be read: {error}") };
    Schema::decode(&bytes).map_err(damaged)
}

fn check_projections(
    connection: &Connection,
    projections: &[Box<dyn Projection>],
) -> Result<(), SqliteProblem> {
    let mut statement = connection.prepare("SELECT name, version FROM projections ORDER BY name")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let found = found.collect::<Result<Vec<(String, u32)>, _>>()?;
    let mut expected: Vec<_> =
        projections.iter().map(|projection| (projection.name().to_owned(), projection.version())).collect();
    expected.sort();
    if found == expected { Ok(()) } else { Err(SqliteProblem::Projections { found, expected }) }
}

/// Adds the layouts that it did not know. Those that it knows must be the same.
fn grow(connection: &Connection, schema: &Schema) -> Result<(), SqliteProblem> {
    for event in schema.events() {
        match layout(connection, event.kind(), event.version())? {
            Some(known) => known.check_growth(event)?,
            None => {
                let alone = Schema::new(schema.name(), schema.version(), [event.clone()]);
                let alone = alone.map_err(|error| SqliteProblem::Damaged {
                    what: format!("the schema cannot be kept: {error}"),
                })?;
                connection.execute(
                    "INSERT INTO layouts VALUES (?, ?, ?, ?)",
                    params![event.kind().get(), event.version(), event.name(), alone.encode()],
                )?;
            }
        }
    }
    connection.execute("UPDATE stream SET schema = ?", [schema.encode()])?;
    Ok(())
}

/// Where it stopped, of `stream`.
pub(super) fn checkpoint(
    connection: &Connection,
    stream: &StreamId,
) -> Result<Option<Checkpoint>, SqliteProblem> {
    let mut statement = connection
        .prepare_cached("SELECT next, height, time, hash, blocks, records FROM checkpoint WHERE id = 1")?;
    let found = statement.query_row([], |row| {
        Ok(Checkpoint {
            stream: stream.clone(),
            next: Sequence::new(row.get(0)?),
            height: row.get(1)?,
            time: row.get(2)?,
            hash: Hash::new(row.get(3)?),
            blocks: row.get(4)?,
            records: row.get(5)?,
        })
    });
    Ok(found.optional()?)
}

/// Writes down where it stops.
pub(super) fn put_checkpoint(connection: &Connection, checkpoint: &Checkpoint) -> Result<(), SqliteProblem> {
    let Checkpoint { next, height, time, hash, blocks, records, .. } = checkpoint;
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?, ?, ?, ?, ?)")?;
    statement.execute(params![next.get(), height, time, hash.bytes(), blocks, records])?;
    Ok(())
}
