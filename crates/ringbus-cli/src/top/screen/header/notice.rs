//! What is special, in a sentence.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use ringbus::shared::Liveness;

use super::super::super::model::Model;
use super::super::paint::Paint;
use super::super::text::cut;
use crate::health::Health;
use crate::seconds::rounded;

/// How long it is said that another ring has come.
const RESTART_IS_NEWS: Duration = Duration::from_secs(10);

pub(super) fn draw(model: &Model, paint: Paint, area: Rect, buffer: &mut Buffer) {
    let notice = of(model).unwrap_or_default();
    let line = Line::styled(cut(&notice, usize::from(area.width)), paint.doubtful().patch(Paint::STRONG));
    line.render(area, buffer);
}

/// What there is to say. `None`: nothing, all is as it should be.
pub(super) fn of(model: &Model) -> Option<String> {
    let last = model.last.as_ref()?;
    let mut notices = Vec::new();
    if model.restarted_at.is_some_and(|at| last.taken_at.saturating_duration_since(at) < RESTART_IS_NEWS) {
        notices.push("restarted: this is another ring".to_owned());
    }
    match &last.liveness {
        Liveness::Closed(end) => notices.push(end.to_string()),
        Liveness::Dead => notices.push(format!(
            "process {} is gone and has not closed the ring; it can still be read",
            model.facts.process_id
        )),
        Liveness::Stalled { silent_for } => {
            notices.push(format!("no heartbeat for {}", rounded(*silent_for)));
        }
        Liveness::Alive => {}
    }
    if !Health::of(&last.liveness).is_over() {
        let age = model.old_report();
        notices.extend(age.map(|age| format!("consumers as they were {} ago", rounded(age))));
    }
    if last.is_gone {
        notices.push("the file is gone; a new ring will be shown when it comes".to_owned());
    }
    if notices.is_empty() { None } else { Some(notices.join("; ")) }
}
