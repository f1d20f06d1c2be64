//! `tail`: what a ring says.

mod follow;
mod history;
mod line;
mod printer;
mod source;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use ringbus::bus::Hash;
use ringbus::bus::schema::Schema;
use ringbus::{ReadFrom, Sequence};

use self::follow::Follow;
use self::history::History;
use self::line::Line;
use self::printer::Printer;
use crate::Outcome;
use crate::kinds::KindName;

/// So many records are shown, unless told.
const USUAL: u64 = 10;

/// Prints the records of a ring, decoded by the ring's own schema
///
/// A line each: sequence, height/order within the block, the first digits of the trace, the event. Where it was overrun, it says
/// `-- missed 4096 (sequences 100..4196) --`: 100 is the first of them, 4196 the one behind the last. With --json, records come
/// as `dump --json` has them, an object a line, and a loss as {"missed":4096,"from":100,"to":4196}. A ring that is no bus has
/// events of which nothing is known: they are shown as words of 64 bits, in hex.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The ring's file
    path: PathBuf,
    /// Goes on with what is published, until Ctrl-C; across restarts of the producer too, which are said
    #[arg(short, long)]
    follow: bool,
    /// So many records: the last ones [default: 10] or, with --from, the first ones [default: all]
    #[arg(short = 'n', long = "count", value_name = "COUNT")]
    count: Option<u64>,
    /// From this sequence on
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// Only those of these kinds: names of the schema, or numbers
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<KindName>,
    /// Only those that the transaction with this hash caused
    #[arg(long, value_name = "HASH")]
    trace: Option<Hash>,
    /// As JSON, an object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut source = source::attach(&arguments.path, arguments.start(), arguments.follow)?;
    arguments.check(source.file().info().schema.as_ref(), source.is_bus())?;
    if !source.is_bus() {
        let place = arguments.path.display();
        eprintln!("`{place}` is the ring of no bus: its events are shown as words, in hex");
    }
    let mut printer = Printer::new(arguments.json, source.schema());
    let end = source.file().cursor();
    let mut left = u64::MAX;
    if arguments.from.is_some() {
        left = arguments.count.unwrap_or(u64::MAX);
    } else {
        let mut history = History::new(arguments.count.unwrap_or(USUAL));
        history.read(&mut *source, end, |line, schema| arguments.lets_pass(line, schema))?;
        history.print(&mut printer)?;
    }
    let until = (!arguments.follow).then_some(end);
    let follow = Follow { until, left };
    follow.run(&mut *source, &mut printer, |line, schema| arguments.lets_pass(line, schema))?;
    printer.flush()?;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    fn start(&self) -> ReadFrom {
        match self.from {
            Some(from) => ReadFrom::Sequence(Sequence::new(from)),
            None => ReadFrom::Oldest { headroom: 0 },
        }
    }

    fn check(&self, schema: Option<&Schema>, is_bus: bool) -> Result<(), Box<dyn Error>> {
        if !is_bus && (!self.kind.is_empty() || self.trace.is_some()) {
            return Err(format!(
                "the ring in `{}` is no bus: nothing is known of its events, so that they cannot be chosen by --kind or --trace",
                self.path.display()
            )
            .into());
        }
        let schemas: Vec<Schema> = schema.into_iter().chain([Schema::bus()]).cloned().collect();
        Ok(self.kind.iter().try_for_each(|kind| kind.check(&schemas))?)
    }

    fn lets_pass(&self, line: &Line<'_>, schema: &Schema) -> bool {
        let Line::Record(record) = line else { return true };
        self.trace.is_none_or(|trace| trace == record.trace())
            && (self.kind.is_empty() || self.kind.iter().any(|kind| kind.is_of(record, schema)))
    }
}
