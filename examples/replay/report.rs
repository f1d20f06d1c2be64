//! The table at the end.

use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use recorded::kind_name;

use crate::consumers::{Seen, Stored, Tally};

pub(crate) struct Run<'a> {
    pub(crate) stored: &'a Stored,
    pub(crate) monitored: &'a Seen,
    /// Slots published.
    pub(crate) slots: u64,
    /// From the first event published to the last one stored.
    pub(crate) took: Duration,
}

pub(crate) fn print(run: &Run<'_>) {
    let tally = &run.stored.seen.tally;
    println!("\nThe stream, as the required consumer got it\n{}", stream(run, tally));
    println!("\nKinds\n{}", kinds(tally));
    println!("\nConsumers (in events; slots in brackets)\n{}", consumers(run));
    println!("\nFrom publish to stored, microseconds\n{}", latency(run.stored));
}

/// Says what went wrong, if the run was not as promised.
pub(crate) fn check(published: &Tally, stored: &Stored, monitored: &Seen) -> Result<(), String> {
    let got = &stored.seen.tally;
    if (published.events, published.checksum) != (got.events, got.checksum) {
        return Err(format!(
            "the required consumer got {} events with checksum {:016x}, published were {} with {:016x}",
            got.events, got.checksum, published.events, published.checksum
        ));
    }
    let accounted = monitored.tally.events + monitored.missed_events;
    if accounted != published.events {
        return Err(format!("the optional consumer accounts for {accounted} of {} events", published.events));
    }
    Ok(())
}

fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn stream(run: &Run<'_>, tally: &Tally) -> Table {
    let rate = tally.events as f64 / run.took.as_secs_f64();
    let rows = [
        ("events", grouped(tally.events)),
        ("blocks", grouped(u64::from(tally.blocks))),
        ("kinds", tally.kinds.len().to_string()),
        ("events a block: mean", format!("{:.1}", tally.events as f64 / f64::from(tally.blocks.max(1)))),
        (
            "events a block: p50, p90, p99, max",
            [0.5, 0.9, 0.99, 1.0].map(|q| block_size(tally, q).to_string()).join(", "),
        ),
        ("bytes", grouped(tally.bytes)),
        ("slots", grouped(run.slots)),
        ("checksum", format!("{:016x}", tally.checksum)),
        ("seconds", format!("{:.3}", run.took.as_secs_f64())),
        ("events a second", grouped(rate as u64)),
    ];
    table(&["", ""], rows.map(|(what, value)| vec![what.to_owned(), value]))
}

/// The number of events that the share `quantile` of all blocks does not exceed.
fn block_size(tally: &Tally, quantile: f64) -> u64 {
    let blocks: u64 = tally.block_sizes.values().sum();
    let rank = ((blocks as f64 * quantile).ceil() as u64).max(1);
    let mut counted = 0;
    let reached = tally.block_sizes.iter().find(|(_, count)| {
        counted += **count;
        counted >= rank
    });
    reached.map_or(0, |(size, _)| *size)
}

/// The kinds by how many events they have, in two columns side by side.
fn kinds(tally: &Tally) -> Table {
    let mut kinds: Vec<_> = tally.kinds.iter().map(|(kind, count)| (*count, *kind)).collect();
    kinds.sort_by_key(|(count, kind)| (u64::MAX - count, *kind));
    let cells = |place: Option<&(u64, u16)>| match place {
        Some((count, kind)) => [kind_name(*kind).into_owned(), grouped(*count)],
        None => [String::new(), String::new()],
    };
    let half = kinds.len().div_ceil(2);
    let mut table = table(
        &["kind", "events", "kind", "events"],
        (0..half).map(|row| [cells(kinds.get(row)), cells(kinds.get(row + half))].concat()),
    );
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}

fn consumers(run: &Run<'_>) -> Table {
    let row = |kind: &str, seen: &Seen| {
        vec![
            seen.name.clone(),
            kind.to_owned(),
            format!("{} [{}]", grouped(seen.tally.events), grouped(seen.delivered_slots)),
            format!("{} [{}]", grouped(seen.missed_events), grouped(seen.missed_slots)),
            grouped(seen.tally.events + seen.missed_events),
            format!("[{}]", grouped(seen.largest_lag)),
            format!("[{}]", grouped(seen.lag)),
            format!("{:?}", seen.end),
        ]
    };
    table(
        &["consumer", "", "delivered", "missed", "together", "largest lag", "lag at end", "end"],
        [row("required", &run.stored.seen), row("optional", run.monitored)],
    )
}

fn latency(stored: &Stored) -> Table {
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
    let micros = |quantile| format!("{:.1}", stored.latency.value_at_quantile(quantile) as f64 / 1e3);
    table(&quantiles.map(|(name, _)| name), [quantiles.map(|(_, quantile)| micros(quantile)).to_vec()])
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
