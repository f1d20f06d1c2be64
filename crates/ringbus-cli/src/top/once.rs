//! One screen, as text.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

use ratatui::crossterm::terminal;

use super::model::Model;
use super::screen;
use super::source::Source;
use super::view::View;
use crate::Outcome;

/// Where neither a terminal nor `COLUMNS` says how wide it is.
const COLUMNS: u16 = 80;

/// Looks twice, and prints what has happened between.
pub(crate) fn run(mut source: Source, mut model: Model, mut view: View, is_on_terminal: bool) -> Outcome {
    model.look(source.look());
    thread::sleep(view.interval);
    model.look(source.look());
    let text = screen::text(&model, &mut view, columns(is_on_terminal));
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn columns(is_on_terminal: bool) -> u16 {
    let of_terminal = || terminal::size().ok().map(|(columns, _)| columns).filter(|_| is_on_terminal);
    let said = || env::var("COLUMNS").ok()?.parse().ok();
    of_terminal().or_else(said).unwrap_or(COLUMNS).max(20)
}
