//! The figures for people, with what they mean.

use std::fmt::Write;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

use super::gaps::Gaps;
use super::numbers::{delay, rate, three_digits};
use super::placement::Placement;
use super::report::{Jitter, Latency, Percentile, Report, Throughput};
use super::spread::Spread;
use super::throughput::CAPACITY;
use crate::progress::grouped;

pub(crate) fn of(report: &Report) -> String {
    let Report { version, machine, rounds, warnings, latency, .. } = report;
    let mut text = format!(
        "ringbus bench {version}: {}, {}, {} cores; median [least..greatest] of {rounds} rounds\n",
        machine.processor, machine.system, machine.cores
    );
    for warning in warnings {
        _ = writeln!(text, "warning: {warning}");
    }
    let throughput = table(
        &["throughput", "threads", "M events/s", "what it is"],
        2,
        report.throughput.iter().map(of_throughput),
    );
    let percentiles = latency.percentiles.iter().map(|percentile| of_percentile(percentile, latency));
    let latencies = table(&["latency", "ns, unless said", "so soon were handled"], 1, percentiles);
    let jitter = table(
        &["jitter", "gaps a second", "taken away", "worst gap, ns", "a look, ns"],
        1,
        report.jitter.iter().map(of_jitter),
    );
    _ = writeln!(
        text,
        "\n{throughput}\nEvents of 64 bytes on a ring of {}, required consumers that sum up every word. {} events were sent, \
         and each\nconsumer got all of them, with the right checksum. The bare hand-off of a cache line between the two cores of\n\
         one-to-one takes {} ns: where that changes from round to round, so does all the rest.",
        grouped(CAPACITY as u64),
        grouped(report.throughput.iter().map(|workload| workload.delivery.sent).sum()),
        shown(report.hand_off_nanoseconds, delay)
    );
    _ = writeln!(
        text,
        "\n{latencies}\nOne to one, {} M events/s, {}: from the moment when an event was to be published to the moment when the\n\
         consumer, which looks at the clock for each, has it. A stall counts with all events that it delayed.",
        rate(latency.offered_per_second),
        threads(&latency.placement)
    );
    _ = writeln!(
        text,
        "\n{jitter}\nA thread on each core that does nothing but read the clock, for {} s: where two looks are more than {} us apart,\n\
         something else had the core (an interrupt, the kernel, another program, the hypervisor). Nothing that runs on this\n\
         core can do better: where the latency is high and this is too, it is not the ring.",
        three_digits(report.jitter.iter().map(|jitter| jitter.seconds).fold(0.0, f64::max)),
        Gaps::LONGEST_LOOK / 1_000
    );
    text
}

/// Columns from `first_number` on are numbers, apart from one that says what they are.
fn table(header: &[&str], first_number: usize, rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header).add_rows(rows);
    for (column, name) in table.column_iter_mut().zip(header).skip(first_number) {
        if !["what it is", "so soon were handled"].contains(name) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn of_throughput(throughput: &Throughput) -> Vec<String> {
    let Throughput { workload, placement, events_per_second, .. } = throughput;
    let rates = shown(*events_per_second, rate);
    vec![workload.name.to_owned(), threads(placement), rates, workload.meaning.to_owned()]
}

fn of_percentile(percentile: &Percentile, latency: &Latency) -> Vec<String> {
    let Percentile { percent, nanoseconds } = *percentile;
    let name = if percent < 100.0 { format!("p{percent}") } else { "worst".to_owned() };
    vec![name, shown(nanoseconds, delay), so_many(percent, latency.histogram.len())]
}

/// In words.
fn so_many(percent: f64, all: u64) -> String {
    match percent {
        100.0.. => format!("all {}", grouped(all)),
        50.0 => "half of the events".to_owned(),
        _ => format!("all but one of {}", grouped((100.0 / (100.0 - percent)).round() as u64)),
    }
}

fn of_jitter(jitter: &Jitter) -> Vec<String> {
    vec![
        jitter.place(),
        three_digits(jitter.gaps_per_second),
        format!("{:.4} %", jitter.lost_percent),
        delay(jitter.worst_nanoseconds as f64),
        format!("{:.1}", jitter.look_nanoseconds),
    ]
}

fn shown(spread: Spread, one: impl Fn(f64) -> String) -> String {
    let Spread { median, min, max } = spread;
    format!("{} [{}..{}]", one(median), one(min), one(max))
}

fn threads(placement: &Placement) -> String {
    let waits = placement.waits.name();
    match &placement.cores[..] {
        [] => format!("any core, {waits}"),
        cores => {
            let cores: Vec<_> = cores.iter().map(usize::to_string).collect();
            format!("cores {}, {waits}", cores.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::placement::Waits;

    #[test]
    fn threads_are_told_by_their_cores() {
        let pinned = Placement { cores: vec![2, 3], waits: Waits::Spinning };
        assert_eq!(threads(&pinned), "cores 2 3, spinning");
        let free = Placement { cores: vec![], waits: Waits::Yielding };
        assert_eq!(threads(&free), "any core, yielding");
    }

    #[test]
    fn percentiles_are_told_in_words() {
        let told = [50.0, 90.0, 99.0, 99.9, 99.99, 100.0].map(|percent| so_many(percent, 1_234));
        let but_one = ["10", "100", "1,000", "10,000"].map(|of| format!("all but one of {of}"));
        assert_eq!(told[0], "half of the events");
        assert_eq!(told[1..5], but_one);
        assert_eq!(told[5], "all 1,234");
    }

    #[test]
    fn a_spread_has_the_units_of_its_values() {
        let spread = Spread { median: 85.0, min: 80.0, max: 12_345.0 };
        assert_eq!(shown(spread, delay), "85 [80..12.3 us]");
    }
}
