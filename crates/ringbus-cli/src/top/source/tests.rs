//! Rings of this process, looked at.

use std::fs;

use ringbus::bus::{BlockStart, Bus, Emit, Hash, Origin, Writer};
use ringbus::shared::Liveness;
use ringbus::stats::ConsumerKind;
use ringbus::{End, Ring};
use tempfile::TempDir;

use super::super::sample::KindCounts;
use super::*;

ringbus::events! {
    schema Exchange, version 1;

    event Trade, kind 8 { size: u64 }

    event Order, kind 9 { size: u64 }
}

const SILENCE: Duration = Duration::from_secs(60);

fn directory() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

fn bus(path: &Path, capacity: usize) -> (Writer<64>, Bus<64>) {
    let bus = Bus::<64>::builder("testnet").schema(Exchange::schema()).capacity(capacity).max_batch(1);
    let (mut writer, bus) = bus.shared(path).build().expect("the path is free");
    writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) }).expect("it is open");
    (writer, bus)
}

fn trade(writer: &mut Writer<64>) {
    writer.emit(Origin::default(), &Trade { size: 1 }).expect("it is open");
}

fn same(source: &mut Source) -> Sample {
    match source.look() {
        Look::Same(sample) => sample,
        Look::Restarted(..) => panic!("nobody has replaced it"),
    }
}

/// Looks until it finds what is waited for. Fails after half a minute.
fn until<T>(source: &mut Source, mut found: impl FnMut(Sample) -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = found(same(source)) {
            return found;
        }
        assert!(Instant::now() < deadline, "it does not come: {:?}", source.look());
        std::thread::yield_now();
    }
}

#[test]
fn a_look_finds_what_was_published_and_who_reads_it() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (mut writer, bus) = bus(&path, 64);
    let journal = bus.subscribe("journal").required().join().expect("there is a place");
    let mut source = Source::open(&path, SILENCE, true).expect("it is a ring");
    let facts = source.facts();
    assert_eq!((&facts.name[..], facts.stream.as_deref(), facts.capacity), ("testnet", Some("testnet"), 64));
    assert_eq!((facts.process_id, facts.uncounted), (std::process::id(), None));
    assert_eq!([8, 9, 0xFF01].map(|kind| &facts.kind_names[&kind][..]), ["Trade", "Order", "BlockBegun"]);
    (0..3).for_each(|_| trade(&mut writer));
    writer.emit(Origin::default(), &Order { size: 1 }).expect("it is open");
    assert_eq!(same(&mut source).cursor.get(), 5);
    let counted = until(&mut source, |sample| sample.kinds.filter(|kinds| kinds.read == 4));
    assert_eq!((counted.by_kind, counted.missed), (BTreeMap::from([(8, 3), (9, 1)]), 0));
    let reported = until(&mut source, |sample| {
        sample.report.filter(|report| report.consumers.iter().any(|consumer| consumer.lag == 4))
    });
    assert_eq!(reported.consumers.len(), 1);
    let consumer = &reported.consumers[0];
    assert_eq!((&consumer.name[..], consumer.kind, consumer.missed), ("journal", ConsumerKind::Required, 0));
    journal.leave();
}

#[test]
fn what_was_overwritten_unread_is_counted_as_missed() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (mut writer, _bus) = bus(&path, 64);
    let mut source = Source::open(&path, SILENCE, true).expect("it is a ring");
    (0..200_000).for_each(|_| trade(&mut writer));
    let all = |kinds: &KindCounts| kinds.read + kinds.missed == 200_000;
    let counted = until(&mut source, |sample| sample.kinds.filter(all));
    assert_eq!(counted.by_kind.values().sum::<u64>(), counted.read);
}

#[test]
fn another_ring_at_the_path_is_picked_up() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (mut writer, first) = bus(&path, 64);
    trade(&mut writer);
    let mut source = Source::open(&path, SILENCE, true).expect("it is a ring");
    let epoch = source.facts().epoch;
    drop((writer, first));
    let ended = same(&mut source);
    assert!(matches!(ended.liveness, Liveness::Closed(End::Closed)), "{:?}", ended.liveness);
    assert_eq!(ended.cursor.get(), 2);
    let (mut writer, _second) = bus(&path, 128);
    let Look::Restarted(facts, sample) = source.look() else { panic!("the path names another ring by now") };
    assert_eq!((facts.capacity, sample.cursor.get(), sample.is_gone), (128, 1, false));
    assert_ne!(facts.epoch, epoch);
    assert!(matches!(sample.liveness, Liveness::Alive), "{:?}", sample.liveness);
    trade(&mut writer);
    let counted = until(&mut source, |sample| sample.kinds.filter(|kinds| kinds.read == 1));
    assert_eq!(counted.by_kind, BTreeMap::from([(8, 1)]));
}

#[test]
fn a_file_that_is_gone_is_said_to_be() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (mut writer, _bus) = bus(&path, 64);
    let mut source = Source::open(&path, SILENCE, true).expect("it is a ring");
    assert!(!same(&mut source).is_gone);
    fs::remove_file(&path).expect("it is there");
    trade(&mut writer);
    let sample = same(&mut source);
    assert_eq!((sample.is_gone, sample.cursor.get()), (true, 2));
}

#[test]
fn events_are_not_counted_where_there_are_no_kinds_or_nobody_wants_it() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (_producer, _ring) =
        Ring::<[u64; 2]>::builder().capacity(64).shared(&path).build().expect("the path is free");
    let mut source = Source::open(&path, SILENCE, true).expect("it is a ring");
    assert_eq!(source.facts().uncounted.as_deref(), Some("no bus: its events have no kinds"));
    assert_eq!(same(&mut source).kinds, None);
    let unwanted = Source::open(&path, SILENCE, false).expect("it is a ring");
    assert_eq!(unwanted.facts().uncounted.as_deref(), Some("not counted: --no-kinds"));
}
