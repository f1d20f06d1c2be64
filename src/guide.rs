//! The user guide: what to choose, what is promised, and what to do when something goes wrong.
//!
//! Nothing here is code to call. Each chapter is a page of its own, begins with the answer, and its programs are compiled and
//! run as tests.
//!
//! | chapter | answers |
//! | --- | --- |
//! | [`capacity`] | how many slots, how long a batch, how much history |
//! | [`waiting`] | which wait strategy where, what idling costs, deadlines |
//! | [`graphs`] | who reads after whom: pipelines, diamonds |
//! | [`delivery`] | what required and optional promise, and what they do not |
//! | [`failures`] | who learns what when something fails, and what to do then |
//! | [`shutdown`] | how to end in good order, or at once |
//! | [`bus`] | building a core on the typed bus: slots, what counts as handled, tests of engines |
//! | [`tuning`] | cores, memory, batches, and how to measure |
//! | `watching` | looking at a running core from other processes |

#[cfg(not(loom))]
#[doc = include_str!("guide/bus.md")]
pub mod bus {}

#[doc = include_str!("guide/capacity.md")]
pub mod capacity {}

#[doc = include_str!("guide/delivery.md")]
pub mod delivery {}

#[doc = include_str!("guide/failures.md")]
pub mod failures {}

#[doc = include_str!("guide/graphs.md")]
pub mod graphs {}

#[doc = include_str!("guide/shutdown.md")]
pub mod shutdown {}

#[doc = include_str!("guide/tuning.md")]
pub mod tuning {}

#[doc = include_str!("guide/waiting.md")]
pub mod waiting {}

#[cfg(all(feature = "shared", not(loom)))]
#[doc = include_str!("guide/watching.md")]
pub mod watching {}
