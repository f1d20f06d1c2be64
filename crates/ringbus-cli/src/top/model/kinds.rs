//! Events by kind, as far as they could be read.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::sample::{KindCounts, Sample};
use super::per_second;

/// What came by kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kinds {
    /// Those that ever came; the most frequent first.
    pub(crate) rows: Vec<KindRow>,
    /// The share that was read of what was published since the look before, if some of it cannot be read any more, or soon. The rates are
    /// then made up for the rest.
    pub(crate) sampled: Option<f64>,
}

/// One kind. What takes two looks, or takes that anything was read between them, may be `None`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KindRow {
    pub(crate) name: String,
    /// Events for each second.
    pub(crate) rate: Option<f64>,
    /// Of all events since the look before.
    pub(crate) share: Option<f64>,
    /// How many were read, since that began.
    pub(crate) count: u64,
}

/// The look before.
#[derive(Clone, Copy)]
pub(super) struct Earlier<'a> {
    counts: &'a KindCounts,
    /// What has been published since then.
    published: u64,
    time: Duration,
}

impl<'a> Earlier<'a> {
    /// Of the look before this one. `None`: nothing was counted then.
    pub(super) fn of(before: &'a Sample, now: &Sample) -> Option<Self> {
        Some(Self {
            counts: before.kinds.as_ref()?,
            published: now.cursor.since(before.cursor),
            time: now.taken_at.saturating_duration_since(before.taken_at),
        })
    }
}

impl Kinds {
    /// By the counts now and at the look before. `is_behind`: who counts has so much to read that it will not get to all of it.
    pub(super) fn of(
        now: &KindCounts,
        earlier: Option<Earlier<'_>>,
        is_behind: bool,
        names: &BTreeMap<u16, String>,
    ) -> Self {
        let nothing = KindCounts::default();
        let before = earlier.map_or(&nothing, |earlier| earlier.counts);
        let read = now.read.saturating_sub(before.read);
        let sampled = earlier
            .filter(|earlier| is_behind || now.missed > earlier.counts.missed)
            .map(|earlier| read as f64 / earlier.published.max(read).max(1) as f64);
        let known = earlier.filter(|_| sampled != Some(0.0));
        let new =
            |kind: &u16, count: u64| count.saturating_sub(before.by_kind.get(kind).copied().unwrap_or(0));
        let all: u64 = now.by_kind.iter().map(|(kind, &count)| new(kind, count)).sum();
        let row = |(kind, &count): (&u16, &u64)| {
            let new = new(kind, count);
            KindRow {
                name: names.get(kind).cloned().unwrap_or_else(|| format!("kind {kind}")),
                rate: known.map(|earlier| per_second(new, earlier.time) / sampled.unwrap_or(1.0)),
                share: known.map(|_| if all == 0 { 0.0 } else { new as f64 / all as f64 }),
                count,
            }
        };
        let mut rows: Vec<KindRow> = now.by_kind.iter().map(row).collect();
        // (A stable sort: those of one rate stay in the order of their numbers.)
        rows.sort_by(|one, other| other.rate.unwrap_or(0.0).total_cmp(&one.rate.unwrap_or(0.0)));
        Self { rows, sampled }
    }
}
