//! The exchange on a ring: what comes of a run, whatever the ring and the threads do.

use std::io::{self, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exchange::consumers::Checksum;
use exchange::live::{Length, RunError, RunSettings, Summary, Wait, run, run_with};
use exchange::report::report;
use exchange::{Core, Event, OrderFlow};
use ringbus::stats::ConsumerKind;
use ringbus::worker::SpawnError;

const BLOCKS: u64 = 40;

/// A run of [`BLOCKS`] blocks on a ring that it goes round many times.
fn settings() -> RunSettings {
    RunSettings {
        length: Length::Blocks(BLOCKS),
        capacity: 1_024,
        monitor_delay: Duration::ZERO,
        ..RunSettings::default()
    }
}

/// The same blocks from a core without a ring, event by event.
fn direct(settings: &RunSettings) -> (Core, Vec<Event>) {
    let Length::Blocks(blocks) = settings.length else { panic!("{settings:?}") };
    let core_settings = settings.core();
    let mut core = Core::new(&core_settings).unwrap();
    let mut flow = OrderFlow::new(settings.seed, &core_settings).unwrap();
    let mut events = Vec::new();
    for _ in 0..blocks {
        core.begin_block(&mut events);
        for transaction in flow.by_ref().take(settings.transactions_per_block as usize) {
            core.execute(&transaction, &mut events);
        }
        core.end_block(&mut events);
    }
    (core, events)
}

/// An output that others can look at, and that is full at some length.
#[derive(Clone, Default)]
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: Option<usize>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.bytes.lock().unwrap();
        if self.room.is_some_and(|room| written.len() + bytes.len() > room) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is full"));
        }
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_same_seed_ends_in_the_same_state_whatever_the_ring() {
    let (core, events) = direct(&settings());
    for (wait, capacity, durable) in [
        (Wait::BackOff, 256, false),
        (Wait::Park, 4_096, false),
        (Wait::Sleep, 512, true),
        (Wait::Yield, 1 << 16, true),
    ] {
        let summary = run(&RunSettings { wait, capacity, durable, ..settings() }).unwrap();
        assert_eq!((summary.state_hash, summary.height), (core.state_hash(), BLOCKS), "{wait}");
        assert_eq!(summary.events, events.len() as u64);
        assert_eq!(summary.transactions, BLOCKS * 100);
        if durable {
            assert!(summary.journal_writes >= BLOCKS, "no batch of the journal reaches beyond a block");
            assert!(summary.waits_for_journal.count <= BLOCKS);
        }
    }
    let other = run(&RunSettings { seed: 2, ..settings() }).unwrap();
    assert_ne!(other.state_hash, core.state_hash());
    let longer = run(&RunSettings { length: Length::Blocks(BLOCKS + 1), ..settings() }).unwrap();
    assert_ne!(longer.state_hash, core.state_hash());
}

#[test]
fn the_journal_has_every_byte() {
    let (_, events) = direct(&settings());
    let mut checksum = Checksum::default();
    checksum.add(&events);
    let output = Output::default();
    let summary = run_with(&settings(), output.clone(), |_| {}).unwrap();
    assert_eq!(summary.journal_bytes, summary.events * 64);
    assert_eq!(summary.journal_checksum, checksum.value());
    let written = output.bytes.lock().unwrap();
    let expected: Vec<u8> = events.iter().flat_map(bytemuck::bytes_of).copied().collect();
    assert!(*written == expected, "{} bytes, expected {}", written.len(), expected.len());
    assert!(summary.journal_writes > 0 && summary.journal_writes <= summary.events);
}

#[test]
fn the_store_commits_every_block_and_the_keeper_follows_every_trade() {
    let (core, events) = direct(&settings());
    let summary = run(&settings()).unwrap();
    let last = summary.last_committed.unwrap();
    assert_eq!((summary.blocks_committed, summary.dropped), (BLOCKS, None));
    assert_eq!((last.height, last.state_hash, last.transactions), (BLOCKS, core.state_hash(), 100));
    let of_last: Vec<&Event> = events.iter().filter(|event| event.header().block == BLOCKS).collect();
    assert_eq!(last.events as usize, of_last.len());
    let trades =
        |events: &[&Event]| events.iter().filter(|event| event.kind() == exchange::Kind::Trade).count();
    assert_eq!(last.trades as usize, trades(&of_last));
    assert_eq!(summary.trades as usize, trades(&events.iter().collect::<Vec<_>>()));
}

#[test]
fn every_consumer_accounts_for_every_event() {
    let every = 8;
    let settings = RunSettings { sample: NonZero::new(every).unwrap(), ..settings() };
    let summary = run(&settings).unwrap();
    let names: Vec<&str> = summary.consumers.iter().map(|consumer| consumer.name).collect();
    assert_eq!(names, ["journal", "position keeper", "block store", "monitor"]);
    let mut waits = 0;
    for consumer in &summary.consumers {
        assert_eq!(consumer.delivered + consumer.missed + consumer.let_pass, summary.events, "{consumer:?}");
        waits += consumer.waits.count;
        match consumer.kind {
            ConsumerKind::Required => {
                assert_eq!(consumer.missed, 0);
                let latency = consumer.latency.as_ref().unwrap();
                assert_eq!(latency.len(), summary.events.div_ceil(every), "{}", consumer.name);
            }
            ConsumerKind::Optional => assert!(consumer.latency.is_none()),
        }
    }
    assert_eq!(waits, summary.waits.count, "whoever the core waited for, it is one of them");
}

#[test]
fn a_slow_monitor_misses_events_and_nobody_else_does() {
    // At this pace it would take 15 seconds for what the core publishes in some milliseconds.
    let settings = RunSettings { capacity: 256, monitor_delay: Duration::from_millis(1), ..settings() };
    let summary = run(&settings).unwrap();
    let monitor = &summary.consumers[3];
    assert!(monitor.missed > 0 && summary.monitor_gaps > 0, "{monitor:?}");
    assert!((1..=monitor.missed).contains(&summary.monitor_largest_gap));
    assert_eq!(monitor.delivered + monitor.missed, summary.events);
    assert_eq!(summary.state_hash, direct(&settings).0.state_hash());
}

#[test]
fn a_journal_that_fails_ends_the_run_and_says_where_and_why() {
    let output = Output { room: Some(100_000), ..Output::default() };
    let error = run_with(&settings(), output.clone(), |_| {}).unwrap_err();
    let written = output.bytes.lock().unwrap().len();
    let RunError::Worker(worker) = &error else { panic!("{error:?}") };
    assert_eq!((&*worker.consumer, worker.sequence.get()), ("journal", written as u64 / 64));
    let message = error.to_string();
    let start = format!("worker `journal` failed at sequence {}: cannot write a batch of ", written / 64);
    assert!(message.starts_with(&start), "{message}");
    let end = format!(
        " after {written} bytes: the disk is full; give the journal an output that takes them, and start again"
    );
    assert!(message.ends_with(&end), "{message}");
}

#[test]
fn unsound_settings_say_what_was_expected() {
    for (settings, message) in [
        (
            RunSettings { length: Length::Blocks(0), ..settings() },
            "the number of blocks is 0, expected at least 1: change it in the settings",
        ),
        (
            RunSettings { length: Length::Time(Duration::ZERO), ..settings() },
            "the time to run for is 0 seconds, expected more than 0: give a time, or a number of blocks",
        ),
        (
            RunSettings { transactions_per_block: 0, ..settings() },
            "the number of transactions per block is 0, expected 1 to 1000000: change it in the settings",
        ),
        (
            RunSettings { markets: 17, ..settings() },
            "the number of markets is 17, expected 1 to 16: change it in the settings",
        ),
        (
            RunSettings { accounts: 0, ..settings() },
            "the number of accounts is 0, expected 1 to 1024: change it in the settings",
        ),
        (
            RunSettings { capacity: 1_000, ..settings() },
            "the ring's capacity is 1000, expected a power of two of at least 256 (a transaction of 53 events must \
             fit into a quarter of it): 1024 would do",
        ),
        (
            RunSettings { capacity: 128, ..settings() },
            "the ring's capacity is 128, expected a power of two of at least 256 (a transaction of 53 events must \
             fit into a quarter of it): 256 would do",
        ),
        (
            RunSettings { pin: vec![0; 6], ..settings() },
            "the number of cores to pin to is 6, expected 0 to 5: change it in the settings",
        ),
        (
            RunSettings { monitor_delay: Duration::from_millis(11), ..settings() },
            "the monitor's time for an event, in microseconds, is 11000, expected 0 to 10000: change it in the \
             settings",
        ),
    ] {
        let error = run(&settings).unwrap_err();
        assert!(matches!(error, RunError::Settings(_)), "{error:?}");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_core_that_is_not_there_is_named() {
    const NONE: usize = 99_999;
    let error = run(&RunSettings { pin: vec![NONE], ..settings() }).unwrap_err();
    let RunError::NoSuchCore { source, .. } = &error else { panic!("{error:?}") };
    let message = "the thread of the core cannot pin to core 99999: the thread may run on ";
    assert!(error.to_string().starts_with(message), "{error}");

    let Some(&core) = source.available.first() else { return };
    let summary = run(&RunSettings { pin: vec![core; 5], ..settings() }).unwrap();
    assert_eq!(summary.state_hash, direct(&settings()).0.state_hash());
    let error = run(&RunSettings { pin: vec![core, core, NONE], ..settings() }).unwrap_err();
    let RunError::Spawn(SpawnError::NoSuchCore { consumer, source, .. }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!((&**consumer, source.core), ("position keeper", NONE));
}

#[test]
fn wait_strategies_have_names() {
    for wait in Wait::ALL {
        assert_eq!(wait.to_string().parse(), Ok(wait));
    }
    let error = "nap".parse::<Wait>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no wait strategy `nap`, expected one of spin, hint, yield, backoff, sleep, park: choose one of these"
    );
}

/// The longest line of the report, in columns. (All its characters are one column wide.)
fn width(summary: &Summary) -> usize {
    report(summary).lines().map(|line| line.chars().count()).max().unwrap()
}

#[test]
fn the_report_fits_into_110_columns_however_long_the_run() {
    let mut summary = run(&settings()).unwrap();
    let text = report(&summary);
    for part in [
        format!("{:016x}", summary.state_hash),
        format!("accounts balance: delivered + missed + let pass = {} published", grouped(summary.events)),
        "the position".to_owned(),
        "1 event in 1,024".to_owned(),
    ] {
        assert!(text.contains(&part), "{part}\n{text}");
    }
    assert!(width(&summary) <= 110, "{text}");

    // An hour at twenty million a second, with five threads pinned.
    let (events, hour) = (72_000_000_000, Duration::from_hours(1));
    (summary.events, summary.journal_bytes, summary.took) = (events, events * 64, hour);
    (summary.blocks, summary.height) = (events / 400, events / 400);
    summary.settings.pin = vec![100, 101, 102, 103, 104];
    for consumer in &mut summary.consumers {
        (consumer.delivered, consumer.missed, consumer.lag_at_end) = (events, events, 1 << 20);
        (consumer.waits.count, consumer.waits.total) = (100_000_000, hour / 2);
    }
    (summary.waits, summary.waits_for_journal) = (summary.consumers[0].waits, summary.consumers[0].waits);
    assert!(width(&summary) <= 110, "{}", report(&summary));
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}
