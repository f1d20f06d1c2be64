//! What a storage does while nothing goes wrong: the real one and the simulated one, by the same tests.

use std::fs;
use std::io::ErrorKind;

use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{Disk, File, Storage};

/// Runs a test on both.
fn on_each(test: impl Fn(&dyn Storage)) {
    let directory = tempfile::tempdir().expect("a directory for files");
    test(&Disk::new(directory.path()));
    test(&SimulatedDisk::new());
}

fn all_of(file: &dyn File) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 16];
    let count = file.read_at(&mut bytes, 0).expect("a file that can be read");
    bytes.truncate(count);
    assert_eq!(file.size().expect("a size"), count as u64);
    bytes
}

fn names(storage: &dyn Storage) -> Vec<String> {
    let mut names = storage.list().expect("a list");
    names.sort();
    names
}

fn kind<T>(outcome: std::io::Result<T>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

#[test]
fn bytes_are_read_as_they_were_written() {
    on_each(|storage| {
        let mut file = storage.create("a").expect("a new file");
        assert_eq!(all_of(&*file), b"");
        assert_eq!(file.append(b"one").expect("room"), 3);
        assert_eq!(file.append(b"").expect("nothing to do"), 0);
        assert_eq!(file.append(b"two").expect("room"), 3);
        assert_eq!(all_of(&*file), b"onetwo");

        let mut some = [0; 2];
        assert_eq!(file.read_at(&mut some, 2).expect("bytes"), 2);
        assert_eq!(&some, b"et");
        assert_eq!(file.read_at(&mut some, 5).expect("bytes"), 1);
        assert_eq!(some[0], b'o');
        for end in [6, 7, u64::from(u32::MAX)] {
            assert_eq!(file.read_at(&mut some, end).expect("the end"), 0);
        }
    });
}

#[test]
fn writing_at_an_offset_overwrites_and_appending_goes_on_at_the_end() {
    on_each(|storage| {
        let mut file = storage.create("a").expect("a new file");
        file.append(b"abcdef").expect("room");
        assert_eq!(file.write_at(b"XY", 1).expect("room"), 2);
        file.append(b"g").expect("room");
        assert_eq!(all_of(&*file), b"aXYdefg");
        assert_eq!(file.write_at(b"!", 9).expect("room"), 1);
        assert_eq!(file.write_at(b"", 100).expect("nothing to do"), 0);
        file.append(b"?").expect("room");
        assert_eq!(all_of(&*file), b"aXYdefg\0\0!?");
    });
}

#[test]
fn appending_goes_on_where_a_file_was_cut_off() {
    on_each(|storage| {
        let mut file = storage.create("a").expect("a new file");
        file.append(b"abcdef").expect("room");
        file.truncate(2).expect("a shorter file");
        assert_eq!(all_of(&*file), b"ab");
        file.append(b"C").expect("room");
        assert_eq!(all_of(&*file), b"abC");
        file.sync().expect("synced");
        storage.sync().expect("synced");
    });
}

#[test]
fn an_opened_file_is_appended_to_behind_what_it_has() {
    on_each(|storage| {
        storage.create("a").expect("a new file").append(b"one").expect("room");
        let reader = storage.open_to_read("a").expect("the file");
        let mut file = storage.open("a").expect("the file");
        file.append(b"two").expect("room");
        assert_eq!(all_of(&*file), b"onetwo");
        // Who reads sees what is written meanwhile.
        assert_eq!(all_of(&*reader), b"onetwo");
    });
}

#[test]
fn a_file_opened_to_be_read_is_not_written() {
    on_each(|storage| {
        storage.create("a").expect("a new file").append(b"one").expect("room");
        let mut file = storage.open_to_read("a").expect("the file");
        assert!(file.append(b"two").is_err());
        assert!(file.write_at(b"two", 0).is_err());
        assert!(file.truncate(0).is_err());
        assert_eq!(all_of(&*file), b"one");
    });
}

#[test]
fn names_are_given_once_and_taken_away() {
    on_each(|storage| {
        assert!(names(storage).is_empty());
        storage.create("b").expect("a new file").append(b"of b").expect("room");
        storage.create("a").expect("a new file").append(b"of a").expect("room");
        assert_eq!(names(storage), ["a", "b"]);
        assert_eq!(kind(storage.create("a")), Some(ErrorKind::AlreadyExists));
        assert_eq!(all_of(&*storage.open("a").expect("the file")), b"of a");

        storage.remove("a").expect("removed");
        assert_eq!(names(storage), ["b"]);
        for missing in [kind(storage.open("a")), kind(storage.open_to_read("a"))] {
            assert_eq!(missing, Some(ErrorKind::NotFound));
        }
        for missing in [kind(storage.remove("a")), kind(storage.rename("a", "c"))] {
            assert_eq!(missing, Some(ErrorKind::NotFound));
        }
        assert_eq!(all_of(&*storage.create("a").expect("a new file")), b"");
    });
}

#[test]
fn a_rename_replaces_and_open_files_go_on() {
    on_each(|storage| {
        let mut new = storage.create("new").expect("a new file");
        new.append(b"new").expect("room");
        let mut old = storage.create("kept").expect("a new file");
        old.append(b"old").expect("room");
        storage.rename("new", "kept").expect("renamed");
        assert_eq!(names(storage), ["kept"]);
        assert_eq!(all_of(&*storage.open("kept").expect("the file")), b"new");
        assert_eq!(all_of(&*old), b"old");
        new.append(b"er").expect("room");
        assert_eq!(all_of(&*storage.open("kept").expect("the file")), b"newer");

        storage.rename("kept", "kept").expect("nothing to do");
        storage.remove("kept").expect("removed");
        assert_eq!(all_of(&*new), b"newer");
        assert!(names(storage).is_empty());
    });
}

#[test]
fn a_lock_has_one_holder_and_its_file_stays() {
    on_each(|storage| {
        let held = storage.lock("lock").expect("free");
        assert_eq!(kind(storage.lock("lock")), Some(ErrorKind::WouldBlock));
        let _another = storage.lock("another").expect("free");
        drop(held);
        assert_eq!(names(storage), ["another", "lock"]);
        let _again = storage.lock("lock").expect("free");
        assert_eq!(kind(storage.lock("lock")), Some(ErrorKind::WouldBlock));
    });
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    on_each(|storage| {
        storage.create("a").expect("a new file");
        for name in ["", ".", "..", "a/b", "/a", "../a", "a\0"] {
            let refused = [
                kind(storage.create(name)),
                kind(storage.open(name)),
                kind(storage.open_to_read(name)),
                kind(storage.rename(name, "b")),
                kind(storage.rename("a", name)),
                kind(storage.remove(name)),
                kind(storage.lock(name)),
            ];
            assert_eq!(refused, [Some(ErrorKind::InvalidInput); 7], "{name:?}");
        }
        assert_eq!(names(storage), ["a"]);
    });
}

#[test]
fn directories_are_made_with_those_they_lie_in() {
    let directory = tempfile::tempdir().expect("a directory for files");
    let within = directory.path().join("of/a/core");
    assert_eq!(kind(Disk::new(&within).list()), Some(ErrorKind::NotFound));
    assert!(!within.exists());

    let disk = Disk::create(&within).expect("made");
    disk.create("a").expect("a new file");
    assert_eq!(disk.place(), within.display().to_string());
    assert_eq!(disk.directory(), within);
    let again = Disk::create(&within).expect("there already");
    assert_eq!(names(&again), ["a"]);
    Disk::create(directory.path().join("another/../more")).expect("made");
    assert!(directory.path().join("more").is_dir());

    let file = within.join("a");
    assert_eq!(kind(Disk::create(&file)), Some(ErrorKind::AlreadyExists));
    assert_eq!(kind(Disk::create(file.join("b"))), Some(ErrorKind::NotADirectory));
}

#[test]
fn directories_within_are_not_listed() {
    let directory = tempfile::tempdir().expect("a directory for files");
    fs::create_dir(directory.path().join("within")).expect("made");
    let disk = Disk::new(directory.path());
    disk.create("a").expect("a new file");
    assert_eq!(names(&disk), ["a"]);
}
