//! Plays a core's recorded events through a ring: to a required consumer, which gets every one of them, and to a deliberately
//! slow optional one, which is told how many it missed.
//!
//!     cargo run --release --example replay                        # generated events
//!     cargo run --release --example replay -- --events FILE       # recorded ones
//!     cargo run --release --example replay -- --speed 500         # 500 blocks a second
//!
//! The program ends with an error if the required consumer did not get exactly what was published, in order.

mod consumers;
mod fragment;
mod report;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use recorded::{Generator, Reader, RecordedEvent, Settings};
use ringbus::{Producer, PublishError, Ring};

use fragment::Fragment;

/// Plays recorded events through a ring, to a required and to a slow optional consumer.
#[derive(Parser, Debug)]
struct Arguments {
    /// A file of recorded events, plain or gzip; without it, events are generated.
    #[arg(long, value_name = "FILE", env = "RINGBUS_RECORDED_EVENTS")]
    events: Option<PathBuf>,
    /// Blocks a second (the envelope of a recorded event has no time of its own); without it, full speed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    speed: Option<u32>,
    /// How many blocks to generate, where no file is played.
    #[arg(long, value_name = "N", default_value_t = 5_002)]
    blocks: u64,
    /// The seed of the generated events.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Slots of the ring, a power of two of at least 128.
    #[arg(long, value_name = "SLOTS", default_value_t = 1 << 12)]
    capacity: usize,
    /// How long the slow consumer rests after each 16 events, in microseconds.
    #[arg(long, value_name = "US", default_value_t = 1_000)]
    rest: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let events = load(arguments)?;
    let (mut producer, ring) =
        Ring::<Fragment>::builder().name("replay").capacity(arguments.capacity).build()?;
    let store = ring.required("store").join()?;
    let monitor = ring.optional("slow monitor").join()?;

    let start = Instant::now();
    let progress = progress_bar(events.len() as u64, "playing");
    let storing = thread::spawn(move || consumers::store(store, start));
    let rest = Duration::from_micros(arguments.rest);
    let monitoring = thread::spawn(move || consumers::watch(monitor, rest));
    let published = play(&mut producer, &events, arguments.speed, start, &progress)?;
    let slots = producer.close()?;
    let stored = storing.join().map_err(|_| "the store's thread panicked")?;
    let took = start.elapsed();
    let monitored = monitoring.join().map_err(|_| "the monitor's thread panicked")?;
    progress.finish_and_clear();

    report::print(&report::Run { stored: &stored, monitored: &monitored, slots: slots.get(), took });
    report::check(&published, &stored, &monitored)?;
    Ok(())
}

/// All events, in memory: what is shown is the ring's speed and not the file's.
fn load(arguments: &Arguments) -> Result<Vec<RecordedEvent>, Box<dyn Error>> {
    let progress = progress_bar(0, "loading");
    let events = match &arguments.events {
        None => {
            let settings = Settings { seed: arguments.seed, blocks: arguments.blocks, ..Settings::default() };
            Generator::new(settings).inspect(|_| progress.inc(1)).collect()
        }
        Some(file) => Reader::open(file)?.inspect(|_| progress.inc(1)).collect::<Result<_, _>>()?,
    };
    progress.finish_and_clear();
    Ok(events)
}

/// Publishes all events, each as one batch of fragments. Returns how many there were, and their checksum.
fn play(
    producer: &mut Producer<Fragment>,
    events: &[RecordedEvent],
    blocks_a_second: Option<u32>,
    start: Instant,
    progress: &ProgressBar,
) -> Result<consumers::Tally, PublishError> {
    const EVENTS_A_TICK: u64 = 256;
    let mut tally = consumers::Tally::default();
    for event in events {
        let is_new_block = tally.add(event.height, event.kind, &event.encoded);
        if let Some(rate) = blocks_a_second.filter(|_| is_new_block) {
            let due = start + Duration::from_secs(1) * (tally.blocks - 1) / rate;
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let mut claim = producer.claim(fragment::count(event))?;
        for fragment in fragment::split(event, tally.events - 1, start.elapsed()) {
            claim.push(&fragment).expect("as many as were claimed");
        }
        claim.publish()?;
        if tally.events % EVENTS_A_TICK == 0 {
            progress.set_position(tally.events);
        }
    }
    Ok(tally)
}

/// Shown on a terminal only, on standard error.
fn progress_bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} events, {per_sec}");
    let bar = ProgressBar::new(length).with_message(what);
    bar.set_style(style.expect("the template is well-formed"));
    bar
}
