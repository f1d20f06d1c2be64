//! Payloads: plain values with a kind.

use bytemuck::{Pod, Zeroable};

use super::hash::Hash;
use super::kind::{Kind, Topic};

/// A value that can be the payload of a record: plain data of fixed layout, whose kind tells its type.
///
/// [`events!`](crate::events) implements it, together with a schema. By hand it takes a [`Pod`] type, aligned to at most 64 bytes:
///
/// ```
/// use bytemuck::{Pod, Zeroable};
/// use ringbus::bus::{Kind, Payload, Topic};
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
///     const TOPIC: Topic = Topic::new(2);
/// }
/// ```
///
/// Slots begin on cache lines, and what must be aligned to more cannot be referred to there:
///
/// ```compile_fail,E0080
/// use bytemuck::{Pod, Zeroable};
/// use ringbus::bus::{Emit, Kind, Origin, Payload};
///
/// #[derive(Clone, Copy, Pod, Zeroable)]
/// #[repr(C, align(128))]
/// struct TwoLines([u8; 128]);
///
/// impl Payload for TwoLines {
///     const KIND: Kind = Kind::new(9);
/// }
///
/// fn engine(bus: &mut impl Emit) {
///     let _ = bus.emit(Origin::default(), &TwoLines([0; 128]));
/// }
/// engine(&mut ringbus::testing::Recorder::new());
/// ```
pub trait Payload: Pod {
    #[doc(hidden)]
    const ALIGNMENT: () = assert!(
        align_of::<Self>() <= 64,
        "ringbus: a payload must be aligned to at most 64 bytes, as slots are"
    );

    /// Its kind. Two types of a core have two kinds.
    const KIND: Kind;

    /// Its category.
    const TOPIC: Topic = Topic::new(0);

    /// Which layout this is of those that the type has had: of the header's `version`. Typed access does not look at it, but at the
    /// length.
    const VERSION: u8 = 1;
}

/// What [`Writer::begin_block`](super::Writer::begin_block) says: the payload of [`Kind::BLOCK_BEGUN`]. Height and time stand in
/// the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct BlockBegun {
    /// The block's hash.
    pub hash: Hash,
}

// SAFETY: it is a `Hash` and nothing else in memory.
unsafe impl Zeroable for BlockBegun {}
// SAFETY: it is a `Hash` and nothing else in memory.
unsafe impl Pod for BlockBegun {}

impl Payload for BlockBegun {
    const KIND: Kind = Kind::BLOCK_BEGUN;
}

/// What [`Writer::end_block`](super::Writer::end_block) says: the payload of [`Kind::BLOCK_ENDED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct BlockEnded {
    /// The block's hash.
    pub hash: Hash,
    /// How many events it had, this one included: its order number.
    pub events: u32,
    /// How many transactions.
    pub transactions: u32,
}

const _: () = assert!(size_of::<BlockEnded>() == 32 + 4 + 4);

// SAFETY: all fields can be zero.
unsafe impl Zeroable for BlockEnded {}
// SAFETY: `repr(C)`, all fields are `Pod`, and the size asserted above leaves no padding.
unsafe impl Pod for BlockEnded {}

impl Payload for BlockEnded {
    const KIND: Kind = Kind::BLOCK_ENDED;
}

/// How a transaction ended: the payload of [`Kind::TRANSACTION_ENDED`]. Its hash is the record's trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct TransactionEnded {
    /// How many events it caused, this one included.
    pub events: u32,
    /// 0 if it succeeded; otherwise a number that the core gives to the error.
    pub code: u32,
}

const _: () = assert!(size_of::<TransactionEnded>() == 4 + 4);

// SAFETY: all fields can be zero.
unsafe impl Zeroable for TransactionEnded {}
// SAFETY: `repr(C)`, all fields are `Pod`, and the size asserted above leaves no padding.
unsafe impl Pod for TransactionEnded {}

impl TransactionEnded {
    /// Whether it did what it was to do.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.code == 0
    }
}

impl Payload for TransactionEnded {
    const KIND: Kind = Kind::TRANSACTION_ENDED;
}
