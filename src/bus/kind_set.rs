//! Sets of kinds, as fast to ask as to look at one bit.

use std::fmt;

use super::kind::Kind;

/// Which kinds a filter lets pass.
#[derive(Clone, Default)]
pub(super) enum KindSet {
    #[default]
    All,
    Only(Bits),
    AllBut(Bits),
}

impl KindSet {
    pub(super) fn only(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self::Only(Bits::of(kinds))
    }

    pub(super) fn all_but(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self::AllBut(Bits::of(kinds))
    }

    #[inline(always)]
    pub(super) fn has(&self, kind: Kind) -> bool {
        match self {
            Self::All => true,
            Self::Only(bits) => bits.has(kind),
            Self::AllBut(bits) => !bits.has(kind),
        }
    }
}

impl fmt::Debug for KindSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Only(bits) => write!(f, "only {:?}", bits.numbers().collect::<Vec<_>>()),
            Self::AllBut(bits) => write!(f, "all but {:?}", bits.numbers().collect::<Vec<_>>()),
        }
    }
}

/// A bit for each kind up to the highest that is in the set.
#[derive(Clone, Default)]
pub(super) struct Bits(Box<[u64]>);

impl Bits {
    fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut words = Vec::new();
        for kind in kinds {
            let (word, bit) = Self::place(kind);
            if words.len() <= word {
                words.resize(word + 1, 0);
            }
            words[word] |= bit;
        }
        Self(words.into())
    }

    #[inline(always)]
    fn place(kind: Kind) -> (usize, u64) {
        (usize::from(kind.get() / 64), 1 << (kind.get() % 64))
    }

    #[inline(always)]
    fn has(&self, kind: Kind) -> bool {
        let (word, bit) = Self::place(kind);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn numbers(&self) -> impl Iterator<Item = u16> {
        (0..=u16::MAX).filter(|number| self.has(Kind::new(*number)))
    }
}
