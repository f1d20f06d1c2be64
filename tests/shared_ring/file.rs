//! The file of a ring: what it says, who may have it, and when another takes its place.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

use ringbus::bus::{Bus, StreamId};
use ringbus::shared::{AttachError, Liveness, Observer, RemoveError, RingFile, SharedError, remove_stale};
use ringbus::{BuildError, End, ReadFrom, Ring};

use crate::common::{at, publish_up_to};
use crate::{Place, builder, quietly, sixteen};

const LONG: Duration = Duration::from_secs(3_600);

#[track_caller]
fn refused<T>(built: Result<T, BuildError>) -> SharedError {
    match built.err() {
        Some(BuildError::Shared(error)) => error,
        other => panic!("not for its file: {other:?}"),
    }
}

#[test]
fn says_what_ring_it_is() {
    let place = Place::new();
    let before = SystemTime::now();
    let settings =
        Ring::<[u64; 5]>::builder().name("Aufträge").capacity(64).max_batch(7).first_sequence(at(900));
    let (_producer, _ring) = settings.shared(quietly(&place.path())).build().unwrap();
    let file = RingFile::open(place.path()).unwrap();
    let info = file.info();
    assert_eq!((file.path(), file.cursor()), (&*place.path(), at(900)));
    assert_eq!(
        (&*info.name, &info.stream, info.fingerprint, info.slot_payload),
        ("Aufträge", &None, None, None)
    );
    assert!(info.schema.is_none());
    assert_eq!((info.slot_bytes, info.slot_align, info.capacity, info.max_batch), (40, 8, 64, 7));
    assert_eq!((info.first_sequence, info.process_id, info.layout_version), (at(900), std::process::id(), 1));
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let written: String = info.boot_id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, boot_id.trim().replace('-', ""));
    assert!(info.process_started > 0);
    assert!((before..=SystemTime::now()).contains(&info.created_at));
    assert_eq!(info.epoch.to_string().len(), 32);
}

#[test]
fn says_what_bus_it_is() {
    let place = Place::new();
    let (_writer, bus) =
        Bus::<192>::builder("testnet").capacity(32).shared(quietly(&place.path())).build().unwrap();
    let file = RingFile::open(place.path()).unwrap();
    let info = file.info();
    assert_eq!((&*info.name, &info.stream), ("testnet", &Some(StreamId::new("testnet"))));
    assert_eq!((info.slot_bytes, info.slot_align, info.slot_payload), (256, 1, Some(192)));
    assert_eq!((info.capacity, info.max_batch), (32, 8));
    let schema = info.schema.as_ref().expect("it is a bus");
    assert_eq!(info.fingerprint, Some(schema.fingerprint()));
    assert_eq!(schema.fingerprint(), bus.schema().without_own_kinds().fingerprint());
}

#[test]
fn may_be_read_by_its_group_and_written_by_nobody_and_has_all_its_blocks() {
    let place = Place::new();
    let (_producer, _ring) = builder(1 << 16).shared(quietly(&place.path())).build().unwrap();
    let file = fs::metadata(place.path()).unwrap();
    assert_eq!(file.permissions().mode() & 0o7777, 0o440);
    let info = RingFile::open(place.path()).unwrap().info().clone();
    assert_eq!(info.file_bytes, file.len());
    assert!(file.blocks() * 512 >= file.len(), "{} blocks for {} bytes", file.blocks(), file.len());
    assert!(file.len() >= 8 << 16);
    assert!(!place.at("ring.new").exists(), "it was moved");
    assert!(place.at("ring.lock").exists());
}

#[test]
fn is_in_use_until_the_last_handle_is_gone() {
    let place = Place::new();
    let (producer, ring) = sixteen(&place);
    let build = || builder(8).shared(quietly(&place.path())).build();
    let in_use = || SharedError::InUse { path: place.path(), process_id: Some(std::process::id()) };
    let inode = fs::metadata(place.path()).unwrap().ino();
    assert_eq!(refused(build()), in_use());
    assert_eq!(remove_stale(place.path()), Err(RemoveError::InUse { path: place.path() }));
    producer.close().unwrap();
    assert_eq!(refused(build()), in_use(), "a handle is kept");
    let audit = ring.optional("audit").join().unwrap();
    drop(ring);
    assert_eq!(refused(build()), in_use(), "a consumer is kept");
    assert!(
        refused(build())
            .to_string()
            .starts_with(&format!("the ring `{}` is in use by process", place.path().display()))
    );
    // What looks on keeps nobody.
    let observer = Observer::<u64>::attach(place.path()).unwrap();
    drop(audit);
    assert_eq!(fs::metadata(place.path()).unwrap().ino(), inode, "nobody has touched it");
    let (_producer, _ring) = build().unwrap();
    let (old, new) = (observer.file(), RingFile::open(place.path()).unwrap());
    assert_ne!(old.info().epoch, new.info().epoch);
    assert_eq!((old.is_replaced(), new.is_replaced()), (true, false));
    assert_eq!(old.liveness(LONG), Liveness::Closed(End::Closed));
    assert_eq!((old.info().capacity, new.info().capacity), (16, 8));
}

#[test]
fn who_has_it_open_goes_on_when_it_is_removed() {
    let place = Place::new();
    let (mut producer, _ring) = sixteen(&place);
    publish_up_to(&mut producer, 3);
    let mut observer =
        Observer::<u64>::builder(place.path()).start(ReadFrom::NewestMinus(3)).attach().unwrap();
    fs::remove_file(place.path()).unwrap();
    publish_up_to(&mut producer, 9);
    for number in 0..9 {
        assert_eq!(observer.recv(), Ok((at(number), number)));
    }
    assert_eq!(observer.file().liveness(LONG), Liveness::Alive);
    assert!(!observer.file().is_replaced(), "there is none");
    let error = RingFile::open(place.path()).err().unwrap();
    assert!(error.to_string().ends_with("; check the path"), "{error}");
    assert!(matches!(error, AttachError::File(_)), "{error:?}");
    // The path is this ring's nevertheless.
    let error = refused(builder(8).shared(quietly(&place.path())).build());
    assert_eq!(error, SharedError::InUse { path: place.path(), process_id: Some(std::process::id()) });
}

/// The lock on the ring's own file is looked at as well.
#[test]
fn is_in_use_though_somebody_has_removed_its_lock_file() {
    let place = Place::new();
    let (_producer, _ring) = sixteen(&place);
    fs::remove_file(place.at("ring.lock")).unwrap();
    let in_use = SharedError::InUse { path: place.path(), process_id: Some(std::process::id()) };
    assert_eq!(refused(builder(8).shared(quietly(&place.path())).build()), in_use);
    assert_eq!(remove_stale(place.path()), Err(RemoveError::InUse { path: place.path() }));
}

#[test]
fn two_rings_in_two_files_know_nothing_of_each_other() {
    let place = Place::new();
    let mut rings: Vec<_> = (0..2)
        .map(|ring| place.at(&format!("ring-{ring}")))
        .map(|path| {
            let (producer, ring) = builder(8).shared(quietly(&path)).build().unwrap();
            (Observer::<u64>::attach(&path).unwrap(), producer, ring)
        })
        .collect();
    for (place, (_, producer, _)) in (1..).zip(&mut rings) {
        producer.publish_batch(&[place * 10, place * 10 + 1]).unwrap();
    }
    let (_, producer, _ring) = rings.remove(0);
    drop(producer);
    let (mut observer, mut producer, _ring) = rings.remove(0);
    producer.publish(&22).unwrap();
    for (sequence, event) in (0..).zip(20..23) {
        assert_eq!(observer.recv(), Ok((at(sequence), event)));
    }
    assert_eq!(observer.file().liveness(LONG), Liveness::Alive);
}

#[test]
fn a_heartbeat_says_that_an_idle_core_is_not_stalled() {
    let place = Place::new();
    let (mut producer, _ring) = sixteen(&place);
    let file = RingFile::open(place.path()).unwrap();
    assert_eq!(
        (file.heartbeat_age(), file.liveness(Duration::ZERO)),
        (None, Liveness::Alive),
        "it has never said so"
    );
    producer.heartbeat();
    let age = file.heartbeat_age().unwrap();
    assert!(age < LONG);
    assert_eq!(file.liveness(LONG), Liveness::Alive);
    // However short, it was longer ago than no time at all.
    crate::common::eventually("time goes by", || file.heartbeat_age().unwrap() > age);
    match file.liveness(Duration::ZERO) {
        Liveness::Stalled { silent_for } => assert!(silent_for > age),
        other => panic!("{other}"),
    }
    let silent = file.heartbeat_age().unwrap();
    crate::common::eventually("time goes by", || file.heartbeat_age().unwrap() > 2 * silent);
    producer.heartbeat();
    producer.close().unwrap();
    assert_eq!(file.liveness(Duration::ZERO), Liveness::Closed(End::Closed));
    // On a heap ring it does nothing.
    let (mut producer, _ring) = builder(8).build().unwrap();
    producer.heartbeat();
}

/// Nobody holds a copy of the file.
#[test]
fn a_ring_that_nobody_holds_and_was_not_closed_is_dead() {
    let place = Place::new();
    let (mut producer, _ring) = sixteen(&place);
    publish_up_to(&mut producer, 3);
    producer.heartbeat();
    let copy = place.at("copy");
    fs::copy(place.path(), &copy).unwrap();
    let mut observer = Observer::<u64>::builder(&copy).start(ReadFrom::NewestMinus(2)).attach().unwrap();
    assert_eq!(observer.file().liveness(LONG), Liveness::Dead);
    assert_eq!((observer.recv(), observer.recv()), (Ok((at(1), 1)), Ok((at(2), 2))), "it is drained");
    for _ in 0..3 {
        assert_eq!(observer.recv().unwrap_err().to_string(), End::ProducerDied.to_string());
    }
    remove_stale(&copy).unwrap();
    assert!(!copy.exists() && !place.at("copy.lock").exists() && place.path().exists());
    assert!(matches!(remove_stale(&copy), Err(RemoveError::Attach(AttachError::File(_)))));
    assert!(!place.at("copy.lock").exists(), "not even a lock file is made");
}

#[test]
fn what_is_no_ring_is_neither_replaced_nor_read_nor_removed() {
    let place = Place::new();
    fs::write(place.at("text"), "nothing of yours").unwrap();
    fs::write(place.at("empty"), "").unwrap();
    fs::create_dir(place.at("directory")).unwrap();
    let (_producer, _ring) = sixteen(&place);
    symlink(place.path(), place.at("link")).unwrap();
    for (name, expected) in [
        ("text", "too short a file"),
        ("empty", "too short a file"),
        ("directory", "no regular file"),
        ("link", "a symbolic link"),
    ] {
        let path = place.at(name);
        let occupied = SharedError::Occupied { path: path.clone() };
        assert_eq!(refused(builder(8).shared(quietly(&path)).build()), occupied, "{name}");
        let error = RingFile::open(&path).err().unwrap();
        assert_eq!(error, AttachError::NotARing { path: path.clone(), found: expected }, "{name}");
        assert_eq!(remove_stale(&path), Err(RemoveError::Attach(error)), "{name}");
        assert!(path.symlink_metadata().is_ok(), "{name}");
    }
    assert_eq!(fs::read_to_string(place.at("text")).unwrap(), "nothing of yours");
    assert_eq!(RingFile::open(place.path()).unwrap().liveness(LONG), Liveness::Alive);
}

#[test]
fn a_name_has_room_for_512_bytes() {
    let place = Place::new();
    for (bytes, fits) in [(512, true), (513, false)] {
        let name = "n".repeat(bytes);
        let built = builder(8).name(&name).shared(quietly(&place.path())).build();
        if fits {
            let _kept = built.unwrap();
            assert_eq!(RingFile::open(place.path()).unwrap().info().name, name);
        } else {
            assert_eq!(refused(built), SharedError::Name { bytes, most: 512 });
        }
    }
}

#[test]
fn a_directory_must_be_there_and_a_file_left_half_made_is_no_obstacle() {
    let place = Place::new();
    let error = refused(builder(8).shared(quietly(&place.at("nowhere/ring"))).build());
    assert!(matches!(error, SharedError::File(_)), "{error:?}");
    assert!(error.to_string().contains("nowhere/ring"), "{error}");
    fs::write(place.at("ring.new"), [0; 100]).unwrap();
    let (_producer, _ring) = sixteen(&place);
    assert!(!place.at("ring.new").exists());
    // More than any device has.
    let error = refused(builder(1 << 52).shared(quietly(&place.at("huge"))).build());
    assert!(matches!(error, SharedError::File(_)), "{error:?}");
    assert!(!place.at("huge").exists() && !place.at("huge.new").exists());
}
