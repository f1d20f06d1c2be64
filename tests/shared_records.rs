//! Observers of records against brute force, and against what a subscription in the core's own process gets: whole records in order, and
//! every sequence accounted for at every step.

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "bus_subscriptions/follower.rs"]
mod follower;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "bus_subscriptions/stream.rs"]
mod stream;

#[path = "common/cases.rs"]
mod cases;
#[path = "shared_records/following.rs"]
mod following;
#[path = "fuzz/image.rs"]
mod image;
#[path = "shared_records/random.rs"]
mod random;
#[path = "shared_records/sizes.rs"]
mod sizes;
#[path = "shared_records/threads.rs"]
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ringbus::bus::{Bus, Emit, Filter, Kind, Origin, RecordObserver, Topic, Writer};
use ringbus::shared::{AttachError, ObserveError, Shared};
use ringbus::{End, ReadFrom, Ring, Sequence};
use tempfile::TempDir;

const OLDEST: ReadFrom = ReadFrom::Oldest { headroom: 0 };
const CLOSED: ObserveError = ObserveError::Ended(End::Closed);

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bus");
    (directory, path)
}

/// Without a thread that reports.
fn quietly(path: &Path) -> Shared {
    Shared::at(path).report_every(None)
}

const fn at(number: u64) -> Sequence {
    Sequence::new(number)
}

const fn lagged(missed: u64, resumed_at: u64) -> ObserveError {
    ObserveError::Lagged { missed, resumed_at: at(resumed_at) }
}

/// A bus of 32 slots, 24 of which can be read, and its first block begun.
fn bus(path: &Path) -> (Writer<64>, Bus<64>) {
    let (mut writer, bus) = Bus::builder("test").capacity(32).shared(quietly(path)).build().unwrap();
    writer.begin_block(stream::block(1, 1)).unwrap();
    (writer, bus)
}

fn emit(writer: &mut Writer<64>, kind: u16, payload: &[u8]) {
    writer.emit_bytes(Origin::default(), Kind::new(kind), Topic::default(), payload).unwrap();
}

#[test]
fn a_start_in_the_middle_of_a_payload_loses_the_rest_of_it() {
    let (_kept, path) = place();
    let (mut writer, _bus) = bus(&path);
    emit(&mut writer, 1, &[7; 64 * 5]); // sequences 1 to 5
    emit(&mut writer, 2, b"next");
    for (start, missed) in [(1, 0), (2, 4), (5, 1), (6, 0)] {
        let start = ReadFrom::Sequence(at(start));
        let mut observer = RecordObserver::builder(&path).start(start).attach().unwrap();
        if missed > 0 {
            assert_eq!(observer.recv().err(), Some(lagged(missed, 6)), "{start:?}");
        } else if start == ReadFrom::Sequence(at(1)) {
            assert_eq!(observer.recv().unwrap().payload(), [7; 64 * 5]);
        }
        let record = observer.recv().unwrap();
        assert_eq!((record.sequence(), record.payload()), (at(6), &b"next"[..]));
        assert_eq!(observer.try_recv().err(), Some(ObserveError::Empty));
        assert_eq!((observer.tally().missed, observer.lag(), observer.position()), (missed, 0, at(7)));
    }
}

/// The oldest readable slot is one of a payload whose beginning is gone.
#[test]
fn an_overrun_into_the_middle_of_a_payload_loses_the_rest_of_it() {
    let (_kept, path) = place();
    let (mut writer, _bus) = bus(&path);
    let mut observer = RecordObserver::builder(&path).resume(OLDEST).attach().unwrap();
    for number in 0..40_u8 {
        emit(&mut writer, 1, &[number; 64 * 5]);
    }
    // 201 are published; from 177 on they can be read; payloads begin at 176, 181, ..
    assert_eq!(observer.recv().err(), Some(lagged(180, 181)));
    assert_eq!(observer.tally().missed, 180);
    for number in 36..40_u8 {
        assert_eq!(observer.recv().unwrap().payload(), [number; 64 * 5]);
    }
    assert_eq!(observer.try_recv().err(), Some(ObserveError::Empty));
    let tally = observer.tally();
    assert_eq!((tally.passed, tally.filtered_out, tally.missed, observer.lag()), (20, 0, 180, 0));
}

/// However much there is that does not pass, and however fast it comes.
#[test]
fn a_call_that_does_not_wait_ends_with_what_was_there_when_it_began() {
    let (_kept, path) = place();
    let (writer, _bus) = bus(&path);
    let writer = Arc::new(Mutex::new(writer));
    let filter = Filter::kinds([Kind::new(1)]).matching({
        let writer = Arc::clone(&writer);
        // For each that it looks at there is one more.
        move |_| {
            emit(&mut writer.lock().unwrap(), 1, b"more");
            false
        }
    });
    let mut observer = RecordObserver::builder(&path).filter(filter).attach().unwrap();
    for _ in 0..3 {
        emit(&mut writer.lock().unwrap(), 1, b"first");
    }
    for round in 1..=4 {
        assert_eq!(observer.try_recv().err(), Some(ObserveError::Empty));
        assert_eq!((observer.tally().filtered_out, observer.lag()), (3 * round, 3));
    }
}

#[test]
fn the_payload_of_what_the_header_stops_is_not_shown_to_predicates() {
    let (_kept, path) = place();
    let (mut writer, _bus) = bus(&path);
    let (asked, heard) = std::sync::mpsc::channel();
    let filter = Filter::kinds([Kind::new(1)]).matching(move |record| {
        asked.send(record.kind().get()).unwrap();
        record.payload() == b"yes"
    });
    let mut observer = RecordObserver::builder(&path).filter(filter).attach().unwrap();
    for (kind, payload) in [(1, &b"yes"[..]), (2, b"yes"), (1, b"no"), (3, b"no")] {
        emit(&mut writer, kind, payload);
    }
    drop(writer);
    assert_eq!(observer.recv().unwrap().payload(), b"yes");
    assert_eq!(observer.recv().err(), Some(CLOSED));
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [1, 1]);
    assert_eq!((observer.tally().passed, observer.tally().filtered_out), (1, 3));
}

#[test]
fn the_ring_of_no_bus_is_refused() {
    let (_kept, path) = place();
    let (_producer, _ring) = Ring::<[u64; 16]>::builder().shared(quietly(&path)).build().unwrap();
    let error = RecordObserver::attach(&path).err().unwrap();
    assert_eq!(error, AttachError::NotABus { path, slot_bytes: 128 });
    assert!(error.to_string().contains("is the ring of no bus: its events are 128 bytes"), "{error}");
}

/// Who caught the panic goes on with the filter that it asked for.
#[test]
fn a_predicate_that_panics_is_not_forgotten() {
    let (_kept, path) = place();
    let (mut writer, _bus) = bus(&path);
    let filter = Filter::kinds([Kind::new(1)]).matching(|record| match record.payload() {
        b"panic" => std::panic::resume_unwind(Box::new("on purpose")),
        payload => payload == b"yes",
    });
    let mut observer = RecordObserver::builder(&path).filter(filter).attach().unwrap();
    for (kind, payload) in [(1, &b"panic"[..]), (2, b"yes"), (1, b"no"), (1, b"yes")] {
        emit(&mut writer, kind, payload);
    }
    let panicked = catch_unwind(AssertUnwindSafe(|| observer.try_recv().is_ok()));
    assert!(panicked.is_err());
    // What it panicked over is asked once more, and panics again; what comes after can be reached by no other way than a new start.
    let again = catch_unwind(AssertUnwindSafe(|| observer.try_recv().is_ok()));
    assert!(again.is_err(), "the record was given out although the filter had not let it pass");
}

/// Not only when the next record comes, which may be never.
#[test]
fn a_loss_is_told_although_nothing_comes_behind_it() {
    let (_directory, path) = place();
    let (mut writer, _bus) = bus(&path);
    let settings = RecordObserver::builder(&path).start(OLDEST).resume(ReadFrom::Newest);
    let mut observer = settings.attach().unwrap();
    for _ in 0..100 {
        emit(&mut writer, 8, &[]);
    }
    let (told, heard) = std::sync::mpsc::channel();
    // (If it hangs, it does so for ever: the thread is given up.)
    std::thread::spawn(move || told.send(observer.recv().map(|_| ()).unwrap_err()));
    assert_eq!(heard.recv_timeout(std::time::Duration::from_secs(60)), Ok(lagged(101, 101)));
}
