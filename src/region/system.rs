//! System calls on files, and a clock that all processes share: what the standard library does not have.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;

/// Gives `file` so many bytes, all of them zero, with a place on the device for each: so that writing them later cannot fail for want
/// of room.
pub(crate) fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    let bytes = libc::off_t::try_from(bytes).map_err(|_| io::Error::from_raw_os_error(libc::EFBIG))?;
    loop {
        // SAFETY: a system call on an open descriptor; no memory of ours is involved.
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, bytes) } {
            0 => return Ok(()),
            libc::EINTR => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
}

/// Takes the lock on `file`, if nobody has it, for as long as this open file, and no other of the same file, is there: until its last
/// descriptor is closed, or its process ends, however it ends. `false`: somebody has it.
///
/// It is a lock of the open file (`F_OFD_SETLK`), and not of the process: opening and closing the same file once more does not give it
/// up, and it is seen within the process too.
pub(crate) fn lock(file: &File) -> io::Result<bool> {
    let mut lock = whole_file(libc::F_WRLCK);
    // SAFETY: a system call on an open descriptor, with a lock that outlives it.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw mut lock) } == 0 {
        return Ok(true);
    }
    match io::Error::last_os_error() {
        error if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        error => Err(error),
    }
}

/// Whether anybody has the lock on `file`, by another open file than this one. It asks, and takes nothing: `file` may be open for
/// reading only, and whoever has the lock does not notice.
pub(crate) fn is_locked(file: &File) -> io::Result<bool> {
    // To read: that is what the holder's lock is in the way of.
    let mut lock = whole_file(libc::F_RDLCK);
    // SAFETY: a system call on an open descriptor, with a lock that outlives it.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) } {
        0 => Ok(libc::c_int::from(lock.l_type) != libc::F_UNLCK),
        _ => Err(io::Error::last_os_error()),
    }
}

fn whole_file(of: libc::c_int) -> libc::flock {
    // SAFETY: integers, of which all may be 0. (0 as the length: to the end of the file. The process must be 0.)
    let mut lock: libc::flock = unsafe { MaybeUninit::zeroed().assume_init() };
    lock.l_type = of as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock
}

/// Nanoseconds since some moment before, the same for all processes until the machine starts anew.
pub(crate) fn monotonic() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes the time to a place of ours. The clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
