//! The screen in a terminal, until somebody ends it.

use std::error::Error;
use std::io::{self, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, enable_raw_mode};
use signal_hook::consts::SIGTSTP;

use super::keys::{self, Command};
use super::model::Model;
use super::screen;
use super::source::Source;
use super::view::View;
use crate::Outcome;
use crate::interrupt::Interrupt;

/// How long a signal may wait to be noticed. (Ctrl-C is a key here.)
const SIGNALS: Duration = Duration::from_millis(100);

/// Shows the ring until a key or a signal ends it. The terminal is then as it was before, after a panic too.
pub(crate) fn run(mut source: Source, mut model: Model, mut view: View) -> Outcome {
    let interrupt = Interrupt::catch()?;
    let mut terminal = ratatui::try_init()?;
    let _restored = Restored;
    let mut due = Instant::now();
    while !interrupt.has_come() {
        let now = Instant::now();
        if now >= due {
            if !view.is_paused {
                model.look(source.look());
            }
            due = now + view.interval;
        }
        terminal.draw(|frame| screen::draw(&model, &mut view, frame.area(), frame.buffer_mut()))?;
        match next_command(due, &mut view)? {
            Some(Command::Quit) => break,
            Some(Command::Suspend) => suspend(&mut terminal)?,
            None => {}
        }
        // An interval that has become shorter holds at once.
        due = due.min(Instant::now() + view.interval);
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for keys, and a change of the terminal's size, until it is time for a look or for signals.
fn next_command(due: Instant, view: &mut View) -> io::Result<Option<Command>> {
    let mut wait = due.saturating_duration_since(Instant::now()).min(SIGNALS);
    while event::poll(wait)? {
        if let Event::Key(key) = event::read()?
            && let Some(command) = keys::press(key, view)
        {
            return Ok(Some(command));
        }
        // What else was typed; then it is drawn.
        wait = Duration::ZERO;
    }
    Ok(None)
}

/// Gives the terminal back, stops as the shell expects it of Ctrl-Z, and goes on when it is told to.
fn suspend(terminal: &mut DefaultTerminal) -> Result<(), Box<dyn Error>> {
    ratatui::try_restore()?;
    signal_hook::low_level::emulate_default_handler(SIGTSTP)?;
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen)?;
    terminal.clear()?;
    Ok(())
}

/// Restores the terminal.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
