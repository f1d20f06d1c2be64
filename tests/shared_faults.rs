//! Faults of rings in files, with real processes: killed, halted, two at one path; files removed, cut off and scribbled over; no room, no
//! permission.
//!
//! The other processes are this one once more: it runs the hidden test `child`, which plays the role that its environment names, says on its
//! output how far it is, and does what its input tells it (`shared_faults/process.rs`).
//!
//! `RINGBUS_KILLS` says how often producers are killed; 30 times unless it is set.

#![cfg(target_os = "linux")]

#[path = "shared_faults/core.rs"]
mod core_role;
#[path = "shared_faults/drained.rs"]
mod drained;
#[path = "shared_faults/followed.rs"]
mod followed;
#[path = "shared_faults/halted.rs"]
mod halted;
#[path = "shared_faults/killed.rs"]
mod killed;
#[path = "shared_faults/observers.rs"]
mod observers;
#[path = "shared_faults/paths.rs"]
mod paths;
#[path = "shared_faults/pattern.rs"]
mod pattern;
#[path = "shared_faults/process.rs"]
mod process;
#[path = "shared_faults/roles.rs"]
mod roles;
#[path = "shared_faults/room.rs"]
mod room;
#[path = "shared_faults/scribbled.rs"]
mod scribbled;
#[path = "shared_faults/scribbler.rs"]
mod scribbler;
#[path = "shared_faults/stale.rs"]
mod stale;
#[path = "shared_faults/starters.rs"]
mod starters;
#[path = "shared_faults/truncated.rs"]
mod truncated;

#[test]
#[ignore = "the other tests run it, in processes of their own"]
fn child() {
    roles::play();
}
