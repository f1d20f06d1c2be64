//! What observers of events and of records have in common: where they start, and how they go on with the ring of a core that was started
//! anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::attached::Attached;
use super::error::{AttachError, ObserveError};
use super::ring_file::RingFile;
use super::watched::Watched;
use crate::error::{RecvError, StartError};
use crate::pace::Pace;
use crate::read_from::{ReadFrom, Window};
use crate::reader::Reader;
use crate::storage::PrefixSlots;
use crate::wait::WaitStrategy;
use crate::waiting::{Until, poll};

/// How long who waits for a new ring lets pass between two looks at the path.
const NAP: Duration = Duration::from_millis(5);

/// Settings of an observer.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    path: PathBuf,
    /// The ring, if it has been opened.
    opened: Option<Arc<Attached>>,
    pub(crate) start: ReadFrom,
    pub(crate) resume: Option<ReadFrom>,
    pub(crate) is_paced: bool,
}

impl Settings {
    pub(crate) fn new(path: &Path) -> Self {
        // Lest another directory be meant by the time there is another ring.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { path, opened: None, start: ReadFrom::Newest, resume: None, is_paced: true }
    }

    pub(crate) fn of(file: &RingFile) -> Self {
        Self { opened: Some(Arc::clone(&file.attached)), ..Self::new(file.path()) }
    }
}

/// Makes the slots of an attached ring, if they are such as it can read.
pub(crate) type Open<S> = fn(&Attached) -> Result<S, AttachError>;

/// A reader of a ring in a file, and of the rings that come after it at the same path.
pub(crate) struct Watching<S> {
    pub(crate) reader: Reader<S, Watched>,
    name: Arc<str>,
    settings: Settings,
    open: Open<S>,
    follows: bool,
    /// The end of this ring has been told, and it follows.
    awaits_next: bool,
    /// Events that were delivered and missed from rings before this one.
    delivered_before: u64,
    missed_before: u64,
    /// Sequences between the end of the last ring, as it was seen, and the first of this one. Not told yet.
    gap: u64,
}

impl<S: PrefixSlots> Watching<S> {
    pub(crate) fn attach(mut settings: Settings, open: Open<S>, follows: bool) -> Result<Self, AttachError> {
        let name = settings.path.to_string_lossy().into();
        let attached = match settings.opened.take() {
            Some(opened) => opened,
            None => Arc::new(Attached::new(&settings.path)?),
        };
        let reader = Self::reader(&attached, &name, &settings, open, settings.start)?;
        let (awaits_next, delivered_before, missed_before, gap) = (false, 0, 0, 0);
        Ok(Self { reader, name, settings, open, follows, awaits_next, delivered_before, missed_before, gap })
    }

    fn reader(
        attached: &Arc<Attached>,
        name: &Arc<str>,
        settings: &Settings,
        open: Open<S>,
        start: ReadFrom,
    ) -> Result<Reader<S, Watched>, AttachError> {
        let slots = open(attached)?;
        let info = &attached.info;
        let window = Window { len: slots.window(), first_sequence: info.first_sequence.get() };
        let position = window.start(attached.cursor(), name, start).map_err(AttachError::Start)?;
        let resume = settings.resume.unwrap_or(ReadFrom::Oldest { headroom: info.capacity as u64 / 8 });
        let pace = Pace::new(info.capacity as u64, settings.is_paced);
        Ok(Reader::new(Watched::new(attached), slots, window, resume, position, pace))
    }

    pub(crate) fn skip_to(&mut self, to: ReadFrom) -> Result<u64, StartError> {
        self.reader.skip_to(&self.name, to)
    }

    /// How many sequences are published, and were neither delivered nor told to be missed.
    pub(crate) fn lag(&self) -> u64 {
        self.reader.lag().saturating_add(self.gap)
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered_before.saturating_add(self.reader.delivered())
    }

    pub(crate) fn missed(&self) -> u64 {
        self.missed_before.saturating_add(self.reader.missed)
    }

    pub(crate) fn file(&self) -> RingFile {
        RingFile { attached: Arc::clone(self.reader.source.origin()) }
    }

    /// Receives by `receive`, for as long as `until` says.
    #[inline(always)]
    pub(crate) fn wait_for<T>(
        &mut self,
        until: Until,
        wait: &mut impl WaitStrategy,
        mut receive: impl FnMut(&mut Reader<S, Watched>) -> Result<T, RecvError>,
    ) -> Result<T, ObserveError> {
        if self.reader.has_in_hand() {
            // There is nothing to wait for, and no look that could be put off.
            return receive(&mut self.reader).map_err(ObserveError::from);
        }
        self.look_for(until, wait, receive)
    }

    #[inline(never)]
    fn look_for<T>(
        &mut self,
        until: Until,
        wait: &mut impl WaitStrategy,
        mut receive: impl FnMut(&mut Reader<S, Watched>) -> Result<T, RecvError>,
    ) -> Result<T, ObserveError> {
        if self.awaits_next {
            return Err(self.go_on(until));
        }
        if self.gap > 0 {
            let missed = std::mem::take(&mut self.gap);
            self.missed_before = self.missed_before.saturating_add(missed);
            return Err(ObserveError::Lagged { missed, resumed_at: self.reader.position.into() });
        }
        let look = |reader: &mut Reader<S, Watched>| match receive(reader) {
            Err(RecvError::Empty) => None,
            answer => Some(answer),
        };
        let answer = poll(&mut self.reader, until, wait, |_| None, || false, look);
        let answer = answer.unwrap_or(Err(RecvError::Empty));
        // (A mirror that was scribbled over may be right again after the next publish.)
        self.awaits_next =
            self.follows && matches!(answer, Err(RecvError::Ended(_))) && self.reader.source.is_over();
        answer.map_err(ObserveError::from)
    }

    /// Goes on with the next ring at the path, once there is one.
    fn go_on(&mut self, until: Until) -> ObserveError {
        loop {
            let found = match self.reader.source.origin().is_replaced() {
                Ok(true) => self.attach_next().map(|()| true),
                Ok(false) => Ok(false),
                Err(error) => Err(error),
            };
            let nap = match until {
                Until::Now => Duration::ZERO,
                Until::Done => NAP,
                Until::Deadline(deadline) => deadline.saturating_duration_since(Instant::now()).min(NAP),
            };
            match found {
                Ok(true) => return ObserveError::Restarted { resumed_at: self.reader.position.into() },
                Ok(false) if nap.is_zero() => return ObserveError::Empty,
                _ => thread::sleep(nap),
            }
            // Behind the nap, lest who just calls again take the whole core.
            if let Err(error) = found {
                return ObserveError::Attach(error);
            }
        }
    }

    /// Goes over to what is at the path.
    fn attach_next(&mut self) -> Result<(), AttachError> {
        let attached = Arc::new(Attached::new(&self.settings.path)?);
        let position = self.reader.position;
        let first = attached.info.first_sequence;
        // Wherever this observer stood: what a core says again after a crash is not what it had said. What is overwritten by now is counted
        // as missed.
        let start = ReadFrom::Sequence(first);
        let next = Self::reader(&attached, &self.name, &self.settings, self.open, start)?;
        let before = std::mem::replace(&mut self.reader, next);
        // (Saturating, here and where they are added up: a mirror that was scribbled over makes any number.)
        self.delivered_before = self.delivered_before.saturating_add(before.delivered());
        self.missed_before = self.missed_before.saturating_add(before.missed);
        // A core that died may have published what it did not come to show, and its journal has it.
        self.gap = first.get().saturating_sub(position);
        self.awaits_next = false;
        Ok(())
    }
}
