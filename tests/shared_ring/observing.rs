//! What observers do beside what optional consumers do: wait, read events of other types, go on with the next ring.

use std::thread;
use std::time::Instant;

use ringbus::shared::{AttachError, ObserveError, Observer, RingFile};
use ringbus::wait::{BusySpin, Yield};
use ringbus::{End, ReadFrom, Ring};

use crate::common::{Announce, at, in_time, publish_up_to, soon};
use crate::{Place, builder, lagged, quietly, sixteen};

const OLDEST: ReadFrom = ReadFrom::Oldest { headroom: 0 };
const CLOSED: ObserveError = ObserveError::Ended(End::Closed);

#[test]
fn waits_until_there_is_an_event_or_an_end() {
    let place = Place::new();
    let (mut producer, _ring) = sixteen(&place);
    let (announce, waiting) = Announce::new();
    let mut observer = Observer::<u64>::builder(place.path()).wait(announce).attach().unwrap();
    in_time("an observer", move || {
        let reading = thread::spawn(move || (observer.recv(), observer.recv(), observer.recv()));
        waiting.has_begun();
        producer.publish(&70).unwrap();
        waiting.has_begun();
        producer.publish(&71).unwrap();
        waiting.has_begun();
        drop(producer);
        assert_eq!(reading.join().unwrap(), (Ok((at(0), 70)), Ok((at(1), 71)), Err(CLOSED)));
    });
}

#[test]
fn a_deadline_ends_a_wait_and_is_looked_at_once_when_it_has_passed() {
    let place = Place::new();
    let (mut producer, _ring) = sixteen(&place);
    let mut observer = Observer::<u64>::attach(place.path()).unwrap();
    let mut buffer = Vec::with_capacity(8);
    assert_eq!(observer.recv_deadline(soon()), Err(ObserveError::Empty));
    assert_eq!(observer.recv_many_deadline(&mut buffer, soon()), Err(ObserveError::Empty));
    let passed = Instant::now();
    publish_up_to(&mut producer, 3);
    assert_eq!(observer.recv_deadline(passed), Ok((at(0), 0)));
    assert_eq!(observer.recv_many_deadline(&mut buffer, passed).map(|received| received.count), Ok(2));
    assert_eq!(observer.recv_deadline(passed), Err(ObserveError::Empty));
}

#[test]
fn resumes_with_a_headroom_of_an_eighth_unless_told_otherwise() {
    let place = Place::new();
    let (mut producer, _ring) = sixteen(&place);
    let mut observer = Observer::<u64>::attach(place.path()).unwrap();
    publish_up_to(&mut producer, 100);
    assert_eq!(observer.recv(), Err(lagged(90, 90)));
    assert_eq!(observer.recv(), Ok((at(90), 90)));
}

#[test]
fn any_wait_strategy_and_no_pacing_give_the_same() {
    let place = Place::new();
    let (mut producer, _ring) = sixteen(&place);
    publish_up_to(&mut producer, 12);
    let path = place.path();
    let mut spinning =
        Observer::<u64>::builder(&path).start(OLDEST).wait(BusySpin).paced(false).attach().unwrap();
    let mut yielding = Observer::<u64>::builder(&path).start(OLDEST).wait(Yield).attach().unwrap();
    producer.close().unwrap();
    for number in 0..12 {
        assert_eq!(spinning.recv(), Ok((at(number), number)));
        assert_eq!(yielding.recv(), Ok((at(number), number)));
    }
    assert_eq!((spinning.recv(), yielding.recv()), (Err(CLOSED), Err(CLOSED)));
}

#[test]
fn events_of_odd_sizes_wrap_where_the_ring_does() {
    let place = Place::new();
    let shared = quietly(&place.path());
    let (mut producer, _ring) =
        Ring::<[u64; 3]>::builder().capacity(8).max_batch(2).shared(shared).build().unwrap();
    let mut one_by_one = Observer::<[u64; 3]>::attach(place.path()).unwrap();
    let mut many = Observer::<[u64; 3]>::attach(place.path()).unwrap();
    let mut buffer = Vec::with_capacity(8);
    for lap in 0..100 {
        let events: Vec<_> = (lap * 5..(lap + 1) * 5).map(|number| [number, !number, number << 32]).collect();
        events.iter().for_each(|event| assert!(producer.publish(event).is_ok()));
        for (sequence, event) in (lap * 5..).zip(&events) {
            assert_eq!(one_by_one.try_recv(), Ok((at(sequence), *event)));
        }
        buffer.clear();
        assert_eq!(many.try_recv_many(&mut buffer).map(|received| received.first), Ok(at(lap * 5)));
        assert_eq!(buffer, events);
    }
    assert_eq!((one_by_one.missed(), many.missed()), (0, 0));
}

#[test]
fn a_large_ring_is_read_whole() {
    let place = Place::new();
    let (capacity, max_batch) = (1 << 16, 1 << 10);
    let shared = quietly(&place.path());
    let settings = Ring::<[u64; 8]>::builder().capacity(capacity).max_batch(max_batch).shared(shared);
    let (mut producer, _ring) = settings.build().unwrap();
    let published = 3 * capacity as u64 + 500;
    for first in (0..published).step_by(100) {
        let end = (first + 100).min(published);
        let batch: Vec<_> = (first..end).map(|number| [number; 8]).collect();
        producer.publish_batch(&batch).unwrap();
    }
    let window = (capacity - max_batch) as u64;
    let mut observer = Observer::<[u64; 8]>::builder(place.path()).start(OLDEST).attach().unwrap();
    let mut buffer = Vec::with_capacity(capacity);
    let received = observer.try_recv_many(&mut buffer).unwrap();
    assert_eq!((received.missed, received.first, received.count as u64), (0, at(published - window), window));
    assert!((published - window..).zip(&buffer).all(|(number, event)| *event == [number; 8]));
    assert_eq!((observer.delivered(), observer.missed(), observer.lag()), (window, 0, 0));
}

#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct Aligned([u64; 8]);

#[test]
fn events_of_another_size_or_a_larger_alignment_are_refused() {
    let place = Place::new();
    let shared = quietly(&place.path());
    let (mut producer, _ring) = Ring::<[u64; 8]>::builder().capacity(8).shared(shared).build().unwrap();
    producer.publish(&[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let refused = |error: AttachError| match error {
        AttachError::OtherEvents { path, found, expected } => (path == place.path(), found, expected),
        other => panic!("{other}"),
    };
    let error = Observer::<u64>::attach(place.path()).err().unwrap();
    assert!(
        error.to_string().contains("have 64 bytes, aligned to 8; expected 8 bytes, aligned to 8 or more"),
        "{error}"
    );
    assert_eq!(refused(error), (true, (64, 8), (8, 8)));
    assert_eq!(refused(Observer::<Aligned>::attach(place.path()).err().unwrap()), (true, (64, 8), (64, 64)));
    // Any type of that size, and no larger alignment.
    let mut bytes = Observer::<[i64; 8]>::builder(place.path()).start(OLDEST).attach().unwrap();
    assert_eq!(bytes.recv().unwrap().1, [1, 2, 3, 4, 5, 6, 7, 8]);
    let other = place.at("aligned");
    let shared = quietly(&other);
    let (mut producer, _ring) = Ring::<Aligned>::builder().capacity(8).shared(shared).build().unwrap();
    producer.publish(&Aligned([9; 8])).unwrap();
    let mut looser = Observer::<[u64; 8]>::builder(&other).start(OLDEST).attach().unwrap();
    assert_eq!(looser.recv(), Ok((at(0), [9; 8])));
}

#[test]
fn following_goes_on_with_the_next_ring_at_its_position() {
    let place = Place::new();
    let (mut producer, ring) = sixteen(&place);
    publish_up_to(&mut producer, 5);
    let mut observer = Observer::<u64>::builder(place.path()).start(OLDEST).attach_following().unwrap();
    let mut plain = Observer::<u64>::attach(place.path()).unwrap();
    let first_file = observer.file();
    for number in 0..5 {
        assert_eq!(observer.recv(), Ok((at(number), number)));
    }
    drop((producer, ring));
    assert_eq!(observer.recv(), Err(CLOSED), "once");
    for _ in 0..3 {
        assert_eq!(observer.try_recv(), Err(ObserveError::Empty));
    }
    assert_eq!(observer.recv_deadline(soon()), Err(ObserveError::Empty));

    let settings = builder(64).first_sequence(at(5)).shared(quietly(&place.path()));
    let (mut producer, _ring) = settings.build().unwrap();
    publish_up_to(&mut producer, 8);
    assert_eq!(observer.recv(), Err(ObserveError::Restarted { resumed_at: at(5) }));
    for number in 5..8 {
        assert_eq!(observer.recv(), Ok((at(number), number)));
    }
    assert_eq!((observer.delivered(), observer.missed(), observer.position()), (8, 0, at(8)));
    assert_ne!(observer.file().info().epoch, first_file.info().epoch);
    assert_eq!(observer.file().info().capacity, 64);
    // Who does not follow stays where it is.
    for _ in 0..3 {
        assert_eq!(plain.try_recv(), Err(CLOSED));
    }
}

/// It was away while the new ring came round: what it did not see of that is counted, and what lies between the two as well.
#[test]
fn following_counts_what_the_next_ring_has_overwritten_already() {
    for (first, told) in [
        // What the core says again is new, also where the observer had been there.
        (0, &[(88, 88)][..]),
        (5, &[(83, 88)]),
        (90, &[(85, 90)]),
        (1_000, &[(995, 1_000), (88, 1_088)]),
    ] {
        let place = Place::new();
        let (mut producer, ring) = sixteen(&place);
        publish_up_to(&mut producer, 5);
        let settings = Observer::<u64>::builder(place.path()).start(OLDEST).resume(OLDEST);
        let mut observer = settings.attach_following().unwrap();
        drop((producer, ring));
        for number in 0..5 {
            assert_eq!(observer.recv(), Ok((at(number), number)));
        }
        assert_eq!(observer.recv(), Err(CLOSED));
        let settings = builder(16).first_sequence(at(first)).shared(quietly(&place.path()));
        let (mut producer, _ring) = settings.build().unwrap();
        let published = (first + 100).div_euclid(100) * 100;
        publish_up_to(&mut producer, published);
        assert_eq!(observer.recv(), Err(ObserveError::Restarted { resumed_at: at(first) }));
        for (missed, resumed_at) in told {
            assert_eq!(observer.recv(), Err(lagged(*missed, *resumed_at)), "from {first}");
        }
        let (missed, from) = (told.iter().map(|(missed, _)| missed).sum::<u64>(), told.last().unwrap().1);
        for number in from..published {
            assert_eq!(observer.recv(), Ok((at(number), number)));
        }
        assert_eq!(
            (observer.delivered(), observer.missed(), observer.lag()),
            (5 + published - from, missed, 0)
        );
    }
}

#[test]
fn a_wait_for_the_next_ring_ends_when_it_is_there() {
    let place = Place::new();
    let (mut producer, ring) = sixteen(&place);
    publish_up_to(&mut producer, 3);
    let mut observer = Observer::<u64>::builder(place.path()).attach_following().unwrap();
    drop((producer, ring));
    assert_eq!(observer.recv(), Err(CLOSED));
    let path = place.path();
    in_time("an observer that follows", move || {
        let (begun, has_begun) = std::sync::mpsc::channel();
        let reading = thread::spawn(move || {
            begun.send(()).unwrap();
            (observer.recv(), observer.recv())
        });
        has_begun.recv().unwrap();
        let settings = builder(16).first_sequence(at(3)).shared(quietly(&path));
        let (mut producer, _ring) = settings.build().unwrap();
        producer.publish(&33).unwrap();
        let outcome = reading.join().unwrap();
        assert_eq!(outcome, (Err(ObserveError::Restarted { resumed_at: at(3) }), Ok((at(3), 33))));
    });
}

#[test]
fn following_says_so_when_the_next_ring_cannot_be_read_and_tries_again() {
    let place = Place::new();
    let (producer, ring) = sixteen(&place);
    let mut observer = Observer::<u64>::builder(place.path()).attach_following().unwrap();
    drop((producer, ring));
    assert_eq!(observer.recv(), Err(CLOSED));
    let other = Ring::<[u64; 2]>::builder().capacity(8).shared(quietly(&place.path())).build().unwrap();
    for _ in 0..2 {
        let answer = observer.try_recv();
        assert!(
            matches!(answer, Err(ObserveError::Attach(AttachError::OtherEvents { found: (16, 8), .. }))),
            "{answer:?}"
        );
    }
    drop(other);
    let (mut producer, _ring) = sixteen(&place);
    publish_up_to(&mut producer, 2);
    assert_eq!(observer.recv(), Err(ObserveError::Restarted { resumed_at: at(0) }));
    assert_eq!(observer.recv(), Ok((at(0), 0)));
}

/// What it reads is what was opened, whatever is at the path by now.
#[test]
fn an_observer_of_an_open_file_reads_that_one() {
    let place = Place::new();
    let (mut producer, ring) = sixteen(&place);
    publish_up_to(&mut producer, 2);
    let file = RingFile::open(place.path()).unwrap();
    drop((producer, ring));
    let settings = builder(8).first_sequence(at(2)).shared(quietly(&place.path()));
    let (mut producer, _ring) = settings.build().unwrap();
    producer.publish(&22).unwrap();
    let mut plain = Observer::<u64>::of(&file).start(OLDEST).attach().unwrap();
    let mut following = Observer::<u64>::of(&file).start(OLDEST).attach_following().unwrap();
    for observer in [&mut plain, &mut following] {
        assert_eq!(observer.file().info().epoch, file.info().epoch);
        assert_eq!((observer.recv(), observer.recv()), (Ok((at(0), 0)), Ok((at(1), 1))));
        assert_eq!(observer.recv(), Err(CLOSED));
    }
    assert_eq!(plain.try_recv(), Err(CLOSED));
    assert_eq!(following.recv(), Err(ObserveError::Restarted { resumed_at: at(2) }));
    assert_eq!(following.recv(), Ok((at(2), 22)));
    assert_eq!((file.end(), following.file().end()), (Some(End::Closed), None));
    assert_eq!((file.is_held(), following.file().is_held()), (false, true));
}
