//! The exchange's own tables: orders, trades, positions, balances, and what each block says that it comes to. Prices and money are in units
//! of 1/10,000.

use exchange::Settings;
use exchange::events::{
    BalanceChanged, BlockClosed, OrderAccepted, OrderCancelled, OrderRejected, PositionChanged, Trade,
};
use ringbus::bus::{Header, RecordRef};
use ringbus_store::sqlite::rusqlite::{self, Connection};
use ringbus_store::sqlite::{Projection, SqliteBuilder, Table};

/// Lets a store keep these tables too.
pub(crate) fn add_to(store: SqliteBuilder, core: &Settings) -> SqliteBuilder {
    store
        .projection(Orders::default())
        .projection(trades())
        .projection(positions())
        .projection(balances(core))
        .projection(closings())
}

/// A row for each trade.
fn trades() -> impl Projection {
    let table = "CREATE TABLE trades (
        block        INTEGER NOT NULL,  -- its height
        order_number INTEGER NOT NULL,  -- within the block
        sequence     INTEGER PRIMARY KEY,
        market       INTEGER NOT NULL,
        side         TEXT    NOT NULL,  -- the taker's
        price        INTEGER NOT NULL,
        size         INTEGER NOT NULL,
        taker_order  INTEGER NOT NULL,  -- of the network, its transaction's id
        maker_order  INTEGER NOT NULL,
        taker        INTEGER NOT NULL,
        maker        INTEGER NOT NULL,
        fee          INTEGER NOT NULL   -- what the taker pays
    ) STRICT";
    Table::new("trades", 1, table).append("INSERT INTO trades VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", |record| {
        record.get::<Trade>().map(|trade| {
            (
                record.block_height(),
                record.order(),
                record.sequence().get(),
                trade.market,
                trade.side.name(),
                trade.price.mantissa(),
                trade.size,
                trade.taker_order,
                trade.maker_order,
                trade.taker,
                trade.maker,
                trade.fee.mantissa(),
            )
        })
    })
}

/// A row for each position there ever was, as it is.
fn positions() -> impl Projection {
    let table = "CREATE TABLE positions (
        account INTEGER NOT NULL,
        market  INTEGER NOT NULL,
        net     INTEGER NOT NULL,  -- contracts, below 0 if short
        cost    INTEGER NOT NULL,  -- when they were entered
        PRIMARY KEY (account, market)
    ) STRICT, WITHOUT ROWID";
    Table::new("positions", 1, table).last_by_key(
        "INSERT OR REPLACE INTO positions VALUES (?,?,?,?)",
        |record| {
            let position = record.get::<PositionChanged>()?;
            let key = (position.account, position.market);
            Some((key, (key.0, key.1, position.net, position.cost.mantissa())))
        },
    )
}

/// A row for each account. What they start with is no event: the rows are made with the table.
fn balances(core: &Settings) -> impl Projection {
    let Settings { accounts, deposit, insurance, .. } = core;
    let table = format!(
        "CREATE TABLE balances (account INTEGER PRIMARY KEY, balance INTEGER NOT NULL) STRICT;
         WITH RECURSIVE account(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM account WHERE number < {accounts})
         INSERT INTO balances SELECT number, iif(number = {accounts}, {insurance}, {deposit}) FROM account"
    );
    Table::new("balances", 1, table).last_by_key("INSERT OR REPLACE INTO balances VALUES (?,?)", |record| {
        record
            .get::<BalanceChanged>()
            .map(|changed| (changed.account, (changed.account, changed.balance.mantissa())))
    })
}

/// A row for each block.
fn closings() -> impl Projection {
    let table = "CREATE TABLE closings (
        block      INTEGER PRIMARY KEY,  -- its height
        state_hash TEXT    NOT NULL,
        deposits   INTEGER NOT NULL,
        balances   INTEGER NOT NULL,
        costs      INTEGER NOT NULL,
        fees       INTEGER NOT NULL,
        pool       INTEGER NOT NULL,
        trades     INTEGER NOT NULL      -- up to then
    ) STRICT";
    Table::new("closings", 1, table).append("INSERT INTO closings VALUES (?,?,?,?,?,?,?,?)", |record| {
        record.get::<BlockClosed>().map(|closed| {
            (
                record.block_height(),
                format!("{:016x}", closed.state_hash),
                closed.deposits.mantissa(),
                closed.balances.mantissa(),
                closed.costs.mantissa(),
                closed.fees.mantissa(),
                closed.pool.mantissa(),
                closed.trades,
            )
        })
    })
}

/// A row for each order, with what has become of it: more than one statement can say, so it is a [`Projection`] of its own.
#[derive(Default)]
struct Orders {
    changes: Vec<Change>,
}

/// What a block says about an order.
enum Change {
    Accepted(OrderAccepted),
    Rejected(OrderRejected),
    Filled { order: u64, size: i64 },
    Cancelled(OrderCancelled),
}

impl Projection for Orders {
    fn name(&self) -> &str {
        "orders"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &str {
        "CREATE TABLE orders (
            id          INTEGER PRIMARY KEY,
            account     INTEGER NOT NULL,
            market      INTEGER NOT NULL,
            side        TEXT    NOT NULL,
            limit_price INTEGER NOT NULL,            -- 0: a market order
            size        INTEGER NOT NULL,
            filled      INTEGER NOT NULL DEFAULT 0,
            cancelled   INTEGER NOT NULL DEFAULT 0,
            rejected    INTEGER NOT NULL,            -- 1 if it was
            reason      TEXT                         -- why it was rejected or cancelled
        ) STRICT"
    }

    fn record(&mut self, record: RecordRef<'_>) {
        if let Some(order) = record.get::<OrderAccepted>() {
            self.changes.push(Change::Accepted(*order));
        } else if let Some(order) = record.get::<OrderRejected>() {
            self.changes.push(Change::Rejected(*order));
        } else if let Some(order) = record.get::<OrderCancelled>() {
            self.changes.push(Change::Cancelled(*order));
        } else if let Some(trade) = record.get::<Trade>() {
            for order in [trade.taker_order, trade.maker_order] {
                self.changes.push(Change::Filled { order, size: trade.size });
            }
        }
    }

    fn end_block(&mut self, connection: &Connection, _: &Header) -> rusqlite::Result<()> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO orders (id, account, market, side, limit_price, size, rejected, reason) VALUES (?,?,?,?,?,?,?,?)",
        )?;
        // (Of the network's trades, the taker is no order, and has no row.)
        let mut fill = connection.prepare_cached("UPDATE orders SET filled = filled + ?2 WHERE id = ?1")?;
        let mut cancel =
            connection.prepare_cached("UPDATE orders SET cancelled = ?2, reason = ?3 WHERE id = ?1")?;
        for change in self.changes.drain(..) {
            match change {
                Change::Accepted(OrderAccepted { order, limit, size, account, market, side, .. }) => {
                    insert.execute((
                        order,
                        account,
                        market,
                        side.name(),
                        limit.mantissa(),
                        size,
                        false,
                        None::<&str>,
                    ))?;
                }
                Change::Rejected(OrderRejected { order, limit, size, account, market, side, reason }) => {
                    insert.execute((
                        order,
                        account,
                        market,
                        side.name(),
                        limit.mantissa(),
                        size,
                        true,
                        reason.name(),
                    ))?;
                }
                Change::Filled { order, size } => {
                    fill.execute((order, size))?;
                }
                Change::Cancelled(OrderCancelled { order, size, reason, .. }) => {
                    cancel.execute((order, size, reason.name()))?;
                }
            }
        }
        Ok(())
    }

    fn roll_back_block(&mut self) {
        self.changes.clear();
    }
}
