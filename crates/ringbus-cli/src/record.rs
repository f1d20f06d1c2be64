//! `record`: from a running ring to a journal.

mod recorder;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use ringbus::bus::RecordObserver;
use ringbus::shared::ObserveError;
use ringbus::{End, ReadFrom, Sequence};

use self::recorder::Recorder;
use crate::Outcome;
use crate::interrupt::{Interrupt, NAP};
use crate::progress::{bar, grouped};
use crate::seconds::seconds;

/// Records that are written together, at most.
const BATCH: u64 = 1024;

/// Records what a ring says, to a new journal, until it ends or Ctrl-C
///
/// The core does not notice: a recorder that is too slow is overrun, and notes the gap in the journal, so that `verify`, `dump`
/// and all others who read it are told. It ends with 1 if there is one, unless --allow-gaps. The journal is synced at the end,
/// and where a segment is full; syncing more often would make it slow.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The ring's file
    path: PathBuf,
    /// The directory of the journal, which is made if need be and must have nothing in it
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// From this sequence on, or `oldest`: from the oldest record that is there still [default: what comes from now on]
    #[arg(long, value_name = "SEQ")]
    from: Option<From>,
    /// Ends with 0 though something was missed
    #[arg(long)]
    allow_gaps: bool,
    /// Ends after so many seconds
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    duration: Option<Duration>,
    /// Ends after so many records
    #[arg(short = 'n', long, value_name = "COUNT")]
    count: Option<u64>,
}

/// Where it begins.
#[derive(Clone, Copy, Debug)]
enum From {
    Oldest,
    Sequence(Sequence),
}

impl FromStr for From {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "oldest" => Ok(Self::Oldest),
            _ => text
                .parse()
                .map(|number| Self::Sequence(Sequence::new(number)))
                .map_err(|_| "expected a sequence, or `oldest`"),
        }
    }
}

/// Why it is over.
enum Over {
    Ended(End),
    Enough,
    Interrupted,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    refuse_to_overwrite(&arguments.output)?;
    let interrupt = Interrupt::catch()?;
    let observer = RecordObserver::builder(&arguments.path).start(arguments.start());
    let mut observer = observer.attach()?;
    let from = match arguments.from {
        Some(From::Sequence(from)) => from,
        _ => observer.position(),
    };
    let mut recorder = Recorder::new(observer.file().info(), from, &arguments.output)?;
    let recorded = arguments.record(&mut observer, &mut recorder, &interrupt);
    // What came before an error is kept too.
    let closed = recorder.close(observer.position());
    let over = recorded?;
    closed?;
    arguments.report(&over, &recorder)?;
    match recorder.missed {
        0 => Ok(ExitCode::SUCCESS),
        _ if arguments.allow_gaps => Ok(ExitCode::SUCCESS),
        missed => Err(format!(
            "the recording lacks {} sequences, in {}: they had been overwritten before they could be read; begin later, record on a \
             faster disk, give the ring more capacity, or say --allow-gaps",
            grouped(missed),
            gaps(recorder.gaps)
        )
        .into()),
    }
}

fn gaps(gaps: u64) -> String {
    format!("{} {}", grouped(gaps), if gaps == 1 { "gap" } else { "gaps" })
}

fn refuse_to_overwrite(directory: &Path) -> Result<(), Box<dyn Error>> {
    let place = directory.display();
    match fs::read_dir(directory).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(format!(
            "`{place}` has something in it already; expected an empty directory, or none: nothing was recorded, choose another"
        )
        .into()),
        Ok(false) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot look into `{place}`: {error}; expected an empty directory, or none").into()),
    }
}

impl Arguments {
    fn start(&self) -> ReadFrom {
        match self.from {
            Some(From::Oldest) => ReadFrom::Oldest { headroom: 0 },
            Some(From::Sequence(from)) => ReadFrom::Sequence(from),
            None => ReadFrom::Newest,
        }
    }

    fn record(
        &self,
        observer: &mut RecordObserver,
        recorder: &mut Recorder,
        interrupt: &Interrupt,
    ) -> Result<Over, Box<dyn Error>> {
        let progress = bar("recording", "records", self.count);
        let until = self.duration.map(|duration| Instant::now() + duration);
        let (mut unwritten, mut deadline) = (0, None);
        loop {
            if self.count.is_some_and(|count| count <= recorder.records) {
                return Ok(Over::Enough);
            }
            let received = match deadline.take() {
                Some(deadline) => observer.recv_deadline(deadline),
                None => observer.try_recv(),
            };
            let is_idle = match received {
                Ok(record) => {
                    recorder.take(record)?;
                    unwritten += 1;
                    if unwritten < BATCH {
                        continue;
                    }
                    false
                }
                Err(ObserveError::Empty) => true,
                // What is missing shows by the sequence of what comes next.
                Err(ObserveError::Lagged { .. }) => continue,
                Err(ObserveError::Ended(end)) => return Ok(Over::Ended(end)),
                Err(error) => return Err(error.into()),
            };
            recorder.write()?;
            unwritten = 0;
            progress.set_position(recorder.records);
            let now = Instant::now();
            if interrupt.has_come() {
                return Ok(Over::Interrupted);
            }
            if until.is_some_and(|until| until <= now) {
                return Ok(Over::Enough);
            }
            if is_idle {
                deadline = Some(until.map_or(now + NAP, |until| until.min(now + NAP)));
            }
        }
    }

    fn report(&self, over: &Over, recorder: &Recorder) -> io::Result<()> {
        let place = self.output.display();
        let mut out = io::stdout();
        match recorder.sequences {
            Some((first, last)) => writeln!(
                out,
                "{} records, sequences {first} to {last}, are in the journal `{place}`; {} sequences are missing, in {}",
                grouped(recorder.records),
                grouped(recorder.missed),
                gaps(recorder.gaps)
            )?,
            None => writeln!(out, "nothing came, and no journal was made")?,
        }
        match over {
            Over::Ended(end) => writeln!(out, "it ended with the ring: {end}"),
            Over::Enough => writeln!(out, "it ended as it was told to"),
            Over::Interrupted => writeln!(out, "it was interrupted"),
        }
    }
}
