//! A real process, killed at moments of chance under full load, again and again: what it had acted on is there, and so is everything
//! before it, in order and once.
//!
//! `RINGBUS_KILLS` says how often; 40 times unless it is set.

mod common;
mod live;

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use live::{BLOCK, PAYLOAD, bus, check, check_all, settings};
use ringbus::Sequence;
use ringbus::bus::{RecordRef, Subscriber};
use ringbus_journal::{Durability, Extent, JournalReader, RegisteredReader, Start};

/// The environment of the process that is killed.
const DIRECTORY: &str = "RINGBUS_KILLED_DIRECTORY";
const POLICY: &str = "RINGBUS_KILLED_POLICY";

fn policy(number: u64) -> Durability {
    match number % 4 {
        0 => Durability::EachBatch,
        1 => Durability::EachBlock,
        2 => Durability::Every(Duration::from_millis(1)),
        _ => Durability::Never,
    }
}

/// Tells the parent after each batch where it has got to.
struct Gateway {
    next: u64,
}

impl Subscriber for Gateway {
    type Error = String;

    fn start(&mut self, first: Sequence) -> Result<(), String> {
        self.next = first.get();
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), String> {
        self.next = check(record, self.next, BLOCK)?;
        Ok(())
    }

    fn batch_ended(&mut self) -> Result<(), String> {
        // One write of one line: the kernel has it when this returns.
        let line = format!("acted on {}\n", self.next);
        io::stdout().lock().write_all(line.as_bytes()).map_err(|error| error.to_string())
    }
}

/// The process that is killed: a core at full speed, its journal, and a gateway behind it.
#[test]
#[ignore = "the other test runs it, in a process of its own"]
fn child() {
    let directory = env::var(DIRECTORY).expect("run by the other test");
    let policy = policy(env::var(POLICY).expect("run by the other test").parse().expect("a number"));
    let journal = settings(policy).segment_bytes(100_000).open(&directory).expect("a sound journal");
    let (mut core, bus) = bus(1_024, journal.next_sequence().get());
    let subscription = bus.subscribe("journal").required().join().unwrap();
    let gateway =
        bus.subscribe("gateway").required().after(&[&subscription]).spawn(Gateway { next: 0 }).unwrap();
    let recording = journal.record(subscription).unwrap();
    let error = core.run_to(u64::MAX).expect_err("it runs for ever");
    panic!("the core has ended: {error}, {:?}, {:?}", recording.join(), gateway.join().map(drop));
}

fn spawn(directory: &Path, number: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads", "1"])
        .env(DIRECTORY, directory)
        .env(POLICY, number.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process")
}

/// Lets it run for so many batches, and then as long as that; kills it. Returns the last that it told.
fn run_and_kill(mut child: Child, batches: u64, then: Duration) -> u64 {
    let mut told = 0;
    let mut left = batches;
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    let mut is_killed = false;
    loop {
        line.clear();
        // What it had told before it was killed is read to the end.
        if lines.read_line(&mut line).expect("text") == 0 {
            break;
        }
        let Some(next) = line.strip_prefix("acted on ").and_then(|next| next.strip_suffix('\n')) else {
            // The test harness of the child says something too; and a line may have been cut off.
            continue;
        };
        let next = next.parse().expect("a sequence");
        assert!(next > told);
        told = next;
        left = left.saturating_sub(1);
        if left == 0 && !is_killed {
            thread::sleep(then);
            child.kill().expect("it runs");
            is_killed = true;
        }
    }
    let status = child.wait().unwrap();
    assert!(is_killed && !status.success(), "it has ended by itself: {status}");
    told
}

#[test]
fn what_a_killed_process_had_acted_on_is_there() {
    let kills: u64 = env::var("RINGBUS_KILLS").map_or(40, |kills| kills.parse().expect("a number"));
    let directory = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(kills);
    // A store that follows the journal, and comes back after each kill.
    let mut store = RegisteredReader::register(directory.path(), "store", Sequence::new(0)).unwrap();
    let (mut end, mut cuts) = (0, 0);
    for kill in 0..kills {
        let (batches, then) = (random.u64(1..40), Duration::from_micros(random.u64(0..3_000)));
        let told = run_and_kill(spawn(directory.path(), kill), batches, then);
        assert!(told > end, "kill {kill}: it has done nothing");

        let journal = settings(policy(kill)).segment_bytes(100_000).open(directory.path()).unwrap();
        let recovery = journal.recovery().clone();
        let next = recovery.next.expect("it has records").get();
        assert!(next >= told, "kill {kill}: it had acted on {told}, but the journal ends at {next}");
        let block = recovery.last_block.expect("blocks have ended");
        assert_eq!(block.next.get(), next / BLOCK * BLOCK, "kill {kill}");
        assert_eq!(
            recovery.unfinished.map(Sequence::get),
            (block.next.get() < next).then_some(block.next.get())
        );
        cuts += u64::from(recovery.cut.is_some());
        drop(journal);

        // The new part; and from somewhere in the old one on.
        let mut reader = JournalReader::open(directory.path(), Extent::Durable).unwrap();
        reader.seek(Start::Sequence(store.position())).unwrap();
        assert_eq!(check_all(&mut reader, store.position().get(), BLOCK), next, "kill {kill}");
        store.has_passed(Sequence::new(next)).unwrap();
        let sample = random.u64(0..=end / BLOCK) * BLOCK;
        reader.seek(Start::Block(sample / BLOCK)).unwrap();
        let mut expected = sample;
        for _ in 0..200 {
            let Some(record) = reader.next().unwrap() else { break };
            expected = check(record, expected, BLOCK).unwrap();
        }
        assert!(expected > sample);
        drop(store);
        store = RegisteredReader::register(directory.path(), "store", Sequence::new(0)).unwrap();
        assert_eq!(store.position().get(), next);
        end = next;
    }
    let mut reader = JournalReader::open(directory.path(), Extent::Durable).unwrap();
    assert_eq!(check_all(&mut reader, 0, BLOCK), end);
    println!(
        "{kills} kills: {end} sequences of slots of {PAYLOAD} bytes, all of them there; {cuts} torn ends"
    );
}
