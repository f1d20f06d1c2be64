//! `demo`: a core to look at.

mod crew;
mod pace;

use std::error::Error;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use exchange::events::Exchange;
use exchange::{BlockMaker, Settings};
use ringbus::bus::{Bus, Writer};
use ringbus::shared::remove_stale;

use self::crew::{Crew, PAYLOAD};
use self::pace::Pace;
use crate::Outcome;
use crate::interrupt::Interrupt;
use crate::progress::grouped;
use crate::seconds::{rounded, seconds};

/// The latency of one event in so many is measured.
const SAMPLE: NonZero<u64> = NonZero::new(64).expect("is not 0");

/// Runs a small exchange on a shared ring, for all other subcommands to be tried on
///
/// Its consumers: a journal (which keeps nothing), a position keeper and an auditor after it, all of which the exchange waits
/// for; a dashboard; and a monitor that is too slow, and misses three events in four (at 4000 events per second and more). It
/// runs until Ctrl-C.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The ring's file
    #[arg(long, default_value = "/dev/shm/ringbus-demo")]
    path: PathBuf,
    /// Events per second, or as many as it can
    #[arg(long, value_name = "EVENTS", default_value = "10000")]
    rate: NonZero<u32>,
    /// Ends after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    duration: Option<Duration>,
    /// Slots of the ring: a power of two, from 1024
    #[arg(long, value_name = "SLOTS", default_value_t = 4096, value_parser = capacity)]
    capacity: usize,
    /// What the flow of orders grows from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Leaves the ring's file behind at the end
    #[arg(long)]
    keep: bool,
}

fn capacity(text: &str) -> Result<usize, &'static str> {
    // With less, what a transaction causes may be longer than the longest batch.
    let slots = text.parse().ok().filter(|slots: &usize| slots.is_power_of_two() && *slots >= 1024);
    slots.ok_or("expected a power of two, from 1024")
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let interrupt = Interrupt::catch()?;
    let settings = Settings::default();
    let pace = Pace::new(arguments.rate);
    let maker = BlockMaker::new(&settings, arguments.seed, pace.transactions_per_block())?;
    let (writer, bus) = Bus::<PAYLOAD>::builder("exchange")
        .capacity(arguments.capacity)
        .schema(Exchange::schema())
        .sample_latency(SAMPLE)
        .shared(&arguments.path)
        .build()?;
    let crew = Crew::spawn(&bus, &settings, arguments.rate)?;
    let started = Instant::now();
    let made = match arguments.print_what_to_try() {
        Ok(()) => arguments.make_blocks(maker, writer, pace, &interrupt),
        Err(error) => {
            drop(writer);
            Err(error.into())
        }
    };
    // The writer is gone by now, however it went, so that the consumers come to their end.
    let ended = crew.join();
    let (events, took) = (bus.cursor().get(), started.elapsed().as_secs_f64());
    // While there is a handle, the ring is in use.
    drop(bus);
    let has_to_go = !arguments.keep && arguments.path.exists();
    let removed = if has_to_go { remove_stale(&arguments.path) } else { Ok(()) };
    // What the consumers say is nearer to a cause.
    ended?;
    let blocks = made?;
    removed?;
    let per_second = (events as f64 / took) as u64;
    writeln!(
        io::stdout(),
        "{} events in {} blocks, in {took:.1} s: {} events/s",
        grouped(events),
        grouped(blocks),
        grouped(per_second)
    )?;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    /// Returns how many.
    fn make_blocks(
        &self,
        mut maker: BlockMaker,
        mut writer: Writer<PAYLOAD>,
        mut pace: Pace,
        interrupt: &Interrupt,
    ) -> Result<u64, Box<dyn Error>> {
        let started = Instant::now();
        let is_over =
            || interrupt.has_come() || self.duration.is_some_and(|duration| duration <= started.elapsed());
        while !is_over() {
            maker.make_block(&mut writer)?;
            writer.heartbeat();
            pace.published(writer.next_sequence());
            while let Some(nap) = pace.nap().filter(|_| !is_over()) {
                writer.heartbeat();
                std::thread::sleep(nap);
            }
        }
        writer.close()?;
        Ok(maker.core().height())
    }

    fn print_what_to_try(&self) -> io::Result<()> {
        let path = self.path.display();
        let until = self.duration.map_or_else(
            || "until Ctrl-C".to_owned(),
            |duration| format!("for {} or until Ctrl-C", rounded(duration)),
        );
        writeln!(
            io::stdout(),
            "The exchange runs on `{path}`, {until}. In another terminal:

    ringbus ls
    ringbus stat {path}
    ringbus top {path}
    ringbus tail {path} -f --kind trade
    ringbus record {path} -o recording --duration 5 && ringbus verify recording
"
        )
    }
}
