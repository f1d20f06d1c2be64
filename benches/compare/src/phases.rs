//! A measurement runs in phases: warming up, and measuring. At the end of each the consumer reports to the producer, and the
//! producer goes on when all have. It does not sleep meanwhile, so that its core does not.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use crate::carrier::Wait;

/// The two ends, for so many reports `R`.
pub(crate) fn phases<R>(count: u32, wait: Wait) -> (Leader<R>, Reporter<R>) {
    let (report, reports) = channel();
    (Leader { reports, wait }, Reporter { report, left: count })
}

/// The producer's end.
pub(crate) struct Leader<R> {
    reports: Receiver<R>,
    wait: Wait,
}

impl<R> Leader<R> {
    /// What the consumer reports at the end of this phase.
    pub(crate) fn hear(&self) -> R {
        loop {
            match self.reports.try_recv() {
                Ok(report) => return report,
                Err(TryRecvError::Empty) => self.wait.once(),
                Err(TryRecvError::Disconnected) => panic!("a consumer ended before its last report"),
            }
        }
    }
}

/// The consumer's end.
pub(crate) struct Reporter<R> {
    report: Sender<R>,
    left: u32,
}

impl<R> Reporter<R> {
    /// Ends this phase. Does not wait for the next, because another consumer may see the last event only after this one has
    /// returned. Breaks if that was the last one.
    pub(crate) fn report(&mut self, report: R) -> ControlFlow<()> {
        // A leader that is gone wants to know nothing.
        let _ = self.report.send(report);
        self.left -= 1;
        if self.left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_report_ends_the_consumer() {
        let (leader, mut reporter) = phases(2, Wait::Yield);
        assert!(reporter.report("warm").is_continue());
        assert!(reporter.report("done").is_break());
        assert_eq!([leader.hear(), leader.hear()], ["warm", "done"]);
    }
}
