//! The consumer's part of the work: adds up what comes, and reports at the end of each phase.

use std::ops::ControlFlow;
use std::time::Instant;

use crate::carrier::Wait;
use crate::event::{END, Numbered};
use crate::phases::{Leader, Reporter, phases};
use crate::schedstat::SchedStat;

/// The last event of a phase has been handled.
pub(crate) struct Milestone {
    pub(crate) at: Instant,
    /// Of all events since the start.
    pub(crate) sum: u64,
    pub(crate) sched: Option<SchedStat>,
}

/// For two phases.
pub(crate) struct Tally {
    sum: u64,
    /// Elsewhere, so that it is seen that nobody else can change the sum, which then stays in a register.
    reporter: Box<Reporter<Milestone>>,
}

impl Tally {
    pub(crate) fn new(wait: Wait) -> (Leader<Milestone>, Self) {
        let (leader, reporter) = phases(2, wait);
        (leader, Self { sum: 0, reporter: Box::new(reporter) })
    }

    #[inline(always)]
    pub(crate) fn take(&mut self, event: &impl Numbered) -> ControlFlow<()> {
        self.sum = self.sum.wrapping_add(event.mixed());
        if event.number() == END { end(&mut self.reporter, self.sum) } else { ControlFlow::Continue(()) }
    }
}

#[cold]
#[inline(never)]
fn end(reporter: &mut Reporter<Milestone>, sum: u64) -> ControlFlow<()> {
    reporter.report(Milestone { at: Instant::now(), sum, sched: SchedStat::of_this_thread() })
}
