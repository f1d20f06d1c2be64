//! Observers in other processes that are halted and killed: they count exactly, and the core does not notice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ringbus::shared::RingFile;
use ringbus::{End, Producer, ReadError, Ring};

use super::drained::Drained;
use super::pattern::{CAPACITY, event, publish_some};
use super::process::{Process, Random, directory, eventually};

type Event = [u64; 8];

fn publish(producer: &mut Producer<Event>, count: u64) {
    for _ in 0..count {
        producer.publish(&event(producer.next_sequence().get())).unwrap();
    }
}

#[test]
fn a_halted_observer_comes_back_and_counts_exactly_what_it_missed() {
    let directory = directory();
    let path = directory.path().join("ring");
    for (by_many, while_halted) in [(0, 10), (1, 10), (0, 1_000), (1, 1_000), (0, 100_000), (1, 99_999)] {
        let (mut producer, _ring) =
            Ring::<Event>::builder().capacity(CAPACITY).shared(&path).build().unwrap();
        let mut observer = Process::play("observer", &path, &[by_many]);
        assert_eq!(observer.expect("attached"), [0]);
        publish(&mut producer, 100);
        observer.halt();
        publish(&mut producer, while_halted);
        observer.go_on();
        let cursor = producer.close().unwrap().get();
        let drained = Drained::of(&observer.expect("ended"), End::Closed);
        drained.assert_exact_up_to(cursor);
        assert_eq!((drained.start, cursor), (0, 100 + while_halted));
        let behind = CAPACITY as u64;
        let (least, most) = (while_halted.saturating_sub(behind), if while_halted > 10 { cursor } else { 0 });
        assert!((least..=most).contains(&drained.missed), "{while_halted} while it was halted: {drained:?}");
        assert!(observer.end().success());
    }
}

/// What a producer at full speed and a required consumer have counted, once `meanwhile` is over.
fn under_load(producer: &mut Producer<Event>, ring: &Ring<Event>, meanwhile: impl FnOnce()) -> (u64, u64) {
    let is_over = AtomicBool::new(false);
    let first = producer.next_sequence().get();
    let mut audit = ring.required("audit").join().unwrap();
    thread::scope(|scope| {
        let is_over = &is_over;
        let published = scope.spawn(move || {
            let mut random = Random::new(3);
            while !is_over.load(Ordering::Relaxed) {
                publish_some(producer, &mut random);
            }
            producer.next_sequence().get()
        });
        let audited = scope.spawn(move || {
            let mut count = 0;
            loop {
                let polled = audit.poll(|found, sequence, _| {
                    assert_eq!(sequence.get(), first + count);
                    assert!(*found == event(sequence.get()), "event {sequence} is not what was published");
                    count += 1;
                });
                match polled {
                    Err(ReadError::Empty) if is_over.load(Ordering::Relaxed) => {
                        // It may have published once more since.
                        thread::yield_now();
                        if audit.lag() == 0 {
                            break;
                        }
                    }
                    Err(ReadError::Empty) => thread::yield_now(),
                    answer => drop(answer.unwrap()),
                }
            }
            (count, audit)
        });
        meanwhile();
        is_over.store(true, Ordering::Relaxed);
        let cursor = published.join().unwrap();
        let (mut count, mut audit) = audited.join().unwrap();
        // What came after its last look.
        while let Ok(read) = audit.poll(|_, _, _| ()) {
            count += read as u64;
        }
        audit.leave();
        (cursor - first, count)
    })
}

#[test]
fn observers_that_are_halted_under_load_count_exactly() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (mut producer, ring) = Ring::<Event>::builder().capacity(CAPACITY).shared(&path).build().unwrap();
    let mut observers: Vec<_> = (0..2).map(|by_many| Process::play("observer", &path, &[by_many])).collect();
    observers.iter_mut().for_each(|observer| assert_eq!(observer.expect("attached"), [0]));
    let mut random = Random::new(4);
    let (published, audited) = under_load(&mut producer, &ring, || {
        for round in 0..20 {
            let observer = &observers[round % 2];
            observer.halt();
            let halted_at = ring.cursor();
            thread::sleep(Duration::from_micros(random.below(2_000)));
            if round < 2 {
                // Long enough for it to miss some, however slow the core is just now.
                let comes_round = || ring.cursor().since(halted_at) > 2 * CAPACITY as u64;
                eventually("the core comes round", comes_round);
            }
            observer.go_on();
            thread::sleep(Duration::from_micros(random.below(2_000)));
        }
    });
    assert_eq!(audited, published);
    assert_eq!(producer.close().unwrap().get(), published);
    for mut observer in observers {
        let drained = Drained::of(&observer.expect("ended"), End::Closed);
        drained.assert_exact_up_to(published);
        assert!(drained.delivered > 0 && drained.missed > 0, "{drained:?}");
        assert!(observer.end().success());
    }
}

#[test]
fn killed_observers_change_nothing_for_the_core() {
    const KILLS: usize = 24;
    let directory = directory();
    let path = directory.path().join("ring");
    let (mut producer, ring) = Ring::<Event>::builder().capacity(CAPACITY).shared(&path).build().unwrap();
    let mut random = Random::new(5);
    let (published, audited) = under_load(&mut producer, &ring, || {
        let mut last = None;
        for kill in 0..KILLS {
            let mut observer = Process::play("observer", &path, &[kill as u64 % 2]);
            observer.expect("attached");
            thread::sleep(Duration::from_micros(random.below(1_000)));
            // So that there are two at a time.
            if let Some(mut before) = last.replace(observer) {
                assert!(!before.kill().success(), "it has ended by itself");
            }
            let stats = ring.stats();
            let names: Vec<_> = stats.consumers.iter().map(|consumer| &*consumer.name).collect();
            assert_eq!((names, stats.refused, stats.end), (vec!["audit"], 0, None));
        }
    });
    assert!(published > CAPACITY as u64, "{published}");
    assert_eq!(audited, published);
    let stats = ring.stats();
    assert_eq!((stats.published(), stats.consumers.len()), (published, 0));
    let file = RingFile::open(&path).unwrap();
    assert_eq!((file.cursor(), producer.next_sequence()), (stats.cursor, stats.cursor));
}
