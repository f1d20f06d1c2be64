//! What listens to the core: a handler each, to be put on a thread of its own by [`ringbus::worker`].
//!
//! | consumer | kind | reads | does |
//! | --- | --- | --- | --- |
//! | [`Journal`] | required | everything | writes the bytes as they are |
//! | [`PositionKeeper`] | required, after the journal | trades | recomputes positions and balances |
//! | [`BlockStore`] | required, after the journal | everything | commits block by block |
//! | [`Monitor`] | optional | what it gets | takes its time, and counts what it missed |

mod block_store;
mod checksum;
mod journal;
mod monitor;
mod position_keeper;

pub use block_store::{BlockStore, CommittedBlock, DroppedBlock, StoreError};
pub use checksum::Checksum;
pub use journal::{Journal, JournalError};
pub use monitor::Monitor;
pub use position_keeper::PositionKeeper;
