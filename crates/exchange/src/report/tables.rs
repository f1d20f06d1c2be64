//! The tables.

use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use hdrhistogram::Histogram;

use super::numbers::{grouped, percent, time};
use crate::consumers::{Counted, Liquidations};
use crate::live::{ConsumerSummary, Summary};

/// A table with its first column to the left, the others to the right; the header may be empty.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).add_rows(rows);
    if !header.is_empty() {
        table.set_header(header);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What the core did, in two columns side by side.
pub(super) fn core(summary: &Summary) -> Table {
    let row = |left: (&str, String), right: (&str, String)| {
        vec![left.0.to_owned(), left.1, right.0.to_owned(), right.1]
    };
    let seconds = format!("{:.3}", summary.took.as_secs_f64());
    let state = format!("{:016x}", summary.state_hash);
    let rate = grouped(summary.events_per_second() as u64);
    let mut table = table(
        &[],
        [
            row(("events", grouped(summary.events)), ("seconds", seconds)),
            row(("blocks", grouped(summary.blocks)), ("events a second", rate)),
            row(("transactions", grouped(summary.transactions)), ("final height", grouped(summary.height))),
            row(("trades", grouped(summary.trades)), ("state hash", state)),
        ],
    );
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}

/// How often each stage was reached, and how much money moved, in two columns side by side.
pub(super) fn liquidations(liquidations: &Liquidations) -> Table {
    let Liquidations { marks, distressed, cancelled, recovered, closed_out, network_trades, .. } =
        *liquidations;
    let row = |left: (&str, u64), right: (&str, Counted)| {
        let (what, counted) = right;
        vec![
            left.0.to_owned(),
            grouped(left.1),
            what.to_owned(),
            grouped(counted.times),
            counted.sum().to_string(),
        ]
    };
    let count = |what: &str, times| {
        vec![what.to_owned(), grouped(times), String::new(), String::new(), String::new()]
    };
    let mut table = table(
        &["", "times", "", "times", "money"],
        [
            row(("mark prices", marks), ("fees for the insurance pool", liquidations.fees)),
            row(("accounts distressed", distressed), ("paid by the insurance pool", liquidations.insured)),
            row(("orders cancelled", cancelled), ("losses socialised", liquidations.socialised)),
            count("accounts recovered", recovered),
            count("positions closed out", closed_out),
            count("trades of the network", network_trades),
        ],
    );
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}

pub(super) fn consumers(summary: &Summary) -> Table {
    let row = |consumer: &ConsumerSummary| {
        let waits = consumer.waits;
        vec![
            consumer.name.to_owned(),
            consumer.kind.to_string(),
            grouped(consumer.delivered),
            grouped(consumer.missed),
            grouped(consumer.lag_at_end),
            grouped(waits.count),
            time(waits.total),
            percent(summary.share(waits)),
        ]
    };
    let mut table = table(
        &["consumer", "kind", "delivered", "missed", "lag", "waits for it", "took", "share"],
        summary.consumers.iter().map(row),
    );
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}

/// Percentiles of those whose latency was measured.
pub(super) fn latencies(summary: &Summary) -> Table {
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
    let row = |(name, latency): (&str, &Histogram<u64>)| {
        let value = |quantile| time(Duration::from_nanos(latency.value_at_quantile(quantile)));
        let values = quantiles.iter().map(|&(_, quantile)| value(quantile));
        [name.to_owned(), grouped(latency.len())].into_iter().chain(values).collect()
    };
    let header: Vec<&str> =
        ["consumer", "samples"].into_iter().chain(quantiles.iter().map(|&(name, _)| name)).collect();
    let measured = summary.consumers.iter().filter_map(|consumer| {
        let latency = consumer.latency.as_ref()?;
        Some((consumer.name, latency))
    });
    table(&header, measured.map(row))
}
