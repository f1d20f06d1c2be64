//! All that is known of a ring at one time.

use std::time::{Duration, SystemTime};

use ringbus::Sequence;
use ringbus::bus::Timestamp;
use ringbus::shared::{ConsumerReport, LatencySummary, Liveness, Report, RingFile};
use ringbus::stats::Waits;
use serde::Serialize;

use crate::gating::holds_the_producer_up;
use crate::health::Health;

/// The members are those of the JSON; times are seconds.
#[derive(Serialize)]
pub(super) struct Snapshot {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) stream: Option<String>,
    pub(super) state: &'static str,
    /// Why it has ended, if that was out of order.
    pub(super) why: Option<String>,
    pub(super) silent_for: Option<f64>,
    pub(super) heartbeat_age: Option<f64>,
    pub(super) process_id: u32,
    pub(super) created_at: String,
    pub(super) epoch: String,
    pub(super) is_replaced: bool,
    pub(super) cursor: u64,
    pub(super) first_sequence: u64,
    pub(super) rate: f64,
    pub(super) capacity: usize,
    pub(super) max_batch: usize,
    pub(super) slot_bytes: usize,
    pub(super) slot_payload: Option<usize>,
    pub(super) file_bytes: u64,
    pub(super) layout_version: u64,
    pub(super) schema: Option<SchemaName>,
    /// What the core's process has written down; none if it never did.
    pub(super) report: Option<ReportSnapshot>,
}

#[derive(Serialize)]
pub(super) struct SchemaName {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) fingerprint: String,
    pub(super) events: usize,
}

#[derive(Serialize)]
pub(super) struct ReportSnapshot {
    pub(super) age: f64,
    pub(super) cursor: u64,
    /// How far the slowest required consumer is behind, in parts of the capacity; none without a required consumer.
    pub(super) fill: Option<f64>,
    pub(super) waits: WaitsSnapshot,
    pub(super) refused: u64,
    pub(super) consumers: Vec<ConsumerSnapshot>,
    pub(super) left_out: u64,
}

#[derive(Serialize)]
pub(super) struct WaitsSnapshot {
    pub(super) count: u64,
    pub(super) total: f64,
}

#[derive(Serialize)]
pub(super) struct ConsumerSnapshot {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) joined_at: u64,
    pub(super) position: u64,
    pub(super) lag: u64,
    pub(super) delivered: u64,
    pub(super) missed: u64,
    pub(super) let_pass: u64,
    pub(super) waits: WaitsSnapshot,
    pub(super) latency: Option<LatencySnapshot>,
}

#[derive(Serialize)]
pub(super) struct LatencySnapshot {
    pub(super) samples: u64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

impl Snapshot {
    pub(super) fn of(file: &RingFile, liveness: &Liveness, cursor: Sequence, rate: f64) -> Self {
        let info = file.info();
        let health = Health::of(liveness).at_rate(rate);
        let silent_for = match (liveness, health) {
            (Liveness::Stalled { silent_for }, Health::Stalled) => Some(silent_for.as_secs_f64()),
            _ => None,
        };
        let why = match (liveness, health) {
            (Liveness::Closed(end), Health::Failed(_)) => Some(end.to_string()),
            _ => None,
        };
        Self {
            path: file.path().display().to_string(),
            name: info.name.clone(),
            stream: info.stream.as_ref().map(|stream| stream.as_str().to_owned()),
            state: health.word(),
            why,
            silent_for,
            heartbeat_age: file.heartbeat_age().as_ref().map(Duration::as_secs_f64),
            process_id: info.process_id,
            created_at: timestamp(info.created_at),
            epoch: info.epoch.to_string(),
            is_replaced: file.is_replaced(),
            cursor: cursor.get(),
            first_sequence: info.first_sequence.get(),
            rate,
            capacity: info.capacity,
            max_batch: info.max_batch,
            slot_bytes: info.slot_bytes,
            slot_payload: info.slot_payload,
            file_bytes: info.file_bytes,
            layout_version: info.layout_version,
            schema: info.schema.as_ref().map(|schema| SchemaName {
                name: schema.name().to_owned(),
                version: schema.version(),
                fingerprint: schema.fingerprint().to_string(),
                events: schema.events().len(),
            }),
            report: file.report().map(|report| ReportSnapshot::of(&report, info.capacity)),
        }
    }
}

impl ReportSnapshot {
    fn of(report: &Report, capacity: usize) -> Self {
        let gates = |consumer: &&ConsumerReport| holds_the_producer_up(consumer.kind, consumer.state);
        let most_behind = report.consumers.iter().filter(gates).map(|consumer| consumer.lag).max();
        Self {
            age: report.age.as_secs_f64(),
            cursor: report.cursor.get(),
            fill: most_behind.map(|lag| lag as f64 / capacity as f64),
            waits: WaitsSnapshot::of(report.waits),
            refused: report.refused,
            consumers: report.consumers.iter().map(ConsumerSnapshot::of).collect(),
            left_out: report.left_out,
        }
    }
}

impl WaitsSnapshot {
    fn of(waits: Waits) -> Self {
        Self { count: waits.count, total: waits.total.as_secs_f64() }
    }
}

impl ConsumerSnapshot {
    fn of(consumer: &ConsumerReport) -> Self {
        let latency = |latency: &LatencySummary| LatencySnapshot {
            samples: latency.samples,
            p50: latency.p50.as_secs_f64(),
            p99: latency.p99.as_secs_f64(),
            p999: latency.p999.as_secs_f64(),
            max: latency.max.as_secs_f64(),
        };
        Self {
            name: consumer.name.clone(),
            kind: consumer.kind.to_string(),
            state: consumer.state.to_string(),
            joined_at: consumer.joined_at.get(),
            position: consumer.position.get(),
            lag: consumer.lag,
            delivered: consumer.delivered,
            missed: consumer.missed,
            let_pass: consumer.let_pass,
            waits: WaitsSnapshot::of(consumer.waits),
            latency: consumer.latency.as_ref().map(latency),
        }
    }
}

/// As RFC 3339 has it.
fn timestamp(at: SystemTime) -> String {
    let since_1970 = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(since_1970.as_nanos().min(i64::MAX as u128) as i64).to_string()
}
