//! Who sleeps, and how they are woken: an asymmetric Dekker handshake, so that progress costs next to nothing while nobody
//! sleeps.
//!
//! Every store of progress (a cursor, a gate) is followed by a *light barrier* and one relaxed load of the attention word,
//! whose line is written only when somebody goes to sleep, wakes, fails or stops. A sleeper puts itself on the list, sets the bit
//! of what it waits for, passes a *heavy barrier*, looks once more, and sleeps.
//!
//! - **progress/sleep**: of the light barrier between a store of progress and the load of the word, and the heavy barrier
//!   between the sleeper's store of its bit and its last look, one is first. If the light one is, the last look sees the
//!   progress. If the heavy one is, the load sees the bit, and whoever made the progress wakes the sleeper.
//!
//! What the barriers are is decided once, at build: see [`Parking`].
//!
//! Whoever wakes takes sleepers off the list under its lock, and clears the bit when none is left that waits for the same. A
//! sleeper that wakes looks again, and enrols anew if it has to: each time the whole handshake.
//!
//! Changes that happen once (the ring is closed or stopped, a consumer leaves or fails, a pause ends) wake everybody: they
//! take the lock, so that a sleeper that enrols later sees them by its last look.

use std::time::{Duration, Instant};

use crate::attention::Word;
use crate::sync::{Mutex, SeqCst, Thread, compiler_barrier, current, fence, lock, membarrier, park, proven};

/// How those who wait by [`Park`](crate::wait::Park) get their wake-up. Other strategies do not ask.
///
/// A sleeper must not miss the progress that is made while it goes to sleep. On Linux it asks the kernel to interrupt the other
/// threads of the process for a moment (`membarrier`), so that those who publish and acknowledge pay one load and no
/// barrier. A sandbox, an old kernel or another system may refuse that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parking {
    /// By `membarrier`; where it is refused, nobody is woken, and `Park` naps like [`BackOff`](crate::wait::BackOff). The
    /// default: a ring on which nobody parks costs the same everywhere.
    #[default]
    WhereFree,
    /// By `membarrier`; where it is refused, each publish and each acknowledgement executes a full barrier (about 20
    /// nanoseconds on x86-64).
    Guaranteed,
    /// By a full barrier in each publish and each acknowledgement, everywhere: nobody who goes to sleep interrupts the
    /// producer's core.
    Fences,
}

/// What [`Parking`] came to on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Barriers {
    /// Light: none for the processor. Heavy: `membarrier`.
    Asymmetric,
    /// Both are full fences.
    Fences,
    /// None: nobody may sleep for long.
    None,
}

/// What a sleeper waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// The cursor: a required consumer that comes after no one.
    Cursor,
    /// A gate: the producer that needs room, a dependant, whoever waits for a consumer's progress.
    Gates,
    /// Only what wakes everybody: a paused worker.
    Change,
}

impl Awaited {
    fn bit(self) -> u64 {
        match self {
            Self::Cursor => Word::CURSOR_AWAITED,
            Self::Gates => Word::GATES_AWAITED,
            Self::Change => 0,
        }
    }
}

/// Those who sleep on one ring.
#[derive(Debug)]
pub(crate) struct Sleepers {
    barriers: Barriers,
    list: Mutex<Vec<(Thread, Awaited)>>,
}

/// How long somebody sleeps who cannot be sure to be woken.
const NAP: Duration = crate::wait::NAP;

impl Sleepers {
    /// So many can sleep at once before the list has to grow.
    const ROOM: usize = 16;

    pub(crate) fn new(parking: Parking) -> Self {
        let barriers = match parking {
            Parking::Fences => Barriers::Fences,
            _ if membarrier::register() => Barriers::Asymmetric,
            Parking::Guaranteed => Barriers::Fences,
            Parking::WhereFree => Barriers::None,
        };
        Self { barriers, list: Mutex::new(Vec::with_capacity(Self::ROOM)) }
    }

    /// Whether progress has to be followed by a fence: for handles, which keep it by value.
    pub(crate) fn need_fences(&self) -> bool {
        self.barriers == Barriers::Fences
    }

    /// Whether a sleeper will be woken; otherwise waiting is to be done by naps.
    pub(crate) fn can_be_woken(&self) -> bool {
        self.barriers != Barriers::None
    }

    /// Sleeps until woken or until `deadline`, unless the last look finds an answer.
    pub(crate) fn sleep<T>(
        &self,
        word: &Word,
        awaited: Awaited,
        deadline: Option<Instant>,
        look: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        self.enrol(word, awaited);
        let is_safe = self.heavy_barrier();
        let answer = proven!(look(), "sleeps-without-last-look" => None);
        if answer.is_none() {
            // Refused although it was granted before: nothing is ordered, so not for long.
            let deadline = if is_safe { deadline } else { Some(Instant::now() + NAP) };
            while self.is_enrolled() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
                park(deadline);
            }
        }
        self.strike_off(word);
        answer
    }

    fn enrol(&self, word: &Word, awaited: Awaited) {
        let mut list = lock(&self.list);
        list.push((current(), awaited));
        word.set(awaited.bit());
    }

    fn is_enrolled(&self) -> bool {
        let me = current().id();
        lock(&self.list).iter().any(|(thread, _)| thread.id() == me)
    }

    /// Takes the current thread off the list, if it is still there.
    fn strike_off(&self, word: &Word) {
        let me = current().id();
        let mut list = lock(&self.list);
        list.retain(|(thread, _)| thread.id() != me);
        clear_unneeded_bits(word, &list);
    }

    /// Between a sleeper's bit and its last look. `false`: it was refused.
    fn heavy_barrier(&self) -> bool {
        match self.barriers {
            Barriers::Asymmetric => membarrier::run(),
            Barriers::Fences => {
                // SeqCst: pairs with the fence in `light_barrier` (progress/sleep).
                proven!(fence(SeqCst), "heavy-barrier-missing" => ());
                true
            }
            Barriers::None => false,
        }
    }

    /// Wakes those who wait for `awaited`; everybody if `None`.
    ///
    /// One at a time, and outside the lock, so that who is woken does not run into it; only as many as slept at the start,
    /// because they may come back faster than all are woken.
    #[cold]
    #[inline(never)]
    pub(crate) fn wake(&self, word: &Word, awaited: Option<Awaited>) {
        let is_meant = |waits_for: &Awaited| awaited.is_none_or(|awaited| awaited == *waits_for);
        let sleeping = lock(&self.list).iter().filter(|(_, waits_for)| is_meant(waits_for)).count();
        for _ in 0..proven!(sleeping, "wakes-one-sleeper" => sleeping.min(1)) {
            let mut list = lock(&self.list);
            let found = list.iter().position(|(_, waits_for)| is_meant(waits_for));
            let Some((thread, _)) = found.map(|at| list.swap_remove(at)) else { break };
            clear_unneeded_bits(word, &list);
            drop(list);
            thread.unpark();
        }
    }
}

/// Clears the bits of what nobody waits for. For those who hold the list's lock.
fn clear_unneeded_bits(word: &Word, list: &[(Thread, Awaited)]) {
    for awaited in [Awaited::Cursor, Awaited::Gates] {
        if !list.iter().any(|(_, waits_for)| *waits_for == awaited) {
            word.clear(awaited.bit());
        }
    }
}

/// Between a store of progress and the load of the attention word; `fences` is [`Sleepers::need_fences`].
#[inline(always)]
pub(crate) fn light_barrier(fences: bool) {
    if fences {
        // SeqCst: pairs with the fence in `heavy_barrier` (progress/sleep).
        proven!(fence(SeqCst), "light-barrier-missing" => ());
    } else {
        // Enough: `membarrier` on the other side is a full barrier here too (progress/sleep).
        compiler_barrier();
    }
}

/// What can wake a waiting side: its ring's sleepers, and what it waits for.
#[derive(Clone, Copy)]
pub(crate) struct Alarm<'a> {
    pub(crate) sleepers: &'a Sleepers,
    pub(crate) word: &'a Word,
    pub(crate) awaited: Awaited,
}

impl Alarm<'_> {
    pub(crate) fn can_be_set(&self) -> bool {
        self.sleepers.can_be_woken()
    }

    /// See [`Sleepers::sleep`].
    pub(crate) fn sleep<T>(&self, deadline: Option<Instant>, look: impl FnOnce() -> Option<T>) -> Option<T> {
        self.sleepers.sleep(self.word, self.awaited, deadline, look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_are_used_where_they_were_asked_for() {
        assert!(Sleepers::new(Parking::Fences).need_fences());
        assert!(Sleepers::new(Parking::Fences).can_be_woken());
    }

    #[test]
    fn membarrier_needs_no_fences_and_its_lack_is_made_up_for() {
        let granted = membarrier::register();
        assert_eq!(Sleepers::new(Parking::Guaranteed).need_fences(), !granted);
        assert!(Sleepers::new(Parking::Guaranteed).can_be_woken());
        assert!(!Sleepers::new(Parking::WhereFree).need_fences());
        assert_eq!(Sleepers::new(Parking::WhereFree).can_be_woken(), granted);
    }
}
