//! The example `durable_exchange`: runs in parts, what it refuses, and what it says of books that do not balance.

#[path = "../examples/durable_exchange/books.rs"]
mod books;
#[path = "../examples/durable_exchange/gateway.rs"]
mod gateway;
#[path = "../examples/durable_exchange/projections.rs"]
mod projections;
#[path = "../examples/durable_exchange/restart.rs"]
mod restart;
#[path = "../examples/durable_exchange/run.rs"]
mod run;
#[path = "../examples/durable_exchange/settings.rs"]
mod settings;

use std::fs;
use std::path::Path;
use std::sync::mpsc;

use clap::Parser;
use ringbus_store::sqlite::rusqlite::Connection;
use tempfile::tempdir;

use gateway::{Acted, Gateway};
use settings::Settings;

fn settings(directory: &Path, blocks: u64) -> Settings {
    let place = |name: &str| directory.join(name).display().to_string();
    let arguments =
        format!("--blocks={blocks} --transactions-per-block=30 --accounts=16 --durability=each-block");
    let places =
        [String::new(), format!("--journal={}", place("journal")), format!("--store={}", place("store.db"))];
    Settings::parse_from(places.into_iter().chain(arguments.split(' ').map(str::to_owned)))
}

fn run(settings: &Settings) -> Result<run::Done, String> {
    run::run(settings, Gateway::new(|_| {})).map_err(|error| error.to_string())
}

/// The heights that the gateway has acted on.
fn acted(settings: &Settings) -> Vec<u64> {
    let (told, heard) = mpsc::channel();
    let gateway = Gateway::new(move |Acted { height, .. }| told.send(height).unwrap());
    run::run(settings, gateway).unwrap();
    heard.iter().collect()
}

#[test]
fn a_run_goes_on_where_the_last_one_stopped() {
    let directory = tempdir().unwrap();
    assert_eq!(acted(&settings(directory.path(), 10)), (1..=10).collect::<Vec<_>>());
    assert_eq!(acted(&settings(directory.path(), 25)), (11..=25).collect::<Vec<_>>());
    // There is nothing to do, or less.
    for blocks in [25, 3, 0] {
        let done = run(&settings(directory.path(), blocks)).unwrap();
        assert_eq!((done.blocks, done.books.blocks), (0, 25));
    }
    let in_parts = run(&settings(directory.path(), 40)).unwrap().books;
    let elsewhere = tempdir().unwrap();
    assert_eq!(run(&settings(elsewhere.path(), 40)).unwrap().books, in_parts);
    assert!(in_parts.trades > 100 && in_parts.positions > 10 && in_parts.open_orders > 10, "{in_parts:?}");
    assert!(in_parts.orders < 40 * 30 && in_parts.events > 40 * 30, "{in_parts:?}");
}

#[test]
fn nothing_at_all_balances() {
    let directory = tempdir().unwrap();
    let done = run(&settings(directory.path(), 0)).unwrap();
    assert_eq!((done.books.blocks, done.books.events, done.books.open_orders), (0, 0, 0));
}

#[test]
fn a_store_that_is_gone_is_filled_anew_from_the_journal() {
    let directory = tempdir().unwrap();
    let books = run(&settings(directory.path(), 30)).unwrap().books;
    fs::remove_file(directory.path().join("store.db")).unwrap();
    assert_eq!(run(&settings(directory.path(), 30)).unwrap().books, books);
}

#[test]
fn a_core_that_is_not_the_journals_is_refused() {
    let directory = tempdir().unwrap();
    let settings = settings(directory.path(), 20);
    run(&settings).unwrap();
    for other in [
        Settings { seed: 2, ..settings.clone() },
        Settings { accounts: 17, ..settings.clone() },
        Settings { transactions_per_block: 31, ..settings.clone() },
    ] {
        let error = run(&other).err().unwrap();
        assert!(error.starts_with("after block 20 the rebuilt core has the state hash "), "{error}");
    }
    // It has changed nothing.
    assert_eq!(run(&settings).unwrap().books.blocks, 20);
}

#[test]
fn a_store_that_is_ahead_of_the_journal_is_refused() {
    let directory = tempdir().unwrap();
    let settings = settings(directory.path(), 20);
    run(&settings).unwrap();
    fs::remove_dir_all(&settings.journal).unwrap();
    let error = run(&settings).err().unwrap();
    assert!(error.contains("but the journal `") && error.contains("` ends before sequence 0: "), "{error}");
}

#[test]
fn books_that_do_not_balance_are_told() {
    let directory = tempdir().unwrap();
    let settings = settings(directory.path(), 20);
    run(&settings).unwrap();
    for (change, expected) in [
        ("UPDATE balances SET balance = balance + 1 WHERE account = 3", "balance of account 3: expected Some("),
        ("DELETE FROM balances WHERE account = 0", "accounts: expected 17, found 16"),
        (
            "UPDATE positions SET net = net + 1 WHERE account = (SELECT min(account) FROM positions WHERE market = 2) AND market = 2",
            "markets whose positions do not add up to 0: expected 0, found 1",
        ),
        (
            "UPDATE positions SET cost = cost + 1 WHERE (account, market) = (SELECT account, market FROM positions LIMIT 1)",
            "deposits, balances, costs, fees, insurance pool, trades: expected [",
        ),
        ("UPDATE trades SET price = price + 1 WHERE sequence = (SELECT max(sequence) FROM trades)", "of the journal: expected Some(("),
        ("DELETE FROM trades WHERE sequence = (SELECT min(sequence) FROM trades)", "trade 1 of the journal: expected Some(("),
        (
            "INSERT INTO trades SELECT block, order_number, sequence + 1000000, market, side, price, size, taker_order, maker_order, \
             taker, maker, fee FROM trades LIMIT 1",
            "more trades than in the journal: expected false, found true",
        ),
        (
            "UPDATE orders SET filled = filled + 1 WHERE id = (SELECT max(maker_order) FROM trades)",
            "orders that were not filled by what was traded: expected 0, found 1",
        ),
        (
            "UPDATE orders SET cancelled = size - filled WHERE id = (
                 SELECT max(id) FROM orders WHERE NOT rejected AND filled + cancelled < size)",
            "open orders in market ",
        ),
        ("DELETE FROM events WHERE sequence = 5", "blocks that do not have their events once, counted from 1: expected 0, found 1"),
        ("UPDATE events SET order_number = 2 WHERE sequence = 5", "blocks that do not have their events once, counted from 1"),
        ("INSERT INTO events SELECT 1000000, 21, 1, kind, topic, source, trigger_kind, trigger_reason, version, flags, len, trace, payload
          FROM events LIMIT 1", "events without a block: expected 0, found 1"),
        ("DELETE FROM blocks WHERE height = 7", "blocks, heights, the first, the last: expected [20, 20, 1, 20], found [19, 19, 1, 20]"),
        ("UPDATE blocks SET height = 8 WHERE height = 7", "found [20, 19, 1, 20]"),
        ("DELETE FROM closings WHERE block = 7", "blocks that do not say what they come to: expected 0, found 1"),
        ("UPDATE closings SET state_hash = '0' WHERE block = 20", "the state hash: expected "),
        ("UPDATE closings SET deposits = deposits + 1 WHERE block = 20", "deposits, balances, costs, fees, insurance pool, trades: "),
    ] {
        let store = directory.path().join("changed.db");
        fs::copy(&settings.store, &store).unwrap();
        let connection = Connection::open(&store).unwrap();
        assert_eq!(connection.execute(change, []).unwrap(), 1, "{change}");
        drop(connection);
        let error = run(&Settings { store, ..settings.clone() }).err().unwrap_or_default();
        assert!(error.starts_with("the books in `") && error.contains(expected), "{change}: {error}");
    }
}
