//! The live end of a stream, as who catches up with it sees it: a bus in this process, or in another.

#[cfg(feature = "shared")]
use ringbus::bus::RecordObserver;
use ringbus::bus::{Bus, OptionalSubscription, RecordRef, StreamId};
#[cfg(feature = "shared")]
use ringbus::shared::{AttachError, ObserveError, RingFile};
use ringbus::{End, ReadFrom, RecvError, Sequence, StartError};

use crate::late::is_fed;

/// Where a [`CatchUp`](crate::CatchUp) gets live records: [`OnBus`], or `OnFile` (feature `shared`). Sealed.
pub trait Live: sealed::Live {}

impl<L: sealed::Live> Live for L {}

/// A bus in this process.
#[derive(Debug)]
pub struct OnBus<const PAYLOAD: usize> {
    pub(super) bus: Bus<PAYLOAD>,
    pub(super) name: String,
}

/// The bus of another process, which has placed it in a file.
#[cfg(feature = "shared")]
#[derive(Debug)]
pub struct OnFile {
    pub(super) file: RingFile,
}

/// Why there is no live record.
pub enum Missing {
    /// What comes next begins here: what lies before is lost.
    Lagged(Sequence),
    /// None will come.
    Ended(End),
    /// None is there now.
    Nothing,
}

pub(super) mod sealed {
    use super::{End, Missing, RecordRef, Sequence, StreamId};

    pub trait Live: Send + 'static {
        /// What reads it.
        type Tail: Send + 'static;

        fn stream(&self) -> StreamId;

        /// Begins to read at `next`. The first sequence that there ever was, if that lies behind `next`; `None` if it cannot be read now.
        fn join(&self, next: Sequence) -> Result<Self::Tail, Option<Sequence>>;

        fn try_recv(tail: &mut Self::Tail) -> Result<RecordRef<'_>, Missing>;

        fn end(&self) -> Option<End>;

        fn cursor(&self) -> Sequence;

        /// Whether the journal may still be getting what is published.
        fn feeds(&self) -> bool;
    }
}

impl<const PAYLOAD: usize> sealed::Live for OnBus<PAYLOAD> {
    type Tail = OptionalSubscription<PAYLOAD>;

    fn stream(&self) -> StreamId {
        self.bus.stream().clone()
    }

    fn join(&self, next: Sequence) -> Result<Self::Tail, Option<Sequence>> {
        let joined = self.bus.subscribe(&self.name).optional().start(ReadFrom::Sequence(next)).join();
        joined.map_err(|error| begins(&error))
    }

    fn try_recv(tail: &mut Self::Tail) -> Result<RecordRef<'_>, Missing> {
        tail.try_recv().map_err(|error| match error {
            RecvError::Lagged { resumed_at, .. } => Missing::Lagged(resumed_at),
            RecvError::Ended(end) => Missing::Ended(end),
            _ => Missing::Nothing,
        })
    }

    fn end(&self) -> Option<End> {
        self.bus.end()
    }

    fn cursor(&self) -> Sequence {
        self.bus.cursor()
    }

    fn feeds(&self) -> bool {
        is_fed(&self.bus, None)
    }
}

#[cfg(feature = "shared")]
impl sealed::Live for OnFile {
    type Tail = RecordObserver;

    fn stream(&self) -> StreamId {
        let info = self.file.info();
        info.stream.clone().unwrap_or_else(|| StreamId::new(&info.name))
    }

    fn join(&self, next: Sequence) -> Result<Self::Tail, Option<Sequence>> {
        let attached = RecordObserver::of(&self.file).start(ReadFrom::Sequence(next)).attach();
        attached.map_err(|error| match error {
            AttachError::Start(error) => begins(&error),
            _ => None,
        })
    }

    fn try_recv(tail: &mut Self::Tail) -> Result<RecordRef<'_>, Missing> {
        tail.try_recv().map_err(|error| match error {
            ObserveError::Lagged { resumed_at, .. } => Missing::Lagged(resumed_at),
            ObserveError::Ended(end) => Missing::Ended(end),
            _ => Missing::Nothing,
        })
    }

    fn end(&self) -> Option<End> {
        self.file.end()
    }

    fn cursor(&self) -> Sequence {
        self.file.cursor()
    }

    fn feeds(&self) -> bool {
        self.file.is_held()
    }
}

/// Where the ring begins, if it could not be read from a sequence because that lies before.
fn begins(error: &StartError) -> Option<Sequence> {
    match error {
        StartError::BeforeFirst { first_sequence, .. } => Some(*first_sequence),
        _ => None,
    }
}
