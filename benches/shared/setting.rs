//! The rings that are measured.

use std::path::PathBuf;

use bytemuck::AnyBitPattern;
use ringbus::shared::Shared;
use ringbus::wait::BusySpin;
use ringbus::{Event, Producer, Ring};
use tempfile::TempDir;

use crate::common::Words;
use crate::company::Company;

/// Where the slots are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Heap,
    /// A file in memory.
    Shm,
    /// A file on a disk.
    File,
}

impl Place {
    pub(crate) const ALL: [Self; 3] = [Self::Heap, Self::Shm, Self::File];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::Shm => "/dev/shm",
            Self::File => "file",
        }
    }

    fn directory(self) -> Option<TempDir> {
        let directory = match self {
            Self::Heap => return None,
            Self::Shm => tempfile::tempdir_in("/dev/shm"),
            Self::File => tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")),
        };
        Some(directory.expect("a place for files"))
    }
}

/// What is the same for all that happens on a ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) place: Place,
    pub(crate) capacity: usize,
    /// Whether a thread reports on the consumers ten times a second, as it does unless set otherwise.
    pub(crate) reports: bool,
    /// Whether a required consumer reads on the other core.
    pub(crate) is_required: bool,
    /// Who else is on the other core.
    pub(crate) company: Company,
}

impl Setting {
    pub(crate) fn alone(place: Place, capacity: usize) -> Self {
        Self { place, capacity, reports: true, is_required: false, company: Company::Nobody }
    }

    pub(crate) fn ring<const W: usize>(&self) -> Placed<W>
    where
        Words<W>: Event + AnyBitPattern,
    {
        let directory = self.place.directory();
        let path = directory.as_ref().map(|directory| directory.path().join("ring"));
        let mut builder = Ring::<Words<W>>::builder().capacity(self.capacity).wait(BusySpin);
        if let Some(path) = &path {
            let shared = Shared::at(path);
            builder = builder.shared(if self.reports { shared } else { shared.report_every(None) });
        }
        let (producer, ring) = builder.build().expect("good settings, and room for a file");
        Placed { producer, ring, path, _directory: directory }
    }
}

/// A ring, and the directory of its file, which goes with it.
pub(crate) struct Placed<const W: usize>
where
    Words<W>: Event,
{
    pub(crate) producer: Producer<Words<W>, BusySpin>,
    pub(crate) ring: Ring<Words<W>>,
    pub(crate) path: Option<PathBuf>,
    pub(crate) _directory: Option<TempDir>,
}
