//! The command `ringbus`, as processes.

mod audit;
mod demo;
mod dump;
mod import;
mod ls;
mod record;
mod recorded_file;
mod replay;
mod ring;
mod stat;
mod support;
mod tail;
mod usage;
mod verify;
