//! Several events that become visible together.

use std::fmt;

use super::Writer;
use super::draft::Draft;
use super::put::slots_of;
use crate::bus::emit::Emit;
use crate::bus::kind::{Kind, Origin, Topic};
use crate::bus::write_error::WriteError;
use crate::sequence::Sequence;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::Until;

/// Events of any kinds, collected to be published together: by one store of the ring's cursor. [`Writer::batch`] begins one.
///
/// Every subscriber gets of it what its own filter lets through; the batch's last record is marked
/// ([`Flags::LAST_OF_BATCH`](crate::bus::Flags::LAST_OF_BATCH)).
///
/// Nothing happens before it is published: a batch that is dropped has used up no order number. An event that cannot be in it is
/// refused when it is emitted, and the batch stays as it was. The events are kept in a buffer of the writer's that grows to the
/// longest batch and is used again.
///
/// ```
/// use ringbus::bus::{BlockStart, Bus, Emit, Kind, Origin, Topic};
///
/// let (mut writer, bus) = Bus::<64>::builder("testnet").build()?;
/// # let _ = bus;
/// writer.begin_block(BlockStart::default())?;
///
/// let mut batch = writer.batch();
/// batch.emit_bytes(Origin::default(), Kind::new(1), Topic::new(0), b"short")?;
/// batch.emit_bytes(Origin::default(), Kind::new(2), Topic::new(0), &[7; 100])?;
/// assert_eq!((batch.len(), batch.slots()), (2, 3));
/// let first = batch.publish()?;
/// assert_eq!(first.map(|first| first.get()), Some(1), "behind the block's beginning");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a batch that is not published was never said"]
pub struct Batch<'writer, const PAYLOAD: usize, W: WaitStrategy = BackOff> {
    writer: &'writer mut Writer<PAYLOAD, W>,
}

impl<'writer, const PAYLOAD: usize, W: WaitStrategy> Batch<'writer, PAYLOAD, W> {
    pub(super) fn new(writer: &'writer mut Writer<PAYLOAD, W>) -> Self {
        writer.collected.clear();
        Self { writer }
    }

    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writer.collected.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many slots it will take.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.writer.collected.slots()
    }

    /// Publishes all of it at once, and waits until there is room for all. Returns the sequence of the first record; `None` for an
    /// empty batch, which does nothing.
    ///
    /// # Errors
    ///
    /// [`WriteError::Publish`].
    pub fn publish(mut self) -> Result<Option<Sequence>, WriteError> {
        self.publish_or(Until::Done)
    }

    /// Publishes all of it at once if there is room for all now. It is empty then, and can collect again; after an error it is as
    /// before, and can be tried again. Otherwise as [`publish`](Self::publish).
    ///
    /// # Errors
    ///
    /// [`WriteError::Publish`], also with [`PublishError::Full`](crate::PublishError::Full).
    pub fn try_publish(&mut self) -> Result<Option<Sequence>, WriteError> {
        self.publish_or(Until::Now)
    }

    fn publish_or(&mut self, until: Until) -> Result<Option<Sequence>, WriteError> {
        if self.is_empty() {
            return Ok(None);
        }
        let Writer { producer, context, collected, .. } = &mut *self.writer;
        let first = collected.publish(producer, until)?;
        context.use_numbers(collected.len() as u32);
        collected.clear();
        Ok(Some(first))
    }
}

/// Collects.
impl<const PAYLOAD: usize, W: WaitStrategy> Emit for Batch<'_, PAYLOAD, W> {
    #[inline]
    fn emit_versioned(
        &mut self,
        origin: Origin,
        kind: Kind,
        topic: Topic,
        version: u8,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        self.writer.context.check_numbers(self.len() + 1)?;
        WriteError::check(kind, payload.len(), self.writer.max_payload())?;
        let slots = self.slots() + slots_of::<PAYLOAD>(payload.len());
        let max_batch = self.writer.producer.max_batch();
        if slots > max_batch {
            return Err(WriteError::BatchTooLong { slots, max_batch });
        }
        let draft = Draft::new(origin, kind, topic, version, payload);
        let header = self.writer.context.header(self.len() as u32 + 1, &draft);
        self.writer.collected.push::<PAYLOAD>(header, payload);
        Ok(())
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> fmt::Debug for Batch<'_, PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("len", &self.len())
            .field("slots", &self.slots())
            .finish_non_exhaustive()
    }
}
