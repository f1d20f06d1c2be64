//! Where lines come from: a bus, or a ring of which nothing else is known.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use ringbus::bus::RecordObserver;
use ringbus::bus::schema::Schema;
use ringbus::shared::{ObserveError, Observer, RingFile};
use ringbus::{ReadFrom, Sequence};

use super::line::Line;

/// Somebody who reads a ring.
pub(super) trait Source {
    /// What comes next, if anything does before the deadline; without one, what is there.
    fn recv(&mut self, deadline: Option<Instant>) -> Result<Line<'_>, ObserveError>;

    /// What is read next.
    fn position(&self) -> Sequence;

    /// The ring that is read now.
    fn file(&self) -> RingFile;

    /// What its records look like.
    fn schema(&self) -> Schema {
        self.file().info().schema.as_ref().unwrap_or(Schema::bus()).clone()
    }

    /// Whether they are records.
    fn is_bus(&self) -> bool {
        self.file().info().slot_payload.is_some()
    }
}

/// Reads the ring in `path`; if it `follows`, those that come after it too.
pub(super) fn attach(path: &Path, start: ReadFrom, follows: bool) -> Result<Box<dyn Source>, Box<dyn Error>> {
    let file = RingFile::open(path)?;
    let info = file.info();
    if info.slot_payload.is_some() {
        let observer = RecordObserver::builder(path).start(start);
        return Ok(Box::new(if follows { observer.attach_following()? } else { observer.attach()? }));
    }
    match info.slot_bytes {
        8 => events::<8>(path, start, follows),
        16 => events::<16>(path, start, follows),
        24 => events::<24>(path, start, follows),
        32 => events::<32>(path, start, follows),
        40 => events::<40>(path, start, follows),
        48 => events::<48>(path, start, follows),
        56 => events::<56>(path, start, follows),
        64 => events::<64>(path, start, follows),
        96 => events::<96>(path, start, follows),
        128 => events::<128>(path, start, follows),
        192 => events::<192>(path, start, follows),
        256 => events::<256>(path, start, follows),
        bytes => Err(format!(
            "`{}` is the ring of no bus, and its events have {bytes} bytes: this command shows those of 8, 16, 24, 32, 40, 48, 56, 64, 96, \
             128, 192 or 256 bytes; read it by an `Observer` of the type that it was made for",
            path.display()
        )
        .into()),
    }
}

impl Source for RecordObserver {
    fn recv(&mut self, deadline: Option<Instant>) -> Result<Line<'_>, ObserveError> {
        let record = match deadline {
            Some(deadline) => self.recv_deadline(deadline)?,
            None => self.try_recv()?,
        };
        Ok(Line::Record(record))
    }

    fn position(&self) -> Sequence {
        self.position()
    }

    fn file(&self) -> RingFile {
        self.file()
    }
}

/// Events of which nothing is known but their size.
struct Events<const BYTES: usize> {
    observer: Observer<[u8; BYTES]>,
    event: [u8; BYTES],
}

fn events<const BYTES: usize>(
    path: &Path,
    start: ReadFrom,
    follows: bool,
) -> Result<Box<dyn Source>, Box<dyn Error>> {
    let observer = Observer::<[u8; BYTES]>::builder(path).start(start);
    let observer = if follows { observer.attach_following()? } else { observer.attach()? };
    Ok(Box::new(Events { observer, event: [0; BYTES] }))
}

impl<const BYTES: usize> Source for Events<BYTES> {
    fn recv(&mut self, deadline: Option<Instant>) -> Result<Line<'_>, ObserveError> {
        let (sequence, event) = match deadline {
            Some(deadline) => self.observer.recv_deadline(deadline)?,
            None => self.observer.try_recv()?,
        };
        self.event = event;
        Ok(Line::Event(sequence, &self.event))
    }

    fn position(&self) -> Sequence {
        self.observer.position()
    }

    fn file(&self) -> RingFile {
        self.observer.file()
    }
}
