//! Who sleeps, and how they are woken: an asymmetric Dekker handshake, so that progress costs next to nothing while nobody
//! sleeps.
//!
//! Every store of progress (a cursor, a gate) is followed by a *light barrier* and one relaxed load of the attention word,
//! whose line is written only when somebody goes to sleep, wakes, fails or stops. A sleeper enrols, sets the bit of what it waits
//! for, passes a *heavy barrier*, looks once more, and sleeps.
//!
//! - **progress/sleep**: of the light barrier between a store of progress and the load of the word, and the heavy barrier
//!   between the sleeper's store of its bit and its last look, one is first. If the light one is, the last look sees the
//!   progress. If the heavy one is, the load sees the bit, and whoever made the progress wakes the sleeper.
//!
//! What the barriers are is decided once, at build: see [`Parking`].
//!
//! Whoever wakes rings the bell of all who wait for the same, and clears their bit, under the bell's lock. A sleeper that wakes
//! looks again, and enrols anew if it has to: each time the whole handshake.
//!
//! Changes that happen once (the ring is closed or stopped, a consumer leaves or fails, a pause ends) wake everybody: they
//! take the locks, so that a sleeper that enrols later sees them by its last look.

use std::time::Instant;

use crate::attention::Word;
use crate::sync::{Condvar, Mutex, SeqCst, compiler_barrier, fence, lock, membarrier, proven, wait_on};
use crate::wait::NAP;

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
    /// By `membarrier`; where it is refused, each publish and each acknowledgement executes a full barrier (PERF.md, *One thread*,
    /// has its price).
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
    const ALL: [Self; 3] = [Self::Cursor, Self::Gates, Self::Change];

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
    bells: [Bell; Awaited::ALL.len()],
}

/// Wakes all who wait for the same.
#[derive(Debug)]
struct Bell {
    state: Mutex<BellState>,
    condvar: Condvar,
}

#[derive(Debug)]
struct BellState {
    /// How many have enrolled since the last ring, and not left by themselves.
    enrolled: u64,
    rings: u64,
}

impl Sleepers {
    pub(crate) fn new(parking: Parking) -> Self {
        let barriers = match parking {
            Parking::Fences => Barriers::Fences,
            _ if membarrier::register() => Barriers::Asymmetric,
            Parking::Guaranteed => Barriers::Fences,
            Parking::WhereFree => Barriers::None,
        };
        let bell =
            |_| Bell { state: Mutex::new(BellState { enrolled: 0, rings: 0 }), condvar: Condvar::new() };
        Self { barriers, bells: Awaited::ALL.map(bell) }
    }

    /// Whether progress has to be followed by a fence. The attention word says so too, so that rings without pay nothing for it.
    pub(crate) fn need_fences(&self) -> bool {
        self.barriers == Barriers::Fences
    }

    /// Whether a sleeper will be woken; otherwise waiting is to be done by naps.
    pub(crate) fn can_be_woken(&self) -> bool {
        self.barriers != Barriers::None
    }

    fn bell(&self, awaited: Awaited) -> &Bell {
        &self.bells[awaited as usize]
    }

    /// Sleeps until woken or until `deadline`, unless the last look finds an answer.
    pub(crate) fn sleep<T>(
        &self,
        word: &Word,
        awaited: Awaited,
        deadline: Option<Instant>,
        look: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        let bell = self.bell(awaited);
        let rings_before = {
            let mut state = lock(&bell.state);
            state.enrolled += 1;
            word.set(awaited.bit());
            state.rings
        };
        let is_safe = self.heavy_barrier();
        let answer = proven!(look(), "sleeps-without-last-look" => None);
        let mut state = lock(&bell.state);
        if answer.is_none() {
            // Refused although it was granted before: nothing is ordered, so not for long.
            let deadline = if is_safe { deadline } else { Some(Instant::now() + NAP) };
            while state.rings == rings_before && deadline.is_none_or(|deadline| Instant::now() < deadline) {
                state = wait_on(&bell.condvar, state, deadline);
            }
        }
        if state.rings == rings_before {
            state.enrolled -= 1;
            if proven!(state.enrolled == 0, "bit-cleared-under-others" => true) {
                word.clear(awaited.bit());
            }
        }
        answer
    }

    /// Between a sleeper's bit and its last look. `false`: it was refused.
    fn heavy_barrier(&self) -> bool {
        match self.barriers {
            Barriers::Asymmetric => membarrier::run(),
            Barriers::Fences => {
                // SeqCst: pairs with the fence in `attend` (progress/sleep).
                proven!(fence(SeqCst), "heavy-barrier-missing" => ());
                true
            }
            Barriers::None => false,
        }
    }

    /// After progress, where the attention word has something to say about that.
    #[cold]
    #[inline(never)]
    pub(crate) fn attend(&self, word: &Word, awaited: Awaited) {
        if self.need_fences() {
            // SeqCst: pairs with the fence in `heavy_barrier` (progress/sleep): the light barrier of these rings. What the word said
            // before does not count.
            proven!(fence(SeqCst), "light-barrier-missing" => ());
        }
        if word.has_any(awaited.bit()) {
            self.wake(word, awaited);
        }
    }

    /// Wakes all who wait for `awaited`.
    fn wake(&self, word: &Word, awaited: Awaited) {
        let bell = self.bell(awaited);
        {
            let mut state = lock(&bell.state);
            state.rings += 1;
            state.enrolled = 0;
            word.clear(awaited.bit());
        }
        // Outside the lock, so that who is woken does not run into it.
        proven!(bell.condvar.notify_all(), "wakes-one-sleeper" => bell.condvar.notify_one());
    }

    pub(crate) fn wake_everybody(&self, word: &Word) {
        if self.can_be_woken() {
            Awaited::ALL.into_iter().for_each(|awaited| self.wake(word, awaited));
        }
    }
}

/// Between a store of progress and the load of the attention word. Enough where `membarrier` on the other side is a full barrier here
/// too (progress/sleep); elsewhere the word sends to [`Sleepers::attend`].
#[inline(always)]
pub(crate) fn light_barrier() {
    compiler_barrier();
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
