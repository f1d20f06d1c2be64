//! Subscriptions as [`Stream`](futures_core::Stream)s, for consumers that are async tasks, on any runtime.
//!
//! ```
//! use ringbus::bus::{BlockStart, Bus, Emit, Hash, Kind, Origin, Topic};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (mut writer, bus) = Bus::<64>::builder("testnet").build()?;
//! let mut gateway = bus.subscribe("gateway").required().join()?.into_stream();
//!
//! let core = std::thread::spawn(move || {
//!     writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) })?;
//!     writer.emit_bytes(Origin::default(), Kind::new(7), Topic::default(), b"hello")?;
//!     writer.end_block()?;
//!     writer.close()
//! });
//!
//! let mut orders = Vec::new();
//! while let Some(record) = gateway.next().await {
//!     orders.push(record.record().order());
//! }
//! assert_eq!(orders, [1, 2, 3]);
//! assert_eq!(gateway.end(), Some(&ringbus::End::Closed));
//! # core.join().unwrap()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Waiting
//!
//! A required stream that waits takes no processor time, an optional one next to none. One thread for each bus, the *notifier*,
//! looks on behalf of all streams that wait. It is started when the first stream waits, sleeps while there is nothing to do, and ends
//! with the last stream. (If the operating system refuses the thread, a stream asks to be polled again at once, so that it loses
//! nothing and its task takes processor time; each wait tries to start the thread again.)
//!
//! - For required streams it sleeps as [`Park`](crate::wait::Park) does, by the ring's [`Parking`](crate::Parking): whoever makes the
//!   progress wakes it, and it wakes the task.
//! - For optional streams the writer wakes nobody. The notifier naps, for as long as nothing has happened yet: 50 microseconds at
//!   least, 10 milliseconds at most (PERF.md has what that costs). So an optional stream learns of a record about as late as it has
//!   waited for it, and no later than that. Where required streams wait too, it learns of it with them.
//! - Streams that come [`after`](super::SubscribeRequired::after) others wait for those to acknowledge. Where such streams and
//!   others wait at the same moment, they are looked at in naps as optional ones are, because a thread can sleep for one thing only.

mod notifier;
mod optional;
mod required;
mod streaming;

pub use optional::OptionalStream;
pub use required::RequiredStream;
