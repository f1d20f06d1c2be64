//! From another process: everything that a core publishes, from its journal and from its ring's file, whatever becomes of the core.

mod common;
mod live;

use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use live::{BLOCK, check, settings, shared_bus, soon, wait_until};
use ringbus::shared::RingFile;
use ringbus::{End, Sequence};
use ringbus_journal::{CatchUp, Caught, Durability, Extent, JournalError, JournalReader};

/// The directory of a core, for the process that is to be that core.
const CORE: &str = "RINGBUS_TEST_CORE";

/// A core in a process of its own, at full speed, for ever: it goes on where its journal ends.
#[test]
#[ignore = "run by the other test, in a process of its own"]
fn core() {
    let Ok(directory) = std::env::var(CORE) else { return };
    let directory = Path::new(&directory);
    let journal =
        settings(Durability::Never).segment_bytes(2_000_000).open(directory.join("journal")).unwrap();
    let (mut core, bus) = shared_bus(&directory.join("ring"), 1_024, journal.next_sequence().get());
    let _recording = journal.record(bus.subscribe("journal").required().join().unwrap()).unwrap();
    loop {
        core.end_block().unwrap();
    }
}

struct Process(Child);

impl Process {
    fn start(directory: &Path) -> Self {
        let this = std::env::current_exe().unwrap();
        let core = Command::new(this)
            .args(["--exact", "core", "--ignored", "--nocapture"])
            .env(CORE, directory)
            .stdout(std::process::Stdio::null())
            .spawn();
        Self(core.unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The ring of a core that lives.
fn ring(path: &Path) -> RingFile {
    loop {
        assert!(std::time::Instant::now() < soon());
        match RingFile::open(path) {
            Ok(file) if file.end().is_none() => return file,
            _ => thread::sleep(Duration::from_millis(1)),
        }
    }
}

#[test]
fn everything_comes_once_and_in_order_though_the_core_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, path) = (directory.path().join("journal"), directory.path().join("ring"));
    let mut random = fastrand::Rng::with_seed(7);
    let mut next = 0;
    let mut totals = (0, 0, 0);
    for _ in 0..5 {
        let process = Process::start(directory.path());
        let file = ring(&path);
        wait_until("its journal is there", || JournalReader::open(&journal, Extent::Written).is_ok());
        let reader = JournalReader::open(&journal, Extent::Written).unwrap();
        let mut late = CatchUp::observe(reader, file, Sequence::new(next)).unwrap();
        let enough = next + random.u64(20_000..60_000);
        let mut process = Some(process);
        let end = loop {
            match late.next() {
                Ok(Caught::Record(record)) => next = check(record, next, BLOCK).unwrap(),
                Ok(Caught::Nothing) => thread::yield_now(),
                Ok(Caught::Ended(end)) => break Some(end),
                // What the ring had let go and the journal had not written, nobody has.
                Err(JournalError::Gap { first, .. }) if process.is_none() => {
                    assert_eq!(first.get(), next);
                    break None;
                }
                Err(error) => panic!("{error}"),
            }
            if next % 5_000 < 3 {
                thread::sleep(Duration::from_micros(random.u64(1..2_000)));
            }
            if next >= enough {
                // Killed, in the middle of something.
                process = None;
            }
        };
        assert_eq!(end.unwrap_or(End::ProducerDied), End::ProducerDied);
        assert_eq!(late.next_sequence().get(), next);
        totals = (totals.0 + late.from_journal(), totals.1 + late.from_ring(), totals.2 + late.overruns());
        // The next core goes on where the journal ends, and says what lies behind that again.
        let mut kept = JournalReader::open(&journal, Extent::Written).unwrap();
        let kept = live::check_all(&mut kept, 0, BLOCK);
        next = next.min(kept);
    }
    println!("{totals:?}");
    assert!(totals.0 > 1_000 && totals.1 > 100, "{totals:?}");
}

/// A core that is killed between its own cursor and the mirror has published more than it came to show.
#[test]
fn what_a_dead_core_did_not_come_to_show_its_journal_has() {
    let directory = tempfile::tempdir().unwrap();
    let (kept, path) = (directory.path().join("journal"), directory.path().join("ring"));
    let journal = settings(Durability::Never).open(&kept).unwrap();
    let (mut core, bus) = shared_bus(&path, 1_024, 0);
    let recording = journal.record(bus.subscribe("journal").required().join().unwrap()).unwrap();
    core.end_block().unwrap();
    // As it was then, with nobody behind it.
    let dead = directory.path().join("dead");
    std::fs::copy(&path, &dead).unwrap();
    let shown = core.next();
    core.end_block().unwrap();
    let end = core.close();
    recording.join().unwrap();
    assert!(shown < end);

    let reader = JournalReader::open(&kept, Extent::Written).unwrap();
    let mut late = CatchUp::observe(reader, RingFile::open(&dead).unwrap(), Sequence::new(shown)).unwrap();
    let mut next = shown;
    loop {
        match late.next().unwrap() {
            Caught::Record(record) => next = check(record, next, BLOCK).unwrap(),
            Caught::Nothing => thread::yield_now(),
            Caught::Ended(ended) => {
                assert_eq!((ended, next), (End::ProducerDied, end));
                break;
            }
        }
    }
}
