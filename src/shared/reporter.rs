//! The thread that tells other processes what the consumers of a ring do.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::placement::Placement;
use crate::ring::Core;
use crate::stats::Stats;
use crate::sync::{Condvar, Mutex, lock, wait_on};

/// Reports do not come more often.
const SHORTEST: Duration = Duration::from_millis(1);

/// Writes a report now and then, and a last one when it is dropped, behind the end of the stream.
pub(crate) struct Reporter {
    reporting: Arc<Reporting>,
    thread: Option<JoinHandle<()>>,
}

struct Reporting {
    core: Arc<Core>,
    placement: Arc<Placement>,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Reporter {
    pub(crate) fn start(core: &Arc<Core>, placement: &Arc<Placement>, every: Duration) -> io::Result<Self> {
        let reporting = Arc::new(Reporting {
            core: Arc::clone(core),
            placement: Arc::clone(placement),
            is_over: Mutex::new(false),
            over: Condvar::new(),
        });
        reporting.report();
        let thread = thread::Builder::new().name("ringbus report".into());
        let thread = thread.spawn({
            let reporting = Arc::clone(&reporting);
            move || reporting.run(every)
        })?;
        Ok(Self { reporting, thread: Some(thread) })
    }
}

impl Reporting {
    fn run(&self, every: Duration) {
        loop {
            // `None`: beyond what can be counted, which is never.
            let next = Instant::now().checked_add(every.max(SHORTEST));
            let mut is_over = lock(&self.is_over);
            while !*is_over && next.is_none_or(|next| Instant::now() < next) {
                is_over = wait_on(&self.over, is_over, next);
            }
            if *is_over {
                return;
            }
            drop(is_over);
            self.report();
        }
    }

    fn report(&self) {
        self.placement.report(&Stats::of(&self.core));
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        *lock(&self.reporting.is_over) = true;
        self.reporting.over.notify_one();
        // It does nothing that could panic.
        self.thread.take().map(JoinHandle::join);
        self.reporting.report();
    }
}
