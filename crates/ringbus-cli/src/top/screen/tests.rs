//! The screen, drawn into memory.

mod choices;
mod sizes;
mod words;

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyCode;
use ratatui::style::{Color, Modifier};
use ringbus::End;
use ringbus::shared::Liveness;
use ringbus::stats::ConsumerState;

use super::super::keys;
use super::super::sample::{Consumer, Look, Sample};
use super::super::testing::{facts, kinds, latency, optional, report, required, sample, waits};
use super::*;

fn consumers(round: u64) -> Vec<Consumer> {
    let mut journal = required("journal", 400_000 * round, 2_500);
    journal.waits = waits(2 * round, 16 * round);
    journal.latency = latency(1_200, 45_000, 3_000_000);
    let mut keeper = required("positions", 400_000 * round, 120);
    keeper.waits = waits(round, 4 * round);
    let mut audit = optional("audit log", 10, 0, 40);
    audit.state = ConsumerState::Paused;
    vec![journal, keeper, optional("monitor", 1_000 * round, 4_096 * round, 9_500), audit]
}

fn look(round: u64) -> Sample {
    let at = 500 * round;
    Sample {
        report: Some(report(at, waits(3 * round, 20 * round), consumers(round))),
        kinds: kinds(100_000 * round, 300_000 * round, 0, 0),
        ..sample(at, 400_000 * round)
    }
}

fn model() -> Model {
    let mut model = Model::new(facts());
    (1..=3).for_each(|round| model.look(Look::Same(look(round))));
    model
}

fn view() -> View {
    View::new(Duration::from_millis(500), false)
}

fn drawn(model: &Model, view: &mut View, columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(model, view, frame.area(), frame.buffer_mut())).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(model: &Model, view: &mut View, columns: u16, rows: u16) -> Vec<String> {
    text::lines_of(&drawn(model, view, columns, rows))
}

/// The words of the line that begins with this one.
fn words<'a>(lines: &'a [String], first: &str) -> Vec<&'a str> {
    let line = lines.iter().find(|line| line.trim_start().starts_with(first));
    line.unwrap_or_else(|| panic!("no line begins with {first:?}:\n{}", lines.join("\n")))
        .split_whitespace()
        .collect()
}
