//! No room for a ring's file: an error that says so, and nothing of it left behind.

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use ringbus::shared::{RingFile, SharedError};
use ringbus::{BuildError, Ring};

use super::pattern::event;
use super::process::{Process, Role, directory, say};
use super::roles::build;

/// Makes a ring for which there is room, and one for which there is none.
pub(crate) fn short_of_room(role: &Role) {
    let (mut producer, ring) = build::<8>(role, 0).unwrap();
    producer.publish(&event(0)).unwrap();
    drop((producer, ring));
    let before = fs::read(&role.path).unwrap();

    let built = Ring::<[u64; 8]>::builder().capacity(1 << 15).shared(&role.path).build();
    let error = built.expect_err("two megabytes are more than there is room for");
    let said = error.to_string();
    let BuildError::Shared(SharedError::File(error)) = error else { panic!("{error}") };
    assert!(said.contains(&format!("`{}.new`", role.path.display())), "{said}");
    let kind = error.error().kind();
    assert!(matches!(kind, ErrorKind::StorageFull | ErrorKind::FileTooLarge), "{said}");
    if kind == ErrorKind::StorageFull {
        assert!(said.contains("lower the ring's capacity"), "{said}");
    }
    assert!(!role.path.with_extension("new").exists(), "half a ring is left");
    assert!(fs::read(&role.path).unwrap() == before, "the ring before has changed");
    assert_eq!(RingFile::open(&role.path).unwrap().cursor().get(), 1);

    // The path is free for a smaller one.
    let (mut producer, _ring) = build::<8>(role, 7).unwrap();
    producer.publish(&event(7)).unwrap();
    say(if kind == ErrorKind::StorageFull { "full" } else { "limited" });
}

/// Whether this can be done here.
fn can(program: &[&str]) -> bool {
    Command::new(program[0]).args(&program[1..]).status().is_ok_and(|status| status.success())
}

#[test]
fn on_a_full_device_nothing_is_left_behind() {
    let directory = directory();
    let path = directory.path().join("ring");
    // Where nobody else sees it, and it is gone with the process.
    let Some(unshare) =
        [["unshare", "-m", "true"], ["unshare", "-rm", "true"]].into_iter().find(|program| can(program))
    else {
        return eprintln!("skipped: no mounts of one's own here");
    };
    let device = directory.path().display();
    let mount = format!("mount -t tmpfs -o size=1m ringbus-test '{device}'");
    let mut process = Process::play_behind(&unshare[..2], &mount, "short of room", &path);
    process.expect("full");
    assert!(process.end().success());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "it was not on a device of its own");
}

#[test]
fn beyond_the_limit_of_a_file_nothing_is_left_behind() {
    let directory = directory();
    let path = directory.path().join("ring");
    // Blocks of 512 bytes, or of 1,024: a megabyte at most. And without the signal that would end it.
    let limit = "trap '' XFSZ && ulimit -f 1024";
    let mut process = Process::play_behind(&[], limit, "short of room", &path);
    process.expect("limited");
    assert!(process.end().success());
}
