//! Cores that are halted, idle, or say nothing: what is known of whether they live.

use std::time::Duration;

use ringbus::shared::{Liveness, RingFile};

use super::process::{Process, directory, eventually};

const LIMIT: Duration = Duration::from_millis(200);

#[test]
fn a_halted_core_is_stalled_until_it_goes_on() {
    let directory = directory();
    let path = directory.path().join("ring");
    let mut core = Process::play("beater", &path, &[1]);
    core.expect("built");
    let file = RingFile::open(&path).unwrap();
    for _ in 0..2 {
        // It publishes nothing, and is alive.
        eventually("a heartbeat", || file.heartbeat_age().expect("there was one") < LIMIT);
        assert_eq!(file.liveness(Duration::from_secs(60)), Liveness::Alive);
        assert_eq!(file.cursor().get(), 0);
        core.halt();
        let halted_at = file.heartbeat_age().expect("there was one");
        eventually("it is stalled", || match file.liveness(LIMIT) {
            Liveness::Stalled { silent_for } => {
                assert!(silent_for > LIMIT && silent_for > halted_at, "{silent_for:?}");
                true
            }
            other => {
                assert_eq!(other, Liveness::Alive);
                false
            }
        });
        // A more patient one does not worry yet.
        assert_eq!(file.liveness(Duration::from_secs(3_600)), Liveness::Alive);
        core.go_on();
        eventually("it is alive again", || file.liveness(LIMIT) == Liveness::Alive);
    }
    core.halt();
    core.kill();
    assert_eq!(file.liveness(Duration::ZERO), Liveness::Dead, "though it was stalled");
    assert!(file.heartbeat_age().is_some());
}

#[test]
fn a_core_without_heartbeats_is_never_stalled() {
    let directory = directory();
    let path = directory.path().join("ring");
    let mut core = Process::play("beater", &path, &[0]);
    core.expect("built");
    let file = RingFile::open(&path).unwrap();
    assert_eq!((file.liveness(Duration::ZERO), file.heartbeat_age()), (Liveness::Alive, None));
    core.halt();
    assert_eq!((file.liveness(Duration::ZERO), file.heartbeat_age()), (Liveness::Alive, None));
    core.go_on();
    assert!(core.end().success());
    // It has dropped its producer, in good order.
    assert_eq!(file.liveness(Duration::ZERO), Liveness::Closed(ringbus::End::Closed));
}
