//! Producers that are killed at moments of chance: what they had published is there, whole and counted; what they had not, nobody sees.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::Duration;

use ringbus::bus::RecordObserver;
use ringbus::shared::{Liveness, ObserveError, Observer, RingFile};
use ringbus::{End, ReadFrom, Sequence};

use super::drained::{Drained, drain, drain_records};
use super::pattern::{CAPACITY, event};
use super::process::{Process, Random, directory, eventually, send};
use super::scribbler::{SLOTS_OFFSET, word};

/// The last so many events can be read: the capacity, less the max batch.
const WINDOW: u64 = (CAPACITY - CAPACITY / 4) as u64;
const LONG: Duration = Duration::from_secs(3_600);
const OLDEST: ReadFrom = ReadFrom::Oldest { headroom: 0 };

fn kills() -> u64 {
    env::var("RINGBUS_KILLS").map_or(30, |kills| kills.parse().expect("a number"))
}

/// Lets it run for a while, and kills it. Meanwhile somebody observes it, to the end.
fn killed_meanwhile(
    mut process: Process,
    random: &mut Random,
    observe: impl FnOnce() -> Drained + Send,
) -> Drained {
    thread::scope(|scope| {
        let observed = scope.spawn(observe);
        thread::sleep(Duration::from_micros(random.below(4_000)));
        assert!(!process.kill().success(), "it has ended by itself");
        observed.join().expect("what was observed is whole")
    })
}

/// Whether the core is known to be dead; and where its stream ends.
#[track_caller]
fn end_of_the_dead(path: &Path) -> u64 {
    let file = RingFile::open(path).unwrap();
    assert_eq!((file.liveness(LONG), file.heartbeat_age()), (Liveness::Dead, None));
    assert!(!file.is_replaced());
    let cursor = file.cursor();
    // The last report is whole as well, unless the core died over it.
    if let Some(report) = file.report() {
        assert!(report.cursor <= cursor && report.consumers.is_empty(), "{report:?}");
    }
    cursor.get()
}

/// How many slots beyond the cursor were being written when it was killed: some words of the next event are there, and not all. And how
/// many are there as a whole, of a batch that was not published.
fn unpublished<const WORDS: usize>(path: &Path, cursor: u64) -> (u64, u64) {
    let file = File::open(path).unwrap();
    let slots_offset = word(&file, SLOTS_OFFSET);
    let (mut torn, mut whole) = (0, 0);
    for sequence in cursor..cursor + CAPACITY as u64 / 4 {
        let slot = slots_offset + sequence % CAPACITY as u64 * WORDS as u64 * 8;
        let expected = event::<WORDS>(sequence);
        let arrived =
            (0_u64..).zip(expected).filter(|(at, expected)| word(&file, slot + 8 * at) == *expected).count();
        torn += u64::from((1..WORDS).contains(&arrived));
        whole += u64::from(arrived == WORDS);
    }
    (torn, whole)
}

/// What observers got that were there when it was killed; and what was in the slots that nobody could get.
#[derive(Debug, Default)]
struct Numbers {
    delivered: u64,
    missed: u64,
    torn: u64,
    unpublished: u64,
}

impl Numbers {
    fn count(&mut self, drained: &Drained) {
        self.delivered += drained.delivered;
        self.missed += drained.missed;
    }
}

fn a_producer_is_killed<const WORDS: usize>(path: &Path, random: &mut Random, numbers: &mut Numbers) {
    // A restarted core: the file of the one before is there.
    let first = random.next() >> 8;
    let mut process = Process::play("publisher", path, &[WORDS as u64, random.next(), first]);
    process.expect("publishes");
    let early = Observer::<[u64; WORDS]>::attach(path).unwrap();
    assert_eq!(
        (early.file().liveness(LONG), early.file().info().process_id),
        (Liveness::Alive, process.id())
    );
    let by_many = random.below(2) == 0;
    let early = killed_meanwhile(process, random, || drain(early, by_many));
    let cursor = end_of_the_dead(path);
    early.assert_exact_up_to(cursor);
    assert_eq!(early.end, End::ProducerDied);

    // Who comes when it is dead gets all that is left, to the event.
    let attach = |start| Observer::<[u64; WORDS]>::builder(path).start(start).attach().unwrap();
    let left = WINDOW.min(cursor - first);
    let oldest = drain(attach(OLDEST), !by_many);
    let expected = Drained {
        start: cursor - left,
        delivered: left,
        missed: 0,
        position: cursor,
        end: End::ProducerDied,
    };
    assert_eq!(oldest, expected);
    let from_the_first = drain(attach(ReadFrom::Sequence(Sequence::new(first))), by_many);
    from_the_first.assert_exact_up_to(cursor);
    if cursor - first > WINDOW {
        assert!(from_the_first.missed > 0 && from_the_first.delivered > 0, "{from_the_first:?}");
    }
    let (torn, whole) = unpublished::<WORDS>(path, cursor);
    numbers.torn += torn;
    numbers.unpublished += whole;
    numbers.count(&early);
}

fn a_writer_is_killed(path: &Path, random: &mut Random, numbers: &mut Numbers) {
    let first = random.next() >> 8;
    let mut process = Process::play("bus", path, &[random.next(), first]);
    process.expect("publishes");
    let early = RecordObserver::attach(path).unwrap();
    assert_eq!(early.file().liveness(LONG), Liveness::Alive);
    let early = killed_meanwhile(process, random, || drain_records(early));
    let cursor = end_of_the_dead(path);
    early.assert_exact_up_to(cursor);
    assert_eq!(early.end, End::ProducerDied);

    let oldest = drain_records(RecordObserver::builder(path).start(OLDEST).attach().unwrap());
    oldest.assert_exact_up_to(cursor);
    let left = WINDOW.min(cursor - first);
    assert_eq!((oldest.start, &oldest.end), (cursor - left, &End::ProducerDied));
    // At most the rest of a payload is lost.
    assert!(oldest.missed < CAPACITY as u64 / 4 && oldest.delivered > 0, "{oldest:?}");
    numbers.count(&early);
}

#[test]
fn what_a_killed_producer_had_published_is_whole_and_counted() {
    // In memory, and on a disk, if that is where such files are.
    let directories = [directory(), tempfile::tempdir().unwrap()];
    let (kills, mut random) = (kills(), Random::new(1));
    let mut numbers = [Numbers::default(), Numbers::default(), Numbers::default()];
    for kill in 0..kills as usize {
        let path = directories[kill % 2].path().join(format!("ring-{}", kill % 3));
        let numbers = &mut numbers[kill % 3];
        match kill % 3 {
            0 => a_producer_is_killed::<8>(&path, &mut random, numbers),
            1 => a_producer_is_killed::<32>(&path, &mut random, numbers),
            _ => a_writer_is_killed(&path, &mut random, numbers),
        }
    }
    println!("{kills} kills, events of 64 bytes, of 256 bytes, records of a bus: {numbers:?}");
    assert!(numbers.iter().take(kills as usize).all(|numbers| numbers.delivered > 0));
}

/// What it had started lives on, and has nothing of the ring.
#[test]
fn a_killed_core_is_dead_though_its_children_live() {
    let directory = directory();
    let path = directory.path().join("ring");
    let mut process = Process::play("parent", &path, &[]);
    let [child] = process.expect("has_started")[..] else { panic!("one number") };
    let file = RingFile::open(&path).unwrap();
    process.kill();
    // A child may have begun so lately that it has not given up yet what it was not to have.
    eventually("the core is known to be dead", || file.liveness(LONG) == Liveness::Dead);
    let is_alive = Path::new("/proc").join(child.to_string()).exists();
    send("KILL", child);
    assert!(is_alive, "the core's death was known when its child had ended");
    assert_eq!(end_of_the_dead(&path), 1);
}

/// Whoever is killed while it makes a ring leaves the one before, or the new one: and the next starts.
#[test]
fn a_producer_that_is_killed_while_it_starts_leaves_a_ring_or_none() {
    let directory = directory();
    let path = directory.path().join("ring");
    let mut random = Random::new(2);
    let mut files_left_over = 0;
    for _ in 0..kills().div_ceil(2) {
        let mut process = Process::play("restarter", &path, &[]);
        process.expect("restarts");
        thread::sleep(Duration::from_micros(random.below(3_000)));
        assert!(!process.kill().success(), "it has ended by itself");

        let file = RingFile::open(&path).expect("there is always a ring");
        let end = match file.liveness(LONG) {
            Liveness::Closed(end) => end,
            Liveness::Dead => End::ProducerDied,
            other => panic!("nobody is there, and it is {other}"),
        };
        let mut observer = Observer::<[u64; 8]>::builder(&path).start(OLDEST).attach().unwrap();
        if file.cursor().get() == 1 {
            assert_eq!(observer.recv(), Ok((Sequence::new(0), event(0))));
        }
        assert_eq!(observer.recv(), Err(ObserveError::Ended(end)));
        files_left_over += usize::from(directory.path().join("ring.new").exists());
    }
    let mut process = Process::play("starter", &path, &[]);
    process.expect("ready");
    process.tell("start 0 0");
    process.expect("started");
    let mut left: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["ring", "ring.lock"], "what they left over ({files_left_over} times) is gone");
}
