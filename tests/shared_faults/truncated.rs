//! A ring's file that somebody makes shorter: who touches what was cut off is ended by the system, and nobody goes on with what is not there.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use ringbus::shared::{AttachError, Liveness, Observer, RingFile, remove_stale};
use ringbus::{End, ReadFrom};

use super::drained::{Drained, drain};
use super::process::{Process, directory};
use super::scribbler::{SLOTS_OFFSET, word};

const SIGBUS: i32 = 7;

fn truncate(path: &Path, bytes: u64) {
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    OpenOptions::new().write(true).open(path).unwrap().set_len(bytes).unwrap();
}

fn core_at(path: &Path, published: u64) -> Process {
    let mut core = Process::play("starter", path, &[]);
    core.expect("ready");
    core.tell("start 0 0");
    core.expect("started");
    core.tell(format!("publish {published}"));
    assert_eq!(core.expect("published"), [published]);
    core
}

#[track_caller]
fn assert_ended_by_the_system(process: &mut Process) {
    assert_eq!(process.says(), None);
    assert_eq!(process.end().signal(), Some(SIGBUS));
}

#[test]
fn who_touches_what_was_cut_off_is_ended() {
    let directory = directory();
    let path = directory.path().join("ring");
    let mut core = core_at(&path, 100);
    let mut observer = Process::play("observer at a word", &path, &[]);
    observer.expect("attached");
    observer.tell("read");
    assert_eq!(observer.expect("read"), [100]);
    truncate(&path, 0);
    observer.tell("read");
    assert_ended_by_the_system(&mut observer);
    core.tell("publish 1");
    assert_ended_by_the_system(&mut core);

    // What is left is not taken for a ring, and is left alone.
    let found = Err(AttachError::NotARing { path: path.clone(), found: "too short a file" });
    assert_eq!(RingFile::open(&path).map(drop), found);
    assert!(remove_stale(&path).is_err());
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn a_core_goes_on_for_as_long_as_it_touches_nothing_that_was_cut_off() {
    const PAGE: u64 = 4_096;
    let directory = directory();
    let path = directory.path().join("ring");
    let mut core = core_at(&path, 10);
    let observer =
        Observer::<[u64; 8]>::builder(&path).start(ReadFrom::Oldest { headroom: 0 }).attach().unwrap();
    let file = observer.file();
    let slots_offset = word(&fs::File::open(&path).unwrap(), SLOTS_OFFSET);
    // Two pages of slots are left: 128 events of 64 bytes.
    truncate(&path, slots_offset + 2 * PAGE);
    core.tell("publish 110");
    assert_eq!(core.expect("published"), [120]);
    assert_eq!((file.liveness(Duration::ZERO), file.cursor().get()), (Liveness::Alive, 120));
    let Err(AttachError::Header { error, .. }) = RingFile::open(&path) else { panic!("it is too short") };
    assert_eq!(error.field(), "bytes of the file");

    core.tell("publish 110");
    assert_ended_by_the_system(&mut core);
    assert_eq!((file.liveness(Duration::ZERO), file.cursor().get()), (Liveness::Dead, 128));
    let expected = Drained { start: 0, delivered: 128, missed: 0, position: 128, end: End::ProducerDied };
    assert_eq!(drain(observer, false), expected);
    // The next core takes its place, and the next remover could have.
    let _next = core_at(&path, 1);
    assert_eq!(RingFile::open(&path).unwrap().liveness(Duration::ZERO), Liveness::Alive);
}
