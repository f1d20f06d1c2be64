//! What is to be reached, and whether it was.

use super::groups::{Workload, states};
use super::markdown::Table;
use super::measure::Measure;
use super::requirement::{Other, Requirement, Verdict};

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) workload: String,
    pub(crate) requirement: Requirement,
}

/// The table of what the comparison is to show.
pub(crate) fn targets() -> Vec<Target> {
    use Measure::{P50, P99, Rate, Received};
    use Other::{BestRival, Contender, Workload};
    use Requirement::{Counted, Times, WorstRound};

    let mut targets = Vec::new();
    let mut add = |workload: &str, requirements: Vec<Requirement>| {
        targets.extend(
            requirements.into_iter().map(|requirement| Target { workload: workload.to_owned(), requirement }),
        );
    };
    add(
        "one-to-one/single/65536/64",
        vec![Times(1.15, Rate, BestRival), Times(0.9, Rate, Contender("streaming")), WorstRound(0.75)],
    );
    // No collapse: the same steadiness as at the larger ring.
    add("one-to-one/single/1024/64", vec![Times(3.5, Rate, BestRival), WorstRound(0.75)]);
    for batch in ["batch-10", "batch-64", "batch-1000"] {
        add(
            &format!("one-to-one/{batch}/65536/64"),
            vec![Times(1.0, Rate, BestRival), Times(0.95, Rate, Contender("streaming"))],
        );
    }
    add("one-to-one/batch-64/1024/64", vec![Times(1.1, Rate, BestRival)]);
    add("one-to-one/batch-64/65536/32", vec![Times(1.0, Rate, BestRival)]);
    add("one-to-three/single/65536/64", vec![Times(1.4, Rate, BestRival)]);
    add("one-to-three/batch-64/65536/64", vec![Times(1.0, Rate, BestRival)]);
    add("pipeline/single/65536/64", vec![Times(1.0, Rate, BestRival)]);
    add("pipeline/batch-64/65536/64", vec![Times(1.0, Rate, BestRival)]);
    add("ping-pong/1024/64", vec![Times(0.75, P50, BestRival), Times(1.6, P50, Contender("line hand-off"))]);
    for period in ["1us", "10us"] {
        add(&format!("paced/{period}/1024/64"), vec![Times(1.0, P50, BestRival), Times(1.0, P99, BestRival)]);
    }
    for manner in ["steady", "bursts"] {
        for rate in ["1M", "2M", "5M", "10M", "20M", "50M"] {
            add(
                &format!("load/{manner}/{rate}/65536/64"),
                vec![Times(1.0, P50, BestRival), Times(1.0, P99, BestRival)],
            );
        }
    }
    add("optional/65536/64", vec![Times(2.0, Received, BestRival), Requirement::Received(0.9), Counted]);
    for onlookers in ["1", "4", "16"] {
        add(
            &format!("onlookers/{onlookers}/65536/64"),
            vec![Times(0.98, Rate, Workload("onlookers/0/65536/64"))],
        );
    }
    targets
}

/// Each target of a workload that was measured, in each state that any was measured in.
pub(crate) fn summary(workloads: &[Workload]) -> String {
    let states = states(workloads);
    let mut head = vec!["workload".to_owned(), "to reach".to_owned()];
    head.extend(states.iter().flat_map(|state| [format!("{}: reached", state.name()), "met".to_owned()]));
    let mut table = Table::new(2, head);
    let mut counts = vec![(0, 0); states.len()];
    for Target { workload: id, requirement } in targets() {
        let Some(workload) = workloads.iter().find(|workload| workload.id == id) else { continue };
        let Some(own) = workload.own() else { continue };
        let mut row = vec![id, requirement.describe()];
        for (state, (met, judged)) in states.iter().zip(&mut counts) {
            let verdict = requirement.judge(workload, own, *state, workloads);
            *met += u32::from(matches!(verdict, Verdict::Met(_)));
            *judged += u32::from(!matches!(verdict, Verdict::None(_)));
            row.extend([verdict.reached().to_owned(), verdict.met().to_owned()]);
        }
        table.push(row);
    }
    let counts = states
        .iter()
        .zip(counts)
        .map(|(state, (met, judged))| format!("{}: {met} of {judged} met", state.name()));
    format!("{table}\n{}.\n", counts.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{NEAR, rate, record};
    use super::*;

    #[test]
    fn the_summary_counts_what_was_met() {
        let id = "one-to-one/single/65536/64";
        let records = [
            record(id, "ringbus", NEAR, rate(120.0)),
            record(id, "rtrb", NEAR, rate(100.0)),
            record(id, "streaming", NEAR, rate(200.0)),
        ];
        let summary = summary(&Workload::all(&records).expect("known contenders"));
        assert!(summary.starts_with("| workload | to reach | near: reached | met |\n"), "{summary}");
        assert!(summary.contains("| 0.600 (120; streaming: 200) | **no** |"), "{summary}");
        assert!(summary.contains("\nnear: 1 of 2 met.\n"), "{summary}");
    }
}
