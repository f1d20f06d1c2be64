//! The only door to atomics, fences, locks and hints: `std` in a normal build, `loom` under `--cfg loom`, so that the
//! models in `loom-tests/` explore the code that ships and not a copy of it.
//!
//! Three more things live here because they need `unsafe` and everybody else should not: [`Projection`], a reference
//! into an `Arc`, [`BasePointer`], an address that may cross threads, and the system call behind [`membarrier`].

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Instant;

pub(crate) mod membarrier;

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicU64, fence},
};
#[cfg(not(loom))]
pub(crate) use std::{hint::spin_loop, thread::yield_now};

#[cfg(loom)]
pub(crate) use loom::{
    hint::spin_loop,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicU64, fence},
    },
    thread::yield_now,
};

pub(crate) use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Marks a choice of the memory protocol that a mutant proves necessary: `proven!(SHIPPED, "name" => WEAKENED)`.
///
/// A normal build compiles `SHIPPED` and nothing else. Under `--cfg loom` the environment variable `RINGBUS_MUTANT` may
/// name one mutant, and that one place compiles to a choice of `WEAKENED`. `loom-tests` fails unless every name that
/// stands in `src/` is caught by a model, and unless every ordering stronger than `Relaxed` stands inside this macro.
macro_rules! proven {
    ($shipped:expr, $name:literal => $weakened:expr) => {{
        #[cfg(not(loom))]
        {
            $shipped
        }
        #[cfg(loom)]
        {
            if $crate::sync::mutant_is($name) { $weakened } else { $shipped }
        }
    }};
}
pub(crate) use proven;

#[cfg(loom)]
pub(crate) fn mutant_is(name: &str) -> bool {
    static SELECTED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    SELECTED.get_or_init(|| std::env::var("RINGBUS_MUTANT").ok()).as_deref() == Some(name)
}

/// Locks, and goes on if an earlier holder panicked: what these locks guard is replaced whole, never half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Keeps the compiler from moving accesses across; the processor may. With [`membarrier::run`] on the other side it is a
/// full barrier.
#[inline(always)]
pub(crate) fn compiler_barrier() {
    #[cfg(not(loom))]
    std::sync::atomic::compiler_fence(SeqCst);
}

/// Waits until notified, or until the deadline has passed, or for no reason. Under loom there is no time, and so no deadline.
pub(crate) fn wait_on<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> MutexGuard<'a, T> {
    #[cfg(not(loom))]
    if let Some(deadline) = deadline {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let waited = condvar.wait_timeout(guard, remaining);
        return waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
    }
    #[cfg(loom)]
    let _ = deadline;
    condvar.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Asks for the cache line at `address` in a state that may be written, without waiting for it.
///
/// Only a hint: it changes no value, and an address outside the ring would do no harm. Does nothing where the
/// instruction is not known.
#[inline(always)]
pub(crate) fn prefetch_for_write<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: PREFETCHW accesses no memory in the sense of the language and never faults, whatever the address. Intel's
    // processors from before 2014 execute it as a no-op, except the first 64-bit Pentium 4s of 2004, which are not supported.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: PRFM is a hint that accesses no memory in the sense of the language and never faults.
    unsafe {
        std::arch::asm!("prfm pstl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = address;
}

/// Asks for the cache line at `address` in a state that may be read, without waiting for it. Only a hint, as
/// [`prefetch_for_write`] is.
#[inline(always)]
pub(crate) fn prefetch_for_read<T>(address: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: PREFETCHT0 accesses no memory in the sense of the language and never faults, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: PRFM is a hint that accesses no memory in the sense of the language and never faults.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = address;
}

/// Lets the processor begin nothing that comes after before all loads that come before are done. It orders nothing in the sense of
/// the language; it keeps the processor from loading ahead of a branch what it may turn out not to need.
#[inline(always)]
pub(crate) fn stop_speculation() {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(miri)))]
    // SAFETY: LFENCE accesses no memory. (It is not said to be `nomem`, lest the compiler move loads across.)
    unsafe {
        std::arch::asm!("lfence", options(nostack, preserves_flags));
    }
}

/// A reference to a part of something that an `Arc` keeps alive, held as a plain address: reading through it chases no
/// pointer but its own.
pub(crate) struct Projection<O, T> {
    part: NonNull<T>,
    owner: Arc<O>,
}

impl<O, T> Projection<O, T> {
    /// The part of `owner` that `project` picks.
    pub(crate) fn new(owner: &Arc<O>, project: impl for<'a> FnOnce(&'a O) -> &'a T) -> Self {
        let owner = Arc::clone(owner);
        Self { part: NonNull::from(project(&owner)), owner }
    }

    #[inline(always)]
    pub(crate) fn owner(&self) -> &Arc<O> {
        &self.owner
    }
}

impl<O, T> Clone for Projection<O, T> {
    fn clone(&self) -> Self {
        Self { part: self.part, owner: Arc::clone(&self.owner) }
    }
}

impl<O, T> Deref for Projection<O, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: `part` came from `&owner` by a function that works for every lifetime, so it lives as long as the
        // value in the `Arc`, which is never moved and which `self` keeps alive. Nobody else can get `&mut` to it
        // while this clone of the `Arc` exists.
        unsafe { self.part.as_ref() }
    }
}

// SAFETY: a `Projection` is an `Arc<O>`, which may be sent where `O` is `Send + Sync`, and a `&T`, which may be sent where
// `T` is `Sync`. It hands out nothing else.
unsafe impl<O: Send + Sync, T: Sync> Send for Projection<O, T> {}
// SAFETY: as above: a shared `Projection` gives a shared `Arc<O>` and a `&T`.
unsafe impl<O: Send + Sync, T: Sync> Sync for Projection<O, T> {}

impl<O, T: fmt::Debug> fmt::Debug for Projection<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// An address that may cross threads. It promises nothing about what stands there: whoever dereferences it argues.
pub(crate) struct BasePointer<T>(NonNull<T>);

impl<T> BasePointer<T> {
    pub(crate) fn new(address: NonNull<T>) -> Self {
        Self(address)
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Clone for BasePointer<T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

// SAFETY: an address is a number. The bounds are those of the values that its users write and read on several threads:
// whoever holds such a pointer may produce a `T` (needs `Send`) or a `&T` (needs `Sync`) on another thread.
unsafe impl<T: Send + Sync> Send for BasePointer<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for BasePointer<T> {}
