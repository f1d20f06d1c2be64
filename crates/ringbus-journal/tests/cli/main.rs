//! The command `ringbus-journal`, as processes.

mod dump;
mod import;
mod recorded_file;
mod replay;
mod support;
mod usage;
mod verify;
