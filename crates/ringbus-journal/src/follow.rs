//! Following a journal: a subscriber that the core does not know of.

mod error;

use std::fmt;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringbus::bus::{RecordRef, StreamId, Subscriber};
use ringbus::worker::Shutdown;
use ringbus::{End, Sequence};

pub use self::error::FollowError;
use crate::error::JournalError;
use crate::feeder::Feeder;
use crate::reader::{JournalReader, Start};

/// What a follower reads from.
pub(crate) trait Source: Send + 'static {
    fn step(&mut self) -> Result<Step<'_>, JournalError>;

    /// The sequence behind what it has read, and passed over. `None` if nothing is known yet.
    fn position(&self) -> Option<Sequence>;
}

/// What there is to read.
pub(crate) enum Step<'a> {
    Record(RecordRef<'a>),
    /// Nothing now.
    Nothing,
    /// No more.
    Ended(End),
}

impl Source for JournalReader {
    fn step(&mut self) -> Result<Step<'_>, JournalError> {
        Ok(self.next()?.map_or(Step::Nothing, Step::Record))
    }

    fn position(&self) -> Option<Sequence> {
        self.next_sequence()
    }
}

/// Settings of a subscriber that is about to follow a journal: made by [`JournalReader::follow`].
#[must_use = "nothing follows before `spawn` is called"]
#[derive(Debug)]
pub struct Follow {
    reader: JournalReader,
    name: String,
    stream: Option<StreamId>,
    from: Option<Sequence>,
    nap: Duration,
}

/// How long who follows sleeps when there is nothing, unless told otherwise.
pub(crate) const NAP: Duration = Duration::from_millis(1);

impl JournalReader {
    /// Lets a subscriber follow the journal, on a thread of its own. It gets every record, in order, and never holds the core up, however
    /// slow it is: what it has not read waits on the disk. It may run in another process.
    ///
    /// ```
    /// use ringbus::bus::{Header, RecordRef, each_record};
    /// use ringbus::Sequence;
    /// use ringbus_journal::{Extent, Journal, JournalReader};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// let mut journal = Journal::builder("testnet").open(directory.path())?;
    /// let (told, heard) = std::sync::mpsc::channel();
    /// let following = JournalReader::open(directory.path(), Extent::Durable)?
    ///     .follow("monitor")
    ///     .spawn(each_record(move |record| told.send(record.sequence().get())))?;
    ///
    /// let header = Header { len: 4, ..Header::default() };
    /// journal.append(RecordRef::new(Sequence::new(0), &header, b"kept"))?;
    /// let end = journal.close()?;
    /// following.finish_at(end);
    /// following.join()?;
    /// assert_eq!(heard.try_iter().collect::<Vec<_>>(), [0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn follow(self, name: &str) -> Follow {
        Follow { reader: self, name: name.to_owned(), stream: None, from: None, nap: NAP }
    }
}

impl Follow {
    /// From where on: a store goes on where it has stopped. From where the reader stands unless set: then the subscriber's
    /// [start](Subscriber::start) is told a sequence at or before its first record, and 0 if the journal has no record yet.
    pub fn from(mut self, first: Sequence) -> Self {
        self.from = Some(first);
        self
    }

    /// Whose records they must be: what a store keeps. Unless set, it takes any journal's.
    pub fn stream(mut self, stream: &StreamId) -> Self {
        self.stream = Some(stream.clone());
        self
    }

    /// How long it sleeps when there is nothing to read; a millisecond unless set.
    pub fn nap(mut self, nap: Duration) -> Self {
        self.nap = nap;
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// [`JournalError::OtherStream`]; [`JournalError::Removed`] if the journal has removed what it is to begin with;
    /// [`JournalError::Ahead`] if it does not get to what it is to go on [`from`](Self::from): a store that has what its journal has lost must
    /// not take other records in their place; [`JournalError::Io`], also if there is no thread to be had; [`JournalError::Header`].
    pub fn spawn<S: Subscriber>(self, subscriber: S) -> Result<Following<S>, JournalError> {
        let Self { mut reader, name, stream, from, nap } = self;
        if let Some(stream) = &stream {
            reader.expect_stream(stream)?;
        }
        if let Some(first) = from {
            if let Some(end) = reader.ends_before(first)? {
                return Err(JournalError::Ahead { asked: first, end });
            }
            reader.seek(Start::Sequence(first))?;
        }
        let first = from.or(reader.next_sequence()).unwrap_or_default();
        spawn(reader, &name, first, nap, subscriber)
    }
}

pub(crate) fn spawn<S: Subscriber>(
    source: impl Source,
    name: &str,
    first: Sequence,
    nap: Duration,
    subscriber: S,
) -> Result<Following<S>, JournalError> {
    let shared =
        Arc::new(Shared { position: AtomicU64::new(first.get()), finish_at: AtomicU64::new(u64::MAX) });
    let driver = Driver { source, shared: Arc::clone(&shared), nap };
    let thread = start_thread(name, move || driver.run(first, subscriber))?;
    Ok(Following { thread, shared })
}

/// Runs `run` on a thread of this name.
pub(crate) fn start_thread<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, JournalError> {
    // (A name with a zero in it would make the standard library panic.)
    let thread = thread::Builder::new().name(name.replace('\0', " ")).spawn(run);
    thread.map_err(JournalError::io("start a thread for", name))
}

/// A subscriber that follows a journal on a thread of its own. Dropped, it goes on.
#[must_use = "what went wrong is told by `join`"]
pub struct Following<S> {
    thread: JoinHandle<Result<S, FollowError>>,
    shared: Arc<Shared>,
}

struct Shared {
    /// The sequence behind the last batch that the subscriber has had.
    position: AtomicU64,
    /// Where it is to end.
    finish_at: AtomicU64,
}

impl<S> Following<S> {
    /// The sequence behind the last batch that the subscriber has had.
    #[must_use]
    pub fn position(&self) -> Sequence {
        // Acquire: pairs with the store behind each batch, so that who sees it sees what the subscriber did before.
        Sequence::new(self.shared.position.load(Ordering::Acquire))
    }

    /// Lets it end when it has had everything before `end`.
    pub fn finish_at(&self, end: Sequence) {
        // Relaxed: a number to look at, which orders nothing else.
        self.shared.finish_at.store(end.get(), Ordering::Relaxed);
        self.thread.thread().unpark();
    }

    /// Lets it end after the record that it is at.
    pub fn stop(&self) {
        self.finish_at(Sequence::new(0));
    }

    /// Waits until it has ended. Returns the subscriber.
    ///
    /// # Errors
    ///
    /// What it ended by, if not by [`finish_at`](Self::finish_at), [`stop`](Self::stop), or the end of a bus. (A subscriber whose journal
    /// cannot be read on is dropped without another call, as after a panic.)
    ///
    /// # Panics
    ///
    /// If the subscriber did.
    pub fn join(self) -> Result<S, FollowError> {
        self.thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    }
}

impl<S> fmt::Debug for Following<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following").field("position", &self.position()).finish_non_exhaustive()
    }
}

struct Driver<R> {
    source: R,
    shared: Arc<Shared>,
    nap: Duration,
}

impl<R: Source> Driver<R> {
    fn run<S: Subscriber>(mut self, first: Sequence, subscriber: S) -> Result<S, FollowError> {
        let mut feeder = Feeder::start(subscriber, first).map_err(FollowError::subscriber)?;
        let reason = self.feed(&mut feeder)?;
        let position = feeder.position();
        let subscriber = feeder.shut_down(&reason).map_err(FollowError::subscriber)?;
        self.has_had(position);
        Ok(subscriber)
    }

    fn feed<S: Subscriber>(&mut self, feeder: &mut Feeder<S>) -> Result<Shutdown, FollowError> {
        loop {
            // Relaxed: see `finish_at`.
            if feeder.position().get() >= self.shared.finish_at.load(Ordering::Relaxed) {
                return Ok(Shutdown::Requested);
            }
            match self.source.step()? {
                Step::Record(record) => {
                    if feeder.record(record).map_err(FollowError::subscriber)? {
                        self.has_had(feeder.position());
                    }
                }
                Step::Nothing => {
                    feeder.end_batch().map_err(FollowError::subscriber)?;
                    if let Some(next) = self.source.position() {
                        feeder.goes_on_at(next);
                    }
                    self.has_had(feeder.position());
                    feeder.idle().map_err(FollowError::subscriber)?;
                    thread::park_timeout(self.nap);
                }
                Step::Ended(end) => return Ok(Shutdown::Ended(end)),
            }
        }
    }

    fn has_had(&self, position: Sequence) {
        // Release: pairs with `Following::position`.
        self.shared.position.store(position.get(), Ordering::Release);
    }
}
