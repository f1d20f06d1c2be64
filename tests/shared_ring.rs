//! Rings in files, and those who look on: where they start, what they are told of losses and of the end, and what a file says of its ring.
//!
//! All in one process: to an observer it is the same, it maps the file by itself.

mod common;
#[path = "shared_ring/contracts.rs"]
mod contracts;
#[path = "shared_ring/ending.rs"]
mod ending;
#[path = "shared_ring/file.rs"]
mod file;
#[path = "fuzz/image.rs"]
mod image;
#[path = "shared_ring/observing.rs"]
mod observing;
#[path = "shared_ring/reports.rs"]
mod reports;
#[path = "shared_ring/scribbled.rs"]
mod scribbled;

use std::path::Path;

use ringbus::shared::{ObserveError, Shared};
use ringbus::{Producer, Ring, RingBuilder};
use tempfile::TempDir;

const PATH: &str = "ring";

/// A directory of its own for a ring's file, which goes with it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.at(PATH)
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

/// Without a thread that reports.
fn quietly(path: &Path) -> Shared {
    Shared::at(path).report_every(None)
}

/// A ring of 16 with a max batch of 4: the last 12 can be read.
fn sixteen(place: &Place) -> (Producer<u64>, Ring<u64>) {
    builder(16).shared(quietly(&place.path())).build().unwrap()
}

fn builder(capacity: usize) -> RingBuilder<u64> {
    Ring::builder().capacity(capacity)
}

const fn lagged(missed: u64, resumed_at: u64) -> ObserveError {
    ObserveError::Lagged { missed, resumed_at: common::at(resumed_at) }
}
