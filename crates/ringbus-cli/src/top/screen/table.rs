//! A table of which not all rows may fit.

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Row, Table, Widget};

use super::paint::Paint;

/// A column.
pub(super) struct Column {
    pub(super) head: String,
    pub(super) width: u16,
    /// Words are to the left, numbers to the right.
    pub(super) alignment: Alignment,
}

/// Draws a head and as many rows as there is room for, behind those that were scrolled by. Where not all fit, a line says which are
/// shown. `scrolled` is lowered to what makes sense.
pub(super) fn draw(
    columns: &[Column],
    rows: Vec<Vec<Span<'_>>>,
    scrolled: &mut usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    let all = rows.len();
    let room = usize::from(area.height.saturating_sub(1));
    // With less than two rows, none is given away.
    let fitting = if all > room && room >= 2 { room - 1 } else { room };
    *scrolled = (*scrolled).min(all.saturating_sub(fitting));
    let shown = rows.into_iter().skip(*scrolled).take(fitting);
    let cells = |spans: Vec<Span<'_>>| {
        let lines = spans.into_iter().zip(columns).map(|(span, column)| {
            Line::from(span.content.into_owned()).style(span.style).alignment(column.alignment)
        });
        Row::new(lines.collect::<Vec<_>>())
    };
    let heads = columns.iter().map(|column| Span::raw(column.head.clone())).collect();
    let widths = columns.iter().map(|column| Constraint::Length(column.width));
    let table = Table::new(shown.map(cells).collect::<Vec<_>>(), widths).column_spacing(1);
    let drawn = Rect { height: area.height.min(fitting as u16 + 1), ..area };
    Widget::render(table.header(cells(heads).style(Paint::HEADING)), drawn, buffer);
    if fitting < room {
        let last = Rect { y: area.y + area.height - 1, height: 1, ..area };
        let text = format!("rows {}-{} of {all}", *scrolled + 1, (*scrolled + fitting).min(all));
        Line::from(text).render(last, buffer);
    }
}

/// How many columns are left for the first one beside these.
pub(super) fn rest(width: u16, others: impl IntoIterator<Item = u16>) -> u16 {
    others.into_iter().fold(width, |rest, other| rest.saturating_sub(other + 1))
}
