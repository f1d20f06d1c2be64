//! `stat`: all that can be known of a ring from outside.

mod snapshot;
mod text;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ringbus::shared::RingFile;

use self::snapshot::Snapshot;
use crate::Outcome;
use crate::health::Health;
use crate::interrupt::{Interrupt, NAP};
use crate::rate::{INTERVAL, Rates};
use crate::seconds::seconds;

/// Tells how a ring is, and as a health check ends accordingly
///
/// Shown are the state, the cursor and its rate (measured while it waits for 200 ms), what the ring was built with, and what the
/// core's process has last written down of its consumers. How full it is, is how far the slowest required consumer is behind, in
/// parts of the capacity.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "It ends with 0 if the ring is alive or has been closed in order, 1 if it cannot be looked at, 2 if it was called \
                        wrongly, 3 if it has stalled, 4 if its producer is dead, 5 if it is poisoned or has failed."
)]
pub(crate) struct Arguments {
    /// The ring's file
    path: PathBuf,
    /// As an object of JSON; with --watch, an object a line
    #[arg(long)]
    json: bool,
    /// Again and again, each so many seconds, until the ring has ended or Ctrl-C
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = seconds)]
    watch: Option<Duration>,
    /// A core that calls `heartbeat` has stalled if it has not for so long, and publishes nothing either
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = seconds)]
    stalled_after: Duration,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let file = RingFile::open(&arguments.path)?;
    let interrupt = Interrupt::catch()?;
    let mut rates = Rates::begin([&file]);
    let mut interval = INTERVAL;
    let mut health = Health::of(&file.liveness(arguments.stalled_after));
    while sleep(interval, &interrupt) {
        let liveness = file.liveness(arguments.stalled_after);
        let (cursor, rate) = rates.measure([&file])[0];
        health = Health::of(&liveness).at_rate(rate);
        arguments.write(&Snapshot::of(&file, &liveness, cursor, rate))?;
        match arguments.watch {
            Some(pause) if !health.is_over() => interval = pause,
            _ => break,
        }
    }
    Ok(health.code())
}

impl Arguments {
    fn write(&self, snapshot: &Snapshot) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer(&mut out, snapshot)?;
            writeln!(out)?;
        } else {
            text::write(&mut out, snapshot)?;
            if self.watch.is_some() {
                writeln!(out)?;
            }
        }
        out.flush()
    }
}

/// Whether it could, undisturbed.
fn sleep(time: Duration, interrupt: &Interrupt) -> bool {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        if interrupt.has_come() {
            return false;
        }
        thread::sleep(left.min(NAP));
    }
    !interrupt.has_come()
}
