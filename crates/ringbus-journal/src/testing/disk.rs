//! The disk, as the program under test and the test itself have it.

use std::fmt;
use std::io;

use super::crash::Crash;
use super::fault::{Fault, Plan};
use super::file::{SimulatedFile, SimulatedLock};
use super::machine::{Machine, SharedMachine};
use super::operation::{Counts, Operation};
use crate::storage::{File, Lock, Storage};

/// A disk in memory, of a machine that can lose power: see [the module](super).
///
/// A clone is the same disk; so the program under test has one, and the test another, from any thread. Operations happen one at a
/// time. What is done to the disk from outside ([`file`](Self::file), [`put`](Self::put), [`crash`](Self::crash)) works when the machine
/// has stopped too.
#[derive(Clone, Default)]
pub struct SimulatedDisk {
    machine: SharedMachine,
}

impl SimulatedDisk {
    /// A disk without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the disk this much room for the bytes of all its files: a write takes what fits, and with no room left it fails with
    /// [`io::ErrorKind::StorageFull`]. The room of a removed file is free at once.
    #[must_use]
    pub fn with_room_for(self, bytes: u64) -> Self {
        self.machine.get().room = Some(bytes);
        self
    }

    /// Cuts the power, and returns the disk as the machine finds it when it is started again: what is on it now is durable, nobody
    /// has a lock, no fault is to come, operations are counted anew. The room is as before.
    ///
    /// This disk has stopped: all calls of it and of its files fail from now on. It stays as it was in that moment, so that it
    /// can be asked for another outcome of the same crash.
    #[must_use]
    pub fn crash(&self, crash: Crash) -> Self {
        Self::of(self.machine.get().lose_power(crash))
    }

    /// Kills the process, as `kill -9` does, and returns the disk as the next one finds it: with everything that was written, synced
    /// or not. What was not synced can still be lost by a [`crash`](Self::crash) later. Else like that.
    #[must_use]
    pub fn process_crash(&self) -> Self {
        Self::of(self.machine.get().kill_process())
    }

    fn of(machine: Machine) -> Self {
        Self { machine: SharedMachine::new(machine) }
    }

    /// So many operations of those that the fault is about go well from now on, then it comes. Several can be planned.
    pub fn fail_after(&self, operations: u64, fault: Fault) {
        self.machine.get().plans.push(Plan::new(fault, None, operations));
    }

    /// The same for operations of one kind only, also for those that the fault is not about otherwise: [`Fault::Full`] from a
    /// [`Operation::Sync`], say.
    pub fn fail_on(&self, operation: Operation, after: u64, fault: Fault) {
        self.machine.get().plans.push(Plan::new(fault, Some(operation), after));
    }

    /// No fault is there or planned any more. What they have lost stays lost.
    pub fn mend(&self) {
        self.machine.get().plans.clear();
    }

    /// The machine stops when so many operations have been done in all, in the middle of the next one: what that was to write, or to
    /// make, rename or remove, is done and not synced, what it was to sync is not synced. It and all others behind it fail.
    ///
    /// A machine that has done so many already stops with the next operation.
    pub fn crash_at(&self, operation: u64) {
        self.machine.get().stops_at = Some(operation);
    }

    /// How many operations there were, those that failed while the machine ran included.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.machine.get().operations
    }

    /// What was done, by kind.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.machine.get().counts
    }

    /// The bytes of a file, synced or not, as one who reads it now sees them.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        self.machine.get().file(name)
    }

    /// Puts a file there, durable, in place of one that has the name; who has that one open goes on with it. What was not synced of
    /// the directory is durable then too.
    pub fn put(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.machine.get().put(name, bytes.into());
    }

    /// The names of all files, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.machine.get().names()
    }

    fn opened(&self, name: &str, (content, end): (u64, u64), writable: bool) -> Box<dyn File> {
        Box::new(SimulatedFile {
            machine: self.machine.clone(),
            name: name.to_owned(),
            content,
            end,
            writable,
        })
    }
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedDisk")
            .field("operations", &self.operations())
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}

impl Storage for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.machine.get().list()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let content = self.machine.get().create(name)?;
        Ok(self.opened(name, (content, 0), true))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let opened = self.machine.get().open(Operation::Open, name)?;
        Ok(self.opened(name, opened, true))
    }

    fn open_to_read(&self, name: &str) -> io::Result<Box<dyn File>> {
        let opened = self.machine.get().open(Operation::OpenToRead, name)?;
        Ok(self.opened(name, opened, false))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.machine.get().rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.machine.get().remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.machine.get().sync_directory()
    }

    fn lock(&self, name: &str) -> io::Result<Box<dyn Lock>> {
        self.machine.get().lock(name)?;
        Ok(Box::new(SimulatedLock { machine: self.machine.clone(), name: name.to_owned() }))
    }

    fn place(&self) -> String {
        String::from("a simulated disk")
    }
}
