//! Looks at a ring that is not there, for tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ringbus::Sequence;
use ringbus::shared::Liveness;
use ringbus::stats::{ConsumerKind, ConsumerState, Waits};

use super::sample::{Consumer, Facts, KindCounts, Latency, Reported, Sample};

/// When all tests begin.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(super) fn after(millis: u64) -> Instant {
    *BEGAN + Duration::from_millis(millis)
}

pub(super) fn facts() -> Facts {
    Facts {
        path: PathBuf::from("/dev/shm/ringbus-demo"),
        name: "exchange".to_owned(),
        stream: Some("testnet-001".to_owned()),
        epoch: "00c0ffee".to_owned(),
        process_id: 4_711,
        capacity: 10_000,
        kind_names: BTreeMap::from([(8, "Trade".to_owned()), (9, "OrderAccepted".to_owned())]),
        uncounted: None,
    }
}

pub(super) fn sample(millis: u64, cursor: u64) -> Sample {
    Sample {
        taken_at: after(millis),
        age: Duration::from_secs(80) + Duration::from_millis(millis),
        cursor: Sequence::new(cursor),
        liveness: Liveness::Alive,
        is_gone: false,
        report: None,
        kinds: None,
    }
}

pub(super) fn report(millis: u64, waits: Waits, consumers: Vec<Consumer>) -> Reported {
    Reported { written_at: after(millis), waits, refused: 7, consumers, left_out: 0 }
}

pub(super) fn required(name: &str, delivered: u64, lag: u64) -> Consumer {
    Consumer {
        name: name.to_owned(),
        kind: ConsumerKind::Required,
        state: ConsumerState::Running,
        joined_at: Sequence::new(0),
        delivered,
        missed: 0,
        lag,
        waits: Waits::default(),
        latency: None,
    }
}

pub(super) fn optional(name: &str, delivered: u64, missed: u64, lag: u64) -> Consumer {
    Consumer { kind: ConsumerKind::Optional, missed, ..required(name, delivered, lag) }
}

pub(super) fn waits(count: u64, millis: u64) -> Waits {
    let mut waits = Waits::default();
    (waits.count, waits.total) = (count, Duration::from_millis(millis));
    waits
}

pub(super) fn latency(p50: u64, p99: u64, max: u64) -> Option<Latency> {
    let [p50, p99, max] = [p50, p99, max].map(Duration::from_nanos);
    Some(Latency { p50, p99, max })
}

/// Of somebody who has begun at sequence 0.
pub(super) fn kinds(trades: u64, orders: u64, others: u64, missed: u64) -> Option<KindCounts> {
    let by_kind = [(8, trades), (9, orders), (77, others)].into_iter().filter(|(_, count)| *count > 0);
    let read = trades + orders + others;
    Some(KindCounts { by_kind: by_kind.collect(), read, missed, position: Sequence::new(read + missed) })
}
