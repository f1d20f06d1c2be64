//! The exchange on a bus: what comes of a run, whatever the bus and the threads do.

use std::io::{self, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exchange::events::{ClosedOut, LossSocialised, MarketListed, Trade};
use exchange::live::{Length, RunError, RunSettings, Summary, Wait, run, run_with};
use exchange::report::{report, tree};
use exchange::{Core, OrderFlow, Transaction};
use ringbus::bus::{BlockEnded, Flags, HEADER_BYTES, Hash, Header, Kind, Outcome, Payload, TransactionEnded};
use ringbus::stats::ConsumerKind;
use ringbus::testing::{Recorded, Recorder};
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

/// What a core without a bus says in a block.
struct Block {
    hash: Hash,
    transactions: Vec<(Transaction, Vec<Recorded>, Outcome<'static>)>,
    end: Vec<Recorded>,
}

/// The same blocks from a core without a bus.
fn direct(settings: &RunSettings) -> (Core, Vec<Block>) {
    let Length::Blocks(blocks) = settings.length else { panic!("{settings:?}") };
    let core_settings = settings.core();
    let mut core = Core::new(&core_settings).unwrap();
    let mut flow = OrderFlow::new(settings.seed, &core_settings).unwrap();
    let mut said = Recorder::new();
    let blocks = (0..blocks).map(|_| {
        let hash = core.begin_block().hash;
        let mut execute = |transaction: Transaction| {
            let verdict = core.execute(&transaction, &mut said).unwrap();
            (transaction, said.take(), verdict.outcome())
        };
        let transactions =
            flow.by_ref().take(settings.transactions_per_block as usize).map(&mut execute).collect();
        core.end_block(&mut said).unwrap();
        Block { hash, transactions, end: said.take() }
    });
    let blocks = blocks.collect();
    (core, blocks)
}

impl Block {
    fn events(&self) -> impl Iterator<Item = &Recorded> {
        self.transactions.iter().flat_map(|(_, said, _)| said).chain(&self.end)
    }

    fn rejected(&self) -> usize {
        self.transactions.iter().filter(|(.., outcome)| *outcome != Outcome::Succeeded).count()
    }

    fn count(&self, kind: Kind) -> usize {
        self.events().filter(|event| event.kind == kind).count()
    }

    /// How many records it makes: its beginning and end, what is said, the errors and ends of transactions.
    fn records(&self) -> usize {
        2 + self.events().count() + self.transactions.len() + self.rejected()
    }
}

/// Headers and payloads from a journal's bytes.
fn records(mut journal: &[u8]) -> Vec<(Header, &[u8])> {
    let mut records = Vec::new();
    while let Some((header, rest)) = journal.split_at_checked(HEADER_BYTES) {
        let header: Header = bytemuck::pod_read_unaligned(header);
        let (payload, rest) = rest.split_at(header.len.into());
        records.push((header, payload));
        journal = rest;
    }
    assert_eq!(journal.len(), 0);
    records
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
fn the_same_seed_ends_in_the_same_state_whatever_the_bus() {
    let (core, blocks) = direct(&settings());
    // The markets are listed at the start.
    let records = 4 + blocks.iter().map(Block::records).sum::<usize>();
    let mut checksum = None;
    for (wait, capacity, durable) in [
        (Wait::BackOff, 256, false),
        (Wait::Park, 4_096, false),
        (Wait::Sleep, 512, true),
        (Wait::Yield, 1 << 16, true),
    ] {
        let summary = run(&RunSettings { wait, capacity, durable, ..settings() }).unwrap();
        assert_eq!((summary.state_hash, summary.height), (core.state_hash(), BLOCKS), "{wait}");
        assert_eq!(summary.events, records as u64);
        assert_eq!(summary.transactions, BLOCKS * 100);
        assert_eq!(*checksum.get_or_insert(summary.journal_checksum), summary.journal_checksum);
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

/// Compares what the journal has of a block with what the core said, record by record.
fn check_block(height: u64, block: &Block, records: &[(Header, &[u8])]) {
    let mut left = records.iter();
    let mut next = |trace: Hash, kind: Kind| {
        let &(header, payload) = left.next().expect("a record");
        assert_eq!((header.block_height, header.trace, header.kind), (height, trace, kind));
        (header, payload)
    };
    let said = |(header, payload): (Header, &[u8]), event: &Recorded| {
        assert_eq!(payload, event.payload);
        let origin = (header.source, header.trigger());
        assert_eq!((origin, header.topic), ((event.origin.source, event.origin.trigger), event.topic));
    };
    assert!(next(block.hash, Kind::BLOCK_BEGUN).0.flags.has(Flags::BEGINS_BLOCK));
    if height == 1 {
        (0..4).for_each(|_| _ = next(block.hash, MarketListed::KIND));
    }
    for (transaction, events, outcome) in &block.transactions {
        let trace = transaction.hash();
        events.iter().for_each(|event| said(next(trace, event.kind), event));
        let (mut count, mut code) = (events.len() as u32 + 1, 0);
        if let Outcome::Failed { code: of_error, error } = outcome {
            assert_eq!(next(trace, Kind::TRANSACTION_FAILED).1, error.as_bytes());
            (count, code) = (count + 1, of_error.get());
        }
        let ended = TransactionEnded { events: count, code };
        assert_eq!(next(trace, Kind::TRANSACTION_ENDED).1, bytemuck::bytes_of(&ended));
    }
    block.end.iter().for_each(|event| said(next(block.hash, event.kind), event));
    let ended = BlockEnded { hash: block.hash, events: records.len() as u32, transactions: 100 };
    let (header, payload) = next(block.hash, Kind::BLOCK_ENDED);
    assert_eq!((header.flags.has(Flags::ENDS_BLOCK), payload), (true, bytemuck::bytes_of(&ended)));
    assert_eq!(left.len(), 0);
}

#[test]
fn the_journal_has_every_record_with_its_trace_and_its_number() {
    let (_, blocks) = direct(&settings());
    let output = Output::default();
    let summary = run_with(&settings(), output.clone(), |_| {}).unwrap();
    let written = output.bytes.lock().unwrap();
    assert_eq!(summary.journal_bytes, written.len() as u64);
    let records = records(&written);
    assert_eq!(records.len() as u64, summary.events);
    let of_blocks: Vec<_> = records.chunk_by(|(a, _), (b, _)| a.block_height == b.block_height).collect();
    assert_eq!(of_blocks.len(), blocks.len());
    for ((height, block), records) in (1..).zip(&blocks).zip(of_blocks) {
        assert!((1..).zip(records).all(|(order, (header, _))| header.order == order), "block {height}");
        check_block(height, block, records);
    }
    assert!(summary.journal_writes > 0 && summary.journal_writes <= summary.events);
}

#[test]
fn the_store_commits_every_block_and_the_keeper_follows_every_trade() {
    let (core, blocks) = direct(&settings());
    let summary = run(&settings()).unwrap();
    let last = summary.last_committed.unwrap();
    assert_eq!((summary.blocks_committed, summary.dropped), (BLOCKS, None));
    assert_eq!((last.height, last.state_hash, last.transactions), (BLOCKS, core.state_hash(), 100));
    let of_last = blocks.last().unwrap();
    assert_eq!((last.events as usize, last.trades as usize), (of_last.records(), of_last.count(Trade::KIND)));
    assert_eq!(summary.trades as usize, blocks.iter().map(|block| block.count(Trade::KIND)).sum::<usize>());
}

/// As many blocks as CI's run has, with its other settings as they are.
fn long_enough() -> RunSettings {
    RunSettings { length: Length::Blocks(500), monitor_delay: Duration::ZERO, ..RunSettings::default() }
}

#[test]
fn a_default_run_has_liquidations_and_ends_with_one_as_a_tree() {
    let (_, blocks) = direct(&long_enough());
    let summary = run(&long_enough()).unwrap();
    let liquidations = summary.liquidations;
    let count = |kind| blocks.iter().map(|block| block.count(kind)).sum::<usize>() as u64;
    assert_eq!((liquidations.marks, liquidations.closed_out), (500, count(ClosedOut::KIND)));
    assert_eq!(liquidations.socialised.times, count(LossSocialised::KIND));
    assert!(
        liquidations.closed_out > 0 && liquidations.insured.times > 0 && liquidations.socialised.times > 0
    );

    // It has all stages, so every one of them is in the tree, below what led to it.
    let tree = tree(&summary).unwrap();
    let depth = |name: &str| {
        let line = tree.lines().find(|line| line.contains(&format!("{name} {{")));
        let line = line.unwrap_or_else(|| panic!("no {name} in\n{tree}"));
        line.chars().position(|character| !"│├└─ ".contains(character)).unwrap() / 3
    };
    for (name, expected) in [
        ("oracle: MarkPriceMoved", 2),
        ("margin: MarkedToMarket", 3),
        ("margin: Distressed", 4),
        ("matching: OrderCancelled", 5),
        ("liquidation: ClosedOut", 5),
        ("settlement: InsurancePaid", 5),
        ("settlement: LossSocialised", 6),
        ("ledger: BalanceChanged", 2),
        ("bus: TransactionEnded", 2),
    ] {
        assert_eq!(depth(name), expected, "{name} in\n{tree}");
    }
    assert_eq!(tree.lines().last(), Some("complete"));
    check_accounts(&tree);
}

/// What happens to an account stands below an event about the same account.
fn check_accounts(tree: &str) {
    let (mut above, mut checked) = (Vec::new(), 0);
    for line in tree.lines() {
        let begin = line.find(|character: char| !"│├└─ ".contains(character)).unwrap();
        let account = line.split_once(" account: ").and_then(|(_, rest)| rest.split([',', ' ']).next());
        above.truncate(line[..begin].chars().count() / 3);
        if ["Distressed", "OrderCancelled", "ClosedOut", "LiquidationFee", "InsurancePaid"]
            .iter()
            .any(|name| line.contains(&format!(": {name} {{")))
        {
            assert!(account.is_some() && above.last() == Some(&account), "{line}\nin\n{tree}");
            checked += 1;
        }
        above.push(account);
    }
    assert!(checked > 5, "{checked} in\n{tree}");
}

#[test]
fn every_consumer_accounts_for_every_event() {
    let every = 8;
    let settings = RunSettings { sample: NonZero::new(every).unwrap(), ..settings() };
    let summary = run(&settings).unwrap();
    let names: Vec<&str> = summary.consumers.iter().map(|consumer| consumer.name).collect();
    assert_eq!(names, ["journal", "position keeper", "block store", "monitor", "audit"]);
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
fn a_slow_monitor_misses_records_and_nobody_else_does() {
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
    let written = output.bytes.lock().unwrap();
    let (written, handled) = (written.len(), records(&written).len());
    let RunError::Worker(worker) = &error else { panic!("{error:?}") };
    assert_eq!((&*worker.consumer, worker.sequence.get()), ("journal", handled as u64));
    let message = error.to_string();
    let start = format!("worker `journal` failed at sequence {handled}: cannot write a batch of ");
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
            "the ring's capacity is 1000, expected a power of two of at least 256 (a transaction of 52 events must \
             fit into a quarter of it): 1024 would do",
        ),
        (
            RunSettings { capacity: 128, ..settings() },
            "the ring's capacity is 128, expected a power of two of at least 256 (a transaction of 52 events must \
             fit into a quarter of it): 256 would do",
        ),
        (
            RunSettings { pin: vec![0; 7], ..settings() },
            "the number of cores to pin to is 7, expected 0 to 6: change it in the settings",
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
    let summary = run(&RunSettings { pin: vec![core; 6], ..settings() }).unwrap();
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

    // An hour at twenty million a second, with six threads pinned.
    let (events, hour) = (72_000_000_000, Duration::from_hours(1));
    (summary.events, summary.journal_bytes, summary.took) = (events, events * 100, hour);
    (summary.blocks, summary.height) = (events / 400, events / 400);
    summary.settings.pin = vec![100, 101, 102, 103, 104, 105];
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
