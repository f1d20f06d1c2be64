//! Going on with what is published.

use std::error::Error;
use std::thread;
use std::time::Instant;

use ringbus::Sequence;
use ringbus::bus::schema::Schema;
use ringbus::shared::ObserveError;

use super::line::Line;
use super::printer::Printer;
use super::source::Source;
use crate::interrupt::{Interrupt, NAP};

/// What was printed is seen after so many lines at the latest, those that are not wanted included.
const FLUSH: u64 = 1024;

/// How long it goes on.
pub(super) struct Follow {
    /// Up to this sequence; without it, for ever.
    pub(super) until: Option<Sequence>,
    /// So many lines.
    pub(super) left: u64,
}

impl Follow {
    /// Prints what is wanted.
    pub(super) fn run(
        mut self,
        source: &mut dyn Source,
        printer: &mut Printer,
        is_wanted: impl Fn(&Line<'_>, &Schema) -> bool,
    ) -> Result<(), Box<dyn Error>> {
        let interrupt = Interrupt::catch()?;
        let (mut unseen, mut deadline) = (0, None);
        while self.left > 0
            && self.until.is_none_or(|until| source.position() < until)
            && !interrupt.has_come()
        {
            unseen += 1;
            match source.recv(deadline.take()) {
                Ok(line) if is_wanted(&line, printer.schema()) => {
                    printer.line(&line)?;
                    self.left -= 1;
                }
                Ok(_) => {}
                Err(ObserveError::Lagged { missed, resumed_at }) => printer.missed(missed, resumed_at)?,
                Err(ObserveError::Empty) => {
                    if printer.is_closed() {
                        return Ok(());
                    }
                    deadline = Some(Instant::now() + NAP);
                    unseen = FLUSH;
                }
                Err(ObserveError::Ended(_)) if self.until.is_some() => return Ok(()),
                Err(ObserveError::Ended(end)) => printer.ended(&end, source.position())?,
                Err(ObserveError::Restarted { resumed_at }) => {
                    printer.restarted(source.file().info(), source.schema(), resumed_at)?;
                }
                // It may be replaced by one that can be read.
                Err(ObserveError::Attach(error)) => {
                    eprintln!("ringbus: {error}");
                    thread::sleep(NAP);
                }
                Err(error) => return Err(error.into()),
            }
            if unseen >= FLUSH {
                printer.flush()?;
                unseen = 0;
            }
        }
        Ok(())
    }
}
