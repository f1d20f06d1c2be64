//! A ring's file that somebody scribbles over while the core runs: the core loses nothing of its own, and observers get whatever there is,
//! or an error.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ringbus::bus::{BlockStart, Bus, Emit, Hash, Kind, Origin, RecordObserver, Topic};
use ringbus::shared::{ObserveError, Observer, RingFile};
use ringbus::{End, ReadFrom, Ring, Sequence};

use super::pattern::{CAPACITY, PAYLOAD};
use super::process::{Process, Random, directory};
use super::scribbler::Scribbler;

/// No call may take longer, whatever the file says.
const LONGEST: Duration = Duration::from_secs(20);

/// While somebody scribbles.
struct Meanwhile {
    /// Three who look, and who scribbles: before that, they can attach.
    all_are_there: Barrier,
    is_over: AtomicBool,
}

impl Meanwhile {
    /// Calls `call` until it is over, and makes sure that it returns. Returns how often.
    fn again_and_again(&self, mut call: impl FnMut(Instant)) -> u64 {
        self.all_are_there.wait();
        for calls in 1.. {
            let since = Instant::now();
            call(since + Duration::from_micros(200));
            let took = since.elapsed();
            assert!(took < LONGEST, "a call with a deadline took {took:?}");
            if self.is_over.load(Ordering::Relaxed) {
                return calls;
            }
        }
        unreachable!("nobody counts so far");
    }
}

/// What became of calls.
#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    received: u64,
    empty: u64,
    lagged: u64,
    damaged: u64,
    ended: u64,
    other: u64,
    attached: u64,
}

impl Outcomes {
    fn count<T>(&mut self, outcome: &Result<T, ObserveError>) {
        *match outcome {
            Ok(_) => &mut self.received,
            Err(ObserveError::Empty) => &mut self.empty,
            Err(ObserveError::Lagged { .. }) => &mut self.lagged,
            Err(ObserveError::Ended(End::Damaged)) => &mut self.damaged,
            Err(ObserveError::Ended(_)) => &mut self.ended,
            Err(_) => &mut self.other,
        } += 1;
    }
}

/// Reads events in all ways, and attaches anew where it has ended, if that can be. Its own numbers hold, whatever it reads.
fn observe_events(path: &Path, meanwhile: &Meanwhile, seed: u64) -> Outcomes {
    let attach = |random: &mut Random| {
        let builder = Observer::<[u64; 8]>::builder(path).start(ReadFrom::Oldest { headroom: 0 });
        if random.below(2) == 0 { builder.attach_following() } else { builder.attach() }
    };
    let (mut outcomes, mut random, mut buffer) =
        (Outcomes::default(), Random::new(seed), Vec::with_capacity(64));
    let mut observer = attach(&mut random).unwrap();
    let (mut start, mut has_ended) = (observer.position(), false);
    meanwhile.again_and_again(|deadline| {
        buffer.clear();
        let before = observer.position();
        let outcome = match random.below(5) {
            0 => observer.try_recv().map(drop),
            1 => observer.recv_many_deadline(&mut buffer, deadline).map(drop),
            2 => observer.try_recv_many(&mut buffer).map(drop),
            3 if random.below(64) == 0 => {
                let _ = observer.skip_to(ReadFrom::Newest);
                Err(ObserveError::Empty)
            }
            _ => observer.recv_deadline(deadline).map(drop),
        };
        outcomes.count(&outcome);
        assert!(observer.position() >= before);
        assert_eq!(observer.delivered() + observer.missed(), observer.position().since(start));
        let _ = (observer.lag(), format!("{observer:?}"));
        // (Or the core was taken for one that was started anew, and cannot be attached to.)
        has_ended |= matches!(outcome, Err(ObserveError::Ended(_) | ObserveError::Attach(_)));
        if has_ended && let Ok(anew) = attach(&mut random) {
            has_ended = false;
            outcomes.attached += 1;
            observer = anew;
            start = observer.position();
        }
    });
    outcomes
}

/// The same, of records.
fn observe_records(path: &Path, meanwhile: &Meanwhile, seed: u64) -> Outcomes {
    let attach = |random: &mut Random| {
        let builder = RecordObserver::builder(path).start(ReadFrom::Oldest { headroom: 0 });
        if random.below(2) == 0 { builder.attach_following() } else { builder.attach() }
    };
    let (mut outcomes, mut random) = (Outcomes::default(), Random::new(seed));
    let mut observer = attach(&mut random).unwrap();
    let (mut start, mut has_ended) = (observer.position(), false);
    let schema = observer.file().info().schema.clone().expect("it is a bus");
    meanwhile.again_and_again(|deadline| {
        let received =
            if random.below(3) == 0 { observer.try_recv() } else { observer.recv_deadline(deadline) };
        let outcome = received.map(|record| drop(schema.display(&record).to_string()));
        outcomes.count(&outcome);
        assert_eq!(observer.tally().total(), observer.position().since(start));
        let _ = (observer.lag(), format!("{observer:?}"));
        // (Or the core was taken for one that was started anew, and cannot be attached to.)
        has_ended |= matches!(outcome, Err(ObserveError::Ended(_) | ObserveError::Attach(_)));
        if has_ended && let Ok(anew) = attach(&mut random) {
            has_ended = false;
            outcomes.attached += 1;
            observer = anew;
            start = observer.position();
        }
    });
    outcomes
}

/// Looks at all there is to see.
fn look(path: &Path, meanwhile: &Meanwhile) -> u64 {
    let file = RingFile::open(path).unwrap();
    meanwhile.again_and_again(|_| {
        let seen = (file.cursor(), file.liveness(Duration::ZERO), file.heartbeat_age(), file.is_replaced());
        let _ = format!("{seen:?} {} {file:?}", seen.1);
        if let Some(report) = file.report() {
            let _ = format!("{report:?}");
        }
        match RingFile::open(path) {
            Ok(file) => drop(format!("{:?}", file.info())),
            Err(error) => drop(error.to_string()),
        }
    })
}

/// Runs a core, observers of all sorts, and somebody who scribbles so often. Returns how far the core came.
fn scribble(is_bus: bool, is_intact: bool, rounds: u64, mut scribble: impl FnMut(&mut Scribbler)) -> u64 {
    let directory = directory();
    let path = directory.path().join("ring");
    let mut core = Process::play("core", &path, &[is_bus.into(), is_intact.into()]);
    core.expect("runs");
    let meanwhile = Meanwhile { all_are_there: Barrier::new(4), is_over: AtomicBool::new(false) };
    thread::scope(|scope| {
        let (path, meanwhile) = (&path, &meanwhile);
        let observe = if is_bus { observe_records } else { observe_events };
        let observing = [9, 10].map(|seed| scope.spawn(move || observe(path, meanwhile, seed)));
        let looking = scope.spawn(move || look(path, meanwhile));
        let mut scribbler = Scribbler::open(path);
        meanwhile.all_are_there.wait();
        for round in 0..rounds {
            scribble(&mut scribbler);
            if round % 16 == 0 {
                thread::yield_now();
            }
        }
        meanwhile.is_over.store(true, Ordering::Relaxed);
        let outcomes = observing.map(|observing| observing.join().expect("an observer does not panic"));
        assert!(outcomes.iter().any(|outcomes| outcomes.received > 0), "{outcomes:?}");
        let looks = looking.join().expect("a look does not panic");
        println!("bus: {is_bus}, {rounds} scribbles: {outcomes:?}, {looks} looks");
    });
    core.tell("finish");
    let [cursor, audited] = core.expect("finished")[..] else { panic!("two numbers") };
    assert_eq!(audited, cursor, "the required consumer got each event once");
    assert!(core.end().success());
    cursor
}

#[test]
fn who_scribbles_over_header_and_mirrors_changes_nothing_for_the_core() {
    for is_bus in [false, true] {
        let cursor = scribble(is_bus, true, 4_000, Scribbler::before_the_slots);
        assert!(cursor > CAPACITY as u64);
    }
}

#[test]
fn who_scribbles_over_everything_changes_contents_and_nothing_else() {
    for is_bus in [false, true] {
        let cursor = scribble(is_bus, false, 2_000, Scribbler::slots);
        assert!(cursor > CAPACITY as u64);
        let mut turn = 0;
        let cursor = scribble(is_bus, false, 4_000, |scribbler| {
            turn += 1;
            if turn % 2 == 0 { scribbler.slots() } else { scribbler.before_the_slots() }
        });
        assert!(cursor > CAPACITY as u64);
    }
}

/// A mirror that goes back to where an observer has been, and has seen more.
#[test]
fn a_cursor_that_goes_back_is_damage_and_no_panic() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (mut producer, _ring) = Ring::<u64>::builder().shared(&path).build().unwrap();
    (0..8).for_each(|number| assert!(producer.publish(&number).is_ok()));
    let from_the_first = || Observer::<u64>::builder(&path).start(ReadFrom::Sequence(Sequence::new(0)));
    let mut observer = from_the_first().attach().unwrap();
    assert_eq!(observer.recv(), Ok((Sequence::new(0), 0)));
    let scribbler = Scribbler::open(&path);
    scribbler.set_cursor(4);
    let mut buffer = Vec::with_capacity(10);
    let received = observer.try_recv_many(&mut buffer).unwrap();
    assert_eq!((received.first, received.count, &buffer[..]), (Sequence::new(1), 3, &[1, 2, 3][..]));

    scribbler.set_cursor(2);
    let damaged = Err(ObserveError::Ended(End::Damaged));
    assert_eq!(observer.recv(), damaged.clone().map(|()| unreachable!()));
    assert_eq!(observer.try_recv_many(&mut buffer), damaged.map(|()| unreachable!()));
    assert_eq!((observer.delivered(), observer.missed(), observer.position().get()), (4, 0, 4));
    // The next that is published sets it right.
    assert_eq!(producer.publish(&8), Ok(Sequence::new(8)));
    for number in 4..9 {
        assert_eq!(observer.recv(), Ok((Sequence::new(number), number)));
    }
}

/// A payload whose end is missing stands for nothing on the ring that comes after.
#[test]
fn a_payload_without_an_end_is_lost_with_its_ring() {
    let directory = directory();
    let path = directory.path().join("ring");
    let start = BlockStart { height: 1, time: 0, hash: Hash::default() };
    let build = || Bus::<PAYLOAD>::builder("torn").capacity(CAPACITY).shared(&path).build().unwrap();
    let (mut writer, bus) = build();
    let mut observer = RecordObserver::builder(&path).attach_following().unwrap();
    writer.begin_block(start).unwrap();
    let long = [1; 3 * PAYLOAD];
    writer.emit_bytes(Origin::default(), Kind::new(7), Topic::default(), &long).unwrap();
    assert!(observer.recv().unwrap().begins_block());
    // The flags of the last of three fragments: no fragment is the last.
    let scribbler = Scribbler::open(&path);
    scribbler.write_slot(3, 64 + PAYLOAD, 62, &[0]);
    drop((writer, bus));

    assert_eq!(
        observer.recv().unwrap_err(),
        ObserveError::Lagged { missed: 3, resumed_at: Sequence::new(4) }
    );
    assert_eq!(observer.recv().unwrap_err(), ObserveError::Ended(End::Closed));
    let (mut writer, _bus) = build();
    assert_eq!(observer.recv().unwrap_err(), ObserveError::Restarted { resumed_at: Sequence::new(0) });
    assert_eq!(observer.position(), Sequence::new(0));
    writer.begin_block(start).unwrap();
    assert!(observer.recv().unwrap().begins_block());
    let tally = observer.tally();
    assert_eq!((tally.passed, tally.missed), (2, 3));
}
