#![doc = include_str!("../README.md")]

mod block_store;
mod checkpoint;
mod exactly_once;
pub mod sqlite;
pub mod testing;

pub use block_store::BlockStore;
pub use checkpoint::Checkpoint;
pub use exactly_once::{ExactlyOnce, StoreError, StoreStats};
