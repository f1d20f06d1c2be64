//! `dump`: the records of a journal, printed.

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::bus::{Hash, RecordRef};
use ringbus_journal::{Extent, JournalReader, Start};

use crate::kinds::KindName;
use crate::lines::write_line;
use crate::{Outcome, journal};

/// Prints records, decoded by the schema that was kept with them
///
/// A line each: sequence, height/order within the block, the first digits of the trace, the event.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The directory of the journal
    dir: PathBuf,
    /// As JSON, an object a line
    #[arg(long)]
    json: bool,
    /// From this sequence on [default: from the oldest record on]
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// Up to the record before this sequence
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// Only those of this block (all blocks of this height)
    #[arg(long, value_name = "HEIGHT")]
    block: Option<u64>,
    /// Only those that the transaction with this hash caused
    #[arg(long, value_name = "HASH")]
    trace: Option<Hash>,
    /// Only those of these kinds: names of the schema, or numbers
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<KindName>,
    /// Only the first so many
    #[arg(short = 'n', long = "count", value_name = "COUNT")]
    count: Option<u64>,
    /// Steps over what is damaged or was missed, and says so on standard error
    #[arg(long)]
    step_over: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut reader = journal::open(&arguments.dir)?;
    arguments.check_kinds(&reader)?;
    if let Some(start) = arguments.start() {
        journal::seek(&mut reader, start, arguments.step_over)?;
    }
    reader.only_trace(arguments.trace);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut left = arguments.count.unwrap_or(u64::MAX);
    if left > 0 {
        journal::for_each(&mut reader, arguments.step_over, |schema, record| {
            if arguments.is_before(&record) {
                return Ok(ControlFlow::Break(()));
            }
            if arguments.lets_pass(schema, &record) {
                write_line(&mut out, arguments.json, schema, &record)?;
                left -= 1;
            }
            Ok(if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    fn start(&self) -> Option<Start> {
        self.from.map(Sequence::new).map(Start::Sequence).or(self.block.map(Start::Block))
    }

    /// Whether what is asked for ends before this record.
    fn is_before(&self, record: &RecordRef<'_>) -> bool {
        self.to.is_some_and(|end| end <= record.sequence().get())
            || self.block.is_some_and(|height| height < record.block_height())
    }

    fn lets_pass(&self, schema: &Schema, record: &RecordRef<'_>) -> bool {
        self.block.is_none_or(|height| height == record.block_height())
            && (self.kind.is_empty() || self.kind.iter().any(|kind| kind.is_of(record, schema)))
    }

    /// Makes sure that the first or the last schema knows each kind that is named: else a slip of the pen would print nothing.
    fn check_kinds(&self, first: &JournalReader) -> Result<(), Box<dyn Error>> {
        if self.kind.is_empty() {
            return Ok(());
        }
        let mut last = JournalReader::open(&self.dir, Extent::Written)?;
        last.seek(Start::Time(i64::MAX))?;
        let schemas: Vec<Schema> =
            [first, &last].into_iter().filter_map(JournalReader::schema).cloned().collect();
        self.kind.iter().try_for_each(|kind| kind.check(&schemas))?;
        Ok(())
    }
}
