//! The simulated disk: what it loses, what it keeps, what it refuses.

#[path = "simulated_disk/faults.rs"]
mod faults;
#[path = "simulated_disk/random.rs"]
mod random;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::thread;

use ringbus_journal::testing::{Crash, Operation, SimulatedDisk};
use ringbus_journal::{File, Storage};

const SECTOR: usize = 512;

fn crashes(seeds: u64) -> impl Iterator<Item = Crash> {
    let seeded = (0..seeds).flat_map(|seed| [Crash::random(seed), Crash::reordered(seed)]);
    [Crash::keep_nothing(), Crash::keep_everything()].into_iter().chain(seeded)
}

/// A new file whose name is durable.
fn named(disk: &SimulatedDisk, name: &str) -> Box<dyn File> {
    let file = disk.create(name).expect("a new file");
    disk.sync().expect("synced");
    file
}

fn append(file: &mut Box<dyn File>, bytes: &[u8]) {
    assert_eq!(file.append(bytes).expect("room"), bytes.len());
}

#[test]
fn what_was_synced_survives_every_crash() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, &[1; 3_000]);
    file.write_at(&[2; 700], 100).expect("room");
    file.truncate(2_500).expect("a shorter file");
    file.sync().expect("synced");
    disk.create("b").expect("a new file");
    disk.rename("b", "c").expect("renamed");
    disk.create("d").expect("a new file");
    disk.remove("d").expect("removed");
    disk.sync().expect("synced");
    append(&mut file, &[3; 3_000]);

    let synced = [&[1; 100][..], &[2; 700], &[1; 1_700]].concat();
    for crash in crashes(500) {
        let after = disk.crash(crash);
        assert_eq!(after.names(), ["a", "c"], "{crash:?}");
        assert_eq!(after.file("a").expect("the file")[..2_500], synced, "{crash:?}");
    }
}

#[test]
fn what_was_not_synced_is_lost_or_kept_as_a_whole_when_asked_for() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"synced");
    file.sync().expect("synced");
    append(&mut file, b", not synced");
    disk.create("b").expect("a new file");

    let after = disk.crash(Crash::keep_nothing());
    assert_eq!(after.names(), ["a"]);
    assert_eq!(after.file("a").as_deref(), Some(&b"synced"[..]));
    let after = disk.crash(Crash::keep_everything());
    assert_eq!(after.names(), ["a", "b"]);
    assert_eq!(after.file("a").as_deref(), Some(&b"synced, not synced"[..]));
    // What a crash left is durable.
    assert_eq!(after.crash(Crash::keep_nothing()).file("a").as_deref(), Some(&b"synced, not synced"[..]));
}

#[test]
fn later_writes_are_kept_without_earlier_ones() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    for byte in 1..=3 {
        append(&mut file, &[byte; 10]);
    }
    let outcomes: BTreeSet<Vec<u8>> =
        (0..100).map(|seed| disk.crash(Crash::reordered(seed)).file("a").expect("the file")).collect();
    let first_lost = [&[0; 10][..], &[2; 10], &[3; 10]].concat();
    let first_two_lost = [&[0; 20][..], &[3; 10]].concat();
    assert_eq!(outcomes, BTreeSet::from([first_lost, first_two_lost]));
}

#[test]
fn writes_are_reordered_across_files() {
    let disk = SimulatedDisk::new();
    let mut first = named(&disk, "first");
    let mut second = named(&disk, "second");
    append(&mut second, b"earlier");
    append(&mut first, b"later");
    for seed in 0..10 {
        let after = disk.crash(Crash::reordered(seed));
        assert_eq!(after.file("second").as_deref(), Some(&b""[..]));
        assert_eq!(after.file("first").as_deref(), Some(&b"later"[..]));
    }
}

#[test]
fn later_names_are_kept_without_earlier_ones() {
    let disk = SimulatedDisk::new();
    for name in ["a", "b"] {
        disk.create(name).expect("a new file");
    }
    let outcomes: BTreeSet<_> = (0..50).map(|seed| disk.crash(Crash::reordered(seed)).names()).collect();
    assert_eq!(outcomes, BTreeSet::from([vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned()]]));
}

#[test]
fn crashes_differ_in_how_much_they_take() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, &[1; 16 * SECTOR]);
    file.sync().expect("synced");
    for at in 0..16 {
        file.write_at(&[2; SECTOR], at * SECTOR as u64).expect("room");
    }
    let mut crashes = [0; 17];
    for seed in 0..2_000 {
        let after = disk.crash(Crash::random(seed)).file("a").expect("the file");
        crashes[after.chunks(SECTOR).filter(|sector| sector[0] == 2).count()] += 1;
    }
    // Each change by the same chance would leave nearly all or nearly none of them in a few crashes only.
    assert!(crashes[15] > 60, "{crashes:?}");
    assert!(crashes[0] + crashes[1] > 60, "{crashes:?}");
    assert!(crashes[8] > 60, "{crashes:?}");
}

#[test]
fn writes_of_a_killed_process_are_earlier_than_those_of_the_next() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"1");
    let disk = disk.process_crash();
    let mut file = disk.open("a").expect("the file");
    append(&mut file, b"2");
    for seed in 0..10 {
        assert_eq!(disk.crash(Crash::reordered(seed)).file("a").as_deref(), Some(&[0, b'2'][..]));
    }
}

#[test]
fn a_single_write_is_kept_when_there_is_nothing_to_reorder() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"one");
    assert_eq!(disk.crash(Crash::reordered(5)).file("a").as_deref(), Some(&b"one"[..]));
}

#[test]
fn writes_are_torn_at_sectors_and_sizes_outlive_bytes() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    let start = 100;
    append(&mut file, &[7; 100]);
    file.sync().expect("synced");
    let written: Vec<u8> = (0..4 * SECTOR).map(|at| 1 + (at % 251) as u8).collect();
    append(&mut file, &written);

    let (mut torn, mut zeroes, mut noise, mut cut) = (0, 0, 0, 0);
    for seed in 0..2_000 {
        let after = disk.crash(Crash::random(seed)).file("a").expect("the file");
        assert_eq!(after[..start], [7; 100]);
        assert!(after.len() <= start + written.len());
        let (mut kept, mut lost) = (0, 0);
        let mut at = start;
        while at < after.len() {
            let end = ((at / SECTOR + 1) * SECTOR).min(after.len());
            let sector = &after[at..end];
            if *sector == written[at - start..end - start] {
                kept += 1;
            } else {
                lost += 1;
                if sector.iter().all(|byte| *byte == 0) {
                    zeroes += 1;
                } else {
                    // Zeroes and what was written, which may show elsewhere, have no such bytes.
                    noise += u32::from(sector.iter().any(|byte| *byte > 251));
                }
            }
            at = end;
        }
        torn += u32::from(kept > 0 && lost > 0);
        cut += u32::from(
            !after.len().is_multiple_of(SECTOR) && after.len() > start && after.len() < start + written.len(),
        );
    }
    // Each of these happens, and none of them always.
    assert!(torn > 100 && torn < 1_000, "{torn} torn");
    assert!(zeroes > 100, "{zeroes} sectors of zeroes");
    assert!(noise > 30, "{noise} sectors of noise");
    assert!(cut > 30, "{cut} cut within a sector");
}

#[test]
fn bytes_of_other_files_can_show_where_nothing_was_written() {
    let disk = SimulatedDisk::new();
    let mut other = named(&disk, "other");
    let sectors: Vec<u8> = (0..200).flat_map(|sector| [10 + sector; SECTOR]).collect();
    append(&mut other, &sectors);
    other.sync().expect("synced");
    disk.remove("other").expect("removed");
    disk.sync().expect("synced");
    let mut file = named(&disk, "a");
    append(&mut file, &[1; 4 * SECTOR]);

    // In the same place, and in another.
    let mut shown = [0, 0];
    for seed in 0..1_000 {
        let after = disk.crash(Crash::random(seed)).file("a").expect("the file");
        for (at, sector) in after.chunks_exact(SECTOR).enumerate() {
            if sector[0] >= 10 && sector.iter().all(|byte| *byte == sector[0]) {
                shown[usize::from(usize::from(sector[0]) != 10 + at)] += 1;
            }
        }
        assert_eq!(disk.crash(Crash::reordered(seed)).file("a"), Some(vec![1; 4 * SECTOR]));
    }
    assert!(shown[0] > 10 && shown[1] > 10, "{shown:?}");
}

#[test]
fn sectors_that_were_lost_before_kept_ones_can_be_noise() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, &[1; 2 * SECTOR]);
    let is_noise = |crash| {
        let after = disk.crash(crash).file("a").expect("the file");
        after.ends_with(&[1; SECTOR])
            && after.len() == 2 * SECTOR
            && after[..SECTOR].iter().any(|byte| *byte > 1)
    };
    // A few are made by a size that was kept: noise, and behind it bytes that lay on the disk, which are those of the second sector.
    let count = (0..10_000).filter(|seed| is_noise(Crash::random(*seed))).count();
    assert!(count > 50, "{count}");
}

#[test]
fn bytes_overwritten_but_not_synced_are_the_old_ones_or_the_new_ones() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, &[1; 4 * SECTOR]);
    file.sync().expect("synced");
    file.write_at(&[2; 2 * SECTOR], SECTOR as u64).expect("room");
    let mut outcomes = BTreeSet::new();
    for crash in crashes(200) {
        let after = disk.crash(crash).file("a").expect("the file");
        assert_eq!(after.len(), 4 * SECTOR);
        let sectors: Vec<u8> = after.chunks(SECTOR).map(|sector| sector[0]).collect();
        assert!(after.chunks(SECTOR).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        outcomes.insert(sectors);
    }
    let possible = [[1, 1, 1, 1], [1, 1, 2, 1], [1, 2, 1, 1], [1, 2, 2, 1]];
    assert_eq!(outcomes, possible.map(Vec::from).into());
}

#[test]
fn a_cut_that_was_not_synced_can_be_undone_behind_what_was_written_since() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"abcdef");
    file.sync().expect("synced");
    file.truncate(2).expect("a shorter file");
    append(&mut file, b"X");
    let outcomes: BTreeSet<Vec<u8>> =
        crashes(200).map(|crash| disk.crash(crash).file("a").expect("the file")).collect();
    for possible in [&b"abcdef"[..], b"ab", b"abX", b"abXdef"] {
        assert!(outcomes.contains(possible), "{possible:?} in {outcomes:?}");
    }
}

#[test]
fn a_synced_file_vanishes_with_a_name_that_was_not_synced() {
    let disk = SimulatedDisk::new();
    let mut file = disk.create("a").expect("a new file");
    append(&mut file, b"synced");
    file.sync().expect("synced");
    let outcomes: BTreeSet<Option<Vec<u8>>> = crashes(50).map(|crash| disk.crash(crash).file("a")).collect();
    assert_eq!(outcomes, BTreeSet::from([None, Some(b"synced".to_vec())]));
}

#[test]
fn a_rename_happens_or_does_not() {
    let disk = SimulatedDisk::new();
    for (name, bytes) in [("new", b"1"), ("kept", b"0"), ("other", b"2")] {
        disk.put(name, bytes);
    }
    disk.rename("new", "between").expect("renamed");
    disk.rename("between", "kept").expect("renamed");
    disk.remove("other").expect("removed");

    let (mut files, mut others) = (BTreeSet::new(), BTreeSet::new());
    for crash in crashes(200) {
        let after = disk.crash(crash);
        others.insert(after.file("other"));
        let names = after.names().into_iter().filter(|name| name != "other");
        files.insert(names.map(|name| (after.file(&name).expect("the file"), name)).collect::<Vec<_>>());
    }
    let file = |bytes: &[u8], name: &str| (bytes.to_vec(), name.to_owned());
    let replaced = vec![file(b"1", "kept")];
    let halfway = vec![file(b"1", "between"), file(b"0", "kept")];
    let untouched = vec![file(b"0", "kept"), file(b"1", "new")];
    assert_eq!(files, BTreeSet::from([replaced, halfway, untouched]));
    assert_eq!(others, BTreeSet::from([None, Some(b"2".to_vec())]));
}

#[test]
fn a_killed_process_loses_nothing_but_syncs_nothing_either() {
    let disk = SimulatedDisk::new();
    let mut file = disk.create("a").expect("a new file");
    append(&mut file, b"written");
    let held = disk.lock("lock").expect("free");
    let after = disk.process_crash();
    assert!(file.append(b"more").is_err());
    assert_eq!(after.names(), ["a", "lock"]);
    assert_eq!(after.file("a").as_deref(), Some(&b"written"[..]));

    let _again = after.lock("lock").expect("free");
    drop(held);
    assert_eq!(after.lock("lock").err().map(|error| error.kind()), Some(ErrorKind::WouldBlock));
    let lost = after.crash(Crash::keep_nothing());
    assert!(lost.names().is_empty());
    assert!(lost.lock("lock").is_ok());
}

#[test]
fn a_machine_that_lost_power_is_dead() {
    let disk = SimulatedDisk::new();
    let mut file = named(&disk, "a");
    append(&mut file, b"1");
    disk.create("b").expect("a new file");
    let after = disk.crash(Crash::keep_everything());
    let operations = disk.operations();
    let failed = [
        disk.list().is_err(),
        disk.create("c").is_err(),
        disk.open("a").is_err(),
        disk.open_to_read("a").is_err(),
        disk.rename("a", "c").is_err(),
        disk.remove("a").is_err(),
        disk.sync().is_err(),
        disk.lock("lock").is_err(),
        file.append(b"2").is_err(),
        file.write_at(b"2", 0).is_err(),
        file.read_at(&mut [0], 0).is_err(),
        file.size().is_err(),
        file.truncate(0).is_err(),
        file.sync().is_err(),
    ];
    assert_eq!(failed, [true; Operation::ALL.len()]);
    assert_eq!((disk.operations(), disk.names()), (operations, after.names()));
    assert_eq!(disk.file("a").as_deref(), Some(&b"1"[..]));
    // It can be asked again what is left: a sync that failed because the machine is dead loses nothing.
    let again = disk.crash(Crash::keep_everything());
    assert_eq!((again.names(), again.file("a")), (vec!["a".to_owned(), "b".to_owned()], after.file("a")));
}

#[test]
fn threads_share_a_disk() {
    let disk = SimulatedDisk::new();
    thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let disk = disk.clone();
            scope.spawn(move || {
                let mut file = disk.create(name).expect("a new file");
                for byte in 0..200 {
                    append(&mut file, &[byte]);
                }
                file.sync().expect("synced");
            });
        }
    });
    disk.sync().expect("synced");
    let after = disk.crash(Crash::keep_nothing());
    for name in ["a", "b", "c"] {
        assert_eq!(after.file(name), Some((0..200).collect()));
    }
}
