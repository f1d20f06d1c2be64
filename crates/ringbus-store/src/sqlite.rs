//! A store in a file of SQLite's: the embedded default.
//!
//! [`Sqlite`] writes, [`SqliteReader`] asks: from other threads or processes, while the writer goes on. The file is a plain database,
//! made for being looked at with any tool; its tables are described in it, by their own comments (`.schema` in the `sqlite3` shell).
//!
//! | table | what |
//! | --- | --- |
//! | `events` | every record: sequence, block, order number, kind, topic, source, trigger, version, flags, trace, payload |
//! | `blocks` | number, height, hash, time, sequences from and to, how many events |
//! | `traces` | for each hash of a transaction, in which blocks it caused something, from where to where |
//! | `kinds` | how many events there are of each kind |
//! | `checkpoint` | where it stopped |
//! | `stream`, `layouts` | whose it is; what its payloads look like, by kind and layout number |
//! | `projections` | the application's own [projections](Projection) |
//!
//! # How questions are answered
//!
//! An event by its sequence, the events of a block (they are contiguous) and the block of an event go by primary keys; blocks by height,
//! by an index. All events of a transaction: `traces` says in which blocks they stand, and from where to where; that much is read. For
//! questions of your own you may add indices, at their price: one of `events` takes from a fifth (`kind`) to two thirds (`trace`) of the
//! store's speed (`cargo bench -p ringbus-store`).
//!
//! # Growth
//!
//! A program whose core has learned new events goes on with an old store, and a store may have kinds that the program does not know: they
//! are bytes like all others. See [`Schema::check_growth`](ringbus::bus::schema::Schema::check_growth) for what is refused.

use std::fmt;
use std::path::{Path, PathBuf};

use ringbus::bus::schema::Schema;
use ringbus::bus::{Header, RecordRef, StreamId};
use rusqlite::Connection;

use crate::block_store::BlockStore;
use crate::checkpoint::Checkpoint;

mod error;
mod meta;
mod open_block;
mod projection;
mod reader;
mod settings;
mod stored;
mod summary;

pub use error::{SqliteError, SqliteProblem};
pub use projection::{Projection, Rows, Table};
pub use reader::SqliteReader;
/// The SQLite that this crate uses: projections are written with it.
pub use rusqlite;
pub use settings::{SqliteBuilder, Synchronous};
pub use stored::StoredBlock;

use open_block::OpenBlock;
use summary::Kinds;

/// What tells these databases from others: `application_id`, the letters `RBst`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"RBst");

/// The newest format that this release reads, and the one it writes: `user_version`.
const FORMAT: i32 = 1;

/// A store in a file. See the [module](self).
///
/// One program writes to a store at a time: a second one is found out at its first transaction, and refused. Dropped without a commit, it
/// holds what was committed before, like after a crash.
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    stream: StreamId,
    /// What the file says.
    committed: Option<Checkpoint>,
    /// Behind the last block in the transaction.
    ended: Option<Checkpoint>,
    open: OpenBlock,
    /// Of the blocks in the transaction.
    kinds: Kinds,
    most_open_bytes: usize,
    projections: Vec<Box<dyn Projection>>,
    has_failed: bool,
}

impl Sqlite {
    /// Settings for a store of `stream`, whose events are those of `schema`, as far as they are known.
    pub fn builder(stream: impl Into<StreamId>, schema: &Schema) -> SqliteBuilder {
        SqliteBuilder::new(stream.into(), schema)
    }

    fn new(
        connection: Connection,
        path: PathBuf,
        stream: StreamId,
        committed: Option<Checkpoint>,
        settings: SqliteBuilder,
    ) -> Self {
        Self {
            connection,
            path,
            stream,
            committed,
            ended: None,
            open: OpenBlock::default(),
            kinds: Kinds::default(),
            most_open_bytes: settings.most_open_bytes,
            projections: settings.projections,
            has_failed: false,
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same store, to ask it questions: what is committed.
    ///
    /// # Errors
    ///
    /// SQLite has an error.
    pub fn into_reader(mut self) -> Result<SqliteReader, SqliteError> {
        self.attempt(|this| if this.connection.is_autocommit() { Ok(()) } else { this.roll_back() })?;
        SqliteReader::new(self.connection, self.path)
    }

    /// Nothing more is tried after an error, and nothing of the transaction stays: the caller takes for ended what is not there any more.
    fn attempt<T>(
        &mut self,
        call: impl FnOnce(&mut Self) -> Result<T, SqliteProblem>,
    ) -> Result<T, SqliteError> {
        let done = if self.has_failed { Err(SqliteProblem::Failed) } else { call(self) };
        done.map_err(|problem| {
            self.has_failed = true;
            // Some errors have rolled it back already. What cannot be rolled back now is when the connection closes.
            let _ = self.roll_back();
            SqliteError { path: self.path.clone(), problem }
        })
    }

    fn roll_back(&mut self) -> Result<(), SqliteProblem> {
        Ok(self.connection.prepare_cached("ROLLBACK")?.execute([]).map(drop)?)
    }

    /// There is a transaction now. Whoever else has written to the store is found out.
    fn begin(&mut self) -> Result<(), SqliteProblem> {
        if self.connection.is_autocommit() {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let found = meta::checkpoint(&self.connection, &self.stream)?;
            if found != self.committed {
                let next = |checkpoint: &Option<Checkpoint>| checkpoint.as_ref().map(|found| found.next);
                let (expected, found) = (next(&self.committed), next(&found));
                return Err(SqliteProblem::OtherWriter { expected, found });
            }
        }
        Ok(())
    }

    fn commit_ended(&mut self) -> Result<(), SqliteProblem> {
        if let Some(ended) = self.ended.take() {
            self.kinds.add_to(&self.connection)?;
            meta::put_checkpoint(&self.connection, &ended)?;
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            self.committed = Some(ended);
        }
        Ok(())
    }

    /// What is longer than the memory for it goes into a transaction of its own, which has no ended blocks: so it can be rolled back,
    /// and committing waits for its end.
    fn spill(&mut self) -> Result<(), SqliteProblem> {
        self.commit_ended()?;
        self.begin()?;
        let block = self.committed.as_ref().map_or(0, |committed| committed.blocks) + 1;
        self.open.write(&self.connection, block)
    }

    fn take(&mut self, record: RecordRef<'_>) -> Result<(), SqliteProblem> {
        if self.open.bytes() > self.most_open_bytes {
            self.spill()?;
        }
        for projection in &mut self.projections {
            projection.record(record);
        }
        self.open.push(record);
        Ok(())
    }

    fn end(&mut self, checkpoint: &Checkpoint) -> Result<(), SqliteProblem> {
        self.stream.check(&checkpoint.stream)?;
        for (what, number) in [("sequence", checkpoint.next.get()), ("height", checkpoint.height)] {
            if i64::try_from(number).is_err() {
                return Err(SqliteProblem::TooLarge { what, number });
            }
        }
        self.begin()?;
        // The last record is never spilled: only what comes after it would do that.
        let header = self.open.last_header().unwrap_or_default();
        self.open.end(&self.connection, checkpoint, &mut self.kinds)?;
        for projection in &mut self.projections {
            projection.end_block(&self.connection, &header)?;
        }
        self.ended = Some(checkpoint.clone());
        Ok(())
    }

    fn forget_open(&mut self) -> Result<(), SqliteProblem> {
        let is_partly_written = self.open.is_partly_written();
        self.open.clear();
        for projection in &mut self.projections {
            projection.roll_back_block();
        }
        if is_partly_written { self.roll_back() } else { Ok(()) }
    }
}

impl BlockStore for Sqlite {
    type Error = SqliteError;

    fn checkpoint(&mut self) -> Result<Option<Checkpoint>, SqliteError> {
        Ok(self.committed.clone())
    }

    fn begin_block(&mut self, _: &Header) -> Result<(), SqliteError> {
        // What was open before was written or forgotten.
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), SqliteError> {
        self.attempt(|this| this.take(record))
    }

    fn end_block(&mut self, checkpoint: &Checkpoint) -> Result<(), SqliteError> {
        self.attempt(|this| this.end(checkpoint))
    }

    fn roll_back_block(&mut self) -> Result<(), SqliteError> {
        self.attempt(Self::forget_open)
    }

    fn commit(&mut self) -> Result<(), SqliteError> {
        self.attempt(Self::commit_ended)
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("path", &self.path)
            .field("stream", &self.stream)
            .field("committed", &self.committed)
            .field("has_failed", &self.has_failed)
            .finish_non_exhaustive()
    }
}
