//! What a run looks like in a terminal.

mod numbers;
mod picture;
mod progress_bar;
mod tables;
mod tree;

use ringbus::stats::Waits;

use crate::live::{Length, RunSettings, Summary, THREADS};
use numbers::{grouped, percent, time, times};
pub use progress_bar::ProgressBar;
pub use tree::tree;

/// The report of a run: what it was made of, the core, liquidations, the consumers, latencies in numbers and as a
/// picture, and what was checked. No line has more than 110 columns.
#[must_use]
pub fn report(summary: &Summary) -> String {
    let sample = match summary.settings.sample.get() {
        1 => "each event".to_owned(),
        sample => format!("1 event in {}", grouped(sample)),
    };
    format!(
        "{}\n\nThe core\n{}\n{}\n\nWhat mark prices have led to\n{}\n\nConsumers: what they got, \
         how far they were behind at the end, and how often the core waited for them\n{}\n\n\
         From publish to acknowledge ({sample})\n{}\n\n{}\n\n{}",
        title(&summary.settings),
        tables::core(summary),
        waits(summary),
        tables::liquidations(&summary.liquidations),
        tables::consumers(summary),
        tables::latencies(summary),
        picture::histograms(&summary.consumers),
        checks(summary),
    )
}

fn title(settings: &RunSettings) -> String {
    let RunSettings { markets, accounts, seed, transactions_per_block, capacity, wait, .. } = settings;
    let length = match settings.length {
        Length::Time(time) => format!("{} s", time.as_secs_f64()),
        Length::Blocks(blocks) => format!("{} blocks", grouped(blocks)),
    };
    let pinned = match &settings.pin[..] {
        [] => "no thread pinned".to_owned(),
        cores => {
            let pinned = THREADS.iter().zip(cores).map(|(thread, core)| format!("{thread} to {core}"));
            format!("pinned: {}", pinned.collect::<Vec<_>>().join(", "))
        }
    };
    format!(
        "{markets} markets, {accounts} accounts, seed {seed}, {} transactions a block, for {length}\nbus of {} slots, \
         all wait by `{wait}`\n{pinned}",
        grouped(u64::from(*transactions_per_block)),
        grouped(*capacity as u64),
    )
}

/// What the core waited for, how often, how long, and what part of the run.
fn waits(summary: &Summary) -> String {
    let say = |waits: Waits| match waits.count {
        0 => "never".to_owned(),
        count => {
            format!("{}, {}, {} of the time", times(count), time(waits.total), percent(summary.share(waits)))
        }
    };
    let until = if summary.settings.durable { "each block" } else { "the last block" };
    format!(
        "waited for room on the bus: {}\nwaited for the journal to have {until}: {}",
        say(summary.waits),
        say(summary.waits_for_journal)
    )
}

/// What was checked. (Had it not come out so, there would be no summary.)
fn checks(summary: &Summary) -> String {
    let mut lines = vec![
        format!(
            "accounts balance: delivered + missed + let pass = {} published, for each consumer",
            grouped(summary.events)
        ),
        format!(
            "journal: {} bytes in {} writes, checksum {:016x}",
            grouped(summary.journal_bytes),
            grouped(summary.journal_writes),
            summary.journal_checksum
        ),
        format!(
            "position keeper: from {} trades and what was closed out and paid, the positions and balances of the core",
            grouped(summary.trades)
        ),
    ];
    if let Some(last) = summary.last_committed {
        lines.push(format!(
            "block store: {} blocks committed, all with the core's checksums, and all balance; the last is {}\n\
             block store: its state is {:016x}, as in the core",
            grouped(summary.blocks_committed),
            grouped(last.height),
            last.state_hash
        ));
    }
    lines.extend(summary.dropped.map(|dropped| format!("block store: {dropped}")));
    lines.push(match summary.monitor_gaps {
        0 => "monitor: was never overrun".to_owned(),
        gaps => format!(
            "monitor: overrun {}, and told so; it missed {} records at most in a row",
            times(gaps),
            grouped(summary.monitor_largest_gap)
        ),
    });
    lines.join("\n")
}
