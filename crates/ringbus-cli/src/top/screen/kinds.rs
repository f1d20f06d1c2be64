//! The table of kinds.

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::format::{count, percent, short};
use super::super::model::{KindRow, Model};
use super::super::view::View;
use super::table::{self, rest};
use super::text::{cut, width};

/// The columns behind the name, and how wide they are.
const COLUMNS: [(&str, u16); 3] = [("EVENTS/S", 8), ("SHARE", 5), ("COUNTED", 7)];
/// With less for the name, the last of these goes.
const NARROW: u16 = 20;
/// With so many for the name, the numbers stand beside it and not at the other end of the screen.
const NAME: u16 = 40;

/// The rows of all of it.
pub(super) fn height(model: &Model) -> u16 {
    let rows = model.kinds.as_ref().map_or(0, |kinds| kinds.rows.len());
    u16::try_from(rows.max(1) + 1).unwrap_or(u16::MAX)
}

pub(super) fn draw(model: &Model, view: &mut View, area: Rect, buffer: &mut Buffer) {
    let left_by = |columns: &[(&str, u16)]| rest(area.width, columns.iter().map(|(_, width)| *width));
    let columns = if left_by(&COLUMNS) < NARROW { &COLUMNS[..2] } else { &COLUMNS };
    let of_name = left_by(columns).min(NAME);
    let sampled = model.kinds.as_ref().and_then(|kinds| kinds.sampled);
    let names = table::Column {
        head: head(sampled, usize::from(of_name)),
        width: of_name,
        alignment: Alignment::Left,
    };
    let numbers = columns.iter().map(|&(head, width)| table::Column {
        head: head.to_owned(),
        width,
        alignment: Alignment::Right,
    });
    let heads: Vec<_> = [names].into_iter().chain(numbers).collect();
    let estimated = if sampled.is_some() { "~" } else { "" };
    let cells = |row: &KindRow| {
        let rate = row.rate.map_or_else(
            || "-".to_owned(),
            |rate| match rate {
                0.0 => "0".to_owned(),
                rate => format!("{estimated}{}", short(rate)),
            },
        );
        let share = row.share.map_or_else(|| "-".to_owned(), percent);
        let numbers = [rate, share, count(row.count, 7)].into_iter().take(columns.len());
        [cut(&row.name, usize::from(of_name))].into_iter().chain(numbers).map(Span::raw).collect()
    };
    let rows: Vec<Vec<_>> = model.kinds.iter().flat_map(|kinds| &kinds.rows).map(cells).collect();
    let is_empty = rows.is_empty();
    table::draw(&heads, rows, &mut view.scrolled.kinds, area, buffer);
    if is_empty {
        let why = model.facts.uncounted.as_deref().unwrap_or("none has come yet");
        let below = Rect { y: area.y.saturating_add(1), height: 1, ..area }.intersection(area);
        Line::from(cut(why, usize::from(area.width))).render(below, buffer);
    }
}

/// The name of the first column, and how much was seen, if not all was.
fn head(sampled: Option<f64>, columns: usize) -> String {
    let Some(seen) = sampled else { return "KIND".to_owned() };
    let long = format!("KIND (sampled: saw {})", percent(seen));
    if width(&long) <= columns { long } else { format!("KIND, saw {}", percent(seen)) }
}
