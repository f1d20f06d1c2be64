//! Whether the books balance: asked of the store's file alone, and then compared with the core and with the journal.

use std::error::Error;
use std::fmt;

use exchange::events::Trade;
use exchange::{Core, Money, Side};
use ringbus_journal::{Extent, JournalReader};
use ringbus_store::sqlite::SqliteReader;
use ringbus_store::sqlite::rusqlite::{self, Connection, Params, Row};

use super::settings::Settings;

/// Books that balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) blocks: u64,
    pub(crate) events: u64,
    pub(crate) orders: u64,
    pub(crate) open_orders: u64,
    pub(crate) trades: u64,
    pub(crate) positions: u64,
    balances: i64,
    costs: i64,
    fees: i64,
    deposits: i64,
}

/// Books that do not, or have not what the core and the journal have: all that is wrong with them.
#[derive(Debug)]
pub(crate) struct OutOfBalance {
    store: String,
    differences: Vec<String>,
}

impl fmt::Display for OutOfBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the books in `{}` do not balance:", self.store)?;
        self.differences.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

impl Error for OutOfBalance {}

/// Checks the books in the store; `core` is as it should be.
pub(crate) fn check(settings: &Settings, core: &Core) -> Result<Books, Box<dyn Error>> {
    let reader = SqliteReader::open(&settings.store)?;
    let mut audit = Audit { connection: reader.connection(), differences: Vec::new() };
    audit.check_blocks(core)?;
    audit.check_orders(core)?;
    audit.check_accounts(core)?;
    let books = audit.check_money(core)?;
    audit.check_trades(settings)?;
    let differences = audit.differences;
    if differences.is_empty() {
        Ok(books)
    } else {
        Err(OutOfBalance { store: settings.store.display().to_string(), differences }.into())
    }
}

struct Audit<'a> {
    connection: &'a Connection,
    differences: Vec<String>,
}

impl Audit<'_> {
    fn one<T>(
        &self,
        question: &str,
        params: impl Params,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.connection.query_row(question, params, row)
    }

    fn number(&self, question: &str) -> rusqlite::Result<i64> {
        self.one(question, [], |row| row.get(0))
    }

    fn expect<T: PartialEq + fmt::Debug>(&mut self, what: impl fmt::Display, expected: T, found: T) {
        if found != expected {
            self.differences.push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }

    /// Each block once, with all its events, and with what it says that it comes to.
    fn check_blocks(&mut self, core: &Core) -> rusqlite::Result<()> {
        let height = core.height();
        let heights = "SELECT count(*), count(DISTINCT height), ifnull(min(height), 1), ifnull(max(height), 0) FROM blocks";
        let found: [u64; 4] =
            self.one(heights, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))?;
        self.expect("blocks, heights, the first, the last", [height, height, 1, height], found);
        let incomplete = "SELECT count(*) FROM blocks b LEFT JOIN (
                SELECT block, count(*) events, count(DISTINCT order_number) orders, min(order_number) first, max(order_number) last
                FROM events GROUP BY block
            ) e ON e.block = b.number
            WHERE e.events IS NOT b.events OR e.orders IS NOT b.events OR e.first IS NOT 1 OR e.last IS NOT b.events";
        let found = self.number(incomplete)?;
        self.expect("blocks that do not have their events once, counted from 1", 0, found);
        let found =
            self.number("SELECT count(*) FROM events WHERE block NOT IN (SELECT number FROM blocks)")?;
        self.expect("events without a block", 0, found);
        let found =
            self.number("SELECT count(*) FROM blocks WHERE height NOT IN (SELECT block FROM closings)")?;
        self.expect("blocks that do not say what they come to", 0, found);
        Ok(())
    }

    /// Orders have been filled by what was traded, and those that are open are in the core's books.
    fn check_orders(&mut self, core: &Core) -> rusqlite::Result<()> {
        let filled = "SELECT count(*) FROM orders LEFT JOIN (
                SELECT id, sum(size) traded
                FROM (SELECT taker_order id, size FROM trades UNION ALL SELECT maker_order, size FROM trades) GROUP BY id
            ) USING (id) WHERE filled <> ifnull(traded, 0) OR filled + cancelled > size";
        let found = self.number(filled)?;
        self.expect("orders that were not filled by what was traded", 0, found);
        let mut open = self.connection.prepare_cached(
            "SELECT id, size - filled - cancelled FROM orders
             WHERE market = ? AND side = ? AND NOT rejected AND filled + cancelled < size ORDER BY id",
        )?;
        for market in 0..core.markets() as u16 {
            for side in Side::BOTH {
                let rows = open.query_map((market, side.name()), |row| Ok((row.get(0)?, row.get(1)?)))?;
                let found: Vec<(u64, i64)> = rows.collect::<Result<_, _>>()?;
                let mut expected: Vec<_> =
                    core.book(market).orders(side).map(|order| (order.id, order.size)).collect();
                expected.sort_unstable();
                let side = side.name().unwrap_or_default();
                self.expect(format_args!("open orders in market {market}, {side}"), expected, found);
            }
        }
        Ok(())
    }

    /// Each account has what it has in the core.
    fn check_accounts(&mut self, core: &Core) -> rusqlite::Result<()> {
        let mut balance =
            self.connection.prepare_cached("SELECT sum(balance) FROM balances WHERE account = ?")?;
        let mut position = self.connection.prepare_cached(
            "SELECT ifnull(sum(net), 0), ifnull(sum(cost), 0) FROM positions WHERE account = ? AND market = ?",
        )?;
        for account in core.accounts().chain([core.network()]) {
            let found: Option<i64> = balance.query_row([account], |row| row.get(0))?;
            self.expect(format_args!("balance of account {account}"), Some(core.balance(account)), found);
            for (market, expected) in (0_u16..).zip(core.positions(account)) {
                let found = position.query_row((account, market), |row| Ok((row.get(0)?, row.get(1)?)))?;
                let what = format_args!("position of account {account} in market {market}, and its cost");
                self.expect(what, (expected.net, expected.cost), found);
            }
        }
        let rows = self.number("SELECT count(*) FROM balances")?;
        self.expect("accounts", core.accounts().count() as i64 + 1, rows);
        Ok(())
    }

    /// The positions in a market add up to 0; balances less costs, plus fees, to the deposits; and all of it is what the last block says.
    fn check_money(&mut self, core: &Core) -> rusqlite::Result<Books> {
        let unbalanced =
            "SELECT count(*) FROM (SELECT 1 FROM positions GROUP BY market HAVING sum(net) <> 0)";
        let found = self.number(unbalanced)?;
        self.expect("markets whose positions do not add up to 0", 0, found);
        let balances = self.number("SELECT sum(balance) FROM balances")?;
        let costs = self.number("SELECT ifnull(sum(cost), 0) FROM positions")?;
        let fees = self.number("SELECT ifnull(sum(fee), 0) FROM trades")?;
        let trades = self.number("SELECT count(*) FROM trades")?;
        let deposits = balances - costs + fees;
        if core.height() > 0 {
            let pool = self.number("SELECT balance FROM balances ORDER BY account DESC LIMIT 1")?;
            let last = "SELECT deposits, balances, costs, fees, pool, trades, state_hash FROM closings ORDER BY block DESC LIMIT 1";
            let (expected, state_hash): ([i64; 6], String) = self.one(last, [], |row| {
                let number = |at| row.get(at);
                Ok(([number(0)?, number(1)?, number(2)?, number(3)?, number(4)?, number(5)?], row.get(6)?))
            })?;
            let found = [deposits, balances, costs, fees, pool, trades];
            self.expect("deposits, balances, costs, fees, insurance pool, trades", expected, found);
            self.expect("the state hash", format!("{:016x}", core.state_hash()), state_hash);
        }
        self.expect("deposits", core.deposits(), deposits);
        let count =
            |audit: &Self, of: &str| audit.one(&format!("SELECT count(*) FROM {of}"), [], |row| row.get(0));
        Ok(Books {
            blocks: count(self, "blocks")?,
            events: count(self, "events")?,
            orders: count(self, "orders")?,
            open_orders: count(self, "orders WHERE NOT rejected AND filled + cancelled < size")?,
            trades: count(self, "trades")?,
            positions: count(self, "positions WHERE net <> 0")?,
            balances,
            costs,
            fees,
            deposits,
        })
    }

    /// The trades are those in the journal's blocks, one by one.
    fn check_trades(&mut self, settings: &Settings) -> Result<(), Box<dyn Error>> {
        let trades = "SELECT sequence, market, taker_order, maker_order, price, size, fee FROM trades ORDER BY sequence";
        let mut statement = self.connection.prepare(trades)?;
        let mut rows = statement.query([])?;
        let (mut difference, mut number) = (None, 0);
        for_each_trade(settings, |sequence, trade| {
            number += 1;
            let row = rows.next()?.map(|row| -> rusqlite::Result<_> {
                let order = |at| row.get::<_, u64>(at);
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    [order(2)?, order(3)?],
                    [row.get(4)?, row.get(5)?, row.get(6)?],
                ))
            });
            let found: Option<(u64, u16, [u64; 2], [i64; 3])> = row.transpose()?;
            let numbers = [trade.price.mantissa(), trade.size, trade.fee.mantissa()];
            let expected = (sequence, trade.market, [trade.taker_order, trade.maker_order], numbers);
            if found != Some(expected) {
                difference.get_or_insert((number, expected, found));
            }
            Ok(())
        })?;
        let surplus = rows.next()?.is_some();
        if let Some((number, expected, found)) = difference {
            self.expect(format_args!("trade {number} of the journal"), Some(expected), found);
        }
        self.expect("more trades than in the journal", false, surplus);
        Ok(())
    }
}

/// Every trade in the journal, but those of blocks without an end.
fn for_each_trade(
    settings: &Settings,
    mut each: impl FnMut(u64, &Trade) -> rusqlite::Result<()>,
) -> Result<(), Box<dyn Error>> {
    let mut reader = JournalReader::open(&settings.journal, Extent::Durable)?;
    let mut block = Vec::new();
    while let Some(record) = reader.next()? {
        if record.begins_block() {
            block.clear();
        }
        if let Some(trade) = record.get::<Trade>() {
            block.push((record.sequence().get(), *trade));
        }
        if record.ends_block() {
            block.drain(..).try_for_each(|(sequence, trade)| each(sequence, &trade))?;
        }
    }
    Ok(())
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { blocks, events, orders, open_orders, trades, positions, .. } = self;
        let [balances, costs, fees, deposits] =
            [self.balances, self.costs, self.fees, self.deposits].map(Money::new);
        writeln!(
            f,
            "{blocks} blocks, {events} events, {orders} orders ({open_orders} open), {trades} trades, {positions} positions"
        )?;
        writeln!(f, "balances {balances} - costs {costs} + fees {fees} = deposits {deposits}")?;
        write!(f, "the books balance")
    }
}
