//! Saying what happened: what engines see of a bus.

use super::kind::{Kind, Origin, Topic};
use super::payload::Payload;
use super::write_error::WriteError;

/// Where an engine says what happened. The core keeps the context (block, transaction), so that an engine has to know neither.
///
/// A [`Writer`](super::Writer) publishes at once, a [`Batch`](super::Batch) all together,
/// a [`Recorder`](crate::testing::Recorder) keeps it for a test to look at.
///
/// ```
/// use ringbus::bus::{Emit, Kind, Origin, Source, Topic, WriteError};
///
/// fn greet(bus: &mut impl Emit) -> Result<(), WriteError> {
///     bus.emit_bytes(Origin::of(Source::new(1)), Kind::new(7), Topic::new(0), b"hello")
/// }
/// ```
pub trait Emit {
    /// Emits a payload of raw bytes.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; nothing is emitted then, and no order number is used up.
    #[inline(always)]
    fn emit_bytes(
        &mut self,
        origin: Origin,
        kind: Kind,
        topic: Topic,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        self.emit_versioned(origin, kind, topic, 1, payload)
    }

    /// Emits `payload`.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; nothing is emitted then, and no order number is used up.
    #[inline(always)]
    fn emit<T: Payload>(&mut self, origin: Origin, payload: &T) -> Result<(), WriteError>
    where
        Self: Sized,
    {
        const { T::ALIGNMENT };
        self.emit_versioned(origin, T::KIND, T::TOPIC, T::VERSION, bytemuck::bytes_of(payload))
    }

    /// Emits a payload of raw bytes, and says which version of its layout that is.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; nothing is emitted then, and no order number is used up.
    fn emit_versioned(
        &mut self,
        origin: Origin,
        kind: Kind,
        topic: Topic,
        version: u8,
        payload: &[u8],
    ) -> Result<(), WriteError>;
}

/// Whoever emits can lend itself, also as a `&mut dyn Emit`, which has [`emit`](Emit::emit) by that.
///
/// ```
/// use ringbus::bus::{Emit, Kind, Origin, Topic};
/// use ringbus::testing::Recorder;
///
/// fn mark(mut bus: &mut dyn Emit) {
///     bus.emit_bytes(Origin::default(), Kind::new(1), Topic::new(0), b"marked").unwrap();
/// }
///
/// let mut recorder = Recorder::new();
/// mark(&mut recorder);
/// recorder.assert_kinds(&[Kind::new(1)]);
/// ```
impl<E: Emit + ?Sized> Emit for &mut E {
    #[inline]
    fn emit_versioned(
        &mut self,
        origin: Origin,
        kind: Kind,
        topic: Topic,
        version: u8,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        (**self).emit_versioned(origin, kind, topic, version, payload)
    }
}
