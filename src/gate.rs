//! The table of gating sequences: join, pause, leave, minimum, and the consumers' permission that follows from it.
//!
//! Each required consumer owns a place whose *gate* holds the first sequence it has not acknowledged, or
//! [`NOT_GATING`]. The producer looks at all gates when it comes to its limit: once a lap, and more often while a consumer is
//! nearly a lap behind.
//!
//! Two permissions keep the sides apart, and nobody else makes them:
//!
//! - [`GatingSequence`], made here: these sequences are published and held. Made by joining, widened by looking at the
//!   barrier, narrowed by acknowledging, and by deferring. The gate stands at the first sequence that is not acknowledged; reading
//!   goes on at the first that is not deferred either, which is never before it. Deferring moves that one alone, so what is lent is
//!   always a part of what the gate holds.
//! - [`Free`](crate::room::Free), made in `room.rs`: these slots are the producer's to write.
//!
//! `storage.rs` writes a slot only for a `Free`, and lends a slot only for a `GatingSequence`: that is its safety argument,
//! and it rests on these two files and `barrier.rs`.
//!
//! Pairs, by name:
//!
//! - **acknowledge/look**: a gate's store (Release) with the producer's load (Acquire). The consumer's reads are over
//!   before its slots are written again. Leaving and pausing acknowledge everything.
//! - **join/look**: the `SeqCst` fence of a consumer that joins with the `SeqCst` fence of the producer's look. Whichever is
//!   second sees what the other stored before its own. See [`enter`].
//!
//! A gate that says [`NOT_GATING`] does not say that its place is free: the place is kept until its owner and all that come
//! after it have gone, because they go on reading the gate.

use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::barrier::{Barrier, Followed};
use crate::cursor::Observed;
use crate::error::{End, Failure, GroupError, JoinError, PauseError};
#[cfg(feature = "latency")]
use crate::latency::{Recorder, Stamps};
use crate::member::{Member, Request};
use crate::ring::Core;
use crate::sequence::Sequence;
use crate::sync::{Acquire, AtomicU64, Mutex, Projection, Relaxed, Release, SeqCst, fence, lock, proven};
use crate::waits::{WaitAccounts, Waits};

/// The value of a gate that holds nothing up: larger than every sequence, so that the minimum needs no branch.
pub(crate) const NOT_GATING: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct GateTable {
    gates: Box<[CachePadded<AtomicU64>]>,
    /// Who has the places. The lock is taken by consumers that join, pause or leave, and by those who look on; never by the
    /// producer.
    places: Mutex<Box<[Option<Occupancy>]>>,
}

/// A place that is taken.
#[derive(Debug)]
struct Occupancy {
    owner: Arc<Member>,
    owner_has_gone: bool,
    /// How many consumers come after it.
    dependants: usize,
    /// It is paused, or will be at its next batch.
    is_pausing: bool,
    /// The producer's waits for former owners.
    waits_before: Waits,
}

/// What a look from outside finds in a place.
pub(crate) struct Occupied<'a> {
    pub(crate) owner: &'a Member,
    /// What its gate says.
    pub(crate) gate: u64,
    /// The producer's waits for this owner.
    pub(crate) waits: Waits,
}

impl GateTable {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            gates: (0..places).map(|_| CachePadded::new(AtomicU64::new(NOT_GATING))).collect(),
            places: Mutex::new((0..places).map(|_| None).collect()),
        }
    }

    /// How many consumers can be required at once.
    pub(crate) fn places(&self) -> usize {
        self.gates.len()
    }

    /// The smallest gate, or `NOT_GATING`.
    #[inline]
    pub(crate) fn minimum(&self) -> u64 {
        let mut minimum = NOT_GATING;
        for gate in &self.gates {
            // Acquire: pairs with every store to a gate (acknowledge/look).
            minimum = minimum.min(gate.load(proven!(Acquire, "look-load-relaxed" => Relaxed)));
        }
        minimum
    }

    /// The place of the smallest gate, unless nobody gates. It orders nothing, and takes no lock.
    pub(crate) fn slowest_place(&self) -> Option<usize> {
        let gates = self.gates.iter().map(|gate| gate.load(Relaxed)).enumerate();
        let (place, gate) = gates.min_by_key(|(_, gate)| *gate)?;
        (gate != NOT_GATING).then_some(place)
    }

    /// Shows all consumers that have not left, by place. Nobody joins, pauses or leaves meanwhile.
    ///
    /// It orders nothing: whoever looks at the cursor afterwards takes it to be at least at every position.
    pub(crate) fn look_on(&self, waits: &WaitAccounts, mut see: impl FnMut(Occupied<'_>)) {
        let places = lock(&self.places);
        for (place, occupancy) in places.iter().enumerate() {
            let Some(Occupancy { owner, owner_has_gone: false, waits_before, .. }) = occupancy else {
                continue;
            };
            let gate = self.gates[place].load(Relaxed);
            see(Occupied { owner, gate, waits: waits.of_place(place).since(*waits_before) });
        }
    }

    /// Frees `place` if its owner and all that come after it have gone.
    fn release(places: &mut [Option<Occupancy>], place: usize) {
        let is_over = |occupancy: &Occupancy| {
            occupancy.owner_has_gone
                && proven!(occupancy.dependants == 0, "place-freed-under-a-dependant" => true)
        };
        if places[place].as_ref().is_some_and(is_over) {
            places[place] = None;
        }
    }

    /// Asks the owner of `followed` to pause at its next batch, and keeps others from coming after it meanwhile.
    pub(crate) fn ask_to_pause(&self, followed: &Followed) -> Result<(), PauseError> {
        let owner = followed.member();
        let mut places = lock(&self.places);
        let occupancy = Self::occupancy(&mut places, followed.place(), owner)?;
        if owner.control.get() == Request::Stop {
            return Err(PauseError::Gone { consumer: Arc::clone(&owner.name) });
        }
        occupancy.begin_pause()?;
        owner.control.ask(Request::Pause);
        Ok(())
    }

    /// Takes that back, or asks the owner of `followed` to go on.
    pub(crate) fn ask_to_resume(&self, followed: &Followed) -> Result<(), PauseError> {
        let owner = followed.member();
        let mut places = lock(&self.places);
        let occupancy = Self::occupancy(&mut places, followed.place(), owner)?;
        owner.control.ask(Request::Run);
        // Relaxed: gates say `NOT_GATING`, or stop saying it, under this lock.
        if self.gates[followed.place()].load(Relaxed) != NOT_GATING {
            occupancy.is_pausing = false;
        }
        Ok(())
    }

    fn occupancy<'a>(
        places: &'a mut [Option<Occupancy>],
        place: usize,
        owner: &Arc<Member>,
    ) -> Result<&'a mut Occupancy, PauseError> {
        places[place]
            .as_mut()
            .filter(|occupancy| Arc::ptr_eq(&occupancy.owner, owner) && owner.departure().is_none())
            .ok_or_else(|| PauseError::Gone { consumer: Arc::clone(&owner.name) })
    }
}

impl Occupancy {
    /// From now on nobody can come after it.
    fn begin_pause(&mut self) -> Result<(), PauseError> {
        if self.dependants > 0 {
            return Err(PauseError::HasDependants { consumer: Arc::clone(&self.owner.name) });
        }
        self.is_pausing = true;
        Ok(())
    }
}

/// Makes the owner of `gate` required from the result on, while the producer runs: in that order a store of the cursor, a fence,
/// a second look at the cursor, and a store of that.
///
/// Why nothing from the result on can be overwritten. Of this fence and the fence of any look of the producer, one is
/// first. If ours is, that look sees our gate. If the producer's is, then we see at least the cursor that it had stored
/// before: `c >= x`, and the limit it set is at most `x + N <= c + N`. It writes nothing from `c + N` on before it looks
/// again, and sees our gate then. Sequences below `c` are not ours to read.
///
/// The first store may be of a cursor long gone, if this thread is taken off its processor right before it. The producer
/// is held up then until the thread runs again.
fn enter(core: &Core, gate: &AtomicU64) -> u64 {
    // Release: the place may have had an owner before, whose reads came before ours through the lock. Whoever sees
    // this store in the place of the owner's last must also see those reads over (acknowledge/look), and whoever waits for
    // that owner must see that it has gone (acknowledge/follow).
    gate.store(core.cursor.glance().count, proven!(Release, "join-first-store-relaxed" => Relaxed));
    // SeqCst: pairs with the fence in `Room::look` (join/look).
    proven!(fence(SeqCst), "join-without-fence" => ());
    // `observe` is an Acquire load: what the producer did before it published the last event below `start` is
    // visible to who joins there.
    let start = proven!(core.cursor.observe().count, "join-without-second-look" => gate.load(Relaxed));
    // Relaxed is enough: the fence above is a release fence, so a look that sees this store is ordered behind the
    // former owner's reads as well. (A mutant of a stronger store would survive.)
    gate.store(start, Relaxed);
    start
}

/// A required consumer's place: its position, and the permission to read in place what is published and neither acknowledged nor
/// deferred.
///
/// `position <= next <= seen`; what lies between the first two is deferred.
#[derive(Debug)]
pub struct GatingSequence {
    gate: Projection<Core, AtomicU64>,
    barrier: Barrier,
    member: Arc<Member>,
    place: usize,
    /// The first sequence not acknowledged: what the gate holds.
    position: u64,
    /// The first sequence to read next.
    next: u64,
    /// The highest end of what may be read that was seen.
    seen: u64,
    frozen: bool,
    #[cfg(feature = "latency")]
    recorder: Recorder,
}

impl GatingSequence {
    /// Takes a place, while the producer runs, and starts at the cursor: see [`enter`].
    pub(crate) fn join(core: &Arc<Core>, name: Arc<str>, upstream: Vec<Followed>) -> Result<Self, JoinError> {
        let mut places = lock(&core.gates.places);
        for followed in &upstream {
            Self::check_upstream(core, &name, followed, &places)?;
        }
        let Some(place) = places.iter().position(Option::is_none) else {
            return Err(JoinError::TooManyRequired {
                consumer: name,
                ring: Arc::clone(&core.name),
                max_required: core.gates.places(),
            });
        };
        for followed in &upstream {
            places[followed.place()].as_mut().expect("just checked").dependants += 1;
        }
        let member = Arc::new(Member::new(
            name,
            #[cfg(feature = "latency")]
            core.stamps.as_ref().map(Stamps::histogram),
        ));
        places[place] = Some(Occupancy {
            owner: Arc::clone(&member),
            owner_has_gone: false,
            dependants: 0,
            is_pausing: false,
            waits_before: core.waits.new_owner(place),
        });
        let start = enter(core, &core.gates.gates[place]);
        member.starts_at(start);
        drop(places);
        // The second store may have made room for a producer that sleeps because of the first.
        proven!(core.attention.wake_everybody(), "join-wakes-nobody" => ());
        Ok(Self {
            gate: Projection::new(core, |core| &*core.gates.gates[place]),
            barrier: Barrier::new(core, upstream),
            member,
            place,
            position: start,
            next: start,
            seen: start,
            frozen: false,
            #[cfg(feature = "latency")]
            recorder: Recorder::starting_at(core.stamps.as_ref(), start),
        })
    }

    fn check_upstream(
        core: &Arc<Core>,
        name: &Arc<str>,
        followed: &Followed,
        places: &[Option<Occupancy>],
    ) -> Result<(), JoinError> {
        let (consumer, upstream) = (Arc::clone(name), Arc::clone(&followed.member().name));
        if !Arc::ptr_eq(followed.core(), core) {
            let (ring, other) = (Arc::clone(&core.name), Arc::clone(&followed.core().name));
            return Err(JoinError::OtherRing { consumer, ring, upstream, other });
        }
        match &places[followed.place()] {
            Some(occupancy) if Arc::ptr_eq(&occupancy.owner, followed.member()) => {
                if occupancy.owner.departure().is_some() {
                    Err(JoinError::UpstreamGone { consumer, upstream })
                } else if occupancy.is_pausing {
                    Err(JoinError::UpstreamPaused { consumer, upstream })
                } else {
                    Ok(())
                }
            }
            _ => Err(JoinError::UpstreamGone { consumer, upstream }),
        }
    }

    #[inline(always)]
    pub(crate) fn core(&self) -> &Arc<Core> {
        self.gate.owner()
    }

    pub(crate) fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// The first sequence not acknowledged. In a pause, where it began.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The first sequence to read next.
    #[inline(always)]
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// How many sequences were deferred and are not acknowledged.
    pub(crate) fn deferred(&self) -> u64 {
        self.next - self.position
    }

    /// For those who come after this consumer or wait for it.
    pub(crate) fn followed(&self) -> Followed {
        Followed::new(self.gate.clone(), Arc::clone(&self.member), self.place)
    }

    pub(crate) fn comes_after_others(&self) -> bool {
        !self.barrier.upstream().is_empty()
    }

    /// How many sequences, from `next` on, may be read and are held.
    #[inline(always)]
    pub(crate) fn readable(&self) -> u64 {
        self.seen - self.next
    }

    /// Whether a look may find something new, where the last one found nothing. For those who poll: no more than it takes, because
    /// whatever stands between two glances makes the event late.
    #[inline(always)]
    pub(crate) fn is_worth_a_look(&self) -> bool {
        match &self.barrier {
            Barrier::Cursor(_) => self.core().has_news(self.seen),
            Barrier::After(_) | Barrier::Paused(_) => true,
        }
    }

    /// Looks at the barrier.
    #[inline(always)]
    pub(crate) fn look(&mut self) -> Observed {
        let observed = self.barrier.observe(self.next);
        self.seen = observed.count;
        observed
    }

    /// Whether a look that found nothing, and gave `observed`, may mean more than that.
    #[inline(always)]
    pub(crate) fn is_worth_a_closer_look(&self, observed: Observed) -> bool {
        observed.closed || !matches!(self.barrier, Barrier::Cursor(_)) || self.core().attention.is_stopped()
    }

    /// Looks again, where there was nothing: if there still is nothing, says why nothing more will come, or `None` if something
    /// may.
    ///
    /// In this order: who has gone, whether all are to stop, the barrier, the cursor. An upstream that left because all were to
    /// stop, or because the ring had ended, had seen that, so it is seen here (depart/drain). What was published, or closed,
    /// before the stop is seen after it.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_closer(&mut self) -> Option<End> {
        self.resume();
        let stopped_before = proven!(None, "stop-looked-at-first" => Some(self.core().attention.stopped()));
        let departed = self.barrier.departed(self.next);
        let stopped = stopped_before.unwrap_or_else(|| self.core().attention.stopped());
        proven!(self.look(), "ends-without-another-look" => Observed { count: 0, closed: false });
        if self.readable() > 0 {
            return None;
        }
        let core = self.core();
        let observed = core.cursor.observe();
        let has_ended = observed.closed && observed.count == self.next;
        if has_ended {
            return Some(core.attention.end());
        }
        // On a ring that had ended otherwise before, there is nothing to stop: what is left of it is drained.
        let stands = proven!(!observed.closed || core.attention.end() == End::Stopped, "stop-overtakes-a-close" => true);
        let stopped = stopped.filter(|_| stands);
        stopped.or_else(|| departed.map(|(followed, departure)| self.barrier.end_after(followed, departure)))
    }

    /// Goes on behind the next `count` sequences, and holds them.
    ///
    /// Panics if `count` is more than is readable.
    #[inline]
    pub(crate) fn defer(&mut self, count: u64) {
        assert!(count <= self.readable(), "deferred more than was readable");
        self.next += count;
        proven!((), "deferring-acknowledges" => self.gate.store(self.next, Release));
    }

    /// Goes back to the first that was deferred: it can be read again, since it is still held.
    pub(crate) fn take_back_deferred(&mut self) {
        self.next = self.position;
    }

    /// [`acknowledge`](Self::acknowledge), where `count` may be 0: then nothing is given up, nor what was deferred.
    #[inline(always)]
    pub(crate) fn acknowledge_some(&mut self, count: u64) {
        if count > 0 {
            self.acknowledge(count);
        }
    }

    /// Gives up what was deferred.
    pub(crate) fn acknowledge_deferred(&mut self) {
        // Not in a pause, which must not begin to gate again: there is nothing deferred in one.
        if self.deferred() > 0 {
            self.acknowledge(0);
        }
    }

    /// Gives up the next `count` sequences, and what was deferred before them: the producer may write their slots.
    ///
    /// Panics if `count` is more than is readable.
    #[inline(always)]
    pub(crate) fn acknowledge(&mut self, count: u64) {
        assert!(count <= self.readable(), "acknowledged more than was readable");
        self.next += count;
        self.position = self.next;
        // Release: pairs with the producer's look (acknowledge/look).
        self.gate.store(self.next, proven!(Release, "acknowledge-store-relaxed" => Relaxed));
        self.gate.owner().attention.after_acknowledge();
        // After the gate: whoever reads the histogram meanwhile holds up nobody but this consumer.
        #[cfg(feature = "latency")]
        self.recorder.acknowledged(self.next, self.gate.owner(), &self.member);
    }

    /// Lets all of `group` start at one sequence: the highest at which one of them joined. What lies before it is given up, and
    /// what comes after is held by each from its own start on.
    pub(crate) fn start_together(core: &Core, group: &mut [&mut Self]) -> Result<u64, GroupError> {
        for member in group.iter_mut() {
            member.resume();
        }
        let starts = group.iter().map(|member| member.next);
        let start = proven!(starts.max(), "group-starts-at-its-first" => starts.min())
            .unwrap_or_else(|| core.cursor.observe().count);
        let places = lock(&core.gates.places);
        for member in &*group {
            let consumer = || Arc::clone(&member.member.name);
            // Also one that has only deferred.
            if member.next != member.member.joined_at() {
                let position = Sequence::new(member.next);
                return Err(GroupError::HasStarted { consumer: consumer(), position });
            }
            // Whoever comes after it and is not in the group would read what it gives up.
            let in_group = group.iter().flat_map(|other| other.barrier.upstream());
            let dependants = in_group.filter(|followed| followed.place() == member.place).count();
            if places[member.place].as_ref().is_some_and(|occupancy| occupancy.dependants > dependants) {
                return Err(GroupError::DependantOutside { consumer: consumer() });
            }
        }
        for member in group {
            member.member.starts_at(start);
            #[cfg(feature = "latency")]
            member.recorder.skip_to(core, start);
            member.seen = start;
            member.acknowledge(start - member.next);
        }
        drop(places);
        Ok(start)
    }

    /// Stops gating, and reads nothing, until [`resume`](Self::resume). What was deferred passes with the rest.
    pub(crate) fn pause(&mut self) -> Result<(), PauseError> {
        self.resume();
        let core = Arc::clone(self.core());
        let mut places = lock(&core.gates.places);
        places[self.place].as_mut().expect("its place is taken").begin_pause()?;
        self.stop_gating();
        drop(places);
        core.attention.wake_everybody();
        Ok(())
    }

    /// The same, if a control handle has asked for it and has not taken it back. Returns whether it was so.
    pub(crate) fn pause_if_asked(&mut self) -> bool {
        let core = Arc::clone(self.core());
        let places = lock(&core.gates.places);
        if self.member.control.get() != Request::Pause {
            return false;
        }
        self.stop_gating();
        drop(places);
        core.attention.wake_everybody();
        true
    }

    /// Under the lock of the table.
    fn stop_gating(&mut self) {
        self.next = self.position;
        self.seen = self.position;
        let barrier = std::mem::replace(&mut self.barrier, Barrier::After([].into()));
        self.barrier = Barrier::Paused(Box::new(barrier));
        self.member.pauses().begin(self.position);
        // Release: pairs with the producer's look (acknowledge/look).
        self.gate.store(NOT_GATING, proven!(Release, "pause-store-relaxed" => Relaxed));
    }

    /// Goes on at the cursor, and gates again: see [`enter`]. Returns how many sequences it let pass. Does nothing if it is not
    /// paused: what comes after a pause begins so, because the guard that would end it can be leaked.
    pub(crate) fn resume(&mut self) -> u64 {
        let Barrier::Paused(afterwards) = &mut self.barrier else { return 0 };
        self.barrier = std::mem::replace(afterwards, Barrier::After([].into()));
        let core = Arc::clone(self.core());
        let mut places = lock(&core.gates.places);
        let start = enter(&core, &self.gate);
        self.seen = start;
        self.next = start;
        self.position = start;
        #[cfg(feature = "latency")]
        self.recorder.skip_to(&core, start);
        let let_pass = self.member.pauses().end(start);
        // It may have been asked to pause again meanwhile.
        let is_pausing = self.member.control.get() == Request::Pause;
        places[self.place].as_mut().expect("its place is taken").is_pausing = is_pausing;
        drop(places);
        core.attention.wake_everybody();
        let_pass
    }

    /// Leaves the gate where it is, for good: what was not acknowledged will never be overwritten, and the place is never free
    /// again. Then it may only be dropped.
    pub(crate) fn fail(&mut self, failure: &Arc<Failure>) {
        proven!(self.frozen = true, "failed-gate-not-frozen" => ());
        self.member.fail(failure);
        self.core().attention.fail(failure);
    }
}

/// Stops gating and gives the place back, unless it has failed.
impl Drop for GatingSequence {
    fn drop(&mut self) {
        let core = Arc::clone(self.core());
        let mut places = lock(&core.gates.places);
        for followed in self.barrier.upstream() {
            places[followed.place()].as_mut().expect("kept for its dependants").dependants -= 1;
            GateTable::release(&mut places, followed.place());
        }
        if self.frozen {
            return;
        }
        proven!(self.member.depart(self.position), "final-position-after-gate" => ());
        // Release: pairs with the producer's look (acknowledge/look).
        self.gate.store(NOT_GATING, proven!(Release, "leave-store-relaxed" => Relaxed));
        proven!((), "final-position-after-gate" => self.member.depart(self.position));
        if let Some(occupancy) = &mut places[self.place] {
            occupancy.owner_has_gone = true;
        }
        GateTable::release(&mut places, self.place);
        drop(places);
        core.attention.wake_everybody();
    }
}
