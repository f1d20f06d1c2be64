//! Events per second.

use std::thread;
use std::time::{Duration, Instant};

use ringbus::Sequence;
use ringbus::shared::RingFile;

/// Long enough to tell a thousand events per second from none, short enough not to be waited for.
pub(crate) const INTERVAL: Duration = Duration::from_millis(200);

/// The cursors of some rings at one time.
pub(crate) struct Rates {
    at: Instant,
    cursors: Vec<Sequence>,
}

impl Rates {
    /// As of now.
    pub(crate) fn begin<'a>(files: impl IntoIterator<Item = &'a RingFile>) -> Self {
        Self { at: Instant::now(), cursors: files.into_iter().map(RingFile::cursor).collect() }
    }

    /// Where the cursors are now, and how many events per second came since the last time; for the same rings, in the same order.
    pub(crate) fn measure<'a>(
        &mut self,
        files: impl IntoIterator<Item = &'a RingFile>,
    ) -> Vec<(Sequence, f64)> {
        let now = Self::begin(files);
        let time = now.at.duration_since(self.at).as_secs_f64();
        let rates = now.cursors.iter().zip(&self.cursors);
        // (Monotonic: but a ring is somebody else's memory.)
        let rates = rates.map(|(now, before)| (*now, now.get().saturating_sub(before.get()) as f64 / time));
        let rates = rates.collect();
        *self = now;
        rates
    }
}

/// Waits for [`INTERVAL`], and measures.
pub(crate) fn measure(files: &[RingFile]) -> Vec<(Sequence, f64)> {
    let mut rates = Rates::begin(files);
    thread::sleep(INTERVAL);
    rates.measure(files)
}
