//! A required subscriber that comes late, or comes back.

mod continued;

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use ringbus::bus::{
    Bus, Driver, RequiredSubscription, SubscribeError, SubscribeRequired, Subscriber, SubscriptionId,
};
use ringbus::stats::ConsumerKind;
use ringbus::wait::WaitStrategy;
use ringbus::worker::Worker;
use ringbus::{End, JoinError, Sequence};

pub use self::continued::Continued;
use crate::error::JournalError;
use crate::feeder::Feeder;
use crate::follow::{FollowError, NAP};
use crate::reader::{JournalReader, Start};

/// How long the journal may take to get to where the subscriber has joined.
const PATIENCE: Duration = Duration::from_secs(60);

/// So often it reads to where the core is before it joins: the core may be as fast as it is.
const ROUNDS: usize = 8;

impl JournalReader {
    /// Lets a subscriber that comes late become a required one: it gets everything from the sequence `from` on, in order, without a gap or a
    /// duplicate.
    ///
    /// First it reads the journal, on the caller's thread, until it is near the core, and nobody waits for it. Then it joins, by
    /// `subscribe`, which must be without a filter, and from then on the core waits for it when it is a ring's length behind. It reads
    /// what lies before its first live record from the journal, and goes on with the live ones on a worker. So the journal must be fed by
    /// this bus, as a required consumer ([`Journal::record`](crate::Journal::record)).
    ///
    /// Unless it comes [`after`](SubscribeRequired::after) the journal, let the reader read by
    /// [`Extent::Written`](crate::Extent::Written): it gets live records before they are durable anyway. By
    /// [`Extent::Durable`](crate::Extent::Durable) it waits here until the journal has synced, which it may not do while the core pauses in
    /// the middle of a block.
    ///
    /// ```
    /// use ringbus::Sequence;
    /// use ringbus::bus::{BlockStart, Bus, Hash, each_record};
    /// use ringbus_journal::{Extent, Journal, JournalReader};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// let journal = Journal::builder("testnet").open(directory.path())?;
    /// let (mut writer, bus) = Bus::<192>::builder("testnet").capacity(64).build()?;
    /// let recording = journal.record(bus.subscribe("journal").required().join()?)?;
    /// for height in 0..1_000 {
    ///     writer.begin_block(BlockStart { height, time: 0, hash: Hash::new([1; 32]) })?;
    ///     writer.end_block()?;
    /// }
    ///
    /// let (told, heard) = std::sync::mpsc::channel();
    /// let late = each_record(move |record| told.send(record.sequence().get()));
    /// let reader = JournalReader::open(directory.path(), Extent::Durable)?;
    /// let worker = reader.join_required(&bus, Sequence::new(0), bus.subscribe("late").required(), late)?;
    /// writer.close()?;
    /// worker.join()?;
    /// recording.join()?;
    /// assert_eq!(heard.try_iter().collect::<Vec<_>>(), (0..2_000).collect::<Vec<_>>());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LateError`]. Its subscription has left then, and the core goes on without it.
    pub fn join_required<const PAYLOAD: usize, W: WaitStrategy + 'static, S: Subscriber>(
        mut self,
        bus: &Bus<PAYLOAD>,
        from: Sequence,
        subscribe: SubscribeRequired<'_, PAYLOAD, W>,
        subscriber: S,
    ) -> Result<Worker<Driver<Continued<S>, PAYLOAD>>, LateError> {
        self.expect_stream(bus.stream())?;
        let cursor = bus.cursor();
        if from > cursor {
            return Err(LateError::Ahead { from, cursor });
        }
        self.seek(Start::Sequence(from))?;
        let mut feeder = Feeder::start(subscriber, from).map_err(FollowError::subscriber)?;
        let near = bus.capacity() as u64 / 2;
        for _ in 0..ROUNDS {
            let cursor = bus.cursor();
            if cursor.since(feeder.position()) <= near {
                break;
            }
            self.feed_to(cursor, &mut feeder, bus, None)?;
        }
        let subscription = subscribe.join()?;
        let (start, id) = (subscription.joined_at(), subscription.id());
        if let Err(error) = self.feed_to(start, &mut feeder, bus, Some(id)) {
            subscription.leave();
            return Err(error);
        }
        into_worker(subscription, feeder)
    }

    /// Feeds what lies before `end`, and waits for the journal to have it. `own`: the subscription that has joined for it.
    fn feed_to<const PAYLOAD: usize, S: Subscriber>(
        &mut self,
        end: Sequence,
        feeder: &mut Feeder<S>,
        bus: &Bus<PAYLOAD>,
        own: Option<SubscriptionId>,
    ) -> Result<(), LateError> {
        let mut waits_since = None;
        let mut will_get_more = true;
        while feeder.position() < end {
            let position = feeder.position();
            match self.next()? {
                Some(record) if record.sequence() != position => {
                    let next = record.sequence();
                    return Err(JournalError::Gap { first: position, next }.into());
                }
                Some(record) => {
                    waits_since = None;
                    feeder.record(record).map_err(FollowError::subscriber)?;
                }
                None => {
                    let since = *waits_since.get_or_insert_with(Instant::now);
                    if !will_get_more || since.elapsed() > PATIENCE {
                        return Err(LateError::NotInJournal { position, wanted: end, end: bus.end() });
                    }
                    // Nobody will: what the last one has written is there at the next look.
                    will_get_more = is_fed(bus, own);
                    thread::sleep(NAP);
                }
            }
        }
        feeder.end_batch().map_err(FollowError::subscriber)?;
        Ok(())
    }
}

/// Whether somebody may be feeding a journal: there is a required subscription other than `own`. A recording's is there until
/// everything is in its journal.
pub(crate) fn is_fed<const PAYLOAD: usize>(bus: &Bus<PAYLOAD>, own: Option<SubscriptionId>) -> bool {
    let feeds = |kind, id| kind == ConsumerKind::Required && Some(id) != own;
    bus.subscriptions().iter().any(|subscription| feeds(subscription.kind, subscription.id))
}

fn into_worker<const PAYLOAD: usize, W: WaitStrategy + 'static, S: Subscriber>(
    subscription: RequiredSubscription<PAYLOAD, W>,
    feeder: Feeder<S>,
) -> Result<Worker<Driver<Continued<S>, PAYLOAD>>, LateError> {
    let continued = Continued::new(feeder.subscriber);
    Ok(subscription.into_worker(continued).spawn().map_err(SubscribeError::from)?)
}

/// Why a subscriber that came late could not become a required one.
#[derive(Debug)]
#[non_exhaustive]
pub enum LateError {
    /// The journal could not be read, or the subscriber has failed.
    Follow(FollowError),
    /// It could not join, or there was no thread to be had.
    Subscribe(SubscribeError),
    /// It is to begin with what the bus has not published yet: it has had records that this bus does not know of.
    Ahead {
        /// What it is to begin with.
        from: Sequence,
        /// The end of what is published.
        cursor: Sequence,
    },
    /// The journal did not get to where the subscriber had joined, in a minute, or nobody is left that could be feeding it.
    NotInJournal {
        /// Where the journal ends.
        position: Sequence,
        /// What lies before this was to be read from it.
        wanted: Sequence,
        /// How the bus has ended, if it has.
        end: Option<End>,
    },
}

impl fmt::Display for LateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Follow(error) => error.fmt(f),
            Self::Subscribe(error) => error.fmt(f),
            Self::Ahead { from, cursor } => write!(
                f,
                "the subscriber is to go on from sequence {from}, but the bus has only got to {cursor}: build the bus with the \
                 `first_sequence` that its journal says, or let the subscriber begin anew"
            ),
            Self::NotInJournal { position, wanted, end } => {
                write!(
                    f,
                    "the journal ends at sequence {position}, but what lies before {wanted} is needed from it"
                )?;
                match end {
                    Some(end) => write!(f, ", and the bus has ended ({end})"),
                    None => f.write_str("; let it be a required consumer of this bus that runs"),
                }
            }
        }
    }
}

impl std::error::Error for LateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Follow(error) => Some(error),
            Self::Subscribe(error) => Some(error),
            Self::Ahead { .. } | Self::NotInJournal { .. } => None,
        }
    }
}

impl From<FollowError> for LateError {
    fn from(error: FollowError) -> Self {
        Self::Follow(error)
    }
}

impl From<JournalError> for LateError {
    fn from(error: JournalError) -> Self {
        Self::Follow(error.into())
    }
}

impl From<SubscribeError> for LateError {
    fn from(error: SubscribeError) -> Self {
        Self::Subscribe(error)
    }
}

impl From<JoinError> for LateError {
    fn from(error: JoinError) -> Self {
        Self::Subscribe(error.into())
    }
}
