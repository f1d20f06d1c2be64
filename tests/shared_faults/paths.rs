//! What can be at a path already, and what becomes of a path while its ring lives.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ringbus::shared::{AttachError, Liveness, Observer, RingFile, SharedError, remove_stale};
use ringbus::{BuildError, Ring, Sequence};

use super::pattern::event;
use super::process::{Process, directory};

fn build(path: &Path) -> Result<(), BuildError> {
    Ring::<u64>::builder().shared(path).build().map(drop)
}

/// A ring cannot be there, nobody takes it for one, and it stays.
#[track_caller]
fn assert_occupied(path: &Path, what: &str) {
    let before = fs::symlink_metadata(path).unwrap();
    let occupied = BuildError::Shared(SharedError::Occupied { path: path.to_owned() });
    assert_eq!(build(path), Err(occupied), "{what}");
    let Err(AttachError::NotARing { path: named, .. }) = RingFile::open(path) else {
        panic!("{what} is no ring")
    };
    assert_eq!(named, path);
    assert!(matches!(Observer::<u64>::attach(path), Err(AttachError::NotARing { .. })), "{what}");
    assert!(remove_stale(path).is_err(), "{what}");
    let after = fs::symlink_metadata(path).unwrap();
    assert_eq!(
        (before.ino(), before.len(), before.mode()),
        (after.ino(), after.len(), after.mode()),
        "{what}"
    );
    assert!(!path.with_extension("new").exists() && !path.with_extension("lock").exists(), "{what}");
}

#[test]
fn what_is_no_ring_is_left_alone() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let ring = at("ring");
    build(&ring).unwrap();

    fs::write(at("empty"), "").unwrap();
    assert_occupied(&at("empty"), "an empty file");
    fs::write(at("text"), "my thesis, of which there is no copy").unwrap();
    assert_occupied(&at("text"), "a short file");
    fs::write(at("long"), vec![b'R'; 100_000]).unwrap();
    assert_occupied(&at("long"), "a long file");
    fs::create_dir(at("directory")).unwrap();
    assert_occupied(&at("directory"), "a directory");
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    assert_occupied(&at("pipe"), "a pipe");
    assert!(fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
    // Not even one that leads to a ring, and not one that leads nowhere.
    symlink(&ring, at("link")).unwrap();
    assert_occupied(&at("link"), "a link to a ring");
    symlink(at("nowhere"), at("dangling")).unwrap();
    assert_occupied(&at("dangling"), "a link to nothing");
    assert!(!at("nowhere").exists());
    // One in the way of the lock.
    symlink(at("nowhere"), at("other.lock")).unwrap();
    let Err(BuildError::Shared(SharedError::File(error))) = build(&at("other")) else { panic!("a link") };
    assert!(error.to_string().contains("other.lock"), "{error}");
    assert!(!at("nowhere").exists() && !at("other").exists());

    let Err(BuildError::Shared(SharedError::File(error))) = build(&at("missing/ring")) else {
        panic!("no directory")
    };
    assert_eq!(error.error().kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("missing/ring"), "{error}");
    // The ring that was there all along.
    assert_eq!(
        RingFile::open(&ring).unwrap().liveness(Duration::ZERO),
        Liveness::Closed(ringbus::End::Closed)
    );
}

/// A ring's own files stand beside it, and may be in the way of somebody else's.
#[test]
fn files_of_others_beside_the_path_are_left_alone() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let text = "version = 4\n";
    for suffix in ["lock", "new"] {
        let path = at("Cargo");
        let beside = path.with_extension(suffix);
        fs::write(&beside, text).unwrap();
        let Err(BuildError::Shared(error)) = build(&path) else { panic!("{suffix}: it is in the way") };
        assert!(error.to_string().contains(&*beside.to_string_lossy()), "{error}");
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(&beside).unwrap(), text, "{suffix}");
        fs::remove_file(&beside).unwrap();
    }
    // And a ring that was left there.
    build(&at("a.lock")).unwrap();
    assert!(build(&at("a")).is_err());
    assert!(RingFile::open(at("a.lock")).is_ok());
    // And one that lives there.
    let (_producer, _ring) = Ring::<u64>::builder().shared(at("c.new")).build().unwrap();
    assert!(build(&at("c")).is_err());
    assert!(RingFile::open(at("c.new")).is_ok_and(|file| !file.is_replaced()));
    // Who removes a ring removes no more than that.
    build(&at("b")).unwrap();
    fs::write(at("b.lock"), text).unwrap();
    assert!(remove_stale(at("b")).is_err());
    assert_eq!(fs::read_to_string(at("b.lock")).unwrap(), text);
    assert!(at("b").exists());
}

#[test]
fn nobody_but_the_core_may_write_the_file() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (_producer, _ring) = Ring::<u64>::builder().shared(&path).build().unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o440);
    assert!(metadata.blocks() * 512 >= metadata.len(), "there is a place on the device for every byte");
    assert_eq!(fs::metadata(directory.path().join("ring.lock")).unwrap().mode() & 0o7777, 0o600);
}

/// A core at `path` that has published `count` events, and an observer that has read them.
fn observed_core(path: &Path, count: u64) -> (Process, Observer<[u64; 8]>) {
    let mut core = Process::play("starter", path, &[]);
    core.expect("ready");
    core.tell("start 0 0");
    core.expect("started");
    let mut observer = Observer::<[u64; 8]>::attach(path).unwrap();
    publish(&mut core, &mut observer, count);
    (core, observer)
}

/// Lets it publish, and reads that.
#[track_caller]
fn publish(core: &mut Process, observer: &mut Observer<[u64; 8]>, count: u64) {
    let first = observer.position().get();
    core.tell(format!("publish {count}"));
    assert_eq!(core.expect("published"), [first + count]);
    for sequence in first..first + count {
        assert_eq!(observer.recv(), Ok((Sequence::new(sequence), event(sequence))));
    }
}

#[test]
fn a_core_whose_file_is_removed_goes_on_and_keeps_its_path() {
    let directory = directory();
    let path = directory.path().join("ring");
    let (mut core, mut observer) = observed_core(&path, 10);
    fs::remove_file(&path).unwrap();
    publish(&mut core, &mut observer, 1_0);
    let file = observer.file();
    assert_eq!((file.liveness(Duration::ZERO), file.is_replaced()), (Liveness::Alive, false));
    let Err(AttachError::File(error)) = RingFile::open(&path) else { panic!("it was removed") };
    assert_eq!(error.error().kind(), ErrorKind::NotFound);
    let Err(BuildError::Shared(error @ SharedError::InUse { .. })) = build(&path) else {
        panic!("it is in use")
    };
    assert!(error.to_string().contains("is in use"), "{error}");
    assert!(!path.exists());

    // Something else in its place is nothing to it either, and is not replaced when it is gone.
    fs::write(&path, "something else").unwrap();
    publish(&mut core, &mut observer, 10);
    assert!(matches!(build(&path), Err(BuildError::Shared(SharedError::InUse { .. }))));
    core.kill();
    assert_eq!(file.liveness(Duration::ZERO), Liveness::Dead);
    assert_occupied(&path, "something else");
    assert_eq!(fs::read(&path).unwrap(), b"something else");
}

#[test]
fn a_core_whose_ring_is_replaced_by_another_goes_on() {
    let directory = directory();
    let (path, other) = (directory.path().join("ring"), directory.path().join("other"));
    let (mut core, mut observer) = observed_core(&path, 10);
    let (mut second, mut observer_of_second) = observed_core(&other, 5);
    fs::rename(&other, &path).unwrap();
    assert!(observer.file().is_replaced() && !observer_of_second.file().is_replaced());
    publish(&mut core, &mut observer, 10);
    publish(&mut second, &mut observer_of_second, 10);
    assert_eq!(RingFile::open(&path).unwrap().info().process_id, second.id());
    // Both live, and each has a lock on its own file.
    core.kill();
    assert_eq!(observer.file().liveness(Duration::ZERO), Liveness::Dead);
    assert_eq!(observer_of_second.file().liveness(Duration::ZERO), Liveness::Alive);
    let in_use = SharedError::InUse { path: path.clone(), process_id: Some(second.id()) };
    assert_eq!(
        build(&path),
        Err(BuildError::Shared(in_use)),
        "though the first gave up the lock on the path"
    );
    assert!(remove_stale(&path).is_err());
    second.kill();
    assert_eq!(build(&path), Ok(()));
}
