//! The exchange, live: the core publishes on a ring, and its [consumers](crate::consumers) listen.
//!
//! ```text
//!                       ┌─▶ journal ─┬─▶ position keeper     required: the core waits for
//! order flow ─▶ core ─▶ ring         └─▶ block store         whoever is a lap behind
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
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::Instant;

use ringbus::wait::WaitStrategy;
use ringbus::worker::pin_this_thread;
use ringbus::{Producer, Ring};

use crate::core::Core;
use crate::event::Event;
use crate::flow::OrderFlow;
use crate::rules::MAX_EVENTS;
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
/// [`RunError`] if the settings are unsound, if the ring or a thread cannot be had, if a consumer failed, or if at the
/// end the numbers do not add up or a consumer's state is not the core's.
pub fn run_with<J: Write + Send + 'static>(
    settings: &RunSettings,
    journal: J,
    watch: impl FnMut(&Snapshot) + Send,
) -> Result<Summary, RunError> {
    settings.check()?;
    let core_settings = settings.core();
    let core = Core::new(&core_settings)?;
    let flow = OrderFlow::new(settings.seed, &core_settings)?;
    let (producer, ring) = build(settings)?;
    // (Where one cannot be started, those that were end when the producer is dropped here.)
    let crew = Crew::spawn(&ring, settings, journal)?;
    let blocks = AtomicU64::new(0);
    let driver = Driver::new(settings, core, flow, producer, crew.journal_progress(), &blocks);
    let driven = thread::scope(|scope| {
        let started = Instant::now();
        let _watching = watch::spawn(scope, &ring, &blocks, started, watch);
        // Last, because threads inherit the cores that they may run on.
        pin_core(settings)?;
        driver.run(&ring)
    });
    // The producer is gone by now, however it went, so that the consumers come to their end.
    let ended = crew.join();
    match (driven, ended) {
        (Ok(driven), Ok(ended)) => Summary::new(settings, &driven, &ended),
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

/// A producer that waits by whatever strategy the settings name.
type CoreProducer = Producer<Event, Box<dyn WaitStrategy>>;

/// Builds the ring on a thread that is pinned where the producer will run, so that its memory lies near.
fn build(settings: &RunSettings) -> Result<(CoreProducer, Ring<Event>), RunError> {
    let build = || {
        pin_core(settings)?;
        let built = Ring::builder()
            .name("exchange")
            .capacity(settings.capacity)
            .max_batch(MAX_EVENTS)
            .sample_latency(settings.sample)
            .wait(settings.wait.strategy())
            .build()?;
        Ok(built)
    };
    thread::scope(|scope| scope.spawn(build).join().expect("building a ring does not panic"))
}
