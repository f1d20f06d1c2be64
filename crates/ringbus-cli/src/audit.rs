//! `audit`: why something happened, by what a store keeps.

mod layouts;

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ringbus::Sequence;
use ringbus::bus::{Answer, Hash, OwnedRecord, RecordRef};
use ringbus_store::sqlite::{SqliteError, SqliteReader};

use self::layouts::Layouts;
use crate::Outcome;
use crate::lines::write_line;

/// Tells what a transaction caused, what led to an event, or what a block has, by a store
///
/// The store is a database of `ringbus-store`; whoever writes to it goes on meanwhile. Events come as a tree, by block and cause,
/// each with its number within the block, decoded by the layouts that are kept beside them. With --json they come as `dump
/// --json` has them, an object a line. It ends with 1 if there is nothing to tell of.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// The store's file
    db: PathBuf,
    #[command(flatten)]
    question: Question,
    /// Events as JSON, an object a line
    #[arg(long)]
    json: bool,
    /// Nests events under those that led to them: for cores whose triggers name the kind of that event
    #[arg(long, conflicts_with_all = ["json", "cause_of"])]
    nest: bool,
}

/// What is asked for: one of these.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct Question {
    /// The events that the transaction with this hash caused; for a block's hash, the block's own, outside of transactions
    #[arg(long, value_name = "HASH")]
    tx: Option<Hash>,
    /// What led to the event with this sequence: the events of its transaction, up to it
    #[arg(long, value_name = "SEQ")]
    cause_of: Option<u64>,
    /// The events of this block (of all blocks of this height)
    #[arg(long, value_name = "HEIGHT")]
    block: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    expect_file(&arguments.db)?;
    let store = SqliteReader::open(&arguments.db)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let Question { tx, cause_of, block } = arguments.question;
    if let Some(hash) = tx {
        let answer = store.audit(&store.blocks_with(&hash)?)?.transaction(&hash);
        let what = format!("events of transaction {hash}");
        arguments.write_answer(&mut out, &store, &answer, &what)?;
    } else if let Some(height) = block {
        let answer = store.audit(&store.blocks_at(height)?)?.block(height);
        arguments.write_answer(&mut out, &store, &answer, &format!("block of height {height}"))?;
    } else if let Some(sequence) = cause_of {
        arguments.write_what_led_to(&mut out, &store, Sequence::new(sequence))?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn expect_file(db: &Path) -> Result<(), String> {
    let place = db.display();
    match fs::metadata(db) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => {
            Err(format!("`{place}` is no regular file; expected the database of a store: check the path"))
        }
        Err(error) => Err(format!(
            "cannot look at `{place}`: {error}; expected the database of a store: check the path"
        )),
    }
}

impl Arguments {
    fn write_answer(
        &self,
        out: &mut impl Write,
        store: &SqliteReader,
        answer: &Answer,
        what: &str,
    ) -> Result<(), Box<dyn Error>> {
        if answer.is_empty() {
            return Err(self.has_no(store, what)?.into());
        }
        let layouts = Layouts::of(store, answer.records())?;
        if self.json {
            return write_lines(out, true, &layouts, answer.records());
        }
        let tree = answer.tree().describe(|record| layouts.schema(record).display(record).to_string());
        let leads = |earlier: &RecordRef<'_>, later: &RecordRef<'_>| {
            earlier.kind().get() == u16::from(later.origin().trigger.kind)
        };
        let tree = if self.nest { tree.nest(leads) } else { tree };
        Ok(write!(out, "{tree}")?)
    }

    fn write_what_led_to(
        &self,
        out: &mut impl Write,
        store: &SqliteReader,
        sequence: Sequence,
    ) -> Result<(), Box<dyn Error>> {
        let Some(cause) = store.cause_of(sequence)? else {
            return Err(self.has_no(store, &format!("event with sequence {sequence}"))?.into());
        };
        let led_to = store.led_to(sequence)?;
        let records = || led_to.iter().map(OwnedRecord::record);
        if !self.json {
            writeln!(out, "caused by {cause}")?;
        }
        write_lines(out, self.json, &Layouts::of(store, records())?, records())
    }

    /// Says that there is nothing, and what there is.
    fn has_no(&self, store: &SqliteReader, what: &str) -> Result<String, SqliteError> {
        let (place, stream) = (self.db.display(), store.stream());
        Ok(match store.checkpoint()? {
            Some(end) => format!(
                "`{place}` has no {what}; it has {} records of stream `{stream}`, up to sequence {}, block {}: \
                 check what was asked for, or wait until the store is there",
                end.records, end.next, end.height
            ),
            None => format!("`{place}` has no {what}: no block of stream `{stream}` is in it yet"),
        })
    }
}

fn write_lines<'a>(
    out: &mut impl Write,
    json: bool,
    layouts: &Layouts,
    records: impl Iterator<Item = RecordRef<'a>>,
) -> Result<(), Box<dyn Error>> {
    for record in records {
        write_line(out, json, layouts.schema(&record), &record)?;
    }
    Ok(())
}
