//! A journal as a required consumer of a bus.

use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use ringbus::bus::{Records, RequiredSubscription};
use ringbus::wait::WaitStrategy;
use ringbus::{End, Progress, ReadError, Sequence};

use crate::error::JournalError;
use crate::follow::start_thread;
use crate::journal::Journal;

impl Journal {
    /// Lets a subscription feed this journal, on a thread of its own: one write for each batch read from the ring, and acknowledged is what
    /// the journal's [policy](crate::Durability) has made durable. So whoever subscribes
    /// [`after`](ringbus::bus::SubscribeRequired::after) it acts on nothing that a crash could take back.
    ///
    /// The subscription must get everything: without a filter, never paused, from the journal's [next sequence](Self::next_sequence)
    /// on. When the journal fails, so does the bus, and says why: as it does when a filter has kept a record back.
    ///
    /// ```
    /// use ringbus::bus::{BlockStart, Bus, Hash};
    /// use ringbus_journal::{Durability, Journal};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// let journal = Journal::builder("testnet").durability(Durability::EachBlock).open(directory.path())?;
    /// let (mut writer, bus) = Bus::<192>::builder("testnet").first_sequence(journal.next_sequence()).build()?;
    /// let subscription = bus.subscribe("journal").required().join()?;
    /// let gateway = bus.subscribe("gateway").required().after(&[&subscription]).join()?;
    /// let recording = journal.record(subscription)?;
    ///
    /// writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) })?;
    /// writer.end_block()?;
    /// writer.close()?;
    /// assert_eq!(recording.join()?.next.get(), 2);
    /// # gateway.leave();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`JournalError::OtherStream`], [`JournalError::OtherSlots`]; [`JournalError::NotNext`] if the subscription does not begin where the
    /// journal ends; [`JournalError::Io`] if there is no thread to be had. The subscription has left then, and the journal is
    /// closed.
    pub fn record<const PAYLOAD: usize, W: WaitStrategy + 'static>(
        self,
        subscription: RequiredSubscription<PAYLOAD, W>,
    ) -> Result<Recording, JournalError> {
        if let Err(error) = self.check(&subscription) {
            subscription.leave();
            return Err(error);
        }
        let progress = subscription.progress();
        // Over a channel: a subscription that no thread took must leave, and not be dropped with the thread's closure.
        let (recorders, recorder) = sync_channel(1);
        let run = move || {
            let recorder: Recorder<PAYLOAD, W> = recorder.recv().expect("it is sent below");
            recorder.run()
        };
        match start_thread(subscription.name(), run) {
            Ok(thread) => {
                recorders.send(Recorder { journal: self, subscription }).expect("the thread waits for it");
                Ok(Recording { thread, progress })
            }
            Err(error) => {
                subscription.leave();
                Err(error)
            }
        }
    }

    fn check<const PAYLOAD: usize, W: WaitStrategy>(
        &self,
        subscription: &RequiredSubscription<PAYLOAD, W>,
    ) -> Result<(), JournalError> {
        self.stream().check(subscription.stream())?;
        let expected = self.settings().slot_payload;
        if expected != PAYLOAD {
            return Err(JournalError::OtherSlots { expected, found: PAYLOAD });
        }
        // What its owner has read of it before will not come again.
        let found = Sequence::new(subscription.position().get() + subscription.deferred());
        let expected = self.next_sequence();
        let takes_any = self.recovery().next.is_none() && expected == Sequence::new(0);
        if takes_any || found == expected { Ok(()) } else { Err(JournalError::NotNext { expected, found }) }
    }
}

/// A journal that is fed by a bus: made by [`Journal::record`].
#[derive(Debug)]
#[must_use = "what went wrong is told by `join`"]
pub struct Recording {
    thread: JoinHandle<Result<Recorded, JournalError>>,
    progress: Progress,
}

/// What a recording has come to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// How the stream ended.
    pub end: End,
    /// The sequence behind the last record, all of which are durable.
    pub next: Sequence,
}

impl Recording {
    /// How far the journal has acknowledged: for others to wait for it, or to come
    /// [`after`](ringbus::bus::SubscribeRequired::after) it.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Waits until the stream has ended, and everything is durable.
    ///
    /// # Errors
    ///
    /// What the journal has failed by; the bus has failed by it too.
    ///
    /// # Panics
    ///
    /// If the journal's thread did.
    pub fn join(self) -> Result<Recorded, JournalError> {
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

struct Recorder<const PAYLOAD: usize, W: WaitStrategy> {
    journal: Journal,
    subscription: RequiredSubscription<PAYLOAD, W>,
}

impl<const PAYLOAD: usize, W: WaitStrategy> Recorder<PAYLOAD, W> {
    fn run(mut self) -> Result<Recorded, JournalError> {
        match self.read_to_the_end() {
            Ok(end) => {
                let Self { journal, mut subscription } = self;
                match journal.close() {
                    Ok(next) => {
                        subscription.acknowledge_deferred();
                        subscription.leave();
                        Ok(Recorded { end, next })
                    }
                    Err(error) => Err(failed(error, subscription)),
                }
            }
            Err(error) => Err(failed(error, self.subscription)),
        }
    }

    fn read_to_the_end(&mut self) -> Result<End, JournalError> {
        let part = self.subscription.capacity() as u64 / 4;
        loop {
            let Self { journal, subscription } = self;
            let read = match journal.sync_at() {
                Some(at) => subscription.read_deadline(at),
                None => subscription.read().map_err(ReadError::Ended),
            };
            match read {
                Ok(records) => take(journal, records, part)?,
                Err(ReadError::Ended(end)) => return Ok(end),
                // The time has come to sync.
                Err(_) => {}
            }
            // Half a ring is deferred: without an acknowledgement the core will wait before long.
            let is_pressed = subscription.deferred() * 2 >= subscription.capacity() as u64;
            if journal.end_batch(is_pressed)? == journal.next_sequence() {
                subscription.acknowledge_deferred();
            }
        }
    }
}

fn failed<const PAYLOAD: usize, W: WaitStrategy>(
    error: JournalError,
    subscription: RequiredSubscription<PAYLOAD, W>,
) -> JournalError {
    subscription.fail(&error.to_string());
    error
}

/// Takes what is at hand, or so many slots and the rest of what was published together: while that is written, the core fills others.
fn take<const PAYLOAD: usize>(
    journal: &mut Journal,
    mut records: Records<'_, PAYLOAD>,
    part: u64,
) -> Result<(), JournalError> {
    let first = records.first_sequence();
    let end = Sequence::new(first.get() + records.slots() as u64);
    let mut expected = first;
    while let Some(record) = records.next() {
        check_next(expected, record.sequence())?;
        expected = record.next_sequence();
        journal.append(record)?;
        if expected.since(first) >= part && records.ends_batch() {
            records.defer();
            return Ok(());
        }
    }
    check_next(expected, end)?;
    records.defer();
    Ok(())
}

/// The journal would note a record that a filter keeps back only when another follows; what it has not got must not be acknowledged.
fn check_next(expected: Sequence, found: Sequence) -> Result<(), JournalError> {
    if found == expected { Ok(()) } else { Err(JournalError::NotNext { expected, found }) }
}
