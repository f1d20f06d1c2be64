//! What can be set of a store in a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringbus::bus::StreamId;
use ringbus::bus::schema::Schema;
use rusqlite::Connection;

use super::error::{SqliteError, SqliteProblem};
use super::projection::Projection;
use super::{Sqlite, meta};

/// When SQLite waits for the disk. Whatever is chosen, a killed process loses nothing that was committed; what differs is what a power
/// cut, or a crash of the operating system, can take back. See [`SqliteBuilder::synchronous`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Never. A power cut can take back commits, and can damage the file so that it has to be filled anew.
    Off,
    /// Before the write-ahead log is moved into the database. A power cut can take back the newest commits, each of them whole, with
    /// its checkpoint; the file is never damaged.
    #[default]
    Normal,
    /// At each commit. A power cut takes back nothing that was committed.
    Full,
}

impl Synchronous {
    fn pragma(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Normal => "NORMAL",
            Self::Full => "FULL",
        }
    }
}

/// Settings of a store that is about to be opened: see [`Sqlite::builder`].
#[must_use = "nothing is opened before `open` is called"]
pub struct SqliteBuilder {
    stream: StreamId,
    schema: Schema,
    synchronous: Synchronous,
    busy_timeout: Duration,
    cache_bytes: u32,
    pub(super) most_open_bytes: usize,
    pub(super) projections: Vec<Box<dyn Projection>>,
}

impl SqliteBuilder {
    pub(super) fn new(stream: StreamId, schema: &Schema) -> Self {
        Self {
            stream,
            schema: schema.without_own_kinds(),
            synchronous: Synchronous::default(),
            busy_timeout: Duration::from_secs(5),
            cache_bytes: 64 << 20,
            most_open_bytes: 64 << 20,
            projections: Vec::new(),
        }
    }

    /// When SQLite waits for the disk; [`Synchronous::Normal`] unless told otherwise.
    ///
    /// With a journal behind the store that is enough, and *exactly once* holds: a commit that a power cut takes back takes its
    /// checkpoint back too, so the store says that it stopped before it, and is fed those blocks again. It takes a journal that still
    /// has them: who lets the journal drop what the store has committed (a registered reader), or has no journal at all, sets
    /// [`Synchronous::Full`].
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How long to wait while another program has the file locked, before that is an error; 5 seconds unless told otherwise. Readers
    /// never lock it.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// How much of the file SQLite keeps in memory; 64 MiB unless told otherwise. The index of hashes is written in no order: it should
    /// fit, for speed.
    pub fn cache_bytes(mut self, bytes: u32) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// How many bytes of a block are kept in memory until it ends; 64 MiB unless told otherwise. What a longer one has more goes into
    /// an open transaction, which locks out no reader.
    pub fn most_open_bytes(mut self, bytes: usize) -> Self {
        self.most_open_bytes = bytes;
        self
    }

    /// Keeps tables of the application's own, filled in the same transactions: see [`Projection`].
    pub fn projection(mut self, projection: impl Projection) -> Self {
        self.projections.push(Box::new(projection));
        self
    }

    /// Opens the store, or makes it if the file is not there or empty.
    ///
    /// # Errors
    ///
    /// The file is no store, of a newer format, or of another stream; the schema has a layout that has changed
    /// ([`Schema::check_growth`]); the store was made with other projections; or SQLite has an error.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Sqlite, SqliteError> {
        let path = path.as_ref().to_owned();
        self.finish(Connection::open(&path), path)
    }

    /// A store in memory, which is gone with the connection: for tests.
    ///
    /// # Errors
    ///
    /// SQLite has an error, or a projection's tables.
    pub fn open_in_memory(self) -> Result<Sqlite, SqliteError> {
        self.finish(Connection::open_in_memory(), PathBuf::from(":memory:"))
    }

    fn finish(self, connection: rusqlite::Result<Connection>, path: PathBuf) -> Result<Sqlite, SqliteError> {
        let opened = connection.map_err(SqliteProblem::from).and_then(|mut connection| {
            // Before anything is written to what may be somebody else's.
            meta::is_new(&connection)?;
            self.configure(&connection)?;
            meta::open(&mut connection, &self.stream, &self.schema, &self.projections)?;
            Ok((meta::checkpoint(&connection, &self.stream)?, connection))
        });
        match opened {
            Ok((committed, connection)) => {
                Ok(Sqlite::new(connection, path, self.stream.clone(), committed, self))
            }
            Err(problem) => Err(SqliteError { path, problem }),
        }
    }

    fn configure(&self, connection: &Connection) -> Result<(), SqliteProblem> {
        connection.busy_timeout(self.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", self.synchronous.pragma())?;
        // Below 0, it is in KiB.
        connection.pragma_update(None, "cache_size", -i64::from(self.cache_bytes.div_ceil(1024)))?;
        Ok(())
    }
}

impl fmt::Debug for SqliteBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteBuilder")
            .field("stream", &self.stream)
            .field("synchronous", &self.synchronous)
            .field("projections", &self.projections.len())
            .finish_non_exhaustive()
    }
}
