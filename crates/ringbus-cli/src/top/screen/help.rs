//! What the keys are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph, Widget};

use super::super::keys::HELP;
use super::paint::Paint;
use super::text::cut;

const FOOTER: &str = " q quit  p pause  +/- interval  onlrmw sort  R reverse  Tab ↑↓ scroll  ? help";

/// The line at the bottom.
pub(super) fn draw_footer(area: Rect, buffer: &mut Buffer) {
    Line::from(cut(FOOTER, usize::from(area.width))).render(area, buffer);
}

/// All keys, in front of the rest.
pub(super) fn draw(area: Rect, buffer: &mut Buffer) {
    let lines: Vec<Line<'_>> =
        HELP.iter().map(|(keys, what)| Line::from(format!(" {keys:16}{what}"))).collect();
    let columns = lines.iter().map(Line::width).max().unwrap_or(0) as u16 + 3;
    let [width, height] = [columns.min(area.width), (lines.len() as u16 + 2).min(area.height)];
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(place, buffer);
    let block = Block::bordered().title(Line::styled(" Keys ", Paint::STRONG));
    Paragraph::new(lines).block(block).render(place, buffer);
}
