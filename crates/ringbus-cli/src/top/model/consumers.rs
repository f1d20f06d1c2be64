//! The consumers, by two reports.

use std::time::Duration;

use ringbus::stats::{ConsumerKind, ConsumerState};

use super::super::sample::{Consumer, Latency, Reported};
use super::{per_second, share_of};
use crate::gating::holds_the_producer_up;

/// A consumer. What needs two reports is `None` where it was not in the former one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConsumerRow {
    pub(crate) name: String,
    pub(crate) kind: ConsumerKind,
    pub(crate) state: ConsumerState,
    pub(crate) lag: u64,
    /// Of the ring's capacity. More than 1: it will find that it was overrun.
    pub(crate) lag_share: f64,
    /// Events delivered for each second.
    pub(crate) rate: Option<f64>,
    pub(crate) missed: u64,
    /// What of that is new.
    pub(crate) newly_missed: Option<u64>,
    /// The share of the time that the producer waited for it.
    pub(crate) waited: Option<f64>,
    pub(crate) latency: Option<Latency>,
}

impl ConsumerRow {
    /// Nothing is known of what it does now.
    pub(super) fn stop_rates(&mut self) {
        (self.rate, self.newly_missed, self.waited) = (None, None, None);
    }
}

/// A row for each consumer of `report`; `former` with the time between the two.
pub(super) fn rows(
    former: Option<(&Reported, Duration)>,
    report: &Reported,
    capacity: u64,
) -> Vec<ConsumerRow> {
    let row = |consumer: &Consumer| {
        let former = former.and_then(|(former, time)| {
            Some((former.consumers.iter().find(|former| former.is_same_as(consumer))?, time))
        });
        ConsumerRow {
            name: consumer.name.clone(),
            kind: consumer.kind,
            state: consumer.state,
            lag: consumer.lag,
            lag_share: consumer.lag as f64 / capacity as f64,
            rate: former
                .map(|(former, time)| per_second(consumer.delivered.saturating_sub(former.delivered), time)),
            missed: consumer.missed,
            newly_missed: former.map(|(former, _)| consumer.missed.saturating_sub(former.missed)),
            waited: former.map(|(former, time)| {
                share_of(consumer.waits.total.saturating_sub(former.waits.total), time)
            }),
            latency: consumer.latency,
        }
    };
    report.consumers.iter().map(row).collect()
}

/// How full the ring is: what the consumer has yet to acknowledge that the producer would wait for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fill<'a> {
    pub(crate) by: &'a str,
    pub(crate) lag: u64,
    /// Of the capacity.
    pub(crate) share: f64,
}

impl<'a> Fill<'a> {
    pub(super) fn of(consumers: &'a [ConsumerRow]) -> Option<Self> {
        let gates = |consumer: &&ConsumerRow| holds_the_producer_up(consumer.kind, consumer.state);
        let gating = consumers.iter().filter(gates);
        // (The first of those that are behind alike.)
        let slowest = gating.reduce(|one, other| if other.lag > one.lag { other } else { one })?;
        Some(Self { by: &slowest.name, lag: slowest.lag, share: slowest.lag_share })
    }
}
