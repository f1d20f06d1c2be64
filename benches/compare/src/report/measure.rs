//! What can be read off a record, and how it is shown.

use crate::record::Figures;
use crate::spread::Spread;

use super::numbers::{delay, rate};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Events a second.
    Rate,
    P50,
    P90,
    P99,
    P999,
    Max,
    /// The part of the rate offered that was sent.
    Sent,
    /// Events a second that the producer published past a consumer that may be overrun.
    Published,
    /// Events a second that such a consumer received.
    Received,
    /// The part of what was published that such a consumer received.
    Share,
    /// The part of what was published that such a consumer received or was told that it had missed.
    Accounted,
}

impl Measure {
    pub(crate) const DELAYS: [Self; 5] = [Self::P50, Self::P90, Self::P99, Self::P999, Self::Max];

    /// By which contenders are ranked.
    pub(crate) fn that_ranks(figures: &Figures) -> Self {
        match figures {
            Figures::Throughput { .. } => Self::Rate,
            Figures::Latency { .. } => Self::P50,
            // What got through: a library whose consumer receives nothing could publish at any rate.
            Figures::Lossy { .. } => Self::Received,
        }
    }

    /// `None`: these figures do not have it.
    pub(crate) fn of(self, figures: &Figures) -> Option<f64> {
        match *figures {
            Figures::Throughput { events_per_second } => match self {
                Self::Rate => Some(events_per_second),
                _ => None,
            },
            Figures::Latency { p50, p90, p99, p999, max, offered, sent } => match self {
                Self::P50 => Some(p50 as f64),
                Self::P90 => Some(p90 as f64),
                Self::P99 => Some(p99 as f64),
                Self::P999 => Some(p999 as f64),
                Self::Max => Some(max as f64),
                Self::Sent => offered.map(|offered| sent / offered),
                _ => None,
            },
            Figures::Lossy { published_per_second, received_per_second, published, received, missed } => {
                match self {
                    Self::Published => Some(published_per_second),
                    Self::Received => Some(received_per_second),
                    Self::Share => Some(received as f64 / published as f64),
                    Self::Accounted => missed.map(|missed| (received + missed) as f64 / published as f64),
                    _ => None,
                }
            }
        }
    }

    pub(crate) fn less_is_better(self) -> bool {
        Self::DELAYS.contains(&self)
    }

    /// How the columns and axes are headed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rate => "M events/s",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Max => "max",
            Self::Sent => "sent of offered",
            Self::Published => "published, M events/s",
            Self::Received => "received, M events/s",
            Self::Share => "received",
            Self::Accounted => "accounted for",
        }
    }

    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Rate | Self::Published | Self::Received => rate(value),
            Self::P50 | Self::P90 | Self::P99 | Self::P999 | Self::Max => delay(value),
            // Cut off, not rounded: 100 % are all.
            Self::Sent | Self::Share | Self::Accounted => format!("{:.1} %", (value * 1e3).floor() / 10.0),
        }
    }

    /// Median [min..max].
    pub(crate) fn show_spread(self, Spread { median, min, max }: Spread) -> String {
        format!("{} [{}..{}]", self.show(median), self.show(min), self.show(max))
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{delays, lossy};
    use super::*;

    #[test]
    fn what_a_consumer_got_is_compared_with_what_was_published() {
        let figures = lossy(1_000, 900, 99);
        assert_eq!(Measure::Share.of(&figures), Some(0.9));
        assert_eq!(Measure::Accounted.of(&figures), Some(0.999));
        assert_eq!(Measure::Rate.of(&figures), None);
    }

    #[test]
    fn all_are_all_and_not_nearly_all() {
        assert_eq!(Measure::Share.show(0.9999), "99.9 %");
        assert_eq!(Measure::Share.show(1.0), "100.0 %");
    }

    #[test]
    fn what_was_sent_is_compared_with_what_was_offered_if_that_was_prescribed() {
        assert_eq!(Measure::Sent.of(&delays(1, 1, Some((10e6, 5e6)))), Some(0.5));
        assert_eq!(Measure::Sent.of(&delays(1, 1, None)), None);
    }
}
