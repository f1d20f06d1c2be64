//! What the table says of each consumer.

use ratatui::layout::Alignment;
use ratatui::style::Style;
use ratatui::text::Span;
use ringbus::stats::{ConsumerKind, ConsumerState};

use super::super::super::format::{count, percent, short, time};
use super::super::super::model::ConsumerRow;
use super::super::super::sample::Latency;
use super::super::super::view::Sort;
use super::super::paint::Paint;

/// A column behind the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Kind,
    /// In the place of the kind, where there is less room.
    KindInShort,
    State,
    Lag,
    LagShare,
    Rate,
    Missed,
    NewlyMissed,
    Waited,
    Half,
    NinetyNine,
    Max,
}

impl Column {
    /// From left to right.
    pub(super) const ALL: [Self; 11] = [
        Self::Kind,
        Self::State,
        Self::Lag,
        Self::LagShare,
        Self::Rate,
        Self::Missed,
        Self::NewlyMissed,
        Self::Waited,
        Self::Half,
        Self::NinetyNine,
        Self::Max,
    ];

    /// Those that can go where there is no room; the first one first. The lag stays.
    pub(super) fn droppable(has_latency: bool) -> [Self; 10] {
        use Column::{
            Half, Kind, KindInShort, LagShare, Max, Missed, NewlyMissed, NinetyNine, Rate, State, Waited,
        };
        if has_latency {
            [Waited, Max, Half, NewlyMissed, NinetyNine, LagShare, KindInShort, Rate, Missed, State]
        } else {
            [Half, Max, NinetyNine, Waited, NewlyMissed, LagShare, Kind, Rate, Missed, State]
        }
    }

    pub(super) fn head(self) -> &'static str {
        match self {
            Self::Kind | Self::KindInShort => "KIND",
            Self::State => "STATE",
            Self::Lag => "LAG",
            Self::LagShare => "LAG%",
            Self::Rate => "RATE",
            Self::Missed => "MISSED",
            Self::NewlyMissed => "NEW",
            Self::Waited => "WAIT",
            Self::Half => "P50",
            Self::NinetyNine => "P99",
            Self::Max => "MAX",
        }
    }

    pub(super) fn width(self) -> u16 {
        match self {
            Self::Kind => 8,
            Self::KindInShort => 4,
            Self::State | Self::Missed => 7,
            Self::Lag | Self::NewlyMissed => 6,
            Self::LagShare | Self::Rate | Self::Waited | Self::Half | Self::NinetyNine | Self::Max => 5,
        }
    }

    pub(super) fn alignment(self) -> Alignment {
        match self {
            Self::Kind | Self::KindInShort | Self::State => Alignment::Left,
            _ => Alignment::Right,
        }
    }

    /// What sorts by it.
    pub(super) fn sort(self) -> Option<Sort> {
        match self {
            Self::Lag => Some(Sort::Lag),
            Self::Rate => Some(Sort::Rate),
            Self::Missed => Some(Sort::Missed),
            Self::Waited => Some(Sort::Waited),
            _ => None,
        }
    }

    pub(super) fn cell(self, row: &ConsumerRow, paint: Paint) -> Span<'static> {
        let columns = usize::from(self.width());
        let latency =
            |of: fn(Latency) -> std::time::Duration| or_none(row.latency.map(|latency| time(of(latency))));
        let (text, style) = match self {
            Self::Kind => (row.kind.to_string(), Style::new()),
            Self::KindInShort => (kind_in_short(row.kind).to_owned(), Style::new()),
            Self::State => (row.state.to_string(), state(row, paint)),
            Self::Lag => (count(row.lag, columns), Style::new()),
            Self::LagShare => (percent(row.lag_share), paint.fullness(row.lag_share)),
            Self::Rate => (or_none(row.rate.map(short)), Style::new()),
            Self::Missed => (missed(row, columns), Style::new()),
            Self::NewlyMissed => newly_missed(row, paint),
            Self::Waited => (or_none(row.waited.map(percent)), Style::new()),
            Self::Half => (latency(|latency| latency.p50), Style::new()),
            Self::NinetyNine => (latency(|latency| latency.p99), Style::new()),
            Self::Max => (latency(|latency| latency.max), Style::new()),
        };
        Span::styled(text, style)
    }
}

fn kind_in_short(kind: ConsumerKind) -> &'static str {
    match kind {
        ConsumerKind::Required => "req",
        ConsumerKind::Optional => "opt",
    }
}

fn state(row: &ConsumerRow, paint: Paint) -> Style {
    match row.state {
        ConsumerState::Running => paint.good(),
        ConsumerState::Paused => paint.doubtful(),
        _ => paint.bad(),
    }
}

/// (A required consumer cannot miss anything.)
fn missed(row: &ConsumerRow, columns: usize) -> String {
    match row.kind {
        ConsumerKind::Required => "-".to_owned(),
        ConsumerKind::Optional => count(row.missed, columns),
    }
}

fn newly_missed(row: &ConsumerRow, paint: Paint) -> (String, Style) {
    match (row.kind, row.newly_missed) {
        (ConsumerKind::Required, _) | (_, None) => ("-".to_owned(), Style::new()),
        (_, Some(0)) => ("0".to_owned(), Style::new()),
        (_, Some(newly)) => (format!("+{}", short(newly as f64)), paint.bad()),
    }
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}
