//! One event there and one back, over two carriers of the same kind: always one event is under way.
//!
//! What handles the pings owns the sender of the pongs, and the other way round, so that libraries that call handlers on threads of
//! their own can do this too. Each answer is made of all words of what it answers. The clock is looked at once a round trip.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::Duration;

use super::{Measured, Workload};
use crate::carrier::{Carrier, Sender, Setting, Wait};
use crate::clock::Clock;
use crate::core_wait;
use crate::cores::{Side, core};
use crate::delays::Delays;
use crate::event::{Line, Numbered};
use crate::schedstat::SchedStat;

/// The number of a ping at which its consumer says for how long it has waited for a core.
const MARK: u64 = u64::MAX;

const WARM_UP: Duration = Duration::from_millis(20);

pub(crate) fn measure<C: Carrier>(workload: &Workload, duration: Duration) -> Measured {
    let clock = Clock::start();
    let at = |side| Setting { capacity: workload.capacity, wait: Wait::Spin, core: core(side) };
    let (give_pings, given_pings) = mpsc::channel();
    let (give_sched, sched_of_pings) = mpsc::channel();
    let (give_outcome, outcome) = mpsc::channel();

    let mut serving = Serving::new(clock, duration, given_pings, give_outcome);
    let mut pongs = C::open(at(Side::Producer), move |pong: &Line| serving.take(pong));
    let mut pings = C::open(at(Side::Consumer), move |ping: &Line| {
        if ping.number() == MARK {
            // Nobody listens any more if the measurement has failed.
            let _ = give_sched.send(SchedStat::of_this_thread());
        }
        pongs.send(answer(ping));
        ControlFlow::Continue(())
    });
    pings.send(Line::numbered(Serving::<C::Sender<Line>>::FIRST));
    give_pings.send(pings).expect("the consumer of pongs lives");

    let Outcome { delays, trips, ticks, sched: of_pongs } =
        outcome.recv().expect("the pongs' consumer lives");
    let of_pings = [(); 2].map(|()| sched_of_pings.recv().expect("each mark is answered"));
    let seconds = clock.seconds(ticks);
    Measured {
        events: trips,
        seconds,
        core_wait_seconds: core_wait::longest([of_pings, of_pongs].map(core_wait::between)),
        figures: delays.figures(&clock, 2, None, trips as f64 / seconds),
    }
}

#[inline(always)]
fn answer(ping: &Line) -> Line {
    Line::numbered(ping.mixed())
}

/// Handles pongs, and sends a ping after each.
struct Serving<S> {
    /// `None` before the first pong, and after the last.
    pings: Option<S>,
    given_pings: mpsc::Receiver<S>,
    clock: Clock,
    /// Of the ping that is under way.
    number: u64,
    /// What its answer mixes to.
    expected: u64,
    last_look: u64,
    stage: Stage,
    /// When the clock says this, the next stage begins.
    stage_end: u64,
    /// Ticks.
    duration: u64,
    outcome: Outcome,
    give_outcome: mpsc::Sender<Outcome>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Starting,
    WarmingUp,
    /// The first mark is under way.
    Warm,
    Measuring,
    /// The second mark is under way.
    Done,
}

struct Outcome {
    delays: Delays,
    trips: u64,
    ticks: u64,
    /// Before and after.
    sched: [Option<SchedStat>; 2],
}

impl<S: Sender<Line>> Serving<S> {
    const FIRST: u64 = 0;

    fn new(
        clock: Clock,
        duration: Duration,
        given_pings: mpsc::Receiver<S>,
        give_outcome: mpsc::Sender<Outcome>,
    ) -> Self {
        Self {
            pings: None,
            given_pings,
            clock,
            number: Self::FIRST,
            expected: answer(&Line::numbered(Self::FIRST)).mixed(),
            last_look: 0,
            stage: Stage::Starting,
            stage_end: 0,
            duration: clock.ticks(duration),
            outcome: Outcome { delays: Delays::new(), trips: 0, ticks: 0, sched: [None; 2] },
            give_outcome,
        }
    }

    #[inline(always)]
    fn take(&mut self, pong: &Line) -> ControlFlow<()> {
        let got = pong.mixed();
        let now = self.clock.now_that_all_is_read();
        assert_eq!(got, self.expected, "a ping or its answer was lost, doubled or damaged");
        if now >= self.stage_end {
            return self.turn(now);
        }
        self.outcome.delays.record(now - self.last_look);
        self.last_look = now;
        self.ping(self.number + 1);
        ControlFlow::Continue(())
    }

    #[inline(always)]
    fn ping(&mut self, number: u64) {
        let ping = Line::numbered(number);
        self.pings.as_mut().expect("not before the first, nor after the last").send(ping);
        self.number = number;
        self.expected = answer(&ping).mixed();
    }

    #[cold]
    #[inline(never)]
    fn turn(&mut self, now: u64) -> ControlFlow<()> {
        match self.stage {
            Stage::Starting => {
                self.pings =
                    Some(self.given_pings.recv().expect("it is given after the first ping was sent"));
                self.begin(Stage::WarmingUp, self.clock.ticks(WARM_UP));
                self.ping(self.number + 1);
            }
            Stage::WarmingUp => {
                self.stage = Stage::Warm;
                self.stage_end = 0;
                self.ping(MARK);
            }
            Stage::Warm => {
                self.outcome.delays.clear();
                self.outcome.sched[0] = SchedStat::of_this_thread();
                self.begin(Stage::Measuring, self.duration);
                self.number = Self::FIRST;
                self.ping(self.number + 1);
            }
            Stage::Measuring => {
                self.outcome.sched[1] = SchedStat::of_this_thread();
                self.outcome.trips = self.number - Self::FIRST;
                self.outcome.ticks = now - (self.stage_end - self.duration);
                self.stage = Stage::Done;
                self.stage_end = 0;
                self.ping(MARK);
            }
            Stage::Done => {
                let outcome = Outcome { delays: self.outcome.delays.clone(), ..self.outcome };
                // Dropping the sender ends the other consumer, which ends this one.
                self.pings = None;
                // Nobody listens any more if the measurement has failed.
                let _ = self.give_outcome.send(outcome);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn begin(&mut self, stage: Stage, ticks: u64) {
        self.last_look = self.clock.now();
        self.stage = stage;
        self.stage_end = self.last_look + ticks;
    }
}
