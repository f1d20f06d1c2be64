//! Ctrl-C, as a request to come to an end in order.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// What a shell says of a process that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// Who waits looks as often as this whether it has come.
pub(crate) const NAP: Duration = Duration::from_millis(50);

/// Whether somebody has asked for the end, by Ctrl-C or SIGTERM. Who asks again gets it at once.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    has_come: Arc<AtomicBool>,
}

impl Interrupt {
    /// From now on, Ctrl-C is a request.
    ///
    /// # Errors
    ///
    /// The operating system refuses.
    pub(crate) fn catch() -> io::Result<Self> {
        let has_come = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down.
            flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&has_come))?;
            flag::register(signal, Arc::clone(&has_come))?;
        }
        Ok(Self { has_come })
    }

    /// Whether it has come.
    pub(crate) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }
}
