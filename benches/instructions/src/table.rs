//! The table, for people and for PERF.md.

use crate::record::{Count, Record};

pub(crate) fn markdown(counts: &[(String, Count)], recorded: &Record) -> String {
    let mut table = "| what | instructions per event | of which the harness | recorded |\n".to_owned();
    table += "| --- | ---: | ---: | ---: |\n";
    for (name, Count { instructions, harness }) in counts {
        let recorded = recorded.loops.get(name).map(|count| format!("{:.2}", count.instructions));
        let recorded = recorded.as_deref().unwrap_or("-");
        table += &format!("| {name} | {instructions:.2} | {harness:.2} | {recorded} |\n");
    }
    table
}
