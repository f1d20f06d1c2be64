//! How an optional subscription reads: it copies slots out, only the bytes in use, and keeps those that hold whole records.

use super::account::{Account, Walked};
use super::filter::{Filter, HeaderFilter};
use super::lines::Lines;
use super::record::{Flags, HEADER_BYTES, Header, Record};
use super::record_ref::RecordRef;
use super::walk::{Found, Run};
use crate::error::RecvError;
use crate::optional::OptionalConsumer;
use crate::sequence::Sequence;
use crate::wait::WaitStrategy;
use crate::waiting::Until;

/// Slots that were copied, side by side, and what reads them.
///
/// `walked <= whole <= filled`: what the subscription has been through; whole records; and the first fragments of one more.
pub(super) struct Copies<const PAYLOAD: usize, W: WaitStrategy> {
    pub(super) consumer: OptionalConsumer<Record<PAYLOAD>, W>,
    slots: Lines,
    /// The sequence of the first slot.
    first: Sequence,
    walked: usize,
    whole: usize,
    filled: usize,
    /// Sequences that were lost behind what is filled, and not told yet.
    lost: u64,
}

impl<const PAYLOAD: usize, W: WaitStrategy> Copies<PAYLOAD, W> {
    const SLOT: usize = HEADER_BYTES + PAYLOAD;

    /// So many slots are copied at once for who takes records one by one.
    pub(super) const FOR_ONE_BY_ONE: usize = 16;

    pub(super) fn new(consumer: OptionalConsumer<Record<PAYLOAD>, W>) -> Self {
        let first = consumer.position();
        Self { consumer, slots: Lines::default(), first, walked: 0, whole: 0, filled: 0, lost: 0 }
    }

    /// Copies so many slots, or as many as there are, and the rest of the last record; unless records are left that were not walked
    /// through. Waits for the first.
    ///
    /// `Lagged` comes where sequences were lost, behind what was copied before, and counts all that cannot be put together any more;
    /// where it resumes a record begins.
    pub(super) fn fill(
        &mut self,
        filter: &HeaderFilter,
        at_once: usize,
        until: Until,
        mut interrupted: impl FnMut() -> bool,
    ) -> Result<(), RecvError> {
        if self.walked < self.whole {
            return Ok(());
        }
        while self.walked == self.whole || self.whole < self.filled || self.filled < at_once {
            if self.walked == self.filled {
                (self.walked, self.whole, self.filled) = (0, 0, 0);
            }
            let has_news = self.walked < self.filled || self.lost > 0;
            let until = if has_news { Until::Now } else { until };
            match self.copy(filter, until, &mut interrupted) {
                Ok(sequence) => {
                    let flags = self.header(self.filled).flags;
                    if !flags.has(Flags::FIRST_FRAGMENT) && self.filled == self.whole {
                        // The rest of what was lost.
                        self.lost += 1;
                        continue;
                    }
                    if self.filled == 0 {
                        self.first = sequence;
                    }
                    self.filled += 1;
                    if flags.has(Flags::LAST_FRAGMENT) {
                        self.whole = self.filled;
                    }
                    if self.lost > 0 {
                        return Err(self.lagged(sequence));
                    }
                }
                Err(RecvError::Lagged { missed, .. }) => {
                    self.lost += missed;
                    self.give_up_fragments();
                    if self.walked < self.whole {
                        return Ok(());
                    }
                }
                Err(_) if self.walked < self.whole => return Ok(()),
                Err(_) if self.lost > 0 => return Err(self.lagged(self.consumer.position())),
                Err(nothing) => return Err(nothing),
            }
        }
        Ok(())
    }

    /// Copies the next slot behind what is filled: its header, and its payload if the filter may want that.
    #[inline(always)]
    fn copy(
        &mut self,
        filter: &HeaderFilter,
        until: Until,
        interrupted: impl FnMut() -> bool,
    ) -> Result<Sequence, RecvError> {
        self.slots.reserve((self.filled + 1) * Self::SLOT);
        let slot = &mut self.slots.bytes_mut()[self.filled * Self::SLOT..][..Self::SLOT];
        let in_use = |head: &[u8]| {
            let header: Header = bytemuck::pod_read_unaligned(head);
            // (The fragments of a payload differ in nothing that a filter looks at.)
            let wanted = filter.lets_pass(&header);
            HEADER_BYTES + if wanted { usize::from(header.len) } else { 0 }
        };
        self.consumer
            .recv_prefix_unless(slot, HEADER_BYTES, in_use, until, interrupted)
            .map(|(sequence, _)| sequence)
    }

    fn header(&self, slot: usize) -> Header {
        bytemuck::pod_read_unaligned(&self.slots.bytes()[slot * Self::SLOT..][..HEADER_BYTES])
    }

    /// What was copied of a payload whose rest is lost is lost too.
    fn give_up_fragments(&mut self) {
        self.lost += (self.filled - self.whole) as u64;
        self.filled = self.whole;
    }

    fn lagged(&mut self, resumed_at: Sequence) -> RecvError {
        RecvError::Lagged { missed: std::mem::take(&mut self.lost), resumed_at }
    }

    /// The slots of the whole records that were not walked through, and the sequence of the first.
    #[inline(always)]
    pub(super) fn whole(&self) -> (&[Record<PAYLOAD>], Sequence) {
        self.whole_from(self.walked)
    }

    fn whole_from(&self, slot: usize) -> (&[Record<PAYLOAD>], Sequence) {
        let slots = &self.slots.bytes()[slot * Self::SLOT..self.whole * Self::SLOT];
        (bytemuck::cast_slice(slots), Sequence::new(self.first.get() + slot as u64))
    }

    /// Walks through the next whole record, which must be there, and accounts for it.
    #[inline(always)]
    pub(super) fn step(&mut self, filter: &mut Filter, assembly: &mut Lines, account: &Account) -> Found {
        let found = self.run_from(self.walked).find(0, filter, assembly).expect("there is a whole record");
        let mut walked = Walked::default();
        walked.add(found.slots as u64, found.passes);
        account.walked(walked);
        self.walked += found.slots;
        found
    }

    /// The record that the last step has found.
    #[inline(always)]
    pub(super) fn record<'a>(&'a self, found: Found, assembly: &'a Lines) -> RecordRef<'a> {
        self.run_from(self.walked - found.slots).record(0, found, assembly)
    }

    fn run_from(&self, slot: usize) -> Run<'_, PAYLOAD> {
        let (slots, first) = self.whole_from(slot);
        Run::new((slots, &[]), first)
    }

    /// So many more have been walked through, by somebody else.
    #[inline(always)]
    pub(super) fn walk(&mut self, slots: usize) {
        self.walked += slots;
    }

    /// Gives up what was copied and not walked through, for a pause. Returns how many slots that is.
    pub(super) fn let_pass(&mut self) -> u64 {
        let given_up = self.filled - self.walked;
        (self.walked, self.whole, self.filled) = (0, 0, 0);
        given_up as u64
    }

    /// The sequence that is walked through next, unless it is lost.
    pub(super) fn next_sequence(&self) -> Sequence {
        if self.walked < self.filled { self.whole_from(self.walked).1 } else { self.consumer.position() }
    }

    /// Sequences that are behind the consumer, and have neither been walked through nor told to be lost.
    pub(super) fn in_hand(&self) -> u64 {
        (self.filled - self.walked) as u64 + self.lost
    }
}
