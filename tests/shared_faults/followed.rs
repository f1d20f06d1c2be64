//! Observers that follow a path over cores that are killed and started anew, where the one before has ended.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ringbus::bus::RecordObserver;
use ringbus::shared::{ObserveError, Observer, RingFile};
use ringbus::{End, Sequence};

use super::drained::{Drained, drain_one, drain_one_bus};
use super::pattern::event;
use super::process::{Process, Random, directory};

const CORES: usize = 6;

/// Starts a core, lets an observer be made, then kills core after core. Each goes on where the one before has ended. An observer that is
/// slow may pass over a whole ring, and counts that too.
#[track_caller]
fn follow<O: Send>(
    path: &Path,
    start: impl Fn(u64) -> Process,
    attach: impl FnOnce() -> O,
    file: impl Fn(&O) -> RingFile + Sync,
    drain: impl Fn(&mut O) -> Drained + Sync,
) -> (O, Vec<Drained>) {
    let mut random = Random::new(11);
    let mut core = start(0);
    core.expect("publishes");
    let mut observer = attach();
    // Where the last core has ended, once it has.
    let end = AtomicU64::new(u64::MAX);
    let drained = thread::scope(|scope| {
        let observed = scope.spawn(|| {
            let mut drained = vec![drain(&mut observer)];
            while drained[drained.len() - 1].position != end.load(Ordering::Relaxed) {
                if file(&observer).is_replaced() {
                    drained.push(drain(&mut observer));
                } else {
                    thread::yield_now();
                }
            }
            drained
        });
        for number in 1..=CORES {
            thread::sleep(Duration::from_micros(random.below(8_000)));
            assert!(!core.kill().success(), "it has ended by itself");
            let cursor = RingFile::open(path).unwrap().cursor().get();
            if number < CORES {
                core = start(cursor);
                core.expect("publishes");
            } else {
                end.store(cursor, Ordering::Relaxed);
            }
        }
        observed.join().expect("what was observed is whole")
    });
    let mut next = drained[0].start;
    for drained in &drained {
        assert_eq!((drained.start, &drained.end), (next, &End::ProducerDied));
        drained.assert_exact_up_to(drained.position);
        next = drained.position;
    }
    (observer, drained)
}

#[test]
fn events_are_followed_over_killed_cores_and_counted_exactly() {
    for by_many in [false, true] {
        let directory = directory();
        let path = directory.path().join("ring");
        let (observer, drained) = follow(
            &path,
            |first| Process::play("publisher", &path, &[8, first, first]),
            || Observer::<[u64; 8]>::builder(&path).attach_following().unwrap(),
            Observer::file,
            |observer| drain_one(observer, by_many),
        );
        let numbers = (observer.delivered(), observer.missed());
        let sum = |number: fn(&Drained) -> u64| drained.iter().map(number).sum::<u64>();
        assert_eq!(numbers, (sum(|drained| drained.delivered), sum(|drained| drained.missed)));
        assert!(drained.len() > 1 && numbers.0 > 0, "{drained:?}");
    }
}

#[test]
fn records_are_followed_over_killed_cores_and_counted_exactly() {
    let directory = directory();
    let path = directory.path().join("bus");
    let (observer, drained) = follow(
        &path,
        |first| Process::play("bus", &path, &[first, first]),
        || RecordObserver::builder(&path).attach_following().unwrap(),
        RecordObserver::file,
        drain_one_bus,
    );
    let numbers = (observer.tally().passed, observer.tally().missed);
    let sum = |number: fn(&Drained) -> u64| drained.iter().map(number).sum::<u64>();
    assert_eq!(numbers, (sum(|drained| drained.delivered), sum(|drained| drained.missed)));
    assert!(drained.len() > 1 && numbers.0 > 0, "{drained:?}");
}

#[test]
fn a_whole_ring_that_was_passed_over_is_counted() {
    let directory = directory();
    let path = directory.path().join("ring");
    let core = |first: u64, count: u64| {
        let mut core = Process::play("starter", &path, &[]);
        core.expect("ready");
        core.tell(format!("start 0 {first}"));
        core.expect("started");
        core.tell(format!("publish {count}"));
        assert_eq!(core.expect("published"), [first + count]);
        core
    };
    let mut first = core(0, 0);
    let mut following = Observer::<[u64; 8]>::builder(&path).attach_following().unwrap();
    first.kill();
    assert_eq!(following.recv(), Err(ObserveError::Ended(End::ProducerDied)));
    core(0, 70).kill();
    let _third = core(70, 1);
    let resumed_at = Sequence::new(70);
    assert_eq!(following.recv(), Err(ObserveError::Restarted { resumed_at }));
    assert_eq!(following.recv(), Err(ObserveError::Lagged { missed: 70, resumed_at }));
    assert_eq!(following.recv(), Ok((resumed_at, event(70))));
    assert_eq!((following.delivered(), following.missed(), following.lag()), (1, 70, 0));
}
