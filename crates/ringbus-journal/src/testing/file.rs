//! Open files of the simulated disk, and its locks.

use std::fmt;
use std::io::{self, ErrorKind};

use super::machine::SharedMachine;
use super::operation::Operation;
use crate::storage::{File, Lock};

/// Writes on from where it left the end itself, as a file of [`Disk`](crate::Disk) does.
pub(super) struct SimulatedFile {
    pub(super) machine: SharedMachine,
    pub(super) name: String,
    pub(super) content: u64,
    pub(super) end: u64,
    pub(super) writable: bool,
}

impl fmt::Debug for SimulatedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, end, writable, .. } = self;
        f.debug_struct("SimulatedFile")
            .field("opened_as", name)
            .field("end", end)
            .field("writable", writable)
            .finish_non_exhaustive()
    }
}

impl SimulatedFile {
    fn must_be_writable(&self) -> io::Result<()> {
        if self.writable {
            return Ok(());
        }
        let message = format!("{:?} was opened to be read only", self.name);
        Err(io::Error::new(ErrorKind::PermissionDenied, message))
    }

    fn write(&mut self, operation: Operation, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.must_be_writable()?;
        let written = self.machine.get().write(operation, self.content, bytes, offset)?;
        if written > 0 {
            self.end = self.end.max(offset + written as u64);
        }
        Ok(written)
    }
}

impl File for SimulatedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(Operation::Append, bytes, self.end)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.write(Operation::WriteAt, bytes, offset)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.machine.get().read(self.content, bytes, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.machine.get().size(self.content)
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.must_be_writable()?;
        self.machine.get().truncate(self.content, size)?;
        self.end = size;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.machine.get().sync_file(self.content)
    }
}

pub(super) struct SimulatedLock {
    pub(super) machine: SharedMachine,
    pub(super) name: String,
}

impl fmt::Debug for SimulatedLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedLock").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Lock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.machine.get().unlock(&self.name);
    }
}
