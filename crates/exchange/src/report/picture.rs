//! Histograms as pictures: a bar for each range of latencies.

use comfy_table::{CellAlignment, Table};
use hdrhistogram::Histogram;

use super::tables::table;
use crate::live::ConsumerSummary;

/// The length of the longest bar, columns.
const WIDTH: usize = 12;

/// The upper ends of the ranges, nanoseconds: 1, 2, 5 of each power of ten. What is beyond belongs to the last.
fn ends() -> impl Iterator<Item = u64> {
    (2..10).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)))
}

/// The upper end of a range in a unit in which it is a small whole number.
fn label(end: u64) -> String {
    match end {
        ..1_000 => format!("to {end} ns"),
        1_000..1_000_000 => format!("to {} µs", end / 1_000),
        1_000_000..1_000_000_000 => format!("to {} ms", end / 1_000_000),
        _ => format!("to {} s", end / 1_000_000_000),
    }
}

/// The histograms side by side, from the lowest range that anybody has something in to the highest.
pub(super) fn histograms(consumers: &[ConsumerSummary]) -> Table {
    let measured = consumers
        .iter()
        .filter_map(|consumer| Some((consumer.name, shares(consumer.latency.as_ref()?))))
        .collect::<Vec<_>>();
    let longest = measured.iter().flat_map(|(_, shares)| shares).copied().fold(0.0, f64::max);
    let rows: Vec<Vec<String>> = (0..)
        .zip(ends())
        .map(|(range, end)| {
            let cells = measured.iter().map(|(_, shares)| cell(shares[range], longest));
            [label(end)].into_iter().chain(cells).collect()
        })
        .collect();
    let has_some = |row: &Vec<String>| row[1..].iter().any(|cell| !cell.is_empty());
    let first = rows.iter().position(has_some).unwrap_or(0);
    let last = rows.iter().rposition(has_some).map_or(0, |last| last + 1);
    let header: Vec<&str> = ["latency"].into_iter().chain(measured.iter().map(|&(name, _)| name)).collect();
    let mut table = table(&header, rows.into_iter().take(last).skip(first));
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Left);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What part of the samples lies in each range.
fn shares(latency: &Histogram<u64>) -> Vec<f64> {
    let mut counts: Vec<u64> = ends().map(|_| 0).collect();
    for value in latency.iter_recorded() {
        let nanos = value.value_iterated_to();
        let range = ends().position(|end| nanos <= end).unwrap_or(counts.len() - 1);
        counts[range] += value.count_since_last_iteration();
    }
    counts.iter().map(|&count| count as f64 / latency.len().max(1) as f64).collect()
}

/// A bar and the number that it stands for; nothing for nothing.
fn cell(share: f64, longest: f64) -> String {
    if share == 0.0 {
        return String::new();
    }
    let percent = share * 100.0;
    let number = if percent < 0.1 { "<0.1".to_owned() } else { format!("{percent:.1}") };
    format!("{:WIDTH$} {number:>5} %", bar(share / longest))
}

/// A bar of a part of [`WIDTH`], by eighths of a column; not nothing.
fn bar(part: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = ((part * (WIDTH * 8) as f64).round() as usize).max(1);
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_part() {
        assert_eq!(bar(1.0), "█".repeat(WIDTH));
        assert_eq!(bar(0.5), "█".repeat(WIDTH / 2));
        assert_eq!(bar(1.0 / (WIDTH * 8) as f64), "▏");
        assert_eq!(bar(0.0), "▏", "what is there is seen");
        assert_eq!(bar(11.0 / (WIDTH * 8) as f64), "█▍");
    }

    #[test]
    fn every_sample_lies_in_a_range() {
        let mut latency = Histogram::<u64>::new_with_bounds(1, 1 << 50, 3).expect("sound bounds");
        for nanos in [1, 100, 101, 1_000, 90_000_000_000] {
            latency.record(nanos).expect("within the bounds");
        }
        let shares = shares(&latency);
        let found: Vec<(u64, f64)> = ends().zip(shares).filter(|&(_, share)| share > 0.0).collect();
        assert_eq!(found, [(100, 0.4), (200, 0.2), (1_000, 0.2), (5_000_000_000, 0.2)]);
    }
}
