//! A bus that keeps what was said.

use std::any::type_name;
use std::collections::VecDeque;
use std::fmt;

use super::difference::Difference;
use crate::bus::{Emit, Kind, Origin, Payload, Topic, WriteError};

/// Something that was emitted into a [`Recorder`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// Who emitted it, and why.
    pub origin: Origin,
    /// Its type.
    pub kind: Kind,
    /// Its category.
    pub topic: Topic,
    /// The version of its payload's layout.
    pub version: u8,
    /// Its payload.
    pub payload: Vec<u8>,
}

impl Recorded {
    /// The payload as a `T`: if the kind is `T`'s and so is the length, else `None`. As subscribers would see it.
    #[must_use]
    pub fn get<T: Payload>(&self) -> Option<T> {
        if self.kind == T::KIND { bytemuck::try_pod_read_unaligned(&self.payload).ok() } else { None }
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, kind, topic, version, payload } = self;
        write!(f, "kind {kind}, topic {topic}, version {version}, source {}, ", origin.source)?;
        write!(f, "trigger {}/{}, {} bytes: ", origin.trigger.kind, origin.trigger.reason, payload.len())?;
        payload.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A double of a bus, for the unit tests of engines: it keeps what they emit, in order, and refuses what a
/// [`Writer`](crate::bus::Writer) would refuse whatever its context: kinds of the bus's own, and payloads that are too long.
///
/// ```
/// use bytemuck::{Pod, Zeroable};
/// use ringbus::bus::{Emit, Kind, Origin, Payload, Source, WriteError};
/// use ringbus::testing::Recorder;
///
/// #[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
/// #[repr(C)]
/// struct Trade {
///     price: u64,
///     size: u64,
/// }
///
/// impl Payload for Trade {
///     const KIND: Kind = Kind::new(8);
/// }
///
/// /// The engine under test: fills an order in two parts.
/// fn fill(bus: &mut impl Emit, size: u64) -> Result<(), WriteError> {
///     let origin = Origin::of(Source::new(1));
///     bus.emit(origin, &Trade { price: 101, size: size / 2 })?;
///     bus.emit(origin, &Trade { price: 102, size: size - size / 2 })
/// }
///
/// let mut recorder = Recorder::new();
/// fill(&mut recorder, 5)?;
/// recorder.assert_emitted(&[Trade { price: 101, size: 2 }, Trade { price: 102, size: 3 }]);
/// # Ok::<(), WriteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recorder {
    events: Vec<Recorded>,
    max_payload: usize,
    failures: VecDeque<WriteError>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// One that has recorded nothing, and takes payloads of any length.
    #[must_use]
    pub fn new() -> Self {
        Self { events: Vec::new(), max_payload: usize::MAX, failures: VecDeque::new() }
    }

    /// Refuses payloads of more than `bytes`, as a writer whose [`max_payload`](crate::bus::Writer::max_payload) that is.
    #[must_use]
    pub fn with_max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Lets the next event that is emitted fail with `error`, whatever it is: to test what an engine does then. Called several
    /// times, it lets as many fail, in this order.
    pub fn fail_next(&mut self, error: WriteError) {
        self.failures.push_back(error);
    }

    /// All that was emitted.
    #[must_use]
    pub fn events(&self) -> &[Recorded] {
        &self.events
    }

    /// All that was emitted; the recorder is as new then, but for its settings.
    #[must_use]
    pub fn take(&mut self) -> Vec<Recorded> {
        std::mem::take(&mut self.events)
    }

    /// Forgets what was emitted.
    pub fn clear(&mut self) {
        self.events.clear();
    }

    /// The kinds of all that was emitted.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        self.events.iter().map(|event| event.kind).collect()
    }

    /// All `T`s that were emitted. What has `T`'s kind but not its length is passed over, as a subscriber would.
    #[must_use]
    pub fn all<T: Payload>(&self) -> Vec<T> {
        self.events.iter().filter_map(Recorded::get).collect()
    }

    /// Makes sure that the kinds of all that was emitted are these, in this order.
    ///
    /// # Panics
    ///
    /// If they are not; the message shows both.
    #[track_caller]
    pub fn assert_kinds(&self, expected: &[Kind]) {
        if self.kinds() != expected {
            let difference = Difference {
                expected: expected.iter().map(|kind| format!("kind {kind}")).collect(),
                found: self.kinds().iter().map(|kind| format!("kind {kind}")).collect(),
            };
            panic!("the kinds of what was emitted are not as expected:\n{difference}");
        }
    }

    /// Makes sure that the events of `T`'s kind are these, in this order. Events of other kinds may have come between.
    ///
    /// # Panics
    ///
    /// If they are not; the message shows both, and what else was emitted.
    #[track_caller]
    pub fn assert_emitted<T: Payload + PartialEq + fmt::Debug>(&self, expected: &[T]) {
        let found: Vec<_> = self.of_kind(T::KIND).collect();
        if found.iter().map(|event| event.get()).ne(expected.iter().copied().map(Some)) {
            let difference = Difference {
                expected: expected.iter().map(|event| format!("{event:?}")).collect(),
                found: found.iter().map(|event| describe::<T>(event)).collect(),
            };
            panic!(
                "the events of kind {} ({}) are not as expected:\n{difference}\n{}",
                T::KIND,
                type_name::<T>(),
                self.summary()
            );
        }
    }

    /// Makes sure that no event of `T`'s kind was emitted.
    ///
    /// # Panics
    ///
    /// If there was one; the message shows all of them, and what else was emitted.
    #[track_caller]
    pub fn assert_nothing_of<T: Payload + fmt::Debug>(&self) {
        let found: Vec<_> = self.of_kind(T::KIND).map(describe::<T>).collect();
        if !found.is_empty() {
            let difference = Difference { expected: Vec::new(), found };
            panic!(
                "there should be no events of kind {} ({}):\n{difference}\n{}",
                T::KIND,
                type_name::<T>(),
                self.summary()
            );
        }
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Recorded> {
        self.events.iter().filter(move |event| event.kind == kind)
    }

    /// The kinds of all that was emitted, in a line.
    fn summary(&self) -> String {
        format!(
            "all that was emitted, by kind: {:?}",
            self.events.iter().map(|event| event.kind.get()).collect::<Vec<_>>()
        )
    }
}

/// An event of `T`'s kind, for people.
fn describe<T: Payload + fmt::Debug>(event: &Recorded) -> String {
    match event.get::<T>() {
        Some(payload) => format!("{payload:?}"),
        None => format!("not of this type, which has {} bytes: {event:?}", size_of::<T>()),
    }
}

/// Keeps.
impl Emit for Recorder {
    fn emit_versioned(
        &mut self,
        origin: Origin,
        kind: Kind,
        topic: Topic,
        version: u8,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        if let Some(error) = self.failures.pop_front() {
            return Err(error);
        }
        WriteError::check(kind, payload.len(), self.max_payload)?;
        self.events.push(Recorded { origin, kind, topic, version, payload: payload.to_vec() });
        Ok(())
    }
}
