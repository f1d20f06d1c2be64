//! What listens to the core: a [`Subscriber`](ringbus::bus::Subscriber) each, to be put on a thread of its own.
//!
//! | consumer | kind | reads | does |
//! | --- | --- | --- | --- |
//! | [`Journal`] | required | everything | writes headers and payloads as they are |
//! | [`PositionKeeper`] | required, after the journal | what moves money | recomputes positions and balances |
//! | [`BlockStore`] | required, after the journal | everything | commits block by block |
//! | [`Auditor`] | required, after the journal | what mark prices caused | can tell why somebody was liquidated |
//! | [`Monitor`] | optional | what it gets | takes its time, and counts what it missed |

mod auditor;
mod block_store;
mod change;
mod journal;
mod monitor;
mod position_keeper;

pub use auditor::{Auditor, Counted, Liquidations};
pub use block_store::{BlockByBlock, BlockStore, CommittedBlock, StoreError};
pub use change::Change;
pub use journal::{Journal, JournalError};
pub use monitor::Monitor;
pub use position_keeper::PositionKeeper;
