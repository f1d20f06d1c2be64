//! An application's own tables, in step with the events.

use std::fmt;
use std::hash::Hash;

use ringbus::bus::{Append, Gather, Header, LastByKey, RecordRef};
use rusqlite::{Connection, Params};

/// Tables of an application's own that are filled from its events, block by block, in the transaction that commits the block: they
/// always show the state at the checkpoint, never half a block, and nothing twice.
///
/// [`Table`] makes those that have a row for each event, or the last value of each key. What is more is implemented:
///
/// ```
/// use ringbus::bus::{Header, RecordRef};
/// use ringbus_store::sqlite::{Projection, rusqlite};
///
/// /// How many events each block has of one kind.
/// struct Tally {
///     count: u32,
/// }
///
/// impl Projection for Tally {
///     fn name(&self) -> &str {
///         "tally"
///     }
///
///     fn version(&self) -> u32 {
///         1
///     }
///
///     fn tables(&self) -> &str {
///         "CREATE TABLE tally (height INTEGER NOT NULL, events INTEGER NOT NULL)"
///     }
///
///     fn record(&mut self, record: RecordRef<'_>) {
///         self.count += u32::from(record.kind().get() == 8);
///     }
///
///     fn end_block(&mut self, connection: &rusqlite::Connection, block: &Header) -> rusqlite::Result<()> {
///         let mut insert = connection.prepare_cached("INSERT INTO tally VALUES (?, ?)")?;
///         insert.execute((block.block_height, std::mem::take(&mut self.count)))?;
///         Ok(())
///     }
///
///     fn roll_back_block(&mut self) {
///         self.count = 0;
///     }
/// }
/// ```
///
/// # Changing one
///
/// A store is made with its projections, and keeps their names and versions. A program with others is refused: the events that passed
/// before would be missing from a new table. Fill a new store from the journal.
pub trait Projection: Send + 'static {
    /// What it is called.
    fn name(&self) -> &str;

    /// Counted up when the tables, or what stands in them, become others.
    fn version(&self) -> u32;

    /// The statements that make its tables, run when the store is made. Their names are those of no others: the store's own are
    /// `stream`, `checkpoint`, `layouts`, `projections`, `blocks`, `events`, `traces` and `kinds`.
    fn tables(&self) -> &str;

    /// A record of the open block: gathers what it says, in memory.
    fn record(&mut self, record: RecordRef<'_>);

    /// The block has ended, by a record with this header: writes what was gathered, and forgets it. It runs in the store's transaction,
    /// which it neither ends nor rolls back.
    ///
    /// # Errors
    ///
    /// Ends the store's work: nothing of the transaction is committed.
    fn end_block(&mut self, connection: &Connection, block: &Header) -> rusqlite::Result<()>;

    /// The block will never end: forgets what was gathered.
    fn roll_back_block(&mut self);
}

/// A projection of one statement: one is made by [`append`](Self::append) or [`last_by_key`](Self::last_by_key).
///
/// ```
/// use ringbus::bus::Payload;
/// use ringbus::bus::StreamId;
/// use ringbus_store::sqlite::{Sqlite, Table};
///
/// ringbus::events! {
///     pub schema Exchange, version 1;
///     pub event Trade, kind 8 { pub price: u64, pub market: u32, pub size: u32 }
///     pub event Balance, kind 9 { pub account: u64, pub amount: i64 }
/// }
///
/// let trades = Table::new("trades", 1, "CREATE TABLE trades (sequence INTEGER PRIMARY KEY, market INTEGER, size INTEGER)")
///     .append("INSERT INTO trades VALUES (?, ?, ?)", |record| {
///         record.get::<Trade>().map(|trade| (record.sequence().get(), trade.market, trade.size))
///     });
/// let balances = Table::new("balances", 1, "CREATE TABLE balances (account INTEGER PRIMARY KEY, amount INTEGER)")
///     .last_by_key("INSERT OR REPLACE INTO balances VALUES (?, ?)", |record| {
///         record.get::<Balance>().map(|balance| (balance.account, (balance.account, balance.amount)))
///     });
/// let store = Sqlite::builder("exchange", Exchange::schema())
///     .projection(trades)
///     .projection(balances)
///     .open_in_memory()?;
/// # Ok::<(), ringbus_store::sqlite::SqliteError>(())
/// ```
///
/// `u64` and `usize` beyond 2^63 - 1 are errors when they are written: SQLite has no such numbers.
#[derive(Clone, Debug)]
pub struct Table {
    name: String,
    version: u32,
    tables: String,
}

impl Table {
    /// One of this name and version, made by these statements: see [`Projection`].
    #[must_use]
    pub fn new(name: impl Into<String>, version: u32, tables: impl Into<String>) -> Self {
        Self { name: name.into(), version, tables: tables.into() }
    }

    /// Executes `insert` with what `row` makes of each record, in their order; `None` is passed over.
    pub fn append<P, F>(self, insert: impl Into<String>, row: F) -> Rows<Append<P, F>, P>
    where
        P: Params + Send + 'static,
        F: FnMut(RecordRef<'_>) -> Option<P> + Send + 'static,
    {
        Rows { table: self, statement: insert.into(), gather: Append::new(row), row: |row| row }
    }

    /// Executes `upsert` with the last row of each key that a block has; `entry` makes key and row of a record, `None` is passed over.
    /// The statement replaces what earlier blocks left, like `INSERT OR REPLACE` or `INSERT .. ON CONFLICT (key) DO UPDATE ..`.
    pub fn last_by_key<K, P, F>(self, upsert: impl Into<String>, entry: F) -> Rows<LastByKey<K, P, F>, P>
    where
        K: Clone + Eq + Hash + Send + 'static,
        P: Params + Send + 'static,
        F: FnMut(RecordRef<'_>) -> Option<(K, P)> + Send + 'static,
    {
        Rows { table: self, statement: upsert.into(), gather: LastByKey::new(entry), row: |(_, row)| row }
    }
}

/// A [`Projection`] that gathers rows while a block goes on and executes a statement for each when it has ended. Made by [`Table`].
pub struct Rows<G: Gather, P> {
    table: Table,
    statement: String,
    gather: G,
    row: fn(G::Value) -> P,
}

impl<G: Gather, P: Params + Send + 'static> Projection for Rows<G, P> {
    fn name(&self) -> &str {
        &self.table.name
    }

    fn version(&self) -> u32 {
        self.table.version
    }

    fn tables(&self) -> &str {
        &self.table.tables
    }

    fn record(&mut self, record: RecordRef<'_>) {
        self.gather.gather(record);
    }

    fn end_block(&mut self, connection: &Connection, _: &Header) -> rusqlite::Result<()> {
        let values = self.gather.values();
        if !values.is_empty() {
            let mut statement = connection.prepare_cached(&self.statement)?;
            for value in values.drain(..) {
                statement.execute((self.row)(value))?;
            }
        }
        self.gather.clear();
        Ok(())
    }

    fn roll_back_block(&mut self) {
        self.gather.clear();
    }
}

impl<G: Gather, P> fmt::Debug for Rows<G, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("table", &self.table)
            .field("statement", &self.statement)
            .finish_non_exhaustive()
    }
}
