//! Who has subscribed.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::account::{Account, Tally};
use super::diagnostics::{self, About};
use super::stream_id::StreamId;
use crate::error::PauseError;
use crate::member::Member;
use crate::sequence::Sequence;
use crate::stats::ConsumerKind;
use crate::sync::{Condvar, Mutex, lock, wait_on};
use crate::worker::Remote;

/// Which subscription: unique for the life of the bus, so that a handle that was kept too long names nobody, and never somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(u64);

impl SubscriptionId {
    /// Its number: subscriptions are counted from 1 in the order in which they joined.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A subscription, as the bus sees it: see [`Bus::subscriptions`](super::Bus::subscriptions).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubscriptionStats {
    /// Which it is.
    pub id: SubscriptionId,
    /// The name it joined with.
    pub name: Arc<str>,
    /// Required or optional.
    pub kind: ConsumerKind,
    /// The first sequence it gets.
    pub joined_at: Sequence,
    /// What has become of the sequences since.
    pub tally: Tally,
    /// How many sequences are published and not accounted for yet.
    pub lag: u64,
}

/// The subscriptions of a bus. The lock is taken by those that join or leave, and by those who look on.
#[derive(Debug)]
pub(super) struct Registry {
    stream: StreamId,
    entries: Mutex<Entries>,
    joined: Condvar,
}

#[derive(Debug, Default)]
struct Entries {
    last_id: u64,
    list: Vec<Arc<Entry>>,
}

#[derive(Debug)]
pub(super) struct Entry {
    stream: StreamId,
    id: SubscriptionId,
    name: Arc<str>,
    kind: ConsumerKind,
    pub(super) account: Account,
    /// A required one's, which knows what its pauses let pass, also those that were leaked.
    member: Option<Arc<Member>>,
    /// What controls its worker, once it has one.
    remote: Mutex<Option<Remote>>,
}

impl Registry {
    /// Of the bus that carries this stream.
    pub(super) fn new(stream: StreamId) -> Self {
        Self { stream, entries: Mutex::default(), joined: Condvar::new() }
    }

    /// `member`: of a required one.
    pub(super) fn add(
        self: &Arc<Self>,
        name: &str,
        kind: ConsumerKind,
        joined_at: Sequence,
        member: Option<Arc<Member>>,
    ) -> Registration {
        let mut entries = lock(&self.entries);
        entries.last_id += 1;
        let entry = Arc::new(Entry {
            stream: self.stream.clone(),
            id: SubscriptionId(entries.last_id),
            name: name.into(),
            kind,
            account: Account::new(),
            member,
            remote: Mutex::new(None),
        });
        entry.account.joined_at.set(joined_at.get());
        entries.list.push(Arc::clone(&entry));
        drop(entries);
        self.joined.notify_all();
        entry.about().subscribed(kind, joined_at);
        Registration { entry, registry: Arc::downgrade(self) }
    }

    /// In the order in which they joined. `cursor` is asked after the accounts were read.
    pub(super) fn stats(&self, cursor: impl FnOnce() -> Sequence) -> Vec<SubscriptionStats> {
        let entries = lock(&self.entries);
        let mut stats: Vec<SubscriptionStats> = entries.list.iter().map(|entry| entry.stats()).collect();
        let cursor = cursor();
        for stats in &mut stats {
            let published = cursor.get().saturating_sub(stats.joined_at.get());
            stats.lag = published.saturating_sub(stats.tally.total());
        }
        stats
    }

    /// What controls the worker of a subscription.
    pub(super) fn remote(&self, id: SubscriptionId) -> Result<Remote, ControlError> {
        let entries = lock(&self.entries);
        let entry = entries.list.iter().find(|entry| entry.id == id).ok_or(ControlError::Gone { id })?;
        lock(&entry.remote)
            .clone()
            .ok_or_else(|| ControlError::NotOnAWorker { id, name: Arc::clone(&entry.name) })
    }

    /// Waits until so many subscriptions are there, or `is_over` says so, which it is asked now and then.
    pub(super) fn wait_for(&self, subscriptions: usize, is_over: impl Fn() -> bool) {
        /// So late is it noticed that all are to stop.
        const LOOK_EVERY: Duration = Duration::from_millis(20);
        if lock(&self.entries).list.len() >= subscriptions {
            return;
        }
        diagnostics::writer_waits(&self.stream, subscriptions);
        let mut entries = lock(&self.entries);
        while entries.list.len() < subscriptions && !is_over() {
            entries = wait_on(&self.joined, entries, Some(Instant::now() + LOOK_EVERY));
        }
        let there = entries.list.len();
        drop(entries);
        diagnostics::writer_goes_on(&self.stream, subscriptions, there);
    }
}

impl Entry {
    fn about(&self) -> About<'_> {
        About { stream: &self.stream, id: self.id, name: &self.name }
    }

    /// It is on this worker now.
    pub(super) fn runs_on(&self, remote: Remote) {
        *lock(&self.remote) = Some(remote);
    }

    fn tally(&self) -> Tally {
        let mut tally = self.account.tally();
        if let Some(member) = &self.member {
            tally.let_pass = member.pauses().let_pass();
        }
        tally
    }

    fn stats(&self) -> SubscriptionStats {
        SubscriptionStats {
            id: self.id,
            name: Arc::clone(&self.name),
            kind: self.kind,
            joined_at: Sequence::new(self.account.joined_at.get()),
            tally: self.tally(),
            lag: 0,
        }
    }
}

/// A subscription's place in the registry. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Registration {
    entry: Arc<Entry>,
    registry: Weak<Registry>,
}

impl Registration {
    pub(super) fn id(&self) -> SubscriptionId {
        self.entry.id
    }

    pub(super) fn stream(&self) -> &StreamId {
        &self.entry.stream
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.entry.name
    }

    #[inline(always)]
    pub(super) fn account(&self) -> &Account {
        &self.entry.account
    }

    pub(super) fn tally(&self) -> Tally {
        self.entry.tally()
    }

    pub(super) fn entry(&self) -> Arc<Entry> {
        Arc::clone(&self.entry)
    }

    /// A pause has begun.
    pub(super) fn paused(&self) {
        self.entry.about().paused();
    }

    /// A pause is over, which so many sequences have passed.
    pub(super) fn resumed(&self, let_pass: u64) {
        self.account().let_pass(let_pass);
        self.entry.about().resumed(let_pass);
    }

    /// So many sequences are lost.
    pub(super) fn lagged(&self, missed: u64, resumed_at: Sequence) {
        self.account().miss(missed);
        self.entry.about().lagged(missed, resumed_at);
    }

    pub(super) fn starts_at(&self, sequence: Sequence) {
        self.account().joined_at.set(sequence.get());
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            lock(&registry.entries).list.retain(|entry| !Arc::ptr_eq(entry, &self.entry));
        }
        self.entry.about().unsubscribed(self.tally());
    }
}

/// Why a subscription could not be told what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// It is not there any more, or never was.
    Gone {
        /// Which.
        id: SubscriptionId,
    },
    /// It is read by its owner's own loop, who alone can pause it or let it leave.
    NotOnAWorker {
        /// Which.
        id: SubscriptionId,
        /// Its name.
        name: Arc<str>,
    },
    /// It cannot be paused, and this is why.
    Pause(PauseError),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone { id } => write!(f, "subscription {id} is gone"),
            Self::NotOnAWorker { id, name } => write!(
                f,
                "subscription {id} (`{name}`) is read by its owner's own loop: pause it or let it leave there, or put it on a worker"
            ),
            Self::Pause(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ControlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Pause(error) => Some(error),
            _ => None,
        }
    }
}

impl From<PauseError> for ControlError {
    fn from(error: PauseError) -> Self {
        Self::Pause(error)
    }
}
