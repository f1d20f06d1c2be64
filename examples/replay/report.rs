//! The tables at the end.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use recorded::kind_name;
use ringbus::bus::StreamId;
use ringbus::stats::{ConsumerKind, ConsumerStats};

use crate::monitor::Watched;
use crate::play::Played;
use crate::scan::Scan;
use crate::tally::Tally;

pub(crate) fn print(stream: &StreamId, played: &Played, scan: &Scan) {
    println!("\nThe stream, as the counter got it\n{}", what_came(stream, played, scan));
    println!("\nKinds\n{}", kinds(&played.counted));
    println!("\nConsumers (in events; slots in brackets)\n{}", consumers(played));
    println!("\nFrom publish to handled, microseconds\n{}", latency(played));
}

/// When everything has been compared.
pub(crate) fn print_checked(played: &Played, scan: &Scan) {
    println!(
        "\nThe audit log's answers equal a plain scan of the file: about {} transactions ({} events), {} blocks, and the causes of \
         {} events.",
        grouped(scan.transactions.len() as u64),
        grouped(scan.caused() as u64),
        grouped(scan.blocks.len() as u64),
        grouped(played.counted.events),
    );
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

fn what_came(stream: &StreamId, played: &Played, scan: &Scan) -> Table {
    let tally = &played.counted;
    let seconds = played.took.as_secs_f64();
    let blocks = tally.blocks.len() as u64;
    let rows = [
        ("stream", stream.to_string()),
        ("events", grouped(tally.events)),
        ("blocks", grouped(blocks)),
        ("came twice", heights(tally.repeated())),
        ("did not end", heights(tally.unfinished())),
        ("kinds", tally.kinds.len().to_string()),
        ("transactions", grouped(scan.transactions.len() as u64)),
        ("events they caused", grouped(scan.caused() as u64)),
        ("events a block: mean", format!("{:.1}", tally.events as f64 / blocks.max(1) as f64)),
        ("events a block: p50, p90, p99, max", block_sizes(tally)),
        ("bytes", grouped(tally.bytes)),
        ("slots", grouped(played.end.get())),
        ("checksum", format!("{:016x}", tally.checksum)),
        ("seconds", format!("{seconds:.3}")),
        ("events a second", grouped((tally.events as f64 / seconds) as u64)),
    ];
    table(&["", ""], rows.map(|(what, value)| vec![what.to_owned(), value]))
}

fn heights(heights: impl Iterator<Item = u64>) -> String {
    let heights: Vec<String> = heights.map(grouped).collect();
    if heights.is_empty() { "none".to_owned() } else { format!("block {}", heights.join(" ")) }
}

/// The numbers of events that so many of a hundred blocks do not exceed.
fn block_sizes(tally: &Tally) -> String {
    let mut sizes: Vec<u64> = tally.blocks.values().map(|block| block.events).collect();
    sizes.sort_unstable();
    let size = |quantile: f64| {
        let rank = (sizes.len() as f64 * quantile).ceil() as usize;
        sizes.get(rank.max(1) - 1).copied().unwrap_or(0)
    };
    [0.5, 0.9, 0.99, 1.0].map(|quantile| size(quantile).to_string()).join(", ")
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

fn consumers(played: &Played) -> Table {
    let both = |events: u64, slots: u64| format!("{} [{}]", grouped(events), grouped(slots));
    let required = |stats: &ConsumerStats, events: u64| {
        vec![
            stats.name.to_string(),
            stats.kind.to_string(),
            both(events, stats.delivered),
            both(0, stats.missed),
            both(events, stats.delivered + stats.missed),
            grouped(stats.waits.count),
            format!("{:.1} ms", stats.waits.total.as_secs_f64() * 1e3),
        ]
    };
    let optional = |watched: &Watched| {
        let Watched { name, got, tally, .. } = watched;
        let (got, missed) = (got.len() as u64, played.missed_events());
        vec![
            name.clone(),
            ConsumerKind::Optional.to_string(),
            both(got, tally.passed),
            both(missed, tally.missed),
            both(got + missed, tally.passed + tally.missed),
            "never".to_owned(),
            String::new(),
        ]
    };
    let [log, counter] = &played.required;
    let rows = [
        required(log, played.audit.extent().records as u64),
        required(counter, played.counted.events),
        optional(&played.watched),
    ];
    table(&["consumer", "", "delivered", "missed", "together", "waits for it", "took"], rows)
}

/// Sampled.
fn latency(played: &Played) -> Table {
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];
    let rows = played.required.iter().filter_map(|stats| {
        let latency = stats.latency.as_ref()?;
        let micros = |quantile| format!("{:.1}", latency.value_at_quantile(quantile) as f64 / 1e3);
        let values = quantiles.iter().map(|(_, quantile)| micros(*quantile));
        Some([stats.name.to_string(), grouped(latency.len())].into_iter().chain(values).collect())
    });
    let header: Vec<&str> =
        ["consumer", "samples"].into_iter().chain(quantiles.map(|(name, _)| name)).collect();
    table(&header, rows)
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
