//! How things look. Colours say nothing that words or numbers do not.

use ratatui::style::{Color, Modifier, Style};

/// With colours or without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) is_colored: bool,
}

impl Paint {
    /// The line at the top and the heads of the tables.
    pub(super) const HEADING: Style = Style::new().add_modifier(Modifier::REVERSED);
    /// What the eye looks for first.
    pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

    pub(super) fn good(self) -> Style {
        self.in_color(Color::Green)
    }

    pub(super) fn doubtful(self) -> Style {
        self.in_color(Color::Yellow)
    }

    pub(super) fn bad(self) -> Style {
        self.in_color(Color::Red)
    }

    pub(super) fn picture(self) -> Style {
        self.in_color(Color::Cyan)
    }

    /// How full something is, from 0 to 1.
    pub(super) fn fullness(self, share: f64) -> Style {
        match share {
            ..0.5 => self.good(),
            ..0.9 => self.doubtful(),
            _ => self.bad(),
        }
    }

    fn in_color(self, color: Color) -> Style {
        if self.is_colored { Style::new().fg(color) } else { Style::new() }
    }
}
