//! What is shown while the core runs.

use indicatif::ProgressStyle;

use crate::live::{Length, RunSettings, Snapshot, THREADS};

/// A bar on standard error, and on a terminal only.
#[derive(Debug)]
pub struct ProgressBar {
    bar: indicatif::ProgressBar,
    length: Length,
}

impl ProgressBar {
    /// A bar for a run of these settings.
    #[must_use]
    pub fn new(settings: &RunSettings) -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {msg}");
        let end = match settings.length {
            Length::Time(time) => time.as_millis() as u64,
            Length::Blocks(blocks) => blocks,
        };
        let bar = indicatif::ProgressBar::new(end);
        bar.set_style(style.expect("the template is well-formed"));
        Self { bar, length: settings.length }
    }

    /// Shows how things stand.
    pub fn show(&self, snapshot: &Snapshot) {
        let Snapshot { elapsed, blocks, stats } = snapshot;
        let missed = stats.consumer(THREADS[4]).map_or(0, |monitor| monitor.missed);
        let waited = 100.0 * stats.waits.total.as_secs_f64() / elapsed.as_secs_f64();
        self.bar.set_position(match self.length {
            Length::Time(_) => elapsed.as_millis() as u64,
            Length::Blocks(_) => *blocks,
        });
        self.bar.set_message(format!(
            "{:.1} M events/s, waited {waited:.0} %, monitor missed {:.1} M",
            stats.average_rate() / 1e6,
            missed as f64 / 1e6
        ));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
