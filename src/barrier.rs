//! `after`: what a required consumer may read up to. The cursor, or the slowest of the consumers it comes after.
//!
//! Pairs, by name:
//!
//! - **publish/observe** (cursor.rs), for a consumer that comes after no one.
//! - **acknowledge/follow**: an upstream's store of its gate (Release) with the load of who comes after it (Acquire). Its reads,
//!   and whatever it wrote elsewhere before it acknowledged, are visible to who reads next. The producer's writes are as
//!   well: the upstream had observed them.
//! - **depart/drain** (member.rs): an upstream that leaves stores its final position, then `NOT_GATING` into its gate.

use std::fmt;
use std::sync::Arc;

use crate::cursor::{Cursor, Observed};
use crate::error::End;
use crate::gate::NOT_GATING;
use crate::member::{Departure, Member};
use crate::ring::Core;
use crate::sequence::Sequence;
#[cfg(loom)]
use crate::sync::Relaxed;
use crate::sync::{Acquire, AtomicU64, Projection, proven};

/// A consumer that others may come [`after`](crate::RequiredBuilder::after): a
/// [`RequiredConsumer`](crate::RequiredConsumer), or its [`Progress`](crate::Progress) where it runs on a
/// [`Worker`](crate::worker::Worker).
///
/// Sealed: a consumer must read only what its upstream has acknowledged, and this crate sees to that.
pub trait Upstream: sealed::Upstream {}

impl<U: sealed::Upstream> Upstream for U {}

pub(crate) mod sealed {
    pub trait Upstream {
        fn followed(&self, _: crate::token::Token) -> crate::barrier::Followed;
    }
}

/// One consumer that others come after, or wait for.
#[derive(Clone)]
pub struct Followed {
    gate: Projection<Core, AtomicU64>,
    member: Arc<Member>,
    place: usize,
}

impl Followed {
    pub(crate) fn new(gate: Projection<Core, AtomicU64>, member: Arc<Member>, place: usize) -> Self {
        Self { gate, member, place }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        self.gate.owner()
    }

    pub(crate) fn member(&self) -> &Arc<Member> {
        &self.member
    }

    pub(crate) fn place(&self) -> usize {
        self.place
    }

    /// Its gate; the place must be its own: it is there, or somebody who comes after it keeps the place.
    #[inline(always)]
    fn limit(&self) -> u64 {
        // Acquire: pairs with every store to a gate (acknowledge/follow).
        let gate = self.gate.load(proven!(Acquire, "follow-load-relaxed" => Relaxed));
        if gate == NOT_GATING {
            proven!(self.final_position(), "final-position-ignored" => self.core().cursor.observe().count)
        } else {
            gate
        }
    }

    /// After its gate has said `NOT_GATING`: it has left, because one that others come after cannot be paused.
    #[cold]
    fn final_position(&self) -> u64 {
        self.member.departure().expect("the final position is stored before the gate").position
    }

    /// Its position, for those who only wait for it: the place may be somebody else's by now.
    ///
    /// The gate first. If what it says was stored by a later owner of the place, the departure of this one came before (through
    /// the lock of the table), and is seen.
    pub(crate) fn position(&self) -> u64 {
        // Acquire: pairs with every store to a gate (acknowledge/follow).
        let gate = self.gate.load(proven!(Acquire, "progress-load-relaxed" => Relaxed));
        match self.member.departure() {
            Some(departure) => departure.position,
            // Paused.
            None if gate == NOT_GATING => self.member.pauses().last_began_at(),
            None => gate,
        }
    }
}

impl fmt::Debug for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Followed").field("name", &self.member.name).field("place", &self.place).finish()
    }
}

/// What a required consumer may read up to.
#[derive(Debug)]
pub(crate) enum Barrier {
    /// The cursor.
    Cursor(Projection<Core, Cursor>),
    /// The slowest of those it comes after.
    After(Box<[Followed]>),
    /// Nothing, while it is paused; afterwards, this.
    Paused(Box<Self>),
}

impl Barrier {
    pub(crate) fn new(core: &Arc<Core>, upstream: Vec<Followed>) -> Self {
        if upstream.is_empty() {
            Self::Cursor(Projection::new(core, |core| &*core.cursor))
        } else {
            Self::After(upstream.into())
        }
    }

    pub(crate) fn upstream(&self) -> &[Followed] {
        match self {
            Self::After(upstream) => upstream,
            Self::Cursor(_) => &[],
            Self::Paused(afterwards) => afterwards.upstream(),
        }
    }

    /// What may be read by a consumer that stands at `position`, and whether that is known to be the end.
    #[inline(always)]
    pub(crate) fn observe(&self, position: u64) -> Observed {
        match self {
            Self::Cursor(cursor) => cursor.observe(),
            Self::After(upstream) => Observed { count: slowest(upstream, position), closed: false },
            Self::Paused(_) => Observed { count: position, closed: false },
        }
    }

    /// Which upstream has gone that is not ahead of `position`, by its place among them, and how.
    pub(crate) fn departed(&self, position: u64) -> Option<(usize, Departure)> {
        let departures = self.upstream().iter().map(|followed| followed.member.departure());
        departures.enumerate().find_map(|(which, departure)| {
            Some((which, departure.filter(|departure| departure.position <= position)?))
        })
    }

    /// The end of a consumer that has drained what its upstream `which` left behind.
    pub(crate) fn end_after(&self, which: usize, departure: Departure) -> End {
        let member = &self.upstream()[which].member;
        if departure.has_failed {
            End::UpstreamFailed(member.failure().expect("the failure is recorded before it is told"))
        } else {
            let position = Sequence::new(departure.position);
            End::UpstreamLeft { upstream: Arc::clone(&member.name), position }
        }
    }
}

/// The slowest of `upstream`, but nothing before `position`: who joins starts at the cursor, where its upstream may not have come
/// yet.
#[inline]
fn slowest(upstream: &[Followed], position: u64) -> u64 {
    let slowest = upstream.iter().map(Followed::limit).min().unwrap_or(position);
    proven!(slowest.max(position), "follows-behind-its-start" => slowest)
}
