//! Lines on standard output, and what is said between them.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use ringbus::bus::schema::Schema;
use ringbus::shared::Info;
use ringbus::{End, Sequence};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::line::{Line, words};
use crate::lines::write_line;

/// Prints lines, as text or as JSON.
pub(super) struct Printer {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    schema: Schema,
}

impl Printer {
    /// Of records of this schema.
    pub(super) fn new(json: bool, schema: Schema) -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), json, schema }
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        match line {
            Line::Record(record) => write_line(&mut self.out, self.json, &self.schema, record),
            Line::Event(sequence, bytes) => self.event(*sequence, bytes),
        }
    }

    fn event(&mut self, sequence: Sequence, event: &[u8]) -> io::Result<()> {
        if self.json {
            let words: Vec<_> = words(event).collect();
            return writeln!(self.out, "{}", json!({"sequence": sequence.get(), "words": words}));
        }
        write!(self.out, "{sequence:>10}")?;
        words(event).try_for_each(|word| write!(self.out, " {word}"))?;
        writeln!(self.out)
    }

    /// It was overrun.
    pub(super) fn missed(&mut self, missed: u64, resumed_at: Sequence) -> io::Result<()> {
        let (from, to) = (resumed_at.get() - missed, resumed_at.get());
        let text = format!("missed {missed} (sequences {from}..{to})");
        self.note(&text, &json!({"missed": missed, "from": from, "to": to}))
    }

    /// No more will come of this ring, of which all before `end_at` was read.
    pub(super) fn ended(&mut self, end: &End, end_at: Sequence) -> io::Result<()> {
        self.note(&format!("{end}"), &json!({"ended": end.to_string(), "at": end_at.get()}))
    }

    /// The core was started anew, and what its ring has comes from now on.
    pub(super) fn restarted(&mut self, info: &Info, schema: Schema, resumed_at: Sequence) -> io::Result<()> {
        self.schema = schema;
        let (process, at) = (info.process_id, resumed_at.get());
        let text = format!("restarted as process {process}; goes on at sequence {at}");
        self.note(&text, &json!({"restarted": process, "at": at}))
    }

    fn note(&mut self, text: &str, json: &Value) -> io::Result<()> {
        if self.json { writeln!(self.out, "{json}") } else { writeln!(self.out, "-- {text} --") }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Whether nobody reads the output any more. Who has nothing to write is not told otherwise.
    pub(super) fn is_closed(&self) -> bool {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            return false;
        }
        let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
        let asked = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        asked.is_ok() && polled[0].revents().contains(PollFlags::ERR)
    }
}
