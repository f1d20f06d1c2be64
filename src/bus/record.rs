//! What stands in a slot of a bus: a header of 64 bytes, and a payload.

use std::fmt;
use std::mem::offset_of;

use bytemuck::{Pod, Zeroable};

use super::hash::Hash;
use super::kind::{Kind, Source, Topic, Trigger};

/// What every record says about itself. One cache line; filters look at nothing else, unless they are told to.
///
/// A record's sequence is its place on the ring, and not stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Header {
    /// The hash of the transaction that caused it; outside of transactions, of the block.
    pub trace: Hash,
    /// The block's time, nanoseconds since the beginning of 1970.
    pub block_time: i64,
    /// The block's height.
    pub block_height: u64,
    /// Its number within the block, from 1, without gaps. The fragments of one payload have one number.
    pub order: u32,
    /// Its type.
    pub kind: Kind,
    /// Its category.
    pub topic: Topic,
    /// Who emitted it.
    pub source: Source,
    /// Why: what it reacts to.
    pub trigger_kind: u8,
    /// Why: for which reason.
    pub trigger_reason: u8,
    /// How many bytes of payload stand in this slot.
    pub len: u16,
    /// What is special about it.
    pub flags: Flags,
    /// The version of the payload's layout, counted by the core ([`Payload::VERSION`](super::Payload::VERSION)).
    pub version: u8,
}

const _: () = {
    assert!(size_of::<Header>() == HEADER_BYTES);
    assert!(align_of::<Header>() == HEADER_BYTES);
    assert!(offset_of!(Header, trace) == 0);
    assert!(offset_of!(Header, block_time) == 32);
    assert!(offset_of!(Header, block_height) == 40);
    assert!(offset_of!(Header, order) == 48);
    assert!(offset_of!(Header, kind) == 52);
    assert!(offset_of!(Header, topic) == 54);
    assert!(offset_of!(Header, source) == 56);
    assert!(offset_of!(Header, trigger_kind) == 58);
    assert!(offset_of!(Header, trigger_reason) == 59);
    assert!(offset_of!(Header, len) == 60);
    assert!(offset_of!(Header, flags) == 62);
    assert!(offset_of!(Header, version) == 63);
};

/// The size of a [`Header`], bytes.
pub const HEADER_BYTES: usize = 64;

// SAFETY: all fields can be zero.
unsafe impl Zeroable for Header {}
// SAFETY: `repr(C)`, every field is `Pod`, and the offsets and the size asserted above leave no gap between or behind them.
unsafe impl Pod for Header {}

impl Header {
    /// Why it was emitted.
    #[must_use]
    pub const fn trigger(&self) -> Trigger {
        Trigger { kind: self.trigger_kind, reason: self.trigger_reason }
    }
}

/// What is special about a record.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Flags(u8);

// SAFETY: it is a byte and nothing else in memory.
unsafe impl Zeroable for Flags {}
// SAFETY: it is a byte and nothing else in memory.
unsafe impl Pod for Flags {}

impl Flags {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The first fragment of a payload, or all of it.
    pub const FIRST_FRAGMENT: Self = Self(1);
    /// The last fragment of a payload, or all of it.
    pub const LAST_FRAGMENT: Self = Self(2);
    /// The last record of what was published together.
    pub const LAST_OF_BATCH: Self = Self(4);
    /// A block begins with it, whatever its kind.
    pub const BEGINS_BLOCK: Self = Self(8);
    /// A block ends with it, whatever its kind.
    pub const ENDS_BLOCK: Self = Self(16);

    /// A payload in one slot.
    pub(super) const WHOLE: Self = Self::FIRST_FRAGMENT.with(Self::LAST_FRAGMENT);

    const NAMES: [(Self, &'static str); 5] = [
        (Self::FIRST_FRAGMENT, "first fragment"),
        (Self::LAST_FRAGMENT, "last fragment"),
        (Self::LAST_OF_BATCH, "last of batch"),
        (Self::BEGINS_BLOCK, "begins block"),
        (Self::ENDS_BLOCK, "ends block"),
    ];

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These, less those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` are among these.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Self::NAMES.iter().filter(|(flag, _)| self.has(*flag)).map(|(_, name)| name);
        f.debug_set().entries(names).finish()
    }
}

/// What stands in a slot: a header, and room for `PAYLOAD` bytes, of which the header says how many are in use. The rest is what an
/// earlier record left there, and is never shown.
///
/// `PAYLOAD` is a multiple of 64, at least 64, at most 65,472; 64, 192, 448 and 960 make slots of 128, 256, 512 and 1,024 bytes.
///
/// ```compile_fail,E0080
/// let _ = ringbus::bus::Bus::<100>::builder("exchange");
/// ```
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Record<const PAYLOAD: usize> {
    /// A [`Header`], as bytes: so there is no padding behind the payload, whatever its length.
    header: [u8; HEADER_BYTES],
    payload: [u8; PAYLOAD],
}

// SAFETY: it is bytes and nothing else in memory.
unsafe impl<const PAYLOAD: usize> Zeroable for Record<PAYLOAD> {}
// SAFETY: two arrays of bytes, `repr(C)`: there is no padding, and any bits will do.
unsafe impl<const PAYLOAD: usize> Pod for Record<PAYLOAD> {}

impl<const PAYLOAD: usize> Record<PAYLOAD> {
    /// Stops the compilation of a bus whose slots would not begin on cache lines, or whose lengths a header could not hold.
    pub(super) const LAYOUT: () = {
        assert!(
            PAYLOAD > 0 && PAYLOAD.is_multiple_of(64),
            "ringbus: PAYLOAD must be a multiple of 64, and at least 64"
        );
        assert!(PAYLOAD <= u16::MAX as usize, "ringbus: PAYLOAD must be at most 65,472");
        assert!(size_of::<Self>() == HEADER_BYTES + PAYLOAD && align_of::<Self>() == 1);
    };

    /// What it says about itself.
    #[inline]
    #[must_use]
    pub fn header(&self) -> Header {
        bytemuck::pod_read_unaligned(&self.header)
    }

    /// The header where it stands. Panics if that is not on a cache line of its own; slots and buffers of a bus are.
    #[inline(always)]
    pub(super) fn header_in_place(&self) -> &Header {
        bytemuck::from_bytes(&self.header)
    }

    /// The bytes in use, of this slot alone. Whatever the header says, it is not more than there are.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload[..usize::from(self.header().len).min(PAYLOAD)]
    }
}

impl<const PAYLOAD: usize> fmt::Debug for Record<PAYLOAD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("header", &self.header()).field("payload", &self.payload()).finish()
    }
}
