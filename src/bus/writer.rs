//! The core's side of a bus: it keeps the context, so that engines only say what happened.

mod batch;
mod collected;
mod context;
mod draft;
mod forwarder;
mod put;
#[cfg(test)]
mod tests;

use std::fmt;
use std::iter::once;
use std::num::NonZero;

pub use batch::Batch;
pub use context::BlockStart;
pub use forwarder::Forwarder;

use self::collected::Collected;
use self::context::{Context, MOST_EVENTS};
use self::draft::{Draft, Drafts};
use self::put::{publish_together, publish_whole, slots_of};
use super::emit::Emit;
use super::hash::Hash;
use super::kind::{Kind, Origin, Topic};
use super::payload::{BlockBegun, Payload, TransactionEnded};
use super::record::{Flags, Record};
use super::start_gate::StartGate;
use super::stream_id::{OtherStream, StreamId};
use super::write_error::WriteError;
use crate::error::PublishError;
use crate::producer::Producer;
use crate::sequence::Sequence;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::Until;

/// The core's side of a bus. [`BusBuilder::build`](super::BusBuilder::build) hands it out, once.
///
/// It knows the block and the transaction that the core is in, and writes them into the header of each record; engines are given it
/// as an [`impl Emit`](Emit), and say what happened. Order numbers count the events of a block from 1, without gaps; the beginning
/// and the end of the block, and the ends of its transactions, are events too. What is emitted outside of a transaction is traced
/// to the block's hash.
///
/// What is published is visible at once, in one order for all subscribers, and no call lets half of something be seen: a payload
/// that takes several slots, or a [batch](Self::batch), becomes visible by one store of the ring's cursor.
///
/// An error means that nothing became visible, and that block, transaction, order numbers and what is staged are as before, so that
/// the call can be repeated. When a required subscriber has failed, or the bus was stopped, all calls that publish say so
/// ([`WriteError::Publish`]), as a [`Producer`]'s do. Dropping the writer closes the bus.
///
/// Whether calls wait for room, and how, is the matter of the bus's [`WaitStrategy`]; only the `try_` forms never wait.
///
/// # Examples
///
/// ```
/// use bytemuck::{Pod, Zeroable};
/// use ringbus::bus::{BlockStart, Bus, Emit, Hash, Kind, Origin, Outcome, Payload, Source, WriteError};
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
/// /// An engine: it knows nothing of blocks.
/// fn match_orders(bus: &mut impl Emit) -> Result<(), WriteError> {
///     bus.emit(Origin::of(Source::new(1)), &Trade { price: 101, size: 5 })
/// }
///
/// let (mut writer, bus) = Bus::<192>::builder("testnet").build()?;
/// # let _ = bus;
/// assert_eq!(match_orders(&mut writer), Err(WriteError::OutsideBlock));
///
/// writer.begin_block(BlockStart { height: 1, time: 1_700_000_000_000_000_000, hash: Hash::new([1; 32]) })?;
/// writer.begin_transaction(Hash::new([7; 32]))?;
/// match_orders(&mut writer)?;
/// writer.end_transaction(Outcome::Succeeded)?;
/// let last = writer.end_block()?;
/// assert_eq!(last.get(), 3, "the fourth record: the block begins, a trade, the transaction ends, the block ends");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It may move to another thread, and not be shared between threads.
pub struct Writer<const PAYLOAD: usize, W: WaitStrategy = BackOff> {
    producer: Producer<Record<PAYLOAD>, W>,
    context: Context,
    gate: StartGate,
    stream: StreamId,
    /// What a [`Batch`] has collected.
    collected: Collected,
    /// What waits for the next block.
    staged: Drafts,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It did what it was to do.
    Succeeded,
    /// It did not.
    Failed {
        /// The number that the core gives to the error.
        code: NonZero<u32>,
        /// What went wrong, for people.
        error: &'a str,
    },
}

impl<const PAYLOAD: usize, W: WaitStrategy> Writer<PAYLOAD, W> {
    pub(super) fn new(producer: Producer<Record<PAYLOAD>, W>, gate: StartGate, stream: StreamId) -> Self {
        Self {
            producer,
            context: Context::default(),
            gate,
            stream,
            collected: Collected::default(),
            staged: Drafts::default(),
        }
    }

    /// Begins a block: emits [`BlockBegun`], and what is [staged](Self::stage), in the same batch as far as the max batch allows,
    /// then in further ones. Returns the sequence of the first record.
    ///
    /// Waits until as many subscriptions have joined as the bus was built to wait for.
    ///
    /// # Errors
    ///
    /// [`WriteError::BlockOpen`]; [`WriteError::Publish`]. If the bus fails or is stopped between two of several batches, the first
    /// ones stay published, and nothing can come after them.
    pub fn begin_block(&mut self, start: BlockStart) -> Result<Sequence, WriteError> {
        if let Some(height) = self.height() {
            return Err(WriteError::BlockOpen { height });
        }
        self.gate.wait();
        let begun = BlockBegun { hash: start.hash };
        let begun = Draft { flags: Flags::BEGINS_BLOCK, ..Draft::of(Origin::default(), &begun) };
        let mut context = Context::of_block(&start);
        let drafts = once(begun).chain(self.staged.iter());
        let published = publish_in_batches(&mut self.producer, &mut context, drafts);
        if context.has_begun() {
            self.context = context;
        }
        let first = published?;
        self.staged.clear();
        Ok(first)
    }

    /// Ends the block: emits [`BlockEnded`](super::BlockEnded). Returns that record's sequence: who has acknowledged it has
    /// the whole block.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoBlock`], [`WriteError::TransactionOpen`], [`WriteError::Publish`].
    pub fn end_block(&mut self) -> Result<Sequence, WriteError> {
        let ended = self.context.block_ended()?;
        let draft = Draft { flags: Flags::ENDS_BLOCK, ..Draft::of(Origin::default(), &ended) };
        let sequence = self.publish(draft, Until::Done)?;
        self.context = Context::default();
        Ok(sequence)
    }

    /// Begins a transaction: what is emitted from now on is traced to `hash`. Emits nothing by itself.
    ///
    /// # Errors
    ///
    /// [`WriteError::OutsideBlock`], [`WriteError::TransactionOpen`], [`WriteError::BlockFull`].
    pub fn begin_transaction(&mut self, hash: Hash) -> Result<(), WriteError> {
        self.context.begin_transaction(hash)
    }

    /// Ends the transaction: emits [`TransactionEnded`]; before it, if the transaction failed, in the same batch, a record of kind
    /// [`Kind::TRANSACTION_FAILED`] with the error's text. Returns the sequence of `TransactionEnded`, the last of what it caused.
    ///
    /// A text that is longer than what the batch can carry is cut at a character's boundary. (Where the max batch is 1, the text
    /// goes before in a batch of its own.)
    ///
    /// # Errors
    ///
    /// [`WriteError::NoTransaction`], [`WriteError::Publish`].
    pub fn end_transaction(&mut self, outcome: Outcome<'_>) -> Result<Sequence, WriteError> {
        let events = self.context.events_of_transaction()?;
        let sequence = match outcome {
            Outcome::Succeeded => {
                let ended = TransactionEnded { events: events + 1, code: 0 };
                self.publish(Draft::of(Origin::default(), &ended), Until::Done)?
            }
            Outcome::Failed { code, error } => self.publish_failure(events, code, error)?,
        };
        self.context.end_transaction();
        Ok(sequence)
    }

    /// The error of a transaction that has had so many events, and its end. Returns the end's sequence.
    fn publish_failure(
        &mut self,
        events: u32,
        code: NonZero<u32>,
        error: &str,
    ) -> Result<Sequence, WriteError> {
        let longest = (self.producer.max_batch() - 1).max(1) * PAYLOAD;
        let text = &error[..error.floor_char_boundary(longest)];
        let failed =
            Draft::new(Origin::default(), Kind::TRANSACTION_FAILED, Topic::default(), 1, text.as_bytes());
        let ended = TransactionEnded { events: events + 2, code: code.get() };
        let drafts = [failed, Draft::of(Origin::default(), &ended)];
        publish_in_batches(&mut self.producer, &mut self.context, drafts.into_iter())?;
        Ok(Sequence::new(self.next_sequence().get() - 1))
    }

    /// Emits `payload` if there is room now. Returns its (first) sequence. Otherwise as [`Emit::emit`].
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`] in [`WriteError::Publish`], and those of [`Emit::emit`].
    #[inline]
    pub fn try_emit<T: Payload>(&mut self, origin: Origin, payload: &T) -> Result<Sequence, WriteError> {
        self.say(Draft::of(origin, payload), Until::Now)
    }

    /// Emits a payload of raw bytes if there is room now. Returns its (first) sequence. Otherwise as [`Emit::emit_bytes`].
    ///
    /// # Errors
    ///
    /// [`PublishError::Full`] in [`WriteError::Publish`], and those of [`Emit::emit_bytes`].
    #[inline]
    pub fn try_emit_bytes(
        &mut self,
        origin: Origin,
        kind: Kind,
        topic: Topic,
        payload: &[u8],
    ) -> Result<Sequence, WriteError> {
        self.say(Draft::new(origin, kind, topic, 1, payload), Until::Now)
    }

    /// Begins to collect events that are to be published together.
    pub fn batch(&mut self) -> Batch<'_, PAYLOAD, W> {
        Batch::new(self)
    }

    /// Keeps `payload` until the next block begins: it is emitted at its start, with that block's trace, time, height and order
    /// numbers. For what happens between blocks, or is found out in one and belongs to the next. Takes memory, not slots.
    ///
    /// What is still staged when the writer is closed or dropped was never said: see [`staged`](Self::staged).
    ///
    /// # Errors
    ///
    /// [`WriteError::PayloadTooLong`], [`WriteError::ReservedKind`], [`WriteError::BlockFull`].
    pub fn stage<T: Payload>(&mut self, origin: Origin, payload: &T) -> Result<(), WriteError> {
        self.keep(Draft::of(origin, payload))
    }

    /// Keeps a payload of raw bytes until the next block begins. Otherwise as [`stage`](Self::stage).
    ///
    /// # Errors
    ///
    /// [`WriteError::PayloadTooLong`], [`WriteError::ReservedKind`], [`WriteError::BlockFull`].
    pub fn stage_bytes(
        &mut self,
        origin: Origin,
        kind: Kind,
        topic: Topic,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        self.keep(Draft::new(origin, kind, topic, 1, payload))
    }

    fn keep(&mut self, draft: Draft<'_>) -> Result<(), WriteError> {
        WriteError::check(draft.kind, draft.payload.len(), self.max_payload())?;
        // The block's beginning has a number too.
        if self.staged.len() + 1 >= MOST_EVENTS as usize {
            return Err(WriteError::BlockFull { most: MOST_EVENTS });
        }
        self.staged.push(&draft);
        Ok(())
    }

    /// How many events are staged for the next block.
    #[must_use]
    pub fn staged(&self) -> usize {
        self.staged.len()
    }

    /// Goes over to publishing records that others have made, as they are: for replays and relays. They must be `stream`'s, and
    /// that must be this bus's stream.
    ///
    /// # Errors
    ///
    /// [`OtherStream`]. The writer is gone then, and the bus is closed: its subscribers would have taken the records for their own
    /// stream's.
    pub fn forward_from(self, stream: &StreamId) -> Result<Forwarder<PAYLOAD, W>, OtherStream> {
        self.stream.check(stream)?;
        Ok(Forwarder::new(self))
    }

    /// The height of the block that is open; `None` if none is.
    #[must_use]
    pub fn height(&self) -> Option<u64> {
        self.context.height()
    }

    /// Whether a block is open.
    #[must_use]
    pub fn is_in_block(&self) -> bool {
        self.height().is_some()
    }

    /// The hash of the transaction that is open; `None` if none is.
    #[must_use]
    pub fn transaction(&self) -> Option<Hash> {
        self.context.transaction()
    }

    /// The sequence that the next record will have.
    #[must_use]
    pub fn next_sequence(&self) -> Sequence {
        self.producer.next_sequence()
    }

    /// The length of the longest payload that can be emitted, bytes: what the slots of a whole batch hold.
    #[must_use]
    pub fn max_payload(&self) -> usize {
        self.producer.max_batch() * PAYLOAD
    }

    /// The stream that the bus carries.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Closes the bus, whatever it returns: subscribers drain what is published, then learn that the stream has ended. Returns the
    /// final cursor.
    ///
    /// # Errors
    ///
    /// [`WriteError::Publish`] if a required subscriber had failed; otherwise [`WriteError::BlockOpen`] if a block was open: the
    /// stream ends without that block's end, and stores that commit at the end of blocks will not have it.
    pub fn close(self) -> Result<Sequence, WriteError> {
        let height = self.height();
        let next = self.producer.close()?;
        height.map_or(Ok(next), |height| Err(WriteError::BlockOpen { height }))
    }

    /// Publishes an event, if it can be one.
    ///
    /// Inlined, and without a call that is given the payload, so that one that the caller has in registers never passes through memory.
    #[inline(always)]
    fn say(&mut self, draft: Draft<'_>, until: Until) -> Result<Sequence, WriteError> {
        if draft.payload.len() > PAYLOAD {
            self.split(draft, until)
        } else if self.context.has_number() && !draft.kind.is_reserved() {
            self.publish(draft, until)
        } else {
            self.refuse(draft.kind)
        }
    }

    /// Publishes what fits into one slot.
    #[inline(always)]
    fn publish(&mut self, draft: Draft<'_>, until: Until) -> Result<Sequence, WriteError> {
        let Self { producer, context, .. } = self;
        let sequence = publish_whole(producer, until, || context.header(1, &draft), draft.payload)?;
        self.context.use_numbers(1);
        Ok(sequence)
    }

    /// Publishes what takes several slots, if it can be an event.
    #[inline(never)]
    fn split(&mut self, draft: Draft<'_>, until: Until) -> Result<Sequence, WriteError> {
        self.context.check_numbers(1)?;
        WriteError::check(draft.kind, draft.payload.len(), self.max_payload())?;
        Ok(publish_drafts(&mut self.producer, &mut self.context, until, once(draft))?)
    }

    /// Why there can be no event of this kind now.
    #[cold]
    #[inline(never)]
    fn refuse(&self, kind: Kind) -> Result<Sequence, WriteError> {
        self.context.check_numbers(1)?;
        Err(WriteError::ReservedKind { kind })
    }
}

/// Publishes drafts by one cursor store, and counts them. Returns the sequence of the first. There must be one.
fn publish_drafts<'a, const PAYLOAD: usize, W: WaitStrategy>(
    producer: &mut Producer<Record<PAYLOAD>, W>,
    context: &mut Context,
    until: Until,
    drafts: impl Iterator<Item = Draft<'a>> + Clone,
) -> Result<Sequence, PublishError> {
    let count = drafts.clone().count() as u32;
    let records = (1..).zip(drafts).map(|(ahead, draft)| (context.header(ahead, &draft), draft.payload));
    let first = publish_together(producer, until, records)?;
    context.use_numbers(count);
    Ok(first)
}

/// Publishes drafts in as few batches as there can be, in order, and counts them. Returns the sequence of the first. Each must fit
/// into a batch. An error of a later batch leaves those before it published and counted.
fn publish_in_batches<'a, const PAYLOAD: usize, W: WaitStrategy>(
    producer: &mut Producer<Record<PAYLOAD>, W>,
    context: &mut Context,
    mut drafts: impl Iterator<Item = Draft<'a>> + Clone,
) -> Result<Sequence, PublishError> {
    let first = producer.next_sequence();
    loop {
        let mut room = producer.max_batch();
        let fits = |draft: &Draft<'_>| match room.checked_sub(slots_of::<PAYLOAD>(draft.payload.len())) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        };
        let count = drafts.clone().take_while(fits).count();
        let Some(last) = count.checked_sub(1) else { return Ok(first) };
        publish_drafts(producer, context, Until::Done, drafts.clone().take(count))?;
        drafts.nth(last);
    }
}

#[cfg(feature = "shared")]
impl<const PAYLOAD: usize, W: WaitStrategy> Writer<PAYLOAD, W> {
    /// Tells those who look at a [shared](super::BusBuilder::shared) bus from other processes that its core is alive, though it may say
    /// nothing: see [`Producer::heartbeat`].
    #[inline]
    pub fn heartbeat(&mut self) {
        self.producer.heartbeat();
    }
}

/// Publishes at once, and waits for room by the bus's strategy.
impl<const PAYLOAD: usize, W: WaitStrategy> Emit for Writer<PAYLOAD, W> {
    #[inline(always)]
    fn emit_versioned(
        &mut self,
        origin: Origin,
        kind: Kind,
        topic: Topic,
        version: u8,
        payload: &[u8],
    ) -> Result<(), WriteError> {
        self.say(Draft::new(origin, kind, topic, version, payload), Until::Done).map(drop)
    }
}

impl<const PAYLOAD: usize, W: WaitStrategy> fmt::Debug for Writer<PAYLOAD, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("stream", &self.stream)
            .field("next_sequence", &self.next_sequence())
            .field("height", &self.height())
            .field("transaction", &self.transaction())
            .field("staged", &self.staged())
            .finish_non_exhaustive()
    }
}
