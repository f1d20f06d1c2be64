//! Where a ring is placed, and what it tells there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::error::SharedError;
use super::placement::Placement;
use super::reporter::Reporter;
use super::shape::Shape;
use crate::bus::schema::Schema;
use crate::error::BuildError;
use crate::region::Region;
use crate::ring::Core;

/// Where a shared ring is placed, for [`RingBuilder::shared`](crate::RingBuilder::shared): a path, or this for more.
///
/// ```
/// use ringbus::Ring;
/// use ringbus::shared::{RingFile, Shared};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("orders");
/// let shared = Shared::at(&path).report_every(None);
/// let (producer, ring) = Ring::<u64>::builder().shared(shared).build()?;
/// assert!(RingFile::open(&path)?.report().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Shared {
    path: PathBuf,
    report_every: Option<Duration>,
}

impl Shared {
    /// The file at `path`, which is made when the ring is built. Its directory must be there.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), report_every: Some(Duration::from_millis(100)) }
    }

    /// How often a thread of this process tells others what the consumers do ([`RingFile::report`](super::RingFile::report)); every 100
    /// milliseconds unless set, never more often than every millisecond. `None`: never, and there is no such thread.
    ///
    /// It costs what [`Ring::stats`](crate::Ring::stats) costs: the producer and the consumers nothing but the cache lines that it reads (and
    /// where latency is sampled, a consumer now and then the copying of its histogram). The thread has the affinity and the priority of the
    /// one that builds the ring: if that is pinned to the producer's core, it takes turns with the producer, or under a real-time priority
    /// never has one. Then build on a thread that may run on several cores, or set `None`.
    #[must_use]
    pub fn report_every(mut self, every: Option<Duration>) -> Self {
        self.report_every = every;
        self
    }
}

/// Whether a ring is to be shared, and what its file is to say of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    shared: Option<Shared>,
    /// Of a bus: the bytes of payload in a slot, and the schema.
    bus: Option<(usize, &'static Schema)>,
}

impl Wanted {
    pub(crate) fn place_at(&mut self, shared: Shared) {
        self.shared = Some(shared);
    }

    pub(crate) fn of_bus(&mut self, slot_payload: usize, schema: &'static Schema) {
        self.bus = Some((slot_payload, schema));
    }

    /// Makes the file, if there is to be one.
    pub(crate) fn place(&self, shape: &Shape<'_>) -> Result<Option<(Region, Placement)>, BuildError> {
        let Some(shared) = &self.shared else { return Ok(None) };
        let placement = Placement::create(&shared.path, shape, self.bus).map_err(BuildError::Shared)?;
        Ok(Some((placement.slots(shape.all_slots_bytes), placement)))
    }

    /// Starts to tell others what the consumers do, if that is to be told.
    pub(crate) fn start_reports(&self, core: &Arc<Core>) -> Result<Option<Reporter>, BuildError> {
        let every = self.shared.as_ref().and_then(|shared| shared.report_every);
        let (Some(every), Some(placement)) = (every, &core.placement) else { return Ok(None) };
        let started = Reporter::start(core, placement, every);
        Ok(Some(started.map_err(|error| BuildError::Shared(SharedError::Thread { error: error.kind() }))?))
    }
}

impl<P: AsRef<Path>> From<P> for Shared {
    fn from(path: P) -> Self {
        Self::at(path.as_ref())
    }
}
