//! The example `durable_exchange`, killed at random moments and started again with the same arguments, until it has made all its blocks:
//! its store has then, row for row, what that of an uninterrupted run has. `RINGBUS_KILLS` says how many times it is killed; 20 unless set.

#[path = "../examples/durable_exchange/books.rs"]
mod books;
mod common;
#[path = "common/database.rs"]
mod database;
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

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use clap::Parser;
use fastrand::Rng;
use ringbus_store::sqlite::rusqlite::Connection;
use ringbus_store::sqlite::rusqlite::types::Value;

use database::rows;
use gateway::{Acted, Gateway};
use run::run;
use settings::Settings;

/// The arguments of the exchange that this process is to be, a line each.
const ARGUMENTS: &str = "RINGBUS_KILLED_EXCHANGE";

/// How high it gets in a round: many times as far as it gets in one life.
const BLOCKS: u64 = 500;

/// Ends by SIGKILL, as whatever else ends it in a test is an error.
const SIGKILL: i32 = 9;

/// Not a test, but what is killed: passed when it was not started to be that.
#[test]
fn the_exchange_that_is_killed() {
    let Ok(arguments) = env::var(ARGUMENTS) else { return };
    let settings = Settings::parse_from([""].into_iter().chain(arguments.lines()));
    let told = |Acted { height, state_hash }| {
        // Not by `println`, which the test harness would keep.
        writeln!(std::io::stdout(), "acted {height} {state_hash:016x}")
            .expect("who has started this listens");
    };
    let done = run(&settings, Gateway::new(told)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(done.books.blocks, settings.blocks);
}

/// When the next life ends.
enum Moment {
    /// So soon after it was started: while it recovers, perhaps.
    After(Duration),
    /// When the gateway has acted on so many blocks: under full load.
    Acted(u64),
}

impl Moment {
    /// Of the `life`th life.
    fn draw(life: u32, rng: &mut Rng) -> Self {
        if life.is_multiple_of(4) {
            Self::After(Duration::from_micros(rng.u64(0..25_000)))
        } else {
            Self::Acted(rng.u64(1..60))
        }
    }
}

/// How a life has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Killed {
        /// How many blocks the gateway had acted on.
        acted: u64,
    },
    /// It was not killed in time.
    Done,
}

/// A round: the exchange from its first block to its last, whatever happens to it.
struct Round<'a> {
    arguments: Vec<String>,
    directory: &'a Path,
    /// What gateways have told, in all lives.
    told: BTreeMap<u64, String>,
}

impl<'a> Round<'a> {
    fn new(directory: &'a Path, number: u64) -> Self {
        let policy = ["each-batch", "each-block", "every=2", "never"][number as usize % 4];
        let arguments = format!(
            "--blocks={BLOCKS} --seed={number} --transactions-per-block=20 --accounts=16 --capacity=1024"
        );
        let mut arguments: Vec<_> = arguments.split(' ').map(str::to_owned).collect();
        arguments.push(format!("--durability={policy}"));
        Self { arguments, directory, told: BTreeMap::new() }
    }

    fn arguments(&self, place: &str) -> Vec<String> {
        let in_directory = |name: &str| self.directory.join(format!("{place}{name}")).display().to_string();
        let places = [format!("--journal={}", in_directory("")), format!("--store={}", in_directory(".db"))];
        places.into_iter().chain(self.arguments.clone()).collect()
    }

    /// Starts it, and lets it live to that moment.
    fn live(&mut self, moment: &Moment) -> Ended {
        let errors = self.directory.join("errors");
        let mut child = Command::new(env::current_exe().expect("the path of this program"))
            .args(["--exact", "the_exchange_that_is_killed", "--nocapture", "--test-threads=1"])
            .env(ARGUMENTS, self.arguments("killed").join("\n"))
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).expect("the directory is writable"))
            .spawn()
            .expect("this program can be started");
        if let Moment::After(time) = moment {
            thread::sleep(*time);
            kill(&mut child);
        }
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (mut acted, mut line) = (0, String::new());
        while output.read_line(&mut line).expect("it is text") > 0 {
            acted += u64::from(self.hear(&line));
            if matches!(moment, Moment::Acted(blocks) if acted == *blocks) {
                kill(&mut child);
            }
            line.clear();
        }
        let status = child.wait().expect("it was started");
        match (status.signal(), status.success()) {
            (Some(SIGKILL), _) => Ended::Killed { acted },
            (None, true) => Ended::Done,
            _ => panic!("{status}: {}", std::fs::read_to_string(errors).unwrap_or_default()),
        }
    }

    /// Notes a line that a life has written. Returns whether it is about a block.
    fn hear(&mut self, line: &str) -> bool {
        // (The last one may be torn.)
        let Some(line) = line.strip_suffix('\n') else { return false };
        if let Some(kept) = line.strip_prefix("journal: ").and_then(|line| line.split_once(" blocks, ")) {
            // What was acted on, no crash takes back.
            let last = self.told.last_key_value().map_or(0, |(height, _)| *height);
            let kept: u64 = kept.0.parse().expect("a number of blocks");
            assert!(kept >= last, "a gateway has acted on block {last}, but the journal has {kept}");
        }
        let Some((height, state_hash)) = line.strip_prefix("acted ").and_then(|line| line.split_once(' '))
        else {
            return false;
        };
        let before = self.told.insert(height.parse().expect("a height"), state_hash.to_owned());
        // What is durable is not made again: no block is told of by two lives.
        assert_eq!(before, None, "block {height} came twice");
        true
    }

    /// Compares what it has left with an uninterrupted run's.
    fn check(&self) {
        let settings = Settings::parse_from([String::new()].into_iter().chain(self.arguments("whole")));
        let done = run(&settings, Gateway::new(|_| {})).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((done.blocks, done.books.blocks), (BLOCKS, BLOCKS));
        assert!(done.books.trades > BLOCKS && done.books.orders > 5 * BLOCKS, "{:?}", done.books);
        let open = |place: &str| Connection::open(self.directory.join(place)).expect("it is a database");
        let (killed, whole) = (open("killed.db"), open("whole.db"));
        let (found, expected) = (tables(&killed), tables(&whole));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (table, expected) in &expected {
            assert!(found[table] == *expected, "the rows of `{table}` differ");
        }
        assert_eq!(expected["events"].len() as u64, done.books.events);
        assert_eq!(expected["trades"].len() as u64, done.books.trades);
        assert_eq!(rows(&killed, OUT_OF_ORDER), [[Value::Integer(0)]]);

        let closings = rows(&whole, "SELECT block, state_hash FROM closings ORDER BY block");
        for (height, state_hash) in &self.told {
            let told = [Value::Integer(height.cast_signed()), Value::Text(state_hash.clone())];
            assert_eq!(closings[*height as usize - 1], told);
        }
    }
}

/// (It may have ended by itself.)
fn kill(child: &mut Child) {
    child.kill().expect("it is this process's child");
}

/// Every row of every table, but for the sequences: what a journal has of blocks without an end counts there.
fn tables(store: &Connection) -> BTreeMap<String, Vec<Vec<Value>>> {
    let columns = rows(
        store,
        "SELECT t.name, group_concat(c.name, ', ' ORDER BY c.cid) FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND c.name NOT LIKE '%sequence' AND c.name <> 'next' GROUP BY t.name",
    );
    let of = |table: &Vec<Value>| {
        let [Value::Text(table), Value::Text(columns)] = &table[..] else { panic!("{table:?}") };
        // By block and order number, where they have one: these columns come first.
        (table.clone(), rows(store, &format!("SELECT {columns} FROM {table} ORDER BY {columns}")))
    };
    columns.iter().map(of).collect()
}

/// How many events do not have the order of their sequences.
const OUT_OF_ORDER: &str = "SELECT count(*) FROM (
        SELECT block, order_number, lag(block) OVER w last_block, lag(order_number) OVER w last_number
        FROM events WINDOW w AS (ORDER BY sequence)
    ) WHERE (block, order_number) <= (last_block, last_number)";

#[test]
fn killed_at_random_it_ends_with_the_rows_of_an_uninterrupted_run() {
    if env::var_os(ARGUMENTS).is_some() {
        return;
    }
    let wanted: u32 =
        env::var("RINGBUS_KILLS").map_or(20, |kills| kills.parse().expect("RINGBUS_KILLS is a number"));
    let mut rng = Rng::with_seed(6);
    let (mut lives, mut kills, mut under_load, mut rounds) = (0, 0, 0, 0);
    while kills < wanted {
        rounds += 1;
        let directory = tempfile::tempdir().expect("there is room");
        let mut round = Round::new(directory.path(), rounds);
        loop {
            // At the end of it all, the last round is let run.
            let moment = if kills < wanted { Moment::draw(lives, &mut rng) } else { Moment::Acted(u64::MAX) };
            lives += 1;
            match round.live(&moment) {
                Ended::Killed { acted } => {
                    kills += 1;
                    under_load += u32::from(acted > 0);
                }
                Ended::Done => break,
            }
        }
        round.check();
    }
    eprintln!("{kills} kills in {rounds} rounds, {under_load} under load");
    assert!(under_load * 2 >= kills, "{under_load} of {kills} kills were under load");
}
