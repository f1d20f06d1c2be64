//! Publishing records that others have made.

use std::fmt;
use std::iter::once;

use super::Writer;
use super::put::publish_together;
use crate::bus::record::{Flags, Header};
use crate::bus::write_error::WriteError;
use crate::sequence::Sequence;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::Until;

/// The writing side of a bus that carries records made elsewhere: a replay of what was kept, a relay. Made by
/// [`Writer::forward_from`].
///
/// Headers stay as they are: trace, time, height, order number, kind (the bus's own kinds too), topic, source, trigger, version,
/// and whether a block begins or ends. Only what depends on the ring is made anew: fragments and their lengths, since slots
/// may be longer or shorter here, and the marks of batches. Nothing is checked that a writer's core would be held to: recorded
/// streams begin in the middle, and have their blocks twice.
///
/// ```
/// use ringbus::bus::{Bus, Flags, Header, Kind, StreamId};
///
/// let (writer, bus) = Bus::<64>::builder("testnet").build()?;
/// # let _ = bus;
/// let mut replay = writer.forward_from(&StreamId::new("testnet"))?;
/// let header = Header { kind: Kind::new(8), block_height: 7, order: 3, ..Header::default() };
/// let sequence = replay.forward(&header, b"kept long ago")?;
/// assert_eq!(sequence.get(), 0);
///
/// let (writer, _bus) = Bus::<64>::builder("testnet").build()?;
/// assert!(writer.forward_from(&StreamId::new("mainnet")).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Forwarder<const PAYLOAD: usize, W: WaitStrategy = BackOff> {
    writer: Writer<PAYLOAD, W>,
}

impl<const PAYLOAD: usize, W: WaitStrategy> Forwarder<PAYLOAD, W> {
    pub(super) fn new(writer: Writer<PAYLOAD, W>) -> Self {
        Self { writer }
    }

    /// Publishes a record: its header, and its whole payload. Waits for room, and, before the first, for as many subscriptions as
    /// the bus was built to wait for. Returns its (first) sequence.
    ///
    /// # Errors
    ///
    /// [`WriteError::PayloadTooLong`], [`WriteError::Publish`]; [`WriteError::BlockOpen`] if the writer that this was made of had
    /// left a block open, which foreign records cannot be in. Nothing is published then.
    pub fn forward(&mut self, header: &Header, payload: &[u8]) -> Result<Sequence, WriteError> {
        self.publish(once((header, payload)))
    }

    /// Publishes records together, by one store of the ring's cursor. Returns the sequence of the first; `None` if there are none.
    /// Otherwise as [`forward`](Self::forward).
    ///
    /// # Errors
    ///
    /// [`WriteError::BatchTooLong`], and those of [`forward`](Self::forward). Nothing is published then.
    ///
    /// # Panics
    ///
    /// If a clone of the iterator yields other records than the iterator. Nothing is published then.
    pub fn forward_batch<'a, I>(&mut self, records: I) -> Result<Option<Sequence>, WriteError>
    where
        I: IntoIterator<Item = (&'a Header, &'a [u8]), IntoIter: Clone>,
    {
        let records = records.into_iter();
        if records.clone().next().is_none() {
            return Ok(None);
        }
        self.publish(records).map(Some)
    }

    /// The sequence that the next record will have.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        self.writer.next_sequence()
    }

    /// The length of the longest payload that can be forwarded, bytes: what the slots of a whole batch hold.
    #[must_use]
    pub fn max_payload(&self) -> usize {
        self.writer.max_payload()
    }

    /// Closes the bus. Returns the final cursor.
    ///
    /// # Errors
    ///
    /// As for [`Writer::close`].
    pub fn close(self) -> Result<Sequence, WriteError> {
        self.writer.close()
    }

    fn publish<'a>(
        &mut self,
        records: impl Iterator<Item = (&'a Header, &'a [u8])> + Clone,
    ) -> Result<Sequence, WriteError> {
        if let Some(height) = self.writer.height() {
            return Err(WriteError::BlockOpen { height });
        }
        let longest = self.max_payload();
        records.clone().try_for_each(|(_, payload)| WriteError::check_length(payload.len(), longest))?;
        self.writer.gate.wait();
        let records = records.map(|(header, payload)| (without_place(header), payload));
        Ok(publish_together(&mut self.writer.producer, Until::Done, records)?)
    }
}

/// The header, less what says how the record lay on the ring it comes from.
fn without_place(header: &Header) -> Header {
    Header { flags: header.flags.without(Flags::WHOLE.with(Flags::LAST_OF_BATCH)), ..*header }
}

impl<const PAYLOAD: usize, W: WaitStrategy> fmt::Debug for Forwarder<PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder")
            .field("stream", self.writer.stream())
            .field("next_sequence", &self.next_sequence())
            .finish_non_exhaustive()
    }
}
