//! Records for the tests.

use crate::record::{Figures, Record};

pub(crate) const NEAR: Option<[f64; 2]> = Some([80.0, 90.0]);
pub(crate) const FAR: Option<[f64; 2]> = Some([2_000.0, 200.0]);
pub(crate) const CHANGED: Option<[f64; 2]> = Some([80.0, 2_000.0]);

pub(crate) fn record(
    workload: &str,
    contender: &str,
    hand_off_ns: Option<[f64; 2]>,
    figures: Figures,
) -> Record {
    Record {
        round: 0,
        workload: workload.to_owned(),
        contender: contender.to_owned(),
        events: 1,
        seconds: 1.0,
        hand_off_ns,
        core_wait_seconds: Some(0.0),
        figures,
    }
}

/// Million events a second.
pub(crate) fn rate(millions: f64) -> Figures {
    Figures::Throughput { events_per_second: millions * 1e6 }
}

/// With the rate offered and the rate sent, if it was prescribed.
pub(crate) fn delays(p50: u64, p99: u64, rates: Option<(f64, f64)>) -> Figures {
    let (offered, sent) = (rates.map(|rates| rates.0), rates.map_or(1e6, |rates| rates.1));
    Figures::Latency { p50, p90: p50, p99, p999: p99, max: p99, offered, sent }
}

pub(crate) fn lossy(published: u64, received: u64, missed: u64) -> Figures {
    Figures::Lossy {
        published_per_second: published as f64,
        received_per_second: received as f64,
        published,
        received,
        missed: Some(missed),
    }
}
