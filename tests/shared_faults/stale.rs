//! Removing what a dead core has left: never what a live one has.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ringbus::shared::{AttachError, Liveness, RemoveError, RingFile, remove_stale};

use super::process::{Process, directory, soon};

fn files(directory: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(name).collect();
    names.sort();
    names
}

#[test]
fn the_file_of_a_core_is_removed_only_when_it_is_dead() {
    let directory = directory();
    let path = directory.path().join("ring");
    let mut core = Process::play("beater", &path, &[0]);
    core.expect("built");
    let in_use = Err(RemoveError::InUse { path: path.clone() });
    assert_eq!(remove_stale(&path), in_use);
    // Halted is not dead. And somebody may have removed the lock file: the ring has a lock of its own.
    core.halt();
    assert_eq!(remove_stale(&path), in_use);
    fs::remove_file(directory.path().join("ring.lock")).unwrap();
    assert_eq!(remove_stale(&path), in_use);
    assert_eq!(RingFile::open(&path).unwrap().liveness(Duration::ZERO), Liveness::Alive);

    core.kill();
    assert_eq!(remove_stale(&path), Ok(()));
    assert_eq!(files(directory.path()), [""; 0]);
    assert!(matches!(remove_stale(&path), Err(RemoveError::Attach(AttachError::File(_)))));
    assert_eq!(files(directory.path()), [""; 0], "nothing is made where there was nothing to remove");
}

#[test]
fn a_remover_never_takes_the_ring_of_a_starter() {
    const RACES: u64 = 100;
    let directory = directory();
    let path = directory.path().join("ring");
    let mut starter = Process::play("starter", &path, &[]);
    let mut remover = Process::play("remover", &path, &[]);
    starter.expect("ready");
    remover.expect("ready");
    let mut outcomes = [[0_u64; 2]; 2];
    for _ in 0..RACES {
        // A stale ring.
        starter.tell("start 0 0");
        starter.expect("started");
        starter.tell("close");
        starter.expect("closed");

        let moment = soon();
        remover.tell(format!("remove {moment}"));
        starter.tell(format!("start {moment} 0"));
        let has_removed = remover.says().expect("it is there")[0] == "removed";
        let has_started = starter.says().expect("it is there")[0] == "started";
        outcomes[usize::from(has_started)][usize::from(has_removed)] += 1;
        assert!(has_removed || has_started, "both were refused");
        if has_started {
            // The ring is there, and the path is its own.
            let file = RingFile::open(&path).unwrap();
            let is = (file.liveness(Duration::ZERO), file.info().process_id);
            assert_eq!(is, (Liveness::Alive, starter.id()));
            remover.tell("remove 0");
            remover.expect("refused");
            assert_eq!(files(directory.path()), ["ring", "ring.lock"]);
            starter.tell("close");
            starter.expect("closed");
        } else {
            assert_eq!(files(directory.path()), [""; 0]);
        }
    }
    println!("{RACES} races, by whether it started and whether the stale one was removed: {outcomes:?}");
    assert!(outcomes[1][0] + outcomes[1][1] > 0, "it has never started");
    assert!(starter.end().success() && remover.end().success());
}
