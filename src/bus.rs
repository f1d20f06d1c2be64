//! A typed event bus over a ring of records: what a core says, and to whom.
//!
//! A core has one [`Writer`]. It says where it is (a block begins, a transaction, its end), and hands the writer to its engines, which
//! [`emit`](Emit::emit) what happened and know nothing else. Every record carries its *trace*: the hash of the transaction that caused
//! it, and its order number within the block. Whoever wants to listen [subscribes](Bus::subscribe): required, so that the writer waits
//! for it, or optional, so that it never does; to everything, or through a [`Filter`].
//!
//! ```
//! use ringbus::bus::{BlockStart, Bus, Emit, Filter, Hash, Origin, Outcome, Payload, Source};
//!
//! ringbus::events! {
//!     /// What the exchange says.
//!     pub schema Exchange, version 1;
//!
//!     /// Two orders met.
//!     pub event Trade, kind 8, topic 2 {
//!         /// Of the one who bought.
//!         pub buyer: u64,
//!         /// How many contracts.
//!         pub size: u64,
//!     }
//! }
//!
//! const MATCHING: Origin = Origin::of(Source::new(1));
//!
//! // An engine knows neither blocks nor transactions, nor who listens.
//! fn match_orders(bus: &mut impl Emit) -> Result<(), ringbus::bus::WriteError> {
//!     bus.emit(MATCHING, &Trade { buyer: 7, size: 3 })
//! }
//!
//! let (mut writer, bus) = Bus::<192>::builder("testnet-001").capacity(1 << 10).schema(Exchange::schema()).build()?;
//! let mut positions = bus.subscribe("positions").filter(Filter::kinds([Trade::KIND])).required().join()?;
//!
//! writer.begin_block(BlockStart { height: 1, time: 1_700_000_000_000_000_000, hash: Hash::new([1; 32]) })?;
//! writer.begin_transaction(Hash::new([2; 32]))?;
//! match_orders(&mut writer)?;
//! writer.end_transaction(Outcome::Succeeded)?;
//! writer.end_block()?;
//!
//! let mut seen = Vec::new();
//! positions.poll(|record| match Exchange::of(&record) {
//!     Some(Exchange::Trade(trade)) => seen.push((*trade, record.trace(), record.order())),
//!     None => unreachable!("the filter lets only trades pass"),
//! })?;
//! assert_eq!(seen, [(Trade { buyer: 7, size: 3 }, Hash::new([2; 32]), 2)]);
//! # positions.leave();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What stays true
//!
//! - Every subscription sees the same order, whatever the kinds: there is one ring.
//! - What was emitted together becomes visible together, and each subscription gets of it what its own filter lets pass.
//! - Order numbers count from 1 within each block, without gaps.
//! - A payload that is longer than a slot is several records of the ring, published together. Nobody sees a part of it.
//! - An emission that returns an error has left no trace.
//! - For each subscription `passed + filtered_out + let_pass + missed + lag == published since it joined` ([`Tally`]).
//!
//! # What a record looks like
//!
//! ```text
//!    0                                            32                    64            64 + PAYLOAD
//!    ├── trace ───────────────────────────────────┤ time height order │ kind topic ..  ├── payload ─┤
//!    └── Header: one cache line, all that filters look at ─────────────────────────────┘
//! ```
//!
//! Slots have a fixed size, chosen by the type: `Bus::<192>` has slots of 256 bytes. Only the bytes in use are copied, in and out.

use std::fmt;
use std::sync::Arc;

use crate::error::{End, GroupError};
use crate::ring::{GroupMember, Ring};
use crate::sequence::Sequence;
use crate::stats::Stats;
use crate::token::Token;

mod account;
mod audit;
mod builder;
mod copies;
mod copying;
mod diagnostics;
mod driver;
mod emit;
mod events;
mod fan_in;
mod fields;
mod filter;
mod hash;
mod kind;
mod kind_set;
mod lagged;
mod lines;
mod optional;
mod owned_record;
mod payload;
mod per_block;
mod record;
#[cfg(feature = "shared")]
mod record_observer;
mod record_ref;
mod registry;
mod required;
pub mod schema;
mod start_gate;
#[cfg(feature = "async")]
pub mod stream;
mod stream_id;
mod subscribe;
mod subscriber;
mod view;
mod walk;
mod worker;
mod write_error;
mod writer;

pub use account::Tally;
pub use audit::{Answer, AnswerBlock, Audit, AuditError, AuditLog, Cause, Coverage, Extent, NotKept, Tree};
pub use builder::BusBuilder;
pub use copying::Copying;
pub use driver::Driver;
pub use emit::Emit;
pub use fan_in::{AllEnded, FanIn, Inlet};
pub use fields::{Fixed, Span, Text, TextError, Timestamp};
pub use filter::Filter;
pub use hash::{Hash, HashError};
pub use kind::{Kind, Origin, Source, Topic, Trigger};
pub use lagged::Lagged;
pub use optional::{OptionalSubscription, SubscribeOptional};
pub use owned_record::OwnedRecord;
pub use payload::{BlockBegun, BlockEnded, Payload, TransactionEnded};
pub use per_block::{Append, Commit, Damage, Damaged, Gather, LastByKey, PerBlock};
pub use record::{Flags, HEADER_BYTES, Header, Record};
#[cfg(feature = "shared")]
pub use record_observer::{RecordObserver, RecordObserverBuilder};
pub use record_ref::RecordRef;
pub use registry::{ControlError, SubscriptionId, SubscriptionStats};
pub use required::{Records, RequiredSubscription, StartsTogether, SubscribeRequired};
#[cfg(feature = "async")]
pub use stream::{OptionalStream, RequiredStream};
pub use stream_id::{OtherStream, StreamId};
pub use subscribe::Subscribe;
pub use subscriber::{EachRecord, Subscriber, each_record};
pub use view::View;
pub use worker::{SubscribeError, SubscriptionWorker};
pub use write_error::WriteError;
pub use writer::{Batch, BlockStart, Forwarder, Outcome, Writer};

use record::Record as Slot;
use registry::Registry;
use schema::Schema;

/// A bus: what one subscribes by. Clone it, and give it to whoever wants to listen.
///
/// It is made together with its one [`Writer`], and does not keep the stream open: that ends with the writer.
pub struct Bus<const PAYLOAD: usize> {
    shared: Arc<Shared<PAYLOAD>>,
}

#[derive(Debug)]
struct Shared<const PAYLOAD: usize> {
    ring: Ring<Slot<PAYLOAD>>,
    registry: Arc<Registry>,
    stream: StreamId,
    schema: &'static Schema,
}

impl<const PAYLOAD: usize> Bus<PAYLOAD> {
    /// Settings for a new bus, whose slots have room for `PAYLOAD` bytes of payload.
    ///
    /// `stream` is the identity of what it carries, like a chain id: whoever keeps or forwards records refuses those of another.
    pub fn builder(stream: impl Into<StreamId>) -> BusBuilder<PAYLOAD> {
        BusBuilder::new(stream.into())
    }

    /// Settings for a subscription. The name is for errors and statistics; two may have the same.
    pub fn subscribe(&self, name: &str) -> Subscribe<'_, PAYLOAD> {
        Subscribe::new(self, name)
    }

    /// Lets required subscriptions start at one sequence, which it returns: see [`Ring::start_together`]. Call it before any of them
    /// reads. (An optional one starts there by [`ReadFrom::Sequence`](crate::ReadFrom::Sequence).)
    ///
    /// # Errors
    ///
    /// [`GroupError`]; nothing has changed then.
    pub fn start_together(&self, group: &mut [&mut dyn StartsTogether]) -> Result<Sequence, GroupError> {
        let mut consumers: Vec<&mut dyn GroupMember> =
            group.iter_mut().map(|member| member.consumer(Token::CRATE)).collect();
        let start = self.shared.ring.start_together(&mut consumers)?;
        group.iter_mut().for_each(|member| member.started_at(Token::CRATE, start));
        Ok(start)
    }

    /// Asks a subscription's worker to pause: see [`Worker::pause`](crate::worker::Worker::pause).
    ///
    /// # Errors
    ///
    /// [`ControlError`]: it is gone, it is not on a worker, or others come after it.
    pub fn pause(&self, id: SubscriptionId) -> Result<(), ControlError> {
        Ok(self.shared.registry.remote(id)?.pause()?)
    }

    /// Asks a subscription's worker to go on, at the newest record.
    ///
    /// # Errors
    ///
    /// [`ControlError`]: it is gone, or not on a worker.
    pub fn resume(&self, id: SubscriptionId) -> Result<(), ControlError> {
        Ok(self.shared.registry.remote(id)?.resume()?)
    }

    /// Asks a subscription's worker to end after the batch that it is handling, and to unsubscribe.
    ///
    /// # Errors
    ///
    /// [`ControlError`]: it is gone, or not on a worker. An identifier that was kept for too long never names a newer subscription.
    pub fn unsubscribe(&self, id: SubscriptionId) -> Result<(), ControlError> {
        self.shared.registry.remote(id)?.stop();
        Ok(())
    }

    /// Who has subscribed, in the order in which they joined, and what has become of what was published since.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<SubscriptionStats> {
        self.shared.registry.stats(|| self.shared.ring.cursor())
    }

    /// What the ring below is doing: see [`Ring::stats`].
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.ring.stats()
    }

    /// The identity of what it carries.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        &self.shared.stream
    }

    /// What the core's records look like.
    #[must_use]
    pub fn schema(&self) -> &'static Schema {
        self.shared.schema
    }

    /// How many slots the ring has.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.ring.capacity()
    }

    /// The end of what is published at this moment.
    #[must_use]
    pub fn cursor(&self) -> Sequence {
        self.shared.ring.cursor()
    }

    /// Asks all to stop: see [`Ring::stop`].
    pub fn stop(&self) {
        self.shared.ring.stop();
    }

    /// How the stream ended; `None` while it is open.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.shared.ring.end()
    }
}

impl<const PAYLOAD: usize> Clone for Bus<PAYLOAD> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<const PAYLOAD: usize> fmt::Debug for Bus<PAYLOAD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("stream", &self.shared.stream)
            .field("ring", &self.shared.ring)
            .finish_non_exhaustive()
    }
}
