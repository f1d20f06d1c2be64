//! The exchange, live: the core writes to a bus, and its [consumers](crate::consumers) have subscribed.
//!
//! ```text
//!                       ┌─▶ journal ─┬─▶ position keeper     required: the core waits for
//! order flow ─▶ core ─▶ bus          ├─▶ block store         whoever is a lap behind
//!                       │            └─▶ audit
//!                       └─▶ monitor                          optional: it misses what it is too slow for
//! ```
//!
//! The core runs on the thread that calls [`run`], each consumer on one of its own. What the core has done counts as
//! final when the journal has it.
//!
//! ```
//! use exchange::live::{Length, RunSettings, run};
//!
//! let summary = run(&RunSettings { length: Length::Blocks(20), ..RunSettings::default() })?;
//! assert_eq!((summary.blocks, summary.transactions), (20, 2_000));
//! assert_eq!(summary.consumers[0].delivered, summary.events);
//! # Ok::<(), exchange::live::RunError>(())
//! ```

mod crew;
mod driver;
mod error;
mod settings;
mod summary;
mod wait;
mod watch;

use std::io::{self, Write};
use std::thread;
use std::time::Instant;

use ringbus::bus::{Bus, Writer};
use ringbus::wait::WaitStrategy;
use ringbus::worker::pin_this_thread;

use crate::block_maker::BlockMaker;
use crate::events::Exchange;
use crew::Crew;
use driver::Driver;
pub use error::{Disagreement, RunError};
pub use settings::{LEAST_CAPACITY, Length, RunSettings, RunSettingsError, THREADS};
pub use summary::{ConsumerSummary, Summary};
pub use wait::{UnknownWait, Wait};
pub use watch::Snapshot;

/// Runs the exchange with a journal that keeps nothing.
///
/// # Errors
///
/// As for [`run_with`].
pub fn run(settings: &RunSettings) -> Result<Summary, RunError> {
    run_with(settings, io::sink(), |_| {})
}

/// Runs the exchange for as long as the settings say, on this thread and those of the consumers. The journal writes to
/// `journal`; `watch` is shown how things stand ten times a second, on a thread of its own.
///
/// If a core is given for the core's thread, the calling thread is pinned to it, and stays so.
///
/// # Errors
///
/// [`RunError`] if the settings are unsound, if the bus or a thread cannot be had, if a consumer failed, or if at the
/// end the numbers do not add up or a consumer's state is not the core's.
pub fn run_with<J: Write + Send + 'static>(
    settings: &RunSettings,
    journal: J,
    watch: impl FnMut(&Snapshot) + Send,
) -> Result<Summary, RunError> {
    settings.check()?;
    let maker = BlockMaker::new(&settings.core(), settings.seed, settings.transactions_per_block)?;
    let (writer, bus) = build(settings)?;
    // (Where one cannot be started, those that were end when the writer is dropped here.)
    let crew = Crew::spawn(&bus, settings, journal)?;
    let driver = Driver::new(settings, maker, writer, crew.journal_progress());
    let driven = thread::scope(|scope| {
        let started = Instant::now();
        let _watching = watch::spawn(scope, &bus, crew.committed(), started, watch);
        // Last, because threads inherit the cores that they may run on.
        pin_core(settings)?;
        driver.run(&bus)
    });
    // The writer is gone by now, however it went, so that the consumers come to their end.
    let ended = crew.join();
    match (driven, ended) {
        (Ok(driven), Ok(ended)) => Summary::new(settings, &driven, ended),
        // What a worker says of itself is nearer to the cause.
        (_, Err(failed)) => Err(failed.into()),
        (Err(error), Ok(_)) => Err(error),
    }
}

/// Pins the calling thread to where the core is to run.
fn pin_core(settings: &RunSettings) -> Result<(), RunError> {
    let Some(&core) = settings.pin.first() else { return Ok(()) };
    pin_this_thread(core).map_err(|source| RunError::NoSuchCore { thread: THREADS[0], source })
}

/// Bytes of payload in a slot: no event of the exchange has more.
const PAYLOAD: usize = 64;

/// A writer that waits by whatever strategy the settings name.
type CoreWriter = Writer<PAYLOAD, Box<dyn WaitStrategy>>;

/// Builds the bus on a thread that is pinned where the core will run, so that its memory lies near.
fn build(settings: &RunSettings) -> Result<(CoreWriter, Bus<PAYLOAD>), RunError> {
    let build = || {
        pin_core(settings)?;
        let built = Bus::builder("exchange")
            .capacity(settings.capacity)
            .schema(Exchange::schema())
            .sample_latency(settings.sample)
            .starts_with(THREADS.len() - 1)
            .wait(settings.wait.strategy())
            .build()?;
        Ok(built)
    };
    thread::scope(|scope| scope.spawn(build).join().expect("building a bus does not panic"))
}
