//! What is refused, and stops, when the test asks for it.

use std::io::ErrorKind;

use ringbus_journal::Storage;
use ringbus_journal::testing::{Counts, Crash, Fault, Operation, SimulatedDisk};

use super::{append, crashes, named};

#[test]
fn a_sync_that_failed_loses_for_good_what_can_still_be_read() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"kept");
    file.sync().expect("synced");
    append(&mut file, b"lost");
    disk.fail_after(0, Fault::SyncFails);
    assert!(file.sync().is_err());
    file.sync().expect("the next one succeeds");
    assert_eq!(disk.file("a").as_deref(), Some(&b"keptlost"[..]));
    for crash in crashes(50) {
        assert_eq!(disk.crash(crash).file("a").as_deref(), Some(&b"kept"[..]));
    }
}

#[test]
fn what_is_written_after_a_failed_sync_leaves_a_hole_before_it() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"lost");
    disk.fail_on(Operation::Sync, 0, Fault::Io);
    assert!(file.sync().is_err());
    append(&mut file, b"kept");
    file.sync().expect("the next one succeeds");
    assert_eq!(disk.crash(Crash::keep_nothing()).file("a").as_deref(), Some(&b"\0\0\0\0kept"[..]));
}

#[test]
fn a_sync_of_the_directory_that_failed_loses_names_for_good() {
    let disk = SimulatedDisk::new();
    disk.create("a").expect("a new file");
    disk.fail_after(0, Fault::SyncFails);
    assert!(disk.sync().is_err());
    disk.sync().expect("the next one succeeds");
    assert_eq!(disk.names(), ["a"]);
    assert!(disk.crash(Crash::keep_everything()).names().is_empty());
}

#[test]
fn room_is_used_up_to_the_last_byte() {
    let disk = SimulatedDisk::new().with_room_for(10);
    let mut file = named(&disk, "a");
    let mut other = named(&disk, "b");
    append(&mut other, b"1234");
    assert_eq!(file.append(b"12345678").expect("some room"), 6);
    assert_eq!(file.append(b"7").map_err(|error| error.kind()), Err(ErrorKind::StorageFull));
    assert_eq!(file.append(b"").expect("nothing to write"), 0);
    assert_eq!(file.write_at(b"654321", 0).expect("no more room needed"), 6);
    assert_eq!(file.write_at(b"!!", 5).expect("some room"), 1);

    disk.remove("b").expect("removed");
    assert_eq!(file.append(b"1234567").expect("some room"), 4);
    file.sync().expect("synced");
    let mut file = disk.crash(Crash::keep_nothing()).open("a").expect("the file");
    assert_eq!(file.append(b"7").map_err(|error| error.kind()), Err(ErrorKind::StorageFull));
}

#[test]
fn faults_come_after_as_many_operations_as_asked_for() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    disk.fail_after(2, Fault::Full);
    append(&mut file, b"1");
    file.sync().expect("needs no room");
    append(&mut file, b"2");
    for _ in 0..2 {
        assert_eq!(file.append(b"3").map_err(|error| error.kind()), Err(ErrorKind::StorageFull));
        assert_eq!(disk.create("b").err().map(|error| error.kind()), Some(ErrorKind::StorageFull));
    }
    disk.mend();
    append(&mut file, b"3");

    disk.fail_after(1, Fault::Io);
    assert_eq!(file.size().expect("spared"), 3);
    assert_eq!(file.size().map_err(|error| error.kind()), Err(ErrorKind::Other));
    assert_eq!(file.size().expect("once only"), 3);

    disk.fail_after(0, Fault::ShortWrite(2));
    assert_eq!(file.append(b"456").expect("room"), 2);
    assert_eq!(file.write_at(b"123", 0).expect("room"), 2);
    disk.mend();
    disk.fail_after(0, Fault::ShortRead(3));
    let mut bytes = [0; 5];
    assert_eq!(file.read_at(&mut bytes, 1).expect("bytes"), 3);
    assert_eq!(&bytes, b"234\0\0");
    assert_eq!(file.append(b"678").expect("room"), 3);
}

#[test]
fn a_read_only_disk_is_read() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"1");
    disk.fail_after(0, Fault::ReadOnly);
    let refused = [
        disk.create("b").err(),
        disk.open("a").err(),
        disk.rename("a", "b").err(),
        disk.remove("a").err(),
        disk.lock("lock").err(),
        file.append(b"2").err(),
        file.write_at(b"2", 0).err(),
        file.truncate(0).err(),
    ];
    let kinds = refused.map(|error| error.map(|error| error.kind()));
    assert_eq!(kinds, [Some(ErrorKind::ReadOnlyFilesystem); 8]);
    let file = disk.open_to_read("a").expect("can be read");
    assert_eq!(file.read_at(&mut [0; 2], 0).expect("bytes"), 1);
    assert_eq!(disk.list().expect("can be listed"), ["a"]);
}

/// Each kind of operation can be made to fail, and only that one.
#[test]
fn faults_hit_the_kind_of_operation_that_was_named() {
    for named in Operation::ALL {
        let disk = SimulatedDisk::new();
        disk.put("a", b"1");
        disk.put("b", b"2");
        let mut file = disk.open("a").expect("the file");
        disk.fail_on(named, 1, Fault::Io);
        for turn in 0..3 {
            let new = format!("new{turn}");
            let failed = [
                disk.list().is_err(),
                disk.create(&new).is_err(),
                disk.open("a").is_err(),
                disk.open_to_read("a").is_err(),
                disk.rename("b", "b").is_err(),
                disk.remove(&new).is_err(),
                disk.sync().is_err(),
                disk.lock("lock").is_err(),
                file.append(b"2").is_err(),
                file.write_at(b"2", 0).is_err(),
                file.read_at(&mut [0], 0).is_err(),
                file.size().is_err(),
                file.truncate(1).is_err(),
                file.sync().is_err(),
            ];
            for (operation, failed) in Operation::ALL.into_iter().zip(failed) {
                // What was not made cannot be removed.
                let follows = named == Operation::Create && operation == Operation::Remove;
                assert_eq!(
                    failed,
                    turn == 1 && (operation == named || follows),
                    "{operation:?} of {named:?}"
                );
            }
        }
    }
}

#[test]
fn operations_are_counted() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"123");
    append(&mut file, b"45");
    file.write_at(b"6", 0).expect("room");
    file.sync().expect("synced");
    disk.fail_after(0, Fault::SyncFails);
    assert!(file.sync().is_err());
    disk.fail_after(0, Fault::Full);
    assert!(file.append(b"7").is_err());
    assert_eq!(disk.counts(), Counts { appends: 2, syncs: 1, directory_syncs: 1, bytes: 6 });
    assert_eq!(disk.operations(), 8);
    let after = disk.process_crash();
    assert_eq!((after.counts(), after.operations()), (Counts::default(), 0));
}

/// A file that is written under another name first, as a careful program does: stopped at each operation, the old or the new one is
/// there, whole. Without any one of its syncs, some crash finds neither.
#[test]
fn a_scenario_is_stopped_at_each_of_its_operations() {
    fn replace(disk: &SimulatedDisk, sync_file: bool, sync_directory: bool) -> std::io::Result<()> {
        let mut file = disk.create("new")?;
        file.append(&[2; 600])?;
        if sync_file {
            file.sync()?;
        }
        disk.rename("new", "kept")?;
        if sync_directory {
            disk.sync()?;
        }
        Ok(())
    }
    // Crashes that lost what they must not, and those that were tried.
    let try_all = |sync_file, sync_directory| {
        let whole = SimulatedDisk::new();
        replace(&whole, sync_file, sync_directory).expect("nothing fails");
        let (mut bad, mut tried) = (0, 0);
        for operation in 0..=whole.operations() {
            let disk = SimulatedDisk::new();
            disk.put("kept", [1; 600]);
            disk.crash_at(operation);
            let done = replace(&disk, sync_file, sync_directory).is_ok();
            assert_eq!((done, disk.operations()), (operation == whole.operations(), operation));
            for crash in crashes(100) {
                let kept = disk.crash(crash).file("kept");
                let new = kept.as_deref() == Some(&[2; 600]);
                let old = kept.as_deref() == Some(&[1; 600]);
                bad += u32::from(!(new || old && !done));
                tried += 1;
            }
        }
        (bad, tried)
    };
    assert_eq!(try_all(true, true), (0, 6 * 202));
    assert!(try_all(false, true).0 > 10);
    assert!(try_all(true, false).0 > 10);
}

#[test]
fn an_operation_that_a_stop_meets_may_have_been_done() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    disk.crash_at(2);
    assert!(file.append(b"1").is_err());
    assert!(file.append(b"2").is_err());
    assert_eq!((disk.operations(), disk.counts().appends), (2, 0));
    assert_eq!(disk.crash(Crash::keep_everything()).file("a").as_deref(), Some(&b"1"[..]));
    assert_eq!(disk.crash(Crash::keep_nothing()).file("a").as_deref(), Some(&b""[..]));
}

#[test]
fn a_sync_that_a_stop_meets_has_not_been_done() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"1");
    disk.crash_at(3);
    assert!(file.sync().is_err());
    assert_eq!(disk.crash(Crash::keep_everything()).file("a").as_deref(), Some(&b"1"[..]));
    assert_eq!(disk.crash(Crash::keep_nothing()).file("a").as_deref(), Some(&b""[..]));

    let disk = SimulatedDisk::new();
    disk.create("a").expect("a new file");
    disk.crash_at(1);
    assert!(disk.sync().is_err());
    assert_eq!(disk.crash(Crash::keep_everything()).names(), ["a"]);
    assert!(disk.crash(Crash::keep_nothing()).names().is_empty());
    assert_eq!(disk.counts(), Counts::default());
}
