//! What is known of a ring, for people.

use std::io::{self, Write};
use std::time::Duration;

use super::snapshot::{ConsumerSnapshot, ReportSnapshot, Snapshot, WaitsSnapshot};
use crate::columns::write_columns;
use crate::progress::grouped;
use crate::seconds::rounded;

pub(super) fn write(out: &mut impl Write, snapshot: &Snapshot) -> io::Result<()> {
    let mut row = |name: &str, value: String| writeln!(out, "{name:<15} {value}");
    let Snapshot { path, name, process_id, created_at, epoch, .. } = snapshot;
    row(
        "ring",
        format!("{name}, {path}{}", if snapshot.is_replaced { ", which names another by now" } else { "" }),
    )?;
    row("state", state(snapshot))?;
    row("process", format!("{process_id}, since {created_at}, epoch {epoch}"))?;
    if let Some(age) = snapshot.heartbeat_age {
        row("heartbeat", format!("{} ago", seconds(age)))?;
    }
    row("stream", snapshot.stream.clone().unwrap_or_else(|| "none: it is no bus".to_owned()))?;
    if let Some(schema) = &snapshot.schema {
        let (name, version, fingerprint) = (&schema.name, schema.version, &schema.fingerprint);
        row(
            "schema",
            format!("{name}, version {version}, fingerprint {fingerprint}, {} events", schema.events),
        )?;
    }
    row("cursor", format!("{}, from {}", grouped(snapshot.cursor), grouped(snapshot.first_sequence)))?;
    row("rate", format!("{} events/s", grouped(snapshot.rate as u64)))?;
    let payload = snapshot.slot_payload.map_or_else(String::new, |payload| format!(", {payload} of payload"));
    row(
        "slots",
        format!(
            "{} of {} bytes{payload}, max batch {}",
            grouped(snapshot.capacity as u64),
            snapshot.slot_bytes,
            snapshot.max_batch
        ),
    )?;
    row("file", format!("{} bytes, layout {}", grouped(snapshot.file_bytes), snapshot.layout_version))?;
    match &snapshot.report {
        Some(report) => write_report(out, report),
        None => row("consumers", "not told by the core's process".to_owned()),
    }
}

fn state(snapshot: &Snapshot) -> String {
    let mut state = snapshot.state.to_owned();
    if let Some(silent_for) = snapshot.silent_for {
        state += &format!(", silent for {}", seconds(silent_for));
    }
    if let Some(why) = &snapshot.why {
        state += &format!(": {why}");
    }
    state
}

fn write_report(out: &mut impl Write, report: &ReportSnapshot) -> io::Result<()> {
    let mut row = |name: &str, value: String| writeln!(out, "{name:<15} {value}");
    if let Some(fill) = report.fill {
        row("fill", format!("{:.1} %", fill * 100.0))?;
    }
    row("waits", format!("{}, and refused {}", waits(&report.waits), grouped(report.refused)))?;
    let (count, age) = (report.consumers.len() as u64 + report.left_out, seconds(report.age));
    let left_out = match report.left_out {
        0 => String::new(),
        left_out => format!(", {left_out} of them without a place in the table"),
    };
    row("consumers", format!("{}, as of {age} ago{left_out}", grouped(count)))?;
    if report.consumers.is_empty() {
        return Ok(());
    }
    let titles = [
        "NAME",
        "KIND",
        "STATE",
        ">POSITION",
        ">LAG",
        ">MISSED",
        ">LET PASS",
        ">WAITED FOR",
        ">P50",
        ">P99",
        ">MAX",
    ];
    write_columns(out, &titles, report.consumers.iter().map(cells).collect())
}

fn cells(consumer: &ConsumerSnapshot) -> Vec<String> {
    let latency = |of: fn(&super::snapshot::LatencySnapshot) -> f64| {
        consumer.latency.as_ref().map_or_else(|| "-".to_owned(), |latency| seconds(of(latency)))
    };
    vec![
        consumer.name.clone(),
        consumer.kind.clone(),
        consumer.state.clone(),
        grouped(consumer.position),
        grouped(consumer.lag),
        grouped(consumer.missed),
        grouped(consumer.let_pass),
        waits(&consumer.waits),
        latency(|latency| latency.p50),
        latency(|latency| latency.p99),
        latency(|latency| latency.max),
    ]
}

fn waits(waits: &WaitsSnapshot) -> String {
    match waits.count {
        0 => "never".to_owned(),
        count => format!("{} times, {}", grouped(count), seconds(waits.total)),
    }
}

fn seconds(seconds: f64) -> String {
    rounded(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}
