//! A file that is mapped: by the one process that writes it, or by those that look on.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

use crate::shared::Mirrors;
use crate::sync::AtomicU64;

/// What may be done with the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read it and write it: every page is made to be there at once, so that the hot path meets no page fault.
    Write,
    /// Read it. A store would end the process with a signal.
    Read,
}

/// A whole file in memory, and the open file: whoever keeps it keeps the locks on that as well.
///
/// The memory is what stands in the file at the moment: other processes may write it while it is looked at. So nothing in it is ever
/// looked at but through atomic words. If somebody makes the file shorter, an access behind its end ends the process with SIGBUS.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
    file: File,
    /// Another file, whose lock is given up when nothing of this one is left.
    outlasting: Option<File>,
}

impl Mapping {
    /// Maps the first `bytes` of `file`, which must be that long, and be open for what is to be done with it.
    pub(crate) fn new(file: File, bytes: usize, access: Access) -> io::Result<Self> {
        let protection = match access {
            Access::Write => libc::PROT_READ | libc::PROT_WRITE,
            Access::Read => libc::PROT_READ,
        };
        let (flags, descriptor) = (libc::MAP_SHARED, file.as_raw_fd());
        // SAFETY: a new mapping, at an address that the kernel chooses, of a descriptor that is open; nothing that is there changes.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, descriptor, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).expect("the kernel maps nothing at address 0 by itself");
        let mapping = Self { base, bytes, file, outlasting: None };
        if access == Access::Write {
            mapping.touch();
        }
        Ok(mapping)
    }

    /// Sees to it that the first store to a page does not fault. To have the pages there is not enough: those of a file on a disk would
    /// still have to be made writable, one by one. (Since Linux 5.14; an older kernel refuses, and there they fault.)
    fn touch(&self) {
        // SAFETY: the range is this mapping, which may be written; what stands in it stays as it is.
        unsafe { libc::madvise(self.base.as_ptr().cast(), self.bytes, libc::MADV_POPULATE_WRITE) };
    }

    /// Keeps `file`, and gives it up after this mapping and its file.
    pub(crate) fn outlasted_by(mut self, file: File) -> Self {
        self.outlasting = Some(file);
        self
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Where a part of it begins. Panics if it has no such part.
    pub(crate) fn part(&self, offset: usize, bytes: usize) -> NonNull<u8> {
        let end = offset.checked_add(bytes);
        assert!(end.is_some_and(|end| end <= self.bytes), "the file has no such part");
        // SAFETY: `offset` is at most the length of the mapping, which is one allocation.
        unsafe { self.base.add(offset) }
    }

    /// The mirrors at `offset`. Panics if there is no room for them, or if they would not be aligned.
    pub(crate) fn mirrors(&self, offset: usize) -> &Mirrors {
        let mirrors = self.part(offset, size_of::<Mirrors>()).cast::<Mirrors>();
        assert!(mirrors.is_aligned(), "the mirrors do not begin on a cache line");
        // SAFETY: inside the mapping, which lives as long as `self`, and aligned. `Mirrors` is `AtomicU64`s and padding, so any bits
        // will do, and others may write them meanwhile. On a mapping to be read they are loaded relaxed, which is allowed there.
        unsafe { mirrors.as_ref() }
    }

    /// `count` words from `offset` on. Panics if there are no such words.
    pub(crate) fn words(&self, offset: usize, count: usize) -> &[AtomicU64] {
        let bytes = count.checked_mul(size_of::<AtomicU64>()).expect("the file has no such part");
        let words = self.part(offset, bytes).cast::<AtomicU64>();
        assert!(words.is_aligned(), "words do not begin on a multiple of 8");
        // SAFETY: as in `mirrors`.
        unsafe { NonNull::slice_from_raw_parts(words, count).as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this length, and unmapped only here; whoever looks at it borrows or keeps this.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

// SAFETY: a `Mapping` owns its memory, and hands out atomic words and addresses; unmapping works on any thread.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}
