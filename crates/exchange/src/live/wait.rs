//! The wait strategies, by name.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use ringbus::wait::{BackOff, BusySpin, Park, Sleep, SpinHint, WaitStrategy, Yield};

/// How all threads of a run wait: one of the [strategies](ringbus::wait) of the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// [`BusySpin`]: for a core to each thread.
    Spin,
    /// [`SpinHint`].
    Hint,
    /// [`Yield`].
    Yield,
    /// [`BackOff`]: right where nothing is known about the machine.
    #[default]
    BackOff,
    /// [`Sleep`].
    Sleep,
    /// [`Park`].
    Park,
}

impl Wait {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Spin, Self::Hint, Self::Yield, Self::BackOff, Self::Sleep, Self::Park];

    /// What it is called where settings are text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Hint => "hint",
            Self::Yield => "yield",
            Self::BackOff => "backoff",
            Self::Sleep => "sleep",
            Self::Park => "park",
        }
    }

    /// A strategy for one thread.
    #[must_use]
    pub fn strategy(self) -> Box<dyn WaitStrategy> {
        match self {
            Self::Spin => Box::new(BusySpin),
            Self::Hint => Box::new(SpinHint),
            Self::Yield => Box::new(Yield),
            Self::BackOff => Box::new(BackOff::default()),
            Self::Sleep => Box::new(Sleep::default()),
            Self::Park => Box::new(Park::default()),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Wait {
    type Err = UnknownWait;

    fn from_str(name: &str) -> Result<Self, UnknownWait> {
        Self::ALL.into_iter().find(|wait| wait.name() == name).ok_or_else(|| UnknownWait(name.to_owned()))
    }
}

/// There is no wait strategy of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWait(String);

impl fmt::Display for UnknownWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Wait::ALL.map(Wait::name).join(", ");
        write!(f, "there is no wait strategy `{}`, expected one of {names}: choose one of these", self.0)
    }
}

impl Error for UnknownWait {}
