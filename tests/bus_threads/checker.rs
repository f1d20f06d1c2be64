//! Events that tell what they must look like, and a subscriber that checks them.

use std::convert::Infallible;

use ringbus::Sequence;
use ringbus::bus::{Emit, Filter, Header, Kind, Origin, RecordRef, Source, Subscriber, Topic};

pub(crate) const PAYLOAD: usize = 64;
pub(crate) const LONGEST: usize = 8 + 61 * 5;

/// 8 to 313 bytes: one to five slots.
fn payload(number: u64) -> Vec<u8> {
    let rest = (0..number % 62 * 5).map(|at| (number as u8).wrapping_mul(31) ^ at as u8);
    number.to_le_bytes().into_iter().chain(rest).collect()
}

pub(crate) fn slots(number: u64) -> u64 {
    payload(number).len().div_ceil(PAYLOAD) as u64
}

fn kind(number: u64) -> Kind {
    Kind::new((number % 30) as u16)
}

pub(crate) fn emit(bus: &mut impl Emit, number: u64) {
    let origin = Origin::of(Source::new(1));
    bus.emit_bytes(origin, kind(number), Topic::default(), &payload(number))
        .expect("it fits, and nobody fails");
}

/// The sequence of each event, where blocks have `events_a_block`.
pub(crate) fn sequences(events: u64, events_a_block: u64) -> impl Iterator<Item = u64> {
    (0..events).scan(0, move |next, number| {
        if number.is_multiple_of(events_a_block) {
            // The block's beginning, and the end of the one before.
            *next += if number == 0 { 1 } else { 2 };
        }
        let sequence = *next;
        *next += slots(number);
        Some(sequence)
    })
}

/// Of events, those whose kind is a multiple of `every`.
pub(crate) fn wanted(every: u64) -> Filter {
    Filter::kinds((0..30_u64).filter(|kind| kind.is_multiple_of(every)).map(kind))
}

pub(crate) fn is_wanted(every: u64, number: u64) -> bool {
    (number % 30).is_multiple_of(every)
}

/// Checks that it gets the events that it is to get, each once, in order, whole.
pub(crate) struct Checker {
    is_expected: fn(u64) -> bool,
    is_lossy: bool,
    /// The number that may come next at the earliest.
    next: Option<u64>,
    pub(crate) seen: u64,
    pub(crate) slots: u64,
    pub(crate) missed: u64,
    pub(crate) blocks_begun: u64,
    pub(crate) blocks_ended: u64,
    pub(crate) largest_batch: u64,
    in_batch: u64,
}

impl Checker {
    pub(crate) fn of(is_expected: fn(u64) -> bool) -> Self {
        Self {
            is_expected,
            is_lossy: false,
            next: Some(0),
            seen: 0,
            slots: 0,
            missed: 0,
            blocks_begun: 0,
            blocks_ended: 0,
            largest_batch: 0,
            in_batch: 0,
        }
    }

    /// Some may be missing.
    pub(crate) fn lossy(is_expected: fn(u64) -> bool) -> Self {
        Self { is_lossy: true, ..Self::of(is_expected) }
    }

    /// Any may be the first.
    pub(crate) fn joined_late(self) -> Self {
        Self { next: None, ..self }
    }

    pub(crate) fn check(&mut self, record: RecordRef<'_>) {
        if record.kind().is_reserved() {
            return;
        }
        let number = u64::from_le_bytes(record.payload()[..8].try_into().expect("eight bytes"));
        assert_eq!(record.payload(), payload(number), "of event {number}");
        assert_eq!(record.kind(), kind(number));
        assert!((self.is_expected)(number), "event {number} does not pass the filter");
        if let Some(next) = self.next {
            assert!(number >= next, "event {number} came twice, or too late");
            if !self.is_lossy {
                assert!(
                    !(next..number).any(self.is_expected),
                    "an event between {next} and {number} is missing"
                );
            }
        }
        self.next = Some(number + 1);
        self.seen += 1;
        self.slots += slots(number);
    }

    pub(crate) fn lose(&mut self, missed: u64) {
        self.missed += missed;
    }
}

impl Subscriber for Checker {
    type Error = Infallible;

    fn block_begun(&mut self, _: &Header) -> Result<(), Infallible> {
        self.blocks_begun += 1;
        Ok(())
    }

    fn block_ended(&mut self, _: &Header) -> Result<(), Infallible> {
        self.blocks_ended += 1;
        Ok(())
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Infallible> {
        self.in_batch += 1;
        self.check(record);
        Ok(())
    }

    fn batch_ended(&mut self) -> Result<(), Infallible> {
        self.largest_batch = self.largest_batch.max(self.in_batch);
        self.in_batch = 0;
        Ok(())
    }

    fn lagged(&mut self, missed: u64, _: Sequence) -> Result<(), Infallible> {
        self.lose(missed);
        Ok(())
    }
}
