//! What a ring said last.

use std::collections::VecDeque;
use std::io;

use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::shared::ObserveError;

use super::line::{Line, OwnedLine};
use super::printer::Printer;
use super::source::Source;

/// The last lines, and the losses between them.
pub(super) struct History {
    most: u64,
    lines: u64,
    items: VecDeque<Item>,
}

enum Item {
    Line(OwnedLine),
    Missed { missed: u64, resumed_at: Sequence },
}

impl History {
    /// Of so many lines at most.
    pub(super) fn new(most: u64) -> Self {
        Self { most, lines: 0, items: VecDeque::new() }
    }

    /// Reads all before `end`.
    pub(super) fn read(
        &mut self,
        source: &mut dyn Source,
        end: Sequence,
        is_wanted: impl Fn(&Line<'_>, &Schema) -> bool,
    ) -> Result<(), ObserveError> {
        let schema = source.schema();
        while source.position() < end {
            match source.recv(None) {
                Ok(line) if is_wanted(&line, &schema) => self.push(line.to_owned()),
                Ok(_) => {}
                Err(ObserveError::Lagged { missed, resumed_at }) => self.lagged(missed, resumed_at),
                Err(ObserveError::Empty | ObserveError::Ended(_)) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn push(&mut self, line: OwnedLine) {
        self.lines += 1;
        self.items.push_back(Item::Line(line));
        while self.lines > self.most {
            self.lines -= u64::from(matches!(self.items.pop_front(), Some(Item::Line(_))));
        }
        self.drop_leading_losses();
    }

    fn lagged(&mut self, missed: u64, resumed_at: Sequence) {
        self.items.push_back(Item::Missed { missed, resumed_at });
        self.drop_leading_losses();
    }

    /// Nobody has asked for what is before the first line.
    fn drop_leading_losses(&mut self) {
        while matches!(self.items.front(), Some(Item::Missed { .. })) {
            self.items.pop_front();
        }
    }

    pub(super) fn print(&self, printer: &mut Printer) -> io::Result<()> {
        self.items.iter().try_for_each(|item| match item {
            Item::Line(line) => printer.line(&line.line()),
            Item::Missed { missed, resumed_at } => printer.missed(*missed, *resumed_at),
        })
    }
}
