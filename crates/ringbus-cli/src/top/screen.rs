//! The screen: a model, drawn. It depends on nothing else, neither clock nor terminal.

mod consumers;
mod header;
mod help;
mod kinds;
mod paint;
mod table;
#[cfg(test)]
mod tests;
mod text;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::model::Model;
use super::view::View;
use header::Header;
use paint::Paint;

/// From so many columns on, the kinds stand beside the consumers.
const WIDE: u16 = 120;
/// How many of these the consumers get first, and the least and the most that the kinds get.
const CONSUMERS_COLUMNS: u16 = 110;
const KINDS_COLUMNS: [u16; 2] = [38, 64];
/// With less rows for both tables than this, and than they need, there are only the consumers.
const ENOUGH_FOR_BOTH: u16 = 12;
/// From so many rows on, there are empty ones between the parts, and a line about keys.
const TALL: u16 = 20;

/// Draws all of it. What has been scrolled beyond the last row is taken back.
pub(crate) fn draw(model: &Model, view: &mut View, area: Rect, buffer: &mut Buffer) {
    let paint = Paint { is_colored: view.is_colored };
    let gap = u16::from(area.height >= TALL || view.is_plain);
    let footer = u16::from(area.height >= TALL && !view.is_plain);
    let header = if view.is_plain { Header::of_text(model) } else { Header::new(model, area.height) };
    let [head, _, body, foot] = Layout::vertical([
        Constraint::Length(header.height()),
        Constraint::Length(gap),
        Constraint::Fill(1),
        Constraint::Length(footer),
    ])
    .areas(area);
    header.draw(model, view, paint, head, buffer);
    let [left, right] = body_areas(model, body, gap);
    consumers::draw(model, view, paint, left, buffer);
    kinds::draw(model, view, right, buffer);
    help::draw_footer(foot, buffer);
    if view.shows_help {
        help::draw(area, buffer);
    }
}

/// It as text of so many columns, and as many lines as all of it needs.
pub(crate) fn text(model: &Model, view: &mut View, columns: u16) -> String {
    view.is_plain = true;
    let header = Header::of_text(model).height();
    let [consumers, kinds] = [consumers::height(model), kinds::height(model)];
    let body = if columns >= WIDE { consumers.max(kinds) } else { consumers + 1 + kinds };
    let area = Rect::new(0, 0, columns, header + 1 + body);
    let mut buffer = Buffer::empty(area);
    draw(model, view, area, &mut buffer);
    text::lines_of(&buffer).join("\n") + "\n"
}

/// The places of the consumers and of the kinds; the latter's is empty where there is no room for both.
fn body_areas(model: &Model, body: Rect, gap: u16) -> [Rect; 2] {
    if body.width >= WIDE {
        let [least, most] = KINDS_COLUMNS;
        let kinds = body.width.saturating_sub(CONSUMERS_COLUMNS).clamp(least, most);
        let columns = [Constraint::Fill(1), Constraint::Length(kinds)];
        return Layout::horizontal(columns).spacing(2).areas(body);
    }
    let [consumers, kinds] = [consumers::height(model), kinds::height(model)];
    let room = body.height.saturating_sub(gap);
    // Both get what they need, or the kinds what the consumers leave, but half of it at least where that is worth a look.
    let kinds = if consumers.saturating_add(kinds) <= room {
        kinds
    } else if room < ENOUGH_FOR_BOTH {
        0
    } else {
        kinds.min(room.saturating_sub(consumers).max(room / 2))
    };
    let gap = if kinds == 0 { 0 } else { gap };
    let [consumers, _, kinds, _] = Layout::vertical([
        Constraint::Length(consumers.min(body.height - kinds - gap)),
        Constraint::Length(gap),
        Constraint::Length(kinds),
        Constraint::Fill(1),
    ])
    .areas(body);
    [consumers, kinds]
}
