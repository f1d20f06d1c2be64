//! What the one who looks has chosen.

use std::cmp::Ordering;
use std::time::Duration;

use super::model::ConsumerRow;

/// How to show it.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) sort: Sort,
    /// Against the order that is usual for the column.
    pub(crate) is_reversed: bool,
    /// Which of the two tables moves.
    pub(crate) moving: Table,
    /// How many rows each table is moved up.
    pub(crate) scrolled: Scrolled,
    pub(crate) is_paused: bool,
    pub(crate) shows_help: bool,
    pub(crate) interval: Duration,
    pub(crate) is_colored: bool,
    /// Text for a script or a file: no keys to tell of.
    pub(crate) is_plain: bool,
}

/// Rows that are out of sight above the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scrolled {
    pub(crate) consumers: usize,
    pub(crate) kinds: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Consumers,
    Kinds,
}

/// By what the consumers are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// As the core reports them: the required ones by place, then the optional ones as they joined.
    Joined,
    Name,
    Lag,
    Rate,
    Missed,
    Waited,
}

impl View {
    pub(crate) fn new(interval: Duration, is_colored: bool) -> Self {
        Self {
            sort: Sort::Joined,
            is_reversed: false,
            moving: Table::Consumers,
            scrolled: Scrolled::default(),
            is_paused: false,
            shows_help: false,
            interval,
            is_colored,
            is_plain: false,
        }
    }

    /// Sorts by this; by the same again: the other way round.
    pub(crate) fn sort_by(&mut self, sort: Sort) {
        self.is_reversed = self.sort == sort && !self.is_reversed;
        self.sort = sort;
    }

    /// The rows of the table that moves.
    pub(crate) fn scroll(&mut self) -> &mut usize {
        match self.moving {
            Table::Consumers => &mut self.scrolled.consumers,
            Table::Kinds => &mut self.scrolled.kinds,
        }
    }

    /// The consumers in the order that was chosen; those that are alike stay as they are reported.
    pub(crate) fn sorted<'a>(&self, consumers: &'a [ConsumerRow]) -> Vec<&'a ConsumerRow> {
        let mut rows: Vec<&ConsumerRow> = consumers.iter().collect();
        match self.sort {
            Sort::Joined if self.is_reversed => rows.reverse(),
            Sort::Joined => {}
            sort => rows.sort_by(|one, other| {
                let order = sort.compare(one, other);
                if self.is_reversed { order.reverse() } else { order }
            }),
        }
        rows
    }
}

impl Sort {
    /// Names from the first letter on, numbers from the greatest.
    fn compare(self, one: &ConsumerRow, other: &ConsumerRow) -> Ordering {
        let number = |number: Option<f64>| number.unwrap_or(-1.0);
        match self {
            Self::Joined => Ordering::Equal,
            Self::Name => one.name.cmp(&other.name),
            Self::Lag => other.lag.cmp(&one.lag),
            Self::Rate => number(other.rate).total_cmp(&number(one.rate)),
            Self::Missed => other.missed.cmp(&one.missed),
            Self::Waited => number(other.waited).total_cmp(&number(one.waited)),
        }
    }
}
