//! How an observer learns that the stream has ended, and of what.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use ringbus::shared::{Liveness, ObserveError, Observer, RingFile};
use ringbus::{End, Failure, FailureCause, Producer, ReadFrom, RequiredConsumer, Ring};

use crate::common::{at, panic_quietly, poisoned, publish_up_to};
use crate::{Place, sixteen};

const NEVER: Duration = Duration::MAX;

/// A ring with 3 events, and an observer that has read one.
fn three_published() -> (Place, Producer<u64>, Ring<u64>, Observer<u64>) {
    let place = Place::new();
    let (mut producer, ring) = sixteen(&place);
    publish_up_to(&mut producer, 3);
    let start = ReadFrom::Oldest { headroom: 0 };
    let mut observer = Observer::<u64>::builder(place.path()).start(start).attach().unwrap();
    assert_eq!(observer.recv(), Ok((at(0), 0)));
    (place, producer, ring, observer)
}

/// It gets the rest, and then the end, for ever; and so does one that comes afterwards.
#[track_caller]
fn assert_drained_to(end: &End, place: &Place, mut observer: Observer<u64>) {
    let late = Observer::<u64>::builder(place.path()).start(ReadFrom::NewestMinus(2)).attach().unwrap();
    let mut newest = Observer::<u64>::attach(place.path()).unwrap();
    assert_eq!(newest.recv(), Err(ObserveError::Ended(end.clone())));
    assert_eq!((observer.recv(), observer.try_recv()), (Ok((at(1), 1)), Ok((at(2), 2))));
    let mut buffer = Vec::with_capacity(4);
    for observer in [&mut observer, &mut { late }] {
        _ = observer.try_recv_many(&mut buffer);
        for _ in 0..3 {
            assert_eq!(observer.recv(), Err(ObserveError::Ended(end.clone())));
            assert_eq!(observer.try_recv(), Err(ObserveError::Ended(end.clone())));
            assert_eq!(observer.recv_many(&mut buffer), Err(ObserveError::Ended(end.clone())));
        }
        assert_eq!(observer.lag(), 0);
    }
    assert_eq!(buffer, [1, 2]);
    assert_eq!(RingFile::open(place.path()).unwrap().liveness(NEVER), Liveness::Closed(end.clone()));
}

fn poison(fails: impl FnOnce(RequiredConsumer<u64>), name: &str) -> (Place, Observer<u64>, Failure) {
    let place = Place::new();
    let (mut producer, ring) = sixteen(&place);
    let mut audit = ring.required(name).join().unwrap();
    publish_up_to(&mut producer, 3);
    audit.try_read().unwrap().acknowledge_first(2).unwrap();
    let start = ReadFrom::Oldest { headroom: 0 };
    let mut observer = Observer::<u64>::builder(place.path()).start(start).attach().unwrap();
    assert_eq!(observer.recv(), Ok((at(0), 0)));
    fails(audit);
    assert_eq!(observer.file().liveness(NEVER), Liveness::Alive, "until the producer has noticed");
    let failure = poisoned(&producer.publish(&9).unwrap_err());
    (place, observer, (*failure).clone())
}

#[test]
fn closed() {
    let (place, producer, _ring, observer) = three_published();
    assert_eq!(producer.close(), Ok(at(3)));
    assert_drained_to(&End::Closed, &place, observer);
}

#[test]
fn closed_by_dropping_the_producer_and_all_else() {
    let (place, producer, ring, observer) = three_published();
    drop(producer);
    drop(ring);
    assert_drained_to(&End::Closed, &place, observer);
}

#[test]
fn failed_by_a_panic_of_the_producer() {
    let (place, producer, _ring, observer) = three_published();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _dropped_on_the_way = producer;
        panic_quietly();
    }));
    assert!(panicked.is_err());
    assert_drained_to(&End::ProducerFailed, &place, observer);
}

#[test]
fn stopped() {
    let (place, mut producer, ring, observer) = three_published();
    ring.stop();
    assert!(producer.publish(&9).is_err());
    assert_drained_to(&End::Stopped, &place, observer);
}

#[test]
fn poisoned_by_a_failure_that_is_told_in_full() {
    let (place, observer, failure) = poison(|audit| audit.fail("the disk is full: /data"), "journal");
    assert_eq!(
        (&*failure.consumer, failure.cause, failure.position),
        ("journal", FailureCause::Failed, at(2))
    );
    assert_eq!(failure.message.as_deref(), Some("the disk is full: /data"));
    assert_drained_to(&End::Poisoned(failure.into()), &place, observer);
}

#[test]
fn poisoned_by_one_that_went_without_a_word() {
    let (place, observer, failure) = poison(drop, "journal");
    assert_eq!((failure.cause, &failure.message), (FailureCause::Abandoned, &None));
    assert_drained_to(&End::Poisoned(failure.into()), &place, observer);
}

#[test]
fn poisoned_by_a_panic() {
    let panics = |audit| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _dropped_on_the_way: RequiredConsumer<u64> = audit;
            panic_quietly();
        }));
        assert!(panicked.is_err());
    };
    let (place, observer, failure) = poison(panics, "journal");
    assert_eq!(failure.cause, FailureCause::Panicked);
    assert_drained_to(&End::Poisoned(failure.into()), &place, observer);
}

/// 64 bytes of a name and 256 of a message are kept, cut off where a character ends.
#[test]
fn long_names_and_messages_are_cut_off_between_characters() {
    let (name, message) = (format!("x{}", "ü".repeat(40)), format!("xx{}", "€".repeat(200)));
    let (place, observer, whole) = poison(|audit| audit.fail(&message), &name);
    assert_eq!((&*whole.consumer, whole.message.as_deref()), (&*name, Some(&*message)));
    let mut told = whole;
    told.consumer = format!("x{}", "ü".repeat(31)).into();
    told.message = Some(format!("xx{}", "€".repeat(84)).into());
    assert_drained_to(&End::Poisoned(told.into()), &place, observer);
}

#[test]
fn an_empty_message_is_one() {
    let (place, observer, failure) = poison(|audit| audit.fail(""), "");
    assert_eq!((failure.message.as_deref(), &*failure.consumer), (Some(""), ""));
    assert_drained_to(&End::Poisoned(failure.into()), &place, observer);
}
