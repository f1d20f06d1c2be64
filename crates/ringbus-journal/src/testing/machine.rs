//! The machine that the disk is part of: what is on the disk, who has locks, what is to go wrong.

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::content::Content;
use super::crash::{Crash, Fates};
use super::directory::Directory;
use super::fault::{self, Plan};
use super::operation::{Counts, Operation};
use crate::storage::disk::check_name;

/// A machine as all hold it who have a file, a lock or the disk.
#[derive(Clone, Default)]
pub(super) struct SharedMachine(Arc<Mutex<Machine>>);

impl SharedMachine {
    pub(super) fn new(machine: Machine) -> Self {
        Self(Arc::new(Mutex::new(machine)))
    }

    /// For one operation. A test that panicked in the middle of one has failed anyway.
    pub(super) fn get(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    directory: Directory,
    /// By number. Contents without a name stay: somebody may have the file open.
    contents: BTreeMap<u64, Content>,
    locked: BTreeSet<String>,
    pub(super) plans: Vec<Plan>,
    pub(super) room: Option<u64>,
    pub(super) operations: u64,
    /// Goes on when the process is killed, so that changes which are not synced keep their order.
    begun: u64,
    pub(super) stops_at: Option<u64>,
    stopped: bool,
    pub(super) counts: Counts,
}

/// An operation that has begun.
struct Turn {
    /// Grows from each to the next.
    number: u64,
    /// Bytes that it may move.
    most: usize,
    /// The machine stops in the middle of it: what it changes may be kept, but nobody is told.
    stops: bool,
}

impl Turn {
    fn end<T>(self, outcome: T) -> io::Result<T> {
        if self.stops { Err(has_stopped()) } else { Ok(outcome) }
    }
}

fn has_stopped() -> io::Error {
    io::Error::other("the simulated machine has stopped")
}

fn not_found(name: &str) -> io::Error {
    io::Error::new(ErrorKind::NotFound, format!("there is no file {name:?} on the simulated disk"))
}

impl Machine {
    fn begin(&mut self, operation: Operation) -> io::Result<Turn> {
        if self.stopped {
            return Err(has_stopped());
        }
        self.begun += 1;
        let number = self.begun;
        if self.stops_at.is_some_and(|stops_at| stops_at <= self.operations) {
            self.stopped = true;
            return Ok(Turn { number, most: usize::MAX, stops: true });
        }
        self.operations += 1;
        let most = fault::meet(&mut self.plans, operation)?;
        Ok(Turn { number, most, stops: false })
    }

    /// The same disk in a machine that was just started; this one has stopped.
    fn restart(&mut self) -> Self {
        self.stopped = true;
        Self {
            directory: self.directory.clone(),
            contents: self.contents.clone(),
            room: self.room,
            begun: self.begun,
            ..Self::default()
        }
    }

    pub(super) fn kill_process(&mut self) -> Self {
        self.restart()
    }

    pub(super) fn lose_power(&mut self, crash: Crash) -> Self {
        let writes = self.contents.values().flat_map(Content::unsynced).collect();
        let mut fates = Fates::new(crash, writes, self.directory.unsynced().collect());
        let old: Vec<&[u8]> = self.contents.values().map(Content::visible).collect();
        let survivors: Vec<Vec<u8>> =
            self.contents.values().map(|content| content.after_crash(&mut fates, &old)).collect();
        let mut after = self.restart();
        for (content, survivor) in after.contents.values_mut().zip(survivors) {
            *content = Content::durable(survivor);
        }
        after.directory.crash(&mut fates);
        let named: BTreeSet<u64> = after.directory.contents().collect();
        after.contents.retain(|number, _| named.contains(number));
        after
    }

    fn add(&mut self, content: Content) -> u64 {
        let number = self.contents.last_key_value().map_or(0, |(last, _)| last + 1);
        self.contents.insert(number, content);
        number
    }

    fn find(&self, name: &str) -> io::Result<u64> {
        check_name(name)?;
        self.directory.content(name).ok_or_else(|| not_found(name))
    }

    /// What an open file holds.
    fn content(&mut self, number: u64) -> &mut Content {
        self.contents.get_mut(&number).expect("no running machine gives up contents")
    }

    pub(super) fn file(&self, name: &str) -> Option<Vec<u8>> {
        let content = self.contents.get(&self.directory.content(name)?)?;
        Some(content.visible().to_vec())
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.directory.names().cloned().collect()
    }

    pub(super) fn put(&mut self, name: &str, bytes: Vec<u8>) {
        let number = self.add(Content::durable(bytes));
        self.directory.set(self.begun, number, Some(name));
        self.directory.sync();
    }

    pub(super) fn list(&mut self) -> io::Result<Vec<String>> {
        let turn = self.begin(Operation::List)?;
        turn.end(self.names())
    }

    pub(super) fn create(&mut self, name: &str) -> io::Result<u64> {
        check_name(name)?;
        let turn = self.begin(Operation::Create)?;
        if self.directory.content(name).is_some() {
            let message = format!("there is a file {name:?} on the simulated disk already");
            return Err(io::Error::new(ErrorKind::AlreadyExists, message));
        }
        let number = self.make(&turn, name);
        turn.end(number)
    }

    fn make(&mut self, turn: &Turn, name: &str) -> u64 {
        let number = self.add(Content::default());
        self.directory.set(turn.number, number, Some(name));
        number
    }

    /// Opens a file: its content, and its size.
    pub(super) fn open(&mut self, operation: Operation, name: &str) -> io::Result<(u64, u64)> {
        let turn = self.begin(operation)?;
        let number = self.find(name)?;
        turn.end((number, self.content(number).visible().len() as u64))
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        check_name(to)?;
        let turn = self.begin(Operation::Rename)?;
        let number = self.find(from)?;
        if from != to {
            self.directory.set(turn.number, number, Some(to));
        }
        turn.end(())
    }

    pub(super) fn remove(&mut self, name: &str) -> io::Result<()> {
        let turn = self.begin(Operation::Remove)?;
        let number = self.find(name)?;
        self.directory.set(turn.number, number, None);
        turn.end(())
    }

    pub(super) fn sync_directory(&mut self) -> io::Result<()> {
        let running = !self.stopped;
        let turn = self.begin(Operation::SyncDirectory).inspect_err(|_| {
            if running {
                self.directory.fail_sync();
            }
        })?;
        if !turn.stops {
            self.directory.sync();
            self.counts.directory_syncs += 1;
        }
        turn.end(())
    }

    pub(super) fn lock(&mut self, name: &str) -> io::Result<()> {
        check_name(name)?;
        let turn = self.begin(Operation::Lock)?;
        if self.directory.content(name).is_none() {
            self.make(&turn, name);
        }
        if !self.locked.insert(name.to_owned()) {
            let message = format!("somebody has the lock {name:?} of the simulated disk");
            return Err(io::Error::new(ErrorKind::WouldBlock, message));
        }
        turn.end(())
    }

    pub(super) fn unlock(&mut self, name: &str) {
        self.locked.remove(name);
    }
}
