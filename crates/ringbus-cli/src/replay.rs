//! `replay`: a journal, put back on a bus.

mod count;
mod schema;

use std::error::Error;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ringbus::Sequence;
use ringbus::bus::Bus;
use ringbus_journal::{JournalReader, Replay, Replayed, Speed, Start};

use self::count::Count;
use crate::progress::{grouped, sequences};
use crate::{Outcome, journal};

/// Puts the records back on a bus, with a consumer that counts them; others may look on
///
/// Blocks begin when they are due, and their records follow at full speed. A journal of a recording has no times: all its blocks
/// are due at once, except by --each-block. With --to-ring others can read along, as from a live core: at full speed they are
/// overrun, and find what the ring holds at the end. The ring's file stays, closed, until `ringbus ls --remove-stale` removes it. After
/// Ctrl-C its ring is dead, not closed.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The directory of the journal
    dir: PathBuf,
    /// `full`, `recorded`, or so many times as fast as recorded: `10x`, `0.5x`
    #[arg(long, value_name = "SPEED", default_value = "full", value_parser = speed, conflicts_with = "each_block")]
    speed: Speed,
    /// A block each so many milliseconds
    #[arg(long, value_name = "MS")]
    each_block: Option<u64>,
    /// From this sequence on [default: from the oldest record on]
    #[arg(long, value_name = "SEQ", conflicts_with = "from_block")]
    from: Option<u64>,
    /// From the first block of this height on
    #[arg(long, value_name = "HEIGHT")]
    from_block: Option<u64>,
    /// Up to the record before this sequence [default: to the end]
    #[arg(long, value_name = "SEQ", conflicts_with = "to_block")]
    to: Option<u64>,
    /// Up to the end of the last block of this height
    #[arg(long, value_name = "HEIGHT")]
    to_block: Option<u64>,
    /// Steps over what is damaged or was missed, and says so
    #[arg(long)]
    step_over: bool,
    /// On a shared ring in this file; a ring that nobody writes to any more is replaced, if it has the same schema
    #[arg(long, value_name = "PATH")]
    to_ring: Option<PathBuf>,
    /// Refuses unless the schema is that of the ring or the journal there
    #[arg(long, value_name = "PATH")]
    schema_of: Option<PathBuf>,
}

fn speed(text: &str) -> Result<Speed, String> {
    let times = |text: &str| {
        text.strip_suffix('x')?.parse().ok().filter(|times: &f64| times.is_finite() && *times > 0.0)
    };
    match text {
        "full" => Ok(Speed::Full),
        "recorded" => Ok(Speed::Recorded),
        _ => times(text)
            .map(Speed::Times)
            .ok_or_else(|| "expected `full`, `recorded`, or a number and `x`".to_owned()),
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut reader = journal::open(&arguments.dir)?;
    arguments.check_schema()?;
    let start = match (arguments.from, arguments.from_block) {
        (Some(from), _) => Start::Sequence(Sequence::new(from)),
        (None, Some(height)) => Start::Block(height),
        (None, None) => Start::Oldest,
    };
    journal::seek(&mut reader, start, arguments.step_over)?;
    let mut first = None;
    journal::for_each(&mut reader, arguments.step_over, |_, record| {
        first = Some(record.sequence());
        Ok(ControlFlow::Break(()))
    })?;
    let first = first.ok_or(
        "there are no records to replay: expected some from the sequence or block on that is asked for",
    )?;
    match reader.slot_payload().unwrap_or_default() {
        64 => replay::<64>(arguments, reader, first),
        192 => replay::<192>(arguments, reader, first),
        448 => replay::<448>(arguments, reader, first),
        960 => replay::<960>(arguments, reader, first),
        other => Err(format!(
            "the journal's slots have {other} bytes of payload; this command has buses with 64, 192, 448 and 960: \
             use `Replay` of the library, with a `Bus<{other}>`"
        )
        .into()),
    }
}

/// The records that it has from `first` on, on a bus whose sequences are the recorded ones.
fn replay<const PAYLOAD: usize>(arguments: &Arguments, reader: JournalReader, first: Sequence) -> Outcome {
    // So that the longest payload, a quarter of the ring, is one of 1 MiB at least.
    let capacity = (4_usize << 20).div_ceil(PAYLOAD).next_power_of_two();
    let stream = reader.stream().ok_or("the journal has no stream")?.clone();
    let schema = reader.schema().ok_or("the journal has no schema")?.clone();
    let builder = Bus::<PAYLOAD>::builder(stream.clone()).capacity(capacity).first_sequence(first);
    let (writer, bus) = match &arguments.to_ring {
        // (Leaked, once: a bus wants it for as long as the process lives.)
        Some(path) => builder.schema(Box::leak(Box::new(schema.clone()))).shared(path).build()?,
        None => builder.build()?,
    };
    let counting = bus.subscribe("counter").required().spawn(Count::default())?;
    let mut forwarder = writer.forward_from(&stream)?;

    let end = arguments.to.map(Sequence::new).or_else(|| journal::end(&arguments.dir));
    let bar = sequences("replaying", Some(first), end.filter(|_| arguments.to_block.is_none()));
    let began = Instant::now();
    let replayed = arguments.replay(reader, first).run_with(&mut forwarder, |_| {
        bar.set_position(bus.cursor().since(first));
    });
    bar.finish_and_clear();
    // What came before an error has been counted too.
    forwarder.close()?;
    let count = counting.join()?.handler.into_subscriber();
    let took = began.elapsed();
    print(&replayed?, &count, took)?;
    count.print_kinds(&schema)?;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    /// Makes sure that nobody takes the records for what they are not.
    fn check_schema(&self) -> Result<(), Box<dyn Error>> {
        let to_ring = self.to_ring.as_deref();
        if to_ring.is_none() && self.schema_of.is_none() {
            return Ok(());
        }
        let schema = schema::of_journal(&self.dir)?;
        let replaced = to_ring.filter(|path| path.exists());
        [replaced, self.schema_of.as_deref()]
            .into_iter()
            .flatten()
            .try_for_each(|place| schema::expect(&self.dir, &schema, place))
    }

    fn replay(&self, reader: JournalReader, first: Sequence) -> Replay {
        let speed = self.each_block.map(Duration::from_millis).map_or(self.speed, Speed::EachBlock);
        let mut replay = Replay::new(reader).from(Start::Sequence(first)).speed(speed);
        if let Some(end) = self.to {
            replay = replay.until_sequence(Sequence::new(end));
        }
        if let Some(height) = self.to_block {
            replay = replay.until_block(height);
        }
        if self.step_over {
            replay = replay.step_over();
        }
        replay
    }
}

fn print(replayed: &Replayed, count: &Count, took: Duration) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout();
    let seconds = took.as_secs_f64();
    writeln!(
        out,
        "{} records in {} blocks, {} bytes, in {seconds:.3} s: {} records/s, {:.1} MB/s",
        grouped(count.records()),
        grouped(replayed.blocks),
        grouped(count.bytes()),
        grouped((count.records() as f64 / seconds) as u64),
        count.bytes() as f64 / seconds / 1e6,
    )?;
    if replayed.missed > 0 {
        writeln!(out, "{} sequences could not be read, and were stepped over", grouped(replayed.missed))?;
    }
    Ok(())
}
