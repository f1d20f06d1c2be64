//! The lines above the tables: what ring it is, its state, rate, fill and waits.

mod notice;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Sparkline, Widget};

use super::super::format::{percent, short};
use super::super::model::Model;
use super::super::view::View;
use super::paint::Paint;
use super::text::{cut, cut_in_front, width};
use crate::health::Health;
use crate::progress::grouped;
use crate::seconds::rounded;

/// The columns of what a line is called.
const LABEL: u16 = 10;
/// The columns of the number behind it.
const NUMBER: u16 = 6;

/// What is said on a screen, from top to bottom.
#[derive(Debug)]
pub(super) struct Header {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Title,
    Identity,
    Notice,
    Cursor,
    Rate { rows: u16 },
    Fill,
    Waited,
}

impl Part {
    fn rows(self) -> u16 {
        if let Self::Rate { rows } = self { rows } else { 1 }
    }
}

impl Header {
    /// All of it, as text.
    pub(super) fn of_text(model: &Model) -> Self {
        Self::new(model, 29)
    }

    /// What a screen of so many rows has room for.
    pub(super) fn new(model: &Model, rows: u16) -> Self {
        let of_rate = match rows {
            ..30 => 1,
            30..40 => 3,
            _ => 6,
        };
        let parts = [
            (Part::Title, true),
            (Part::Identity, rows >= 14),
            (Part::Notice, rows >= 8 && notice::of(model).is_some()),
            (Part::Cursor, rows >= 12),
            (Part::Rate { rows: of_rate }, true),
            (Part::Fill, rows >= 6),
            (Part::Waited, rows >= 6),
        ];
        Self { parts: parts.into_iter().filter(|(_, has_room)| *has_room).map(|(part, _)| part).collect() }
    }

    pub(super) fn height(&self) -> u16 {
        self.parts.iter().map(|part| part.rows()).sum()
    }

    pub(super) fn draw(&self, model: &Model, view: &View, paint: Paint, area: Rect, buffer: &mut Buffer) {
        let mut y = area.y;
        for part in &self.parts {
            let rows = Rect { y, height: part.rows(), ..area }.intersection(area);
            y += part.rows();
            match part {
                Part::Title => title(model, view, paint, rows, buffer),
                Part::Identity => identity(model, rows.width).render(rows, buffer),
                Part::Notice => notice::draw(model, paint, rows, buffer),
                Part::Cursor => cursor(model).render(rows, buffer),
                Part::Rate { .. } => rate(model, paint, rows, buffer),
                Part::Fill => fill(model, paint, rows.width).render(rows, buffer),
                Part::Waited => waited(model, rows.width).render(rows, buffer),
            }
        }
    }
}

fn title(model: &Model, view: &View, paint: Paint, area: Rect, buffer: &mut Buffer) {
    let health = model.last.as_ref().map(|last| Health::of(&last.liveness));
    let state = health.map_or("", Health::word);
    let style = health.map_or(Style::new(), |health| state_style(health, paint));
    let mut left = Line::from(vec![
        Span::raw(" ringbus top  "),
        Span::styled(model.facts.name.clone(), Paint::STRONG),
        Span::raw("  "),
        Span::styled(state, style.patch(Paint::STRONG)),
    ]);
    if view.is_paused {
        left.push_span(Span::styled("  PAUSED", Paint::STRONG));
    }
    let keys = if view.is_plain { "" } else { "  ? help" };
    let right = format!("every {} ms{keys} ", view.interval.as_millis());
    buffer.set_style(area, Paint::HEADING);
    if left.width() + width(&right) < usize::from(area.width) {
        Line::from(right).right_aligned().render(area, buffer);
    }
    left.render(area, buffer);
}

fn state_style(health: Health, paint: Paint) -> Style {
    match health {
        Health::Alive => paint.good(),
        Health::Ended(_) | Health::Stalled => paint.doubtful(),
        Health::Dead | Health::Failed(_) => paint.bad(),
    }
}

fn identity(model: &Model, columns: u16) -> Line<'_> {
    let (facts, columns) = (&model.facts, usize::from(columns));
    let stream = facts.stream.iter().map(|stream| format!("stream {stream}  ")).collect::<String>();
    let age = model.last.as_ref().map_or_else(String::new, |last| format!("  age {}", rounded(last.age)));
    let path = facts.path.display().to_string();
    let text = format!("{stream}pid {}{age}  ", facts.process_id);
    let all = format!("{text}{path}  epoch {}", facts.epoch);
    if width(&all) <= columns {
        return Line::from(all);
    }
    let path = cut_in_front(&path, columns.saturating_sub(width(&text)));
    Line::from(text + &path)
}

fn cursor(model: &Model) -> Line<'_> {
    let cursor = model.last.as_ref().map_or_else(|| "-".to_owned(), |last| grouped(last.cursor.get()));
    let refused = model.last.as_ref().and_then(|last| last.report.as_ref()).map(|report| report.refused);
    let mut line = labelled("cursor", &cursor);
    line.push_span(format!("  capacity {}", grouped(model.facts.capacity)));
    line.extend(refused.map(|refused| Span::raw(format!("  refused {}", grouped(refused)))));
    if model.restarts > 0 {
        line.push_span(format!("  restarts {}", model.restarts));
    }
    line
}

/// The rate, and what it was before, as a picture whose height is the greatest in it.
fn rate(model: &Model, paint: Paint, area: Rect, buffer: &mut Buffer) {
    let rate = model.rate.map_or_else(|| "-".to_owned(), short);
    labelled("events/s", &rate).render(Rect { height: area.height.min(1), ..area }, buffer);
    let left = LABEL + NUMBER;
    let room = area.width.saturating_sub(left);
    // The number of the peak is left out where the picture would be small.
    let of_peak = if room >= 30 { 12 } else { 0 };
    let picture = Rect { x: area.x + left.min(area.width), width: room - of_peak, ..area };
    let newest = model.history.iter().copied().rev().take(usize::from(picture.width));
    let shown: Vec<u64> = newest.collect::<Vec<_>>().into_iter().rev().collect();
    let peak = shown.iter().copied().max().unwrap_or(0);
    if of_peak > 0 && peak > 0 {
        let peak = Line::from(format!("peak {}", short(peak as f64))).right_aligned();
        peak.render(Rect { height: area.height.min(1), ..area }, buffer);
    }
    Sparkline::default().data(&shown).max(peak.max(1)).style(paint.picture()).render(picture, buffer);
}

fn fill(model: &Model, paint: Paint, columns: u16) -> Line<'_> {
    let Some(fill) = model.fill() else {
        let why = if model.has_report() { "no required consumer" } else { NO_REPORT };
        return labelled_with("fill", "-", why);
    };
    let is_full = fill.lag >= model.facts.capacity;
    let who = if is_full { "FULL, the producer waits for " } else { "" };
    let text = format!(" {} of {}: {who}{}", grouped(fill.lag), grouped(model.facts.capacity), fill.by);
    let mut line = labelled("fill", &percent(fill.share));
    let room = usize::from(columns).saturating_sub(line.width());
    let bar = room.saturating_sub(width(&text) + 2).min(40);
    if bar < 8 {
        line.push_span(cut(text.trim_start(), room));
        return line;
    }
    let filled = ((fill.share * bar as f64).ceil() as usize).min(bar);
    line.push_span("[");
    line.push_span(Span::styled("#".repeat(filled), paint.fullness(fill.share)));
    line.push_span(".".repeat(bar - filled));
    line.push_span("]");
    line.push_span(text);
    line
}

/// What part of the time the producer waited, and for whom; most first.
fn waited(model: &Model, columns: u16) -> Line<'_> {
    let Some(waited) = model.waited else {
        let why = if model.has_report() { "" } else { NO_REPORT };
        return labelled_with("waited", "-", why);
    };
    let mut by: Vec<_> = model.consumers.iter().filter_map(|row| Some((row.waited?, &row.name))).collect();
    by.retain(|(share, _)| *share > 0.0);
    by.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let by: Vec<String> = by.into_iter().map(|(share, name)| format!("{name} {}", percent(share))).collect();
    let mut line = labelled("waited", &percent(waited.share));
    let mut text = format!("of the time, {}/s", short(waited.per_second));
    if !by.is_empty() {
        text = format!("{text}: {}", by.join(", "));
    }
    line.push_span(cut(&text, usize::from(columns).saturating_sub(line.width())));
    line
}

const NO_REPORT: &str = "the core reports no consumers";

fn labelled<'a>(label: &str, number: &str) -> Line<'a> {
    let [label_columns, columns] = [LABEL, NUMBER].map(usize::from);
    Line::from(vec![
        Span::raw(format!("{label:label_columns$}")),
        Span::styled(format!("{number:columns$}"), Paint::STRONG),
    ])
}

fn labelled_with<'a>(label: &str, number: &str, text: &'static str) -> Line<'a> {
    let mut line = labelled(label, number);
    line.push_span(text);
    line
}
