//! Who shares the other core while the core publishes.

use std::path::Path;

use crate::child::{Child, Task};
use crate::receive::Looks;

/// Processes on the second core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    Nobody,
    /// So many observers.
    Observers(usize, Looks),
    /// So many that spin, and do not look at the ring.
    Idlers(usize),
}

impl Company {
    /// All that are compared.
    pub(crate) const ALL: [Self; 8] = [
        Self::Nobody,
        Self::Observers(1, Looks::EachMillisecond),
        Self::Observers(4, Looks::EachMillisecond),
        Self::Observers(1, Looks::Blocking),
        Self::Observers(1, Looks::Polling),
        Self::Observers(4, Looks::Polling),
        Self::Idlers(1),
        Self::Idlers(4),
    ];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Nobody => "nobody".into(),
            Self::Observers(count, looks) => {
                let plural = if count == 1 { "" } else { "s" };
                let how = match looks {
                    Looks::Polling => "polling",
                    Looks::Blocking => "in `recv_many`",
                    Looks::EachMillisecond => "each ms",
                };
                format!("{count} observer{plural}, {how}")
            }
            Self::Idlers(count) => format!("({count} idler{})", if count == 1 { "" } else { "s" }),
        }
    }

    /// Starts them, and waits until all are there.
    pub(crate) fn join(self, path: Option<&Path>) -> Vec<Child> {
        match self {
            Self::Nobody => Vec::new(),
            Self::Observers(count, looks) => {
                let path = path.expect("only a ring in a file is observed");
                (0..count).map(|_| Child::start(&Task::Watch(looks), path)).collect()
            }
            Self::Idlers(count) => (0..count).map(|_| Child::start(&Task::Idle, Path::new(""))).collect(),
        }
    }
}
