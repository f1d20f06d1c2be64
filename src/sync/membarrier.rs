//! The heavy side of an asymmetric barrier: Linux's `membarrier(2)`.
//!
//! Where many stores are made for each time that anybody must see one at once, the storing side can do with a compiler barrier
//! if the other side asks the kernel to run a full barrier on every processor that executes a thread of this process: it sends
//! them an interrupt. Dmitry Vyukov described the technique ("Asymmetric Dekker Synchronization"); the system call is in
//! Linux since 4.14 (`MEMBARRIER_CMD_PRIVATE_EXPEDITED`).

/// Says once per process that it will use the barrier. `false`: the kernel has none, or a sandbox refuses it.
pub(crate) fn register() -> bool {
    #[cfg(all(target_os = "linux", not(any(loom, miri))))]
    {
        static REGISTERED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        *REGISTERED.get_or_init(|| call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
    }
    #[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
    false
}

/// A full memory barrier on every thread of this process, as if each had executed one at some moment during this call.
/// `false`: it was refused, and nothing is ordered.
pub(crate) fn run() -> bool {
    #[cfg(all(target_os = "linux", not(any(loom, miri))))]
    {
        call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }
    #[cfg(not(all(target_os = "linux", not(any(loom, miri)))))]
    false
}

#[cfg(all(target_os = "linux", not(any(loom, miri))))]
fn call(command: libc::c_int) -> bool {
    // SAFETY: the call takes two integers and touches no memory of ours; an unknown command is refused.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0) == 0 }
}
