//! Who polls on behalf of the streams that wait: one thread for each ring, while there are streams.
//!
//! A stream that finds nothing leaves its waker here, and looks once more. The thread looks on behalf of all that wait, wakes those for
//! which there is something, and sleeps until something happens: by the ring's own bells, by naps where nobody rings one.
//!
//! # Why no wake-up is lost
//!
//! The thread decides what to sleep for, and writes it down, under the lock under which streams leave their wakers. It takes its last
//! look with the lock as well, behind the heavy barrier of its sleep (progress/sleep in `parking.rs`). So a stream has left its waker
//! either before that look, or after.
//!
//! - *Before*: the look is for this stream too. It finds something, or finds that the thread is about to sleep for the wrong thing; or
//!   whatever comes later wakes the thread.
//! - *After*: the stream compares what the thread sleeps for with what it would have to, now that this stream waits too, and calls it
//!   where that is not the same. Where it is, the thread sleeps on. The stream looks once more, behind the heavy barrier: of
//!   everything that happens, this look sees it, or whoever made it happen sees the sleeper's bit.
//!
//! What a stream waits for may change from one look to the next (a record is published, and those it comes after have not acknowledged
//! it): then it says so, and looks again.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use crate::parking::Awaited;
use crate::ring::Core;
use crate::sync::{Condvar, Mutex, lock, wait_on};
use crate::wait::NAP;

/// The longest nap.
const LONGEST_NAP: Duration = Duration::from_millis(10);

/// What the notifier looks at on behalf of a stream.
pub(super) trait Watched: Send + Sync {
    /// A look that is over soon.
    fn look(&self) -> Sight;
}

/// What a look finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// A reason to poll the stream.
    Something,
    /// None, before this happens.
    Nothing(Cue),
}

/// What must happen before there can be something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    /// The cursor moves.
    Publishing,
    /// A gate moves.
    Acknowledgement,
    /// Something that wakes no sleeper.
    Silent,
}

/// What the thread sleeps for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    /// The bell that wakes it; besides, it can be called.
    bell: Option<Awaited>,
    /// Whether it wakes by itself, too.
    naps: bool,
}

/// A stream that waits.
struct Waiting {
    stream: u64,
    watched: Arc<dyn Watched>,
    cue: Cue,
    waker: Waker,
}

struct State {
    last_stream: u64,
    /// How many there are, waiting or not.
    streams: usize,
    waiting: Vec<Waiting>,
    /// What the thread sleeps for, or did when it was last seen; `None`: there is no thread.
    thread: Option<Plan>,
}

impl State {
    /// Looks on behalf of all who wait. Returns those for which there is something: they wait no more.
    fn take_ready(&mut self) -> Vec<Waiting> {
        self.waiting.extract_if(.., |waiting| !waiting.looks_in_vain()).collect()
    }

    fn forget(&mut self, stream: u64) -> Option<Waiting> {
        let place = self.waiting.iter().position(|waiting| waiting.stream == stream)?;
        Some(self.waiting.swap_remove(place))
    }
}

impl Waiting {
    fn looks_in_vain(&mut self) -> bool {
        match self.watched.look() {
            Sight::Something => false,
            Sight::Nothing(cue) => {
                self.cue = cue;
                true
            }
        }
    }
}

/// The streams of one ring.
struct Notifier {
    core: Arc<Core>,
    state: Mutex<State>,
    /// Calls the thread where it does not sleep by a bell of the ring.
    called: Condvar,
}

/// All that there are. A ring knows nothing of streams, and a stream that is to find those of the same ring has nothing else in common
/// with them. The lock is taken when streams are made.
static NOTIFIERS: Mutex<Vec<Weak<Notifier>>> = Mutex::new(Vec::new());

impl Notifier {
    fn of(core: &Arc<Core>) -> Arc<Self> {
        let mut notifiers = lock(&NOTIFIERS);
        notifiers.retain(|notifier| notifier.strong_count() > 0);
        let of_this_core = |notifier: &Arc<Self>| Arc::ptr_eq(&notifier.core, core);
        if let Some(found) = notifiers.iter().filter_map(Weak::upgrade).find(of_this_core) {
            return found;
        }
        let state = State { last_stream: 0, streams: 0, waiting: Vec::new(), thread: None };
        let notifier =
            Arc::new(Self { core: Arc::clone(core), state: Mutex::new(state), called: Condvar::new() });
        notifiers.push(Arc::downgrade(&notifier));
        notifier
    }

    /// What the thread is to sleep for while these wait.
    fn plan(&self, waiting: &[Waiting]) -> Plan {
        let waits_for = |cue| waiting.iter().any(|waiting| waiting.cue == cue);
        let can_be_woken = self.core.attention.alarm(Awaited::Cursor).can_be_set();
        if can_be_woken && waits_for(Cue::Publishing) {
            // Optional streams get their records by being published as well.
            Plan { bell: Some(Awaited::Cursor), naps: waits_for(Cue::Acknowledgement) }
        } else if can_be_woken && waits_for(Cue::Acknowledgement) {
            Plan { bell: Some(Awaited::Gates), naps: waits_for(Cue::Silent) }
        } else {
            Plan { bell: None, naps: !waiting.is_empty() }
        }
    }

    /// Wakes the thread, which sleeps for `plan`.
    fn call(&self, plan: Plan) {
        match plan.bell {
            None => self.called.notify_all(),
            Some(_) => self.core.attention.wake_everybody(),
        }
    }

    /// Makes sure that the thread is there, and sleeps for the right thing, for those who wait now. `false`: there is no thread to be had.
    fn see_to_the_thread(self: &Arc<Self>, state: &mut State) -> bool {
        match state.thread {
            Some(plan) => {
                if plan != self.plan(&state.waiting) {
                    self.call(plan);
                }
                true
            }
            None => {
                let notifier = Arc::clone(self);
                let run = move || notifier.run();
                let is_there = thread::Builder::new().name("ringbus streams".into()).spawn(run).is_ok();
                // Whatever it will sleep for: it looks first, under the lock.
                state.thread = is_there.then_some(Plan { bell: None, naps: false });
                is_there
            }
        }
    }

    /// The thread's life.
    fn run(&self) {
        let mut quiet_since = Instant::now();
        loop {
            let mut state = lock(&self.state);
            let ready = state.take_ready();
            if !ready.is_empty() {
                drop(state);
                ready.into_iter().for_each(wake);
                quiet_since = Instant::now();
                continue;
            }
            let is_over = state.streams == 0 || self.core.cursor.glance().closed;
            if state.waiting.is_empty() && is_over {
                state.thread = None;
                return;
            }
            let plan = self.plan(&state.waiting);
            state.thread = Some(plan);
            let nap = quiet_since.elapsed().clamp(NAP, LONGEST_NAP);
            let deadline = plan.naps.then(|| Instant::now() + nap);
            match plan.bell {
                None => drop(wait_on(&self.called, state, deadline)),
                Some(bell) => {
                    drop(state);
                    let last_look = || self.is_to_stay_awake(plan).then_some(());
                    self.core.attention.alarm(bell).sleep(deadline, last_look);
                }
            }
        }
    }

    /// The last look before a sleep for `plan`.
    fn is_to_stay_awake(&self, plan: Plan) -> bool {
        let mut state = lock(&self.state);
        !state.waiting.iter_mut().all(Waiting::looks_in_vain) || self.plan(&state.waiting) != plan
    }
}

/// Wakes a task. That is the runtime's code, and if it panics, the other tasks are to be woken all the same.
fn wake(waiting: Waiting) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waiting.waker.wake())) {
        // Dropping it might panic, too.
        mem::forget(payload);
    }
}

/// A stream's place at its ring's notifier.
pub(super) struct Place {
    notifier: Arc<Notifier>,
    stream: u64,
    watched: Arc<dyn Watched>,
    /// Whether it has left a waker, which may have been used since.
    waits: bool,
}

impl Place {
    pub(super) fn new(core: &Arc<Core>, watched: Arc<dyn Watched>) -> Self {
        let notifier = Notifier::of(core);
        let mut state = lock(&notifier.state);
        state.streams += 1;
        state.last_stream += 1;
        let stream = state.last_stream;
        drop(state);
        Self { notifier, stream, watched, waits: false }
    }

    /// Leaves a waker. The stream must look once more afterwards: see [the module](self). `false`: nobody will wake it, because there
    /// is no thread to be had.
    #[must_use]
    pub(super) fn wait_for(&mut self, cue: Cue, waker: &Waker) -> bool {
        let Self { notifier, stream, watched, waits } = self;
        *waits = true;
        // Cloned before, and the former one dropped after the lock is held: both are the runtime's code.
        let waiting = Waiting { stream: *stream, watched: Arc::clone(watched), cue, waker: waker.clone() };
        let mut state = lock(&notifier.state);
        let former = state.forget(*stream);
        state.waiting.push(waiting);
        let will_be_woken = notifier.see_to_the_thread(&mut state);
        drop(state);
        drop(former);
        will_be_woken
    }

    /// Takes the waker back, if it is still there.
    pub(super) fn stop_waiting(&mut self) {
        if mem::take(&mut self.waits) {
            let former = lock(&self.notifier.state).forget(self.stream);
            drop(former);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.notifier.state);
        state.streams -= 1;
        let former = state.forget(self.stream);
        let is_last = state.streams == 0;
        // If it was the last, the thread is to end; and it may have slept for this stream alone.
        if let Some(plan) = state.thread
            && (is_last || former.is_some())
        {
            self.notifier.call(plan);
        }
        drop(state);
        drop(former);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("stream", &self.stream).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;
    use crate::ring::Ring;

    /// What a test lets its stream see.
    #[derive(Default)]
    struct Light(Mutex<bool>);

    impl Watched for Light {
        fn look(&self) -> Sight {
            if *lock(&self.0) { Sight::Something } else { Sight::Nothing(Cue::Silent) }
        }
    }

    #[derive(Default)]
    struct Flag(Mutex<bool>);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            *lock(&self.0) = true;
        }
    }

    fn core() -> Arc<Core> {
        let (producer, ring) = Ring::<u64>::builder().build().unwrap();
        // Its end would be the end of an idle thread too.
        mem::forget(producer);
        Arc::clone(&ring.core)
    }

    #[track_caller]
    fn soon(what: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !what() {
            assert!(Instant::now() < deadline, "it does not happen");
            thread::yield_now();
        }
    }

    fn sleeps_for(notifier: &Notifier) -> Option<Plan> {
        lock(&notifier.state).thread
    }

    #[test]
    fn there_is_one_for_each_ring() {
        let (one, other) = (core(), core());
        let places = [&one, &one, &other].map(|core| Place::new(core, Arc::new(Light::default())));
        assert!(Arc::ptr_eq(&places[0].notifier, &places[1].notifier));
        assert!(!Arc::ptr_eq(&places[0].notifier, &places[2].notifier));
    }

    #[test]
    fn its_thread_comes_with_the_first_wait_and_goes_with_the_last_stream() {
        let core = core();
        let lights: [_; 2] = std::array::from_fn(|_| Arc::new(Light::default()));
        let [mut waits, idles] = lights.clone().map(|light| Place::new(&core, light));
        let notifier = Arc::clone(&waits.notifier);
        assert_eq!(sleeps_for(&notifier), None);

        let flag = Arc::new(Flag::default());
        assert!(waits.wait_for(Cue::Silent, &Waker::from(Arc::clone(&flag))));
        soon(|| sleeps_for(&notifier) == Some(Plan { bell: None, naps: true }));
        assert!(!*lock(&flag.0));
        *lock(&lights[0].0) = true;
        soon(|| *lock(&flag.0));

        // Nobody waits: it sleeps until it is called.
        soon(|| sleeps_for(&notifier) == Some(Plan { bell: None, naps: false }));
        drop(waits);
        assert_eq!(sleeps_for(&notifier), Some(Plan { bell: None, naps: false }));
        drop(idles);
        soon(|| sleeps_for(&notifier).is_none());
        // The thread lets go of what it held.
        soon(|| Arc::strong_count(&notifier) == 1);
    }

    /// Between its plan and its sleep, somebody may have come, and something may have happened.
    #[test]
    fn its_last_look_is_for_those_who_came_late_too() {
        let notifier = Notifier::of(&core());
        let (rests, naps) = (Plan { bell: None, naps: false }, Plan { bell: None, naps: true });
        assert!(!notifier.is_to_stay_awake(rests));
        let light = Arc::new(Light::default());
        let watched: Arc<dyn Watched> = Arc::<Light>::clone(&light);
        let waiting = Waiting { stream: 1, watched, cue: Cue::Silent, waker: Waker::noop().clone() };
        lock(&notifier.state).waiting.push(waiting);
        assert!(notifier.is_to_stay_awake(rests), "it must not rest while somebody waits");
        assert!(!notifier.is_to_stay_awake(naps));
        *lock(&light.0) = true;
        assert!(notifier.is_to_stay_awake(naps), "there is something");
    }

    /// One bell can wake it: of several things to wait for, the rest is looked after in naps.
    #[test]
    fn it_sleeps_by_the_bell_that_counts() {
        let notifier = Notifier::of(&core());
        let waiting = |cues: &[Cue]| -> Vec<Waiting> {
            let one = |cue: &Cue| Waiting {
                stream: 0,
                watched: Arc::new(Light::default()),
                cue: *cue,
                waker: Waker::noop().clone(),
            };
            cues.iter().map(one).collect()
        };
        if !notifier.core.attention.alarm(Awaited::Cursor).can_be_set() {
            return;
        }
        use Cue::{Acknowledgement, Publishing, Silent};
        let plans = [
            (&[][..], None, false),
            (&[Silent][..], None, true),
            (&[Publishing, Silent][..], Some(Awaited::Cursor), false),
            (&[Acknowledgement][..], Some(Awaited::Gates), false),
            (&[Silent, Acknowledgement][..], Some(Awaited::Gates), true),
            (&[Acknowledgement, Publishing][..], Some(Awaited::Cursor), true),
        ];
        for (cues, bell, naps) in plans {
            assert_eq!(notifier.plan(&waiting(cues)), Plan { bell, naps }, "{cues:?}");
        }
    }
}
