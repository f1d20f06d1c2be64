//! The table of consumers.

mod column;

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::model::{ConsumerRow, Model};
use super::super::view::{Sort, View};
use super::paint::Paint;
use super::table::{self, rest};
use super::text::{cut, width};
use column::Column;

/// No name gets less, as long as there is another column that can go.
const NAME: u16 = 11;
/// Longer names are cut, where that makes room for another column.
const LONG_NAME: u16 = 16;
/// No name gets more: the numbers are to stand beside it.
const LONGEST_NAME: u16 = 40;

/// The rows of all of it.
pub(super) fn height(model: &Model) -> u16 {
    let left_out = usize::from(left_out(model) > 0);
    u16::try_from(model.consumers.len().max(1) + left_out + 1).unwrap_or(u16::MAX)
}

pub(super) fn draw(model: &Model, view: &mut View, paint: Paint, area: Rect, buffer: &mut Buffer) {
    let columns = columns_for(&model.consumers, view.sort, area.width);
    let of_name = rest(area.width, columns.iter().map(|column| column.width())).min(LONGEST_NAME);
    let mark = |head: &str, sort: Option<Sort>| match (sort == Some(view.sort), view.is_reversed) {
        (false, _) => head.to_owned(),
        // Names begin with the first, numbers with the greatest.
        (true, is_reversed) if is_reversed == (view.sort == Sort::Name) => format!("{head}↓"),
        (true, _) => format!("{head}↑"),
    };
    let names = table::Column {
        head: mark("CONSUMER", Some(Sort::Name)),
        width: of_name,
        alignment: Alignment::Left,
    };
    let others = columns.iter().map(|column| table::Column {
        head: mark(column.head(), column.sort()),
        width: column.width(),
        alignment: column.alignment(),
    });
    let heads: Vec<_> = [names].into_iter().chain(others).collect();
    let cells = |row: &ConsumerRow| {
        let mut cells = vec![Span::raw(cut(&row.name, usize::from(of_name)))];
        cells.extend(columns.iter().map(|column| column.cell(row, paint)));
        cells
    };
    let mut rows: Vec<_> = view.sorted(&model.consumers).into_iter().map(cells).collect();
    let left_out = left_out(model);
    if left_out > 0 {
        rows.push(vec![Span::raw(cut(&format!("and {left_out} unreported"), usize::from(of_name)))]);
    }
    let is_empty = rows.is_empty();
    table::draw(&heads, rows, &mut view.scrolled.consumers, area, buffer);
    if is_empty {
        let text = if model.has_report() { "none" } else { "the core has not reported any" };
        let below = Rect { y: area.y.saturating_add(1), height: 1, ..area }.intersection(area);
        Line::from(text).render(below, buffer);
    }
}

fn left_out(model: &Model) -> u64 {
    model.last.as_ref().and_then(|last| last.report.as_ref()).map_or(0, |report| report.left_out)
}

/// The columns that fit beside the names; among them the one that the rows are sorted by.
fn columns_for(consumers: &[ConsumerRow], sort: Sort, columns: u16) -> Vec<Column> {
    let longest = consumers.iter().map(|row| width(&row.name) as u16).max().unwrap_or(0);
    let fit = |shown: &[Column]| {
        rest(columns, shown.iter().map(|column| column.width())) >= longest.clamp(NAME, LONG_NAME)
    };
    let mut shown = Column::ALL.to_vec();
    let has_latency = consumers.iter().any(|row| row.latency.is_some());
    if has_latency && !fit(&shown) {
        shown[0] = Column::KindInShort;
    }
    let droppable = Column::droppable(has_latency).into_iter();
    for droppable in droppable.filter(|column| column.sort() != Some(sort)) {
        if fit(&shown) {
            break;
        }
        shown.retain(|column| *column != droppable);
    }
    shown
}
