//! An observer that goes on with the bus of a core that was started anew.

use std::path::Path;

use ringbus::bus::{Bus, Emit, Kind, Origin, RecordObserver, Topic, Writer};
use ringbus::shared::{AttachError, ObserveError};
use ringbus::{ReadFrom, Ring};

use crate::image::{CLOSED as CLOSED_BIT, Image, field, mirror};
use crate::{CLOSED, OLDEST, at, lagged, place, quietly, stream};

/// Builds a bus that begins at `first`, and whose block begins there.
fn restarted<const PAYLOAD: usize>(path: &Path, first: u64) -> (Writer<PAYLOAD>, Bus<PAYLOAD>) {
    let settings = Bus::builder("test").capacity(32).first_sequence(at(first)).shared(quietly(path));
    let (mut writer, bus) = settings.build().unwrap();
    assert_eq!(writer.begin_block(stream::block(1, 1)), Ok(at(first)));
    (writer, bus)
}

fn emit<const PAYLOAD: usize>(writer: &mut Writer<PAYLOAD>, payload: &[u8]) {
    writer.emit_bytes(Origin::default(), Kind::new(1), Topic::default(), payload).unwrap();
}

#[track_caller]
fn assert_gets(observer: &mut RecordObserver, sequence: u64, payload: &[u8]) {
    let record = observer.recv().unwrap();
    assert_eq!((record.sequence(), record.kind(), record.payload()), (at(sequence), Kind::new(1), payload));
}

#[track_caller]
fn assert_gets_block(observer: &mut RecordObserver, sequence: u64) {
    let record = observer.recv().unwrap();
    assert_eq!((record.sequence(), record.kind()), (at(sequence), Kind::BLOCK_BEGUN));
}

#[test]
fn goes_on_with_slots_of_another_size_and_counts_all_together() {
    let (_kept, path) = place();
    let (mut writer, bus) = restarted::<64>(&path, 0);
    emit(&mut writer, &[1; 100]);
    let mut observer = RecordObserver::builder(&path).start(OLDEST).attach_following().unwrap();
    assert_gets_block(&mut observer, 0);
    assert_gets(&mut observer, 1, &[1; 100]);
    drop((writer, bus));
    assert_eq!(observer.recv().err(), Some(CLOSED), "once");
    assert_eq!(observer.try_recv().err(), Some(ObserveError::Empty));

    let (mut writer, bus) = restarted::<960>(&path, 3);
    emit(&mut writer, &[2; 2_000]);
    assert_eq!(observer.recv().err(), Some(ObserveError::Restarted { resumed_at: at(3) }));
    assert_eq!(observer.file().info().slot_payload, Some(960));
    assert_gets_block(&mut observer, 3);
    assert_gets(&mut observer, 4, &[2; 2_000]);
    drop((writer, bus));
    assert_eq!(observer.recv().err(), Some(CLOSED));

    let (mut writer, _bus) = restarted::<192>(&path, 7);
    assert_eq!(observer.recv().err(), Some(ObserveError::Restarted { resumed_at: at(7) }));
    assert_gets_block(&mut observer, 7);
    emit(&mut writer, b"small");
    assert_gets(&mut observer, 8, b"small");
    let tally = observer.tally();
    assert_eq!((tally.passed, tally.total(), observer.lag(), observer.position()), (9, 9, 0, at(9)));
}

#[test]
fn counts_what_the_next_bus_has_overwritten_already() {
    let (_kept, path) = place();
    let (writer, bus) = restarted::<64>(&path, 0);
    let settings = RecordObserver::builder(&path).start(OLDEST).resume(OLDEST);
    let mut observer = settings.attach_following().unwrap();
    drop((writer, bus));
    assert_gets_block(&mut observer, 0);
    assert_eq!(observer.recv().err(), Some(CLOSED));
    let (mut writer, _bus) = restarted::<64>(&path, 500);
    for number in 0..20 {
        emit(&mut writer, &[number; 64 * 3]);
    }
    // What lies between the two is lost as well. 561 is next; from 537 on they can be read, and a payload begins there.
    assert_eq!(observer.recv().err(), Some(ObserveError::Restarted { resumed_at: at(500) }));
    assert_eq!(observer.recv().err(), Some(lagged(499 + 37, 537)));
    for number in 12..20 {
        assert_gets(&mut observer, 501 + u64::from(number) * 3, &[number; 64 * 3]);
    }
    assert_eq!((observer.tally().passed, observer.tally().missed), (25, 499 + 37));
}

#[test]
fn says_so_when_the_next_ring_is_no_bus_and_tries_again() {
    let (_kept, path) = place();
    let (writer, bus) = restarted::<64>(&path, 0);
    let mut observer = RecordObserver::builder(&path).attach_following().unwrap();
    drop((writer, bus));
    assert_eq!(observer.recv().err(), Some(CLOSED));
    let other = Ring::<u64>::builder().capacity(8).shared(quietly(&path)).build().unwrap();
    for _ in 0..2 {
        let expected = AttachError::NotABus { path: path.clone(), slot_bytes: 8 };
        assert_eq!(observer.try_recv().err(), Some(ObserveError::Attach(expected)));
    }
    drop(other);
    let (_writer, _bus) = restarted::<64>(&path, 1);
    assert_eq!(observer.recv().err(), Some(ObserveError::Restarted { resumed_at: at(1) }));
    assert_gets_block(&mut observer, 1);
}

/// Of a file that somebody has changed: no bus publishes a part of a payload. It must not be put together with what comes after.
#[test]
fn a_payload_that_was_begun_and_never_ended_is_lost_with_its_ring() {
    let (_kept, path) = place();
    let (mut writer, _bus) = restarted::<64>(&path, 40);
    emit(&mut writer, &[1; 64 * 5]);
    let mut image = Image::of(&path);
    // All but the last two slots of the payload are published, and nothing more comes.
    image.set(mirror::CURSOR, 44 | CLOSED_BIT);
    image.set(mirror::END, 1);
    let copy = path.with_extension("copy");
    image.write_to(&copy);
    let settings = RecordObserver::builder(&copy).start(ReadFrom::Sequence(at(40)));
    let mut observer = settings.attach_following().unwrap();
    assert_gets_block(&mut observer, 40);
    assert_eq!(observer.recv().err(), Some(lagged(3, 44)));
    assert_eq!(observer.recv().err(), Some(CLOSED));
    assert_eq!((observer.position(), observer.lag(), observer.tally().missed), (at(44), 0, 3));

    let (mut writer, _bus) = restarted::<64>(&copy, 0);
    emit(&mut writer, b"new");
    assert_eq!(observer.recv().err(), Some(ObserveError::Restarted { resumed_at: at(0) }));
    assert_eq!(observer.position(), at(0));
    assert_gets_block(&mut observer, 0);
    assert_gets(&mut observer, 1, b"new");
}

/// A file in which a payload goes on for ever makes nobody put together more than a bus can publish.
#[test]
fn a_payload_longer_than_any_bus_publishes_is_lost() {
    let (_kept, path) = place();
    let (mut writer, _bus) = restarted::<64>(&path, 0);
    for number in 0..30 {
        emit(&mut writer, &[number; 10]);
    }
    let mut image = Image::of(&path);
    let slots = image.word(field::SLOTS) as usize;
    // Sequences 10 to 25: the first begins a payload, the others go on with it.
    for sequence in 10..26 {
        image.bytes[slots + sequence * 128 + 62] = u8::from(sequence == 10);
    }
    let copy = path.with_extension("copy");
    image.write_to(&copy);
    let settings = RecordObserver::builder(&copy).start(ReadFrom::Sequence(at(8)));
    let mut observer = settings.attach().unwrap();
    for sequence in [8, 9] {
        assert_gets(&mut observer, sequence, &[sequence as u8 - 1; 10]);
    }
    // 8 slots are the most that it publishes at once.
    assert_eq!(observer.recv().err(), Some(lagged(16, 26)));
    assert_gets(&mut observer, 26, &[25; 10]);
    assert_eq!(observer.tally().missed, 16);
}
