//! For the tests of what is built on a bus: a double that keeps what an engine emits.

mod difference;
mod recorder;
#[cfg(test)]
mod tests;

pub use recorder::{Recorded, Recorder};
