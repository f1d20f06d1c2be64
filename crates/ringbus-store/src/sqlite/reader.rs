//! Questions to a store.

use std::fmt;
use std::path::{Path, PathBuf};

use ringbus::Sequence;
use ringbus::bus::schema::{EventType, Schema};
use ringbus::bus::{Audit, AuditLog, Cause, Hash, Kind, OwnedRecord, RecordRef, StreamId, Subscriber};
use rusqlite::{Connection, OpenFlags, Params, Row};

use super::error::{SqliteError, SqliteProblem};
use super::meta;
use super::stored::{BLOCKS, EVENTS, StoredBlock, block, event};
use crate::checkpoint::Checkpoint;

/// Asks a store, from any thread or process, while its writer goes on: neither waits for the other. It sees whole blocks, as of the last
/// commit before each question.
///
/// The words are those of the bus's [audit log](ringbus::bus::Audit): a *transaction* is known by its hash, which is the trace of the
/// events that it caused; the *cause* of an event is its transaction or, outside of transactions, its block. What a store has is all
/// there was, up to its checkpoint.
///
/// ```no_run
/// use ringbus::bus::Hash;
/// use ringbus_store::sqlite::SqliteReader;
///
/// let store = SqliteReader::open("exchange.db")?;
/// let schema = store.schema()?;
/// let hash: Hash = "abababababababababababababababababababababababababababababababab".parse()?;
/// for event in store.transaction(&hash)? {
///     println!("{}", schema.display(&event.record()));
/// }
/// // As a tree, by blocks:
/// print!("{}", store.audit(&store.blocks_with(&hash)?)?.transaction(&hash).tree());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SqliteReader {
    connection: Connection,
    path: PathBuf,
    stream: StreamId,
}

impl SqliteReader {
    /// Opens the store in this file, which is there. SQLite wants to write to the directory (the index of its write-ahead log), though not
    /// to the database.
    ///
    /// # Errors
    ///
    /// There is no such file, it is no store, or one of a newer format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let path = path.as_ref().to_owned();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        match Connection::open_with_flags(&path, flags) {
            Ok(connection) => Self::new(connection, path),
            Err(error) => Err(SqliteError { path, problem: error.into() }),
        }
    }

    pub(super) fn new(connection: Connection, path: PathBuf) -> Result<Self, SqliteError> {
        let known = meta::is_new(&connection).and_then(|is_new| {
            if is_new {
                return Err(SqliteProblem::NotAStore { application_id: 0 });
            }
            meta::stream(&connection)
        });
        match known {
            Ok(stream) => Ok(Self { connection, path, stream }),
            Err(problem) => Err(SqliteError { path, problem }),
        }
    }

    /// For questions of your own: to the tables of projections, say.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The stream that it keeps.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Where it stopped. `None`: it has no blocks.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, SqliteError> {
        self.ask(|connection| meta::checkpoint(connection, &self.stream))
    }

    /// The events of the program that wrote to it last.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn schema(&self) -> Result<Schema, SqliteError> {
        self.ask(meta::schema)
    }

    /// What payloads of this kind look like in this layout ([`Header::version`](ringbus::bus::Header::version)), older ones too. `None`:
    /// no program that wrote to it knew.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn layout(&self, kind: Kind, version: u8) -> Result<Option<EventType>, SqliteError> {
        if kind.is_reserved() {
            return Ok(Schema::bus().event(kind).cloned());
        }
        self.ask(|connection| meta::layout(connection, kind, version))
    }

    /// The event with this sequence. Of an event in several fragments, each fragment's will do.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn event(&self, sequence: Sequence) -> Result<Option<OwnedRecord>, SqliteError> {
        // A block has no holes: so the last event that begins at or before a sequence of the block covers it.
        let last = "WHERE e.sequence = (SELECT max(sequence) FROM events WHERE sequence <= ?1) AND b.next_sequence > ?1";
        Ok(self.events(last, [sequence.get()])?.pop())
    }

    /// The events from this sequence on, at most so many: to go through all of them, begin the next time behind the last.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn events_from(&self, from: Sequence, most: u32) -> Result<Vec<OwnedRecord>, SqliteError> {
        self.events("WHERE e.sequence >= ? ORDER BY e.sequence LIMIT ?", (from.get(), most))
    }

    /// How many events there are of each kind, by ascending kind.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn kinds(&self) -> Result<Vec<(Kind, u64)>, SqliteError> {
        let statement = "SELECT kind, events FROM kinds ORDER BY kind";
        self.all(statement, [], |row| Ok((Kind::new(row.get(0)?), row.get(1)?)))
    }

    /// All events that the transaction with this hash caused, in order. They need not be contiguous on the stream.
    ///
    /// For the hash of a block: the events of that block outside of transactions.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn transaction(&self, hash: &Hash) -> Result<Vec<OwnedRecord>, SqliteError> {
        // `CROSS JOIN` is what SQLite takes as the order to read in.
        let from = "FROM traces t CROSS JOIN events e CROSS JOIN blocks b ON b.number = e.block \
                    WHERE t.hash = ?1 AND e.sequence BETWEEN t.first_sequence AND t.last_sequence AND e.trace = ?1 \
                    ORDER BY t.block, e.sequence";
        self.all(&format!("{EVENTS}{from}"), [hash.bytes()], event)
    }

    /// What caused the event with this sequence; of an event in several fragments, each fragment's will do. `None`: there is no such
    /// event.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn cause_of(&self, sequence: Sequence) -> Result<Option<Cause>, SqliteError> {
        let Some(event) = self.event(sequence)? else { return Ok(None) };
        Ok(self.block_of(&event)?.map(|block| cause(&event.record(), &block)))
    }

    /// What caused the event with this number within the block of this height: where the height repeats, one for each block that has such
    /// an event, with the event's sequence.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn cause_at(&self, height: u64, order: u32) -> Result<Vec<(Sequence, Cause)>, SqliteError> {
        let mut causes = Vec::new();
        for block in self.blocks_at(height)? {
            let rest = "WHERE e.sequence >= ? AND e.sequence < ? AND e.order_number = ? ORDER BY e.sequence";
            let events = self.events(rest, (block.first.get(), block.next.get(), order))?;
            causes.extend(
                events.iter().map(|event| (event.record().sequence(), cause(&event.record(), &block))),
            );
        }
        Ok(causes)
    }

    /// What led to the event with this sequence: the events of the same cause in its block, up to it and with it. None: there is no such
    /// event.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn led_to(&self, sequence: Sequence) -> Result<Vec<OwnedRecord>, SqliteError> {
        let Some(event) = self.event(sequence)? else { return Ok(Vec::new()) };
        let Some(block) = self.block_of(&event)? else { return Ok(Vec::new()) };
        let rest = "WHERE e.sequence >= ? AND e.sequence <= ? AND e.trace = ? ORDER BY e.sequence";
        let record = event.record();
        self.events(rest, (block.first.get(), record.sequence().get(), record.trace().bytes()))
    }

    /// The block with this number, counted from 1.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn block(&self, number: u64) -> Result<Option<StoredBlock>, SqliteError> {
        Ok(self.blocks("WHERE b.number = ?", [number])?.pop())
    }

    /// The blocks of this height, in order: one, unless the stream repeats blocks.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn blocks_at(&self, height: u64) -> Result<Vec<StoredBlock>, SqliteError> {
        self.blocks("WHERE b.height = ? ORDER BY b.number", [height])
    }

    /// The blocks in which the transaction (or the block) with this hash caused something, in order.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn blocks_with(&self, hash: &Hash) -> Result<Vec<StoredBlock>, SqliteError> {
        self.blocks("JOIN traces t ON t.block = b.number WHERE t.hash = ? ORDER BY t.block", [hash.bytes()])
    }

    /// All events of a block, in order.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn events_of(&self, block: &StoredBlock) -> Result<Vec<OwnedRecord>, SqliteError> {
        let rest = "WHERE e.sequence >= ? AND e.sequence < ? ORDER BY e.sequence";
        self.events(rest, (block.first.get(), block.next.get()))
    }

    /// These blocks, in the order of the stream, as an audit log in memory: its answers know their blocks, and can be printed as trees.
    ///
    /// # Errors
    ///
    /// They could not be read, or are not in order.
    pub fn audit(&self, blocks: &[StoredBlock]) -> Result<Audit, SqliteError> {
        let mut log = AuditLog::new(usize::MAX);
        for block in blocks {
            let events = self.events_of(block)?;
            let told = events.iter().try_for_each(|event| {
                let (record, header) = (event.record(), *event.record().header());
                if record.begins_block() {
                    log.block_begun(&header)?;
                }
                log.record(record)?;
                if record.ends_block() { log.block_ended(&header) } else { Ok(()) }
            });
            let out_of_order = |error| SqliteProblem::Damaged { what: format!("{error}") };
            self.ask(|_| told.map_err(out_of_order))?;
        }
        Ok(log.audit())
    }

    fn block_of(&self, event: &OwnedRecord) -> Result<Option<StoredBlock>, SqliteError> {
        let sequence = event.record().sequence();
        let rest = "JOIN events e ON e.block = b.number WHERE e.sequence = ?";
        Ok(self.blocks(rest, [sequence.get()])?.pop())
    }

    fn events(&self, rest: &str, params: impl Params) -> Result<Vec<OwnedRecord>, SqliteError> {
        self.all(&format!("{EVENTS}FROM events e JOIN blocks b ON b.number = e.block {rest}"), params, event)
    }

    fn blocks(&self, rest: &str, params: impl Params) -> Result<Vec<StoredBlock>, SqliteError> {
        self.all(&format!("{BLOCKS}{rest}"), params, block)
    }

    fn all<T>(
        &self,
        statement: &str,
        params: impl Params,
        row: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, SqliteError> {
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(statement)?;
            let rows = statement.query_map(params, row)?.collect::<Result<Vec<_>, _>>()?;
            Ok(rows)
        })
    }

    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, SqliteProblem>,
    ) -> Result<T, SqliteError> {
        question(&self.connection).map_err(|problem| SqliteError { path: self.path.clone(), problem })
    }
}

/// What the trace of a record is in its block.
fn cause(record: &RecordRef<'_>, block: &StoredBlock) -> Cause {
    let trace = record.trace();
    if trace == block.hash { Cause::Block(trace) } else { Cause::Transaction(trace) }
}

impl fmt::Debug for SqliteReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteReader")
            .field("path", &self.path)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}
