//! What came of it: written as JSON as it stands here, and what the table and the plot are made of.

use hdrhistogram::Histogram;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::event::Tally;
use super::gaps::Gaps;
use super::latency::{self, histogram};
use super::machine::Machine;
use super::placement::Placement;
use super::spread::Spread;
use super::throughput::Workload;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) version: &'static str,
    pub(crate) machine: Machine,
    pub(crate) rounds: u32,
    pub(crate) warnings: Vec<String>,
    /// Of a cache line, one way, between the first two cores.
    pub(crate) hand_off_nanoseconds: Spread,
    pub(crate) throughput: Vec<Throughput>,
    pub(crate) latency: Latency,
    /// For each core.
    pub(crate) jitter: Vec<Jitter>,
}

impl Report {
    /// The gaps of all cores: nanoseconds.
    pub(crate) fn jitter_on_all_cores(&self) -> Histogram<u64> {
        let mut all = histogram();
        for jitter in &self.jitter {
            all.add(&jitter.histogram).expect("they have the same bounds");
        }
        all
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Throughput {
    #[serde(flatten)]
    pub(crate) workload: Workload,
    #[serde(flatten)]
    pub(crate) placement: Placement,
    pub(crate) events_per_second: Spread,
    /// Each of them.
    pub(crate) rounds: Vec<f64>,
    #[serde(flatten)]
    pub(crate) delivery: Delivery,
}

/// All events of all rounds. Who received something else is not reported: the measurement has failed.
#[derive(Debug, Serialize)]
pub(crate) struct Delivery {
    pub(crate) sent: u64,
    pub(crate) sent_checksum: String,
    /// By each consumer.
    pub(crate) received: Vec<u64>,
    pub(crate) received_checksums: Vec<String>,
}

impl Delivery {
    pub(crate) fn of(sent: &Tally, received: &[Tally]) -> Self {
        // Programs that read JSON have no more than 53 bits for a number.
        let checksum = |tally: &Tally| format!("{:016x}", tally.checksum());
        Self {
            sent: sent.events,
            sent_checksum: checksum(sent),
            received: received.iter().map(|tally| tally.events).collect(),
            received_checksums: received.iter().map(checksum).collect(),
        }
    }
}

/// At most so many percent of the events took longer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Percentile {
    pub(crate) percent: f64,
    pub(crate) nanoseconds: Spread,
}

#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    #[serde(flatten)]
    pub(crate) placement: Placement,
    pub(crate) offered_per_second: f64,
    pub(crate) sent_per_second: Spread,
    /// Of the rounds. The last is the worst event.
    pub(crate) percentiles: Vec<Percentile>,
    #[serde(flatten)]
    pub(crate) delivery: Delivery,
    /// Of all rounds: nanoseconds.
    #[serde(serialize_with = "values_and_counts")]
    pub(crate) histogram: Histogram<u64>,
}

impl Latency {
    /// As percent, and as parts of 1: made from each other they would be a little more or less.
    const PERCENTILES: [(f64, f64); 6] =
        [(50.0, 0.5), (90.0, 0.9), (99.0, 0.99), (99.9, 0.999), (99.99, 0.9999), (100.0, 1.0)];

    /// Of at least one round.
    pub(crate) fn of(
        placement: Placement,
        offered_per_second: f64,
        rounds: &[latency::Measured],
        delivery: Delivery,
    ) -> Self {
        let mut all = histogram();
        for round in rounds {
            all.add(&round.histogram).expect("they have the same bounds");
        }
        let percentile = |(percent, quantile)| Percentile {
            percent,
            nanoseconds: spread(rounds, |round| round.histogram.value_at_quantile(quantile) as f64),
        };
        Self {
            placement,
            offered_per_second,
            sent_per_second: spread(rounds, |round| round.events_per_second),
            percentiles: Self::PERCENTILES.map(percentile).to_vec(),
            delivery,
            histogram: all,
        }
    }

    /// Whether the events were published as fast as they were to be.
    pub(crate) fn keeps_up(&self) -> bool {
        self.sent_per_second.median > 0.98 * self.offered_per_second
    }
}

/// See [`Gaps`].
#[derive(Debug, Serialize)]
pub(crate) struct Jitter {
    /// `None`: wherever the thread was put.
    pub(crate) core: Option<usize>,
    pub(crate) seconds: f64,
    pub(crate) looks: u64,
    pub(crate) look_nanoseconds: f64,
    pub(crate) gaps: u64,
    pub(crate) gaps_per_second: f64,
    pub(crate) lost_percent: f64,
    pub(crate) worst_nanoseconds: u64,
    /// Of the gaps: nanoseconds.
    #[serde(serialize_with = "values_and_counts")]
    pub(crate) histogram: Histogram<u64>,
}

impl Jitter {
    pub(crate) fn of(core: Option<&usize>, gaps: Gaps) -> Self {
        Self {
            core: core.copied(),
            seconds: gaps.watched().as_secs_f64(),
            looks: gaps.looks(),
            look_nanoseconds: gaps.look_nanoseconds(),
            gaps: gaps.count(),
            gaps_per_second: gaps.per_second(),
            lost_percent: gaps.lost_percent(),
            worst_nanoseconds: gaps.worst(),
            histogram: gaps.histogram,
        }
    }

    pub(crate) fn place(&self) -> String {
        self.core.map_or("any core".to_owned(), |core| format!("core {core}"))
    }
}

/// Of at least one round.
pub(crate) fn spread<R>(rounds: &[R], figure: impl Fn(&R) -> f64) -> Spread {
    Spread::of(rounds.iter().map(figure))
}

impl Serialize for Spread {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut spread = serializer.serialize_struct("Spread", 3)?;
        spread.serialize_field("median", &self.median)?;
        spread.serialize_field("min", &self.min)?;
        spread.serialize_field("max", &self.max)?;
        spread.end()
    }
}

/// Pairs: a value, and how often it came.
fn values_and_counts<S: Serializer>(histogram: &Histogram<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    let recorded = histogram.iter_recorded();
    serializer.collect_seq(recorded.map(|value| (value.value_iterated_to(), value.count_at_value())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::Measured;
    use crate::bench::placement::Waits;

    fn round(delays: impl IntoIterator<Item = u64>, events_per_second: f64) -> Measured {
        let mut histogram = histogram();
        delays.into_iter().for_each(|delay| histogram.record(delay).unwrap());
        Measured { events_per_second, sent: Tally::default(), received: Tally::default(), histogram }
    }

    fn latency(rounds: &[Measured]) -> Latency {
        let placement = Placement { cores: vec![], waits: Waits::Yielding };
        let sent = Tally::of_series(0, 1, 10);
        Latency::of(placement, 1_000.0, rounds, Delivery::of(&sent, &[sent]))
    }

    #[test]
    fn percentiles_are_those_of_the_rounds() {
        let latency =
            latency(&[round(1..=1_000, 990.0), round(501..=1_500, 995.0), round(201..=1_200, 999.0)]);
        let found: Vec<_> = latency.percentiles.iter().map(|p| (p.percent, p.nanoseconds.median)).collect();
        assert_eq!(
            found,
            [
                (50.0, 700.0),
                (90.0, 1_100.0),
                (99.0, 1_190.0),
                (99.9, 1_199.0),
                (99.99, 1_200.0),
                (100.0, 1_200.0)
            ]
        );
        let Spread { min, max, .. } = latency.percentiles[0].nanoseconds;
        assert_eq!((min, max), (500.0, 1_000.0));
        assert_eq!(latency.histogram.len(), 3_000);
    }

    #[test]
    fn a_machine_that_sends_less_than_offered_does_not_keep_up() {
        assert!(latency(&[round([5], 990.0)]).keeps_up());
        assert!(!latency(&[round([5], 970.0)]).keeps_up());
    }

    #[test]
    fn a_histogram_is_pairs_in_json() {
        let latency = latency(&[round([7, 7, 7, 90], 1_000.0)]);
        let json = serde_json::to_value(&latency).unwrap();
        assert_eq!(json["histogram"], serde_json::json!([[7, 3], [90, 1]]));
        assert_eq!(json["received"], serde_json::json!([10]));
        assert_eq!(json["sent_checksum"], json["received_checksums"][0]);
    }
}
