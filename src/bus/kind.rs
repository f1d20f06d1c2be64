//! Numbers that say what a record is about: its kind, its topic, who emitted it and why.

use std::fmt;

use bytemuck::{Pod, Zeroable};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($of:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name($of);

        // SAFETY: it is an integer and nothing else in memory.
        unsafe impl Zeroable for $name {}
        // SAFETY: it is an integer and nothing else in memory.
        unsafe impl Pod for $name {}

        impl $name {
            /// The one with this number.
            #[must_use]
            pub const fn new(number: $of) -> Self {
                Self(number)
            }

            /// Its number.
            #[must_use]
            pub const fn get(self) -> $of {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// The type of a record. A core chooses the numbers below [`Kind::FIRST_RESERVED`]; the others are the bus's own.
    Kind(u16)
}

number! {
    /// The category of a record: what subscribers choose by that do not care for single kinds. 0 unless a payload says otherwise.
    Topic(u16)
}

number! {
    /// Who emitted a record: an engine, a part of the core. 0 where nobody said.
    Source(u16)
}

impl Kind {
    /// From here on, kinds are the bus's own.
    pub const FIRST_RESERVED: Self = Self(0xFF00);
    /// A block begins: [`BlockBegun`](super::BlockBegun).
    pub const BLOCK_BEGUN: Self = Self(0xFF01);
    /// A block ends: [`BlockEnded`](super::BlockEnded).
    pub const BLOCK_ENDED: Self = Self(0xFF02);
    /// A transaction ends: [`TransactionEnded`](super::TransactionEnded).
    pub const TRANSACTION_ENDED: Self = Self(0xFF03);
    /// A transaction has failed; the payload is the error's text, UTF-8.
    pub const TRANSACTION_FAILED: Self = Self(0xFF04);

    /// Whether the number is the bus's own.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        self.0 >= Self::FIRST_RESERVED.0
    }
}

/// Why a record was emitted: what it reacts to, and the reason, both numbers of the core's choice. 0 and 0 where nobody said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trigger {
    /// What it reacts to.
    pub kind: u8,
    /// For which reason.
    pub reason: u8,
}

/// Who emits, and why: what the header of a record says about where it came from.
///
/// ```
/// use ringbus::bus::{Origin, Source, Trigger};
///
/// const MATCHING: Origin = Origin::of(Source::new(3));
/// let stopped_out = MATCHING.because(Trigger { kind: 1, reason: 7 });
/// assert_eq!(stopped_out.source, Source::new(3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Who.
    pub source: Source,
    /// Why.
    pub trigger: Trigger,
}

impl Origin {
    /// Emitted by `source`, for no stated reason.
    #[must_use]
    pub const fn of(source: Source) -> Self {
        Self { source, trigger: Trigger { kind: 0, reason: 0 } }
    }

    /// The same source, for this reason.
    #[must_use]
    pub const fn because(self, trigger: Trigger) -> Self {
        Self { source: self.source, trigger }
    }
}
