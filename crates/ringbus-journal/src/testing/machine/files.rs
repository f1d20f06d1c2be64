//! What is done to open files.

use std::io::{self, ErrorKind};

use super::Machine;
use crate::testing::fault;
use crate::testing::operation::Operation;

impl Machine {
    /// `operation` is the way in which it is written. Returns how many of the bytes were.
    pub(in crate::testing) fn write(
        &mut self,
        operation: Operation,
        number: u64,
        bytes: &[u8],
        offset: u64,
    ) -> io::Result<usize> {
        let turn = self.begin(operation)?;
        let at = usize::try_from(offset).map_err(|_| io::Error::from(ErrorKind::FileTooLarge))?;
        let fitting = bytes.len().min(self.end_of_room(number).saturating_sub(at));
        if fitting == 0 && !bytes.is_empty() {
            return Err(fault::full());
        }
        let count = fitting.min(turn.most);
        self.content(number).write(turn.number, at, &bytes[..count]);
        if !turn.stops {
            self.counts.appends += u64::from(operation == Operation::Append);
            self.counts.bytes += count as u64;
        }
        turn.end(count)
    }

    /// How long the file can become. What has no name takes no room.
    fn end_of_room(&mut self, number: u64) -> usize {
        let Some(room) = self.room else {
            return usize::MAX;
        };
        let used: u64 =
            self.directory.contents().map(|named| self.contents[&named].visible().len() as u64).sum();
        let free = usize::try_from(room.saturating_sub(used)).unwrap_or(usize::MAX);
        self.content(number).visible().len().saturating_add(free)
    }

    pub(in crate::testing) fn read(
        &mut self,
        number: u64,
        bytes: &mut [u8],
        offset: u64,
    ) -> io::Result<usize> {
        let turn = self.begin(Operation::ReadAt)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let there = self.content(number).visible().get(offset..).unwrap_or_default();
        let count = there.len().min(bytes.len()).min(turn.most);
        bytes[..count].copy_from_slice(&there[..count]);
        turn.end(count)
    }

    pub(in crate::testing) fn size(&mut self, number: u64) -> io::Result<u64> {
        let turn = self.begin(Operation::Size)?;
        turn.end(self.content(number).visible().len() as u64)
    }

    pub(in crate::testing) fn truncate(&mut self, number: u64, size: u64) -> io::Result<()> {
        let turn = self.begin(Operation::Truncate)?;
        let size = usize::try_from(size).map_err(|_| io::Error::from(ErrorKind::FileTooLarge))?;
        self.content(number).resize(turn.number, size);
        turn.end(())
    }

    pub(in crate::testing) fn sync_file(&mut self, number: u64) -> io::Result<()> {
        let running = !self.stopped;
        let turn = self.begin(Operation::Sync).inspect_err(|_| {
            if running {
                self.content(number).fail_sync();
            }
        })?;
        if !turn.stops {
            self.content(number).sync();
            self.counts.syncs += 1;
        }
        turn.end(())
    }
}
