//! What was measured in one workload, as a table; onlookers as one table of several workloads.

use crate::contenders::Kind;
use crate::record::{Figures, Record};
use crate::state::State;

use super::groups::{Measured, Workload, disturbed, states};
use super::markdown::Table;
use super::measure::Measure;

/// One table; latencies have one for each state.
pub(crate) fn workload(workload: &Workload) -> String {
    let figures = workload.contenders.first().and_then(|measured| measured.rounds.first());
    match figures.map(|record| &record.figures) {
        Some(Figures::Latency { .. }) => latency(workload),
        Some(Figures::Lossy { .. }) => rates(workload, &[Measure::Published, Measure::Share]),
        Some(Figures::Throughput { .. }) | None => rates(workload, &[]),
    }
}

/// The measure that ranks and these others, in each state.
fn rates(workload: &Workload, others: &[Measure]) -> String {
    let states = workload.states();
    let mut head = vec!["contender".to_owned()];
    for state in &states {
        head.push(format!("{}: {}", state.name(), workload.measure.name()));
        head.extend(others.iter().map(|measure| measure.name().to_owned()));
        head.push("to the best rival".to_owned());
    }
    head.extend(["changed", "disturbed"].map(str::to_owned));
    let mut table = Table::new(1, head);
    for measured in &workload.contenders {
        let mut row = vec![name(measured)];
        for state in &states {
            row.push(spread_and_rounds(measured, *state, workload.measure));
            row.extend(others.iter().map(|measure| spread(measured, *state, *measure)));
            row.push(to_the_best_rival(workload, measured, *state));
        }
        row.push(measured.changed().to_string());
        row.push(disturbed_of(measured.rounds.iter().copied()));
        table.push(row);
    }
    table.to_string()
}

fn latency(workload: &Workload) -> String {
    let tables = workload.states().into_iter().map(|state| {
        let offered =
            workload.contenders.iter().any(|measured| measured.spread(state, Measure::Sent).is_some());
        let mut head = vec![format!("{}: contender", state.name())];
        head.extend(Measure::DELAYS.map(|measure| measure.name().to_owned()));
        head.push("p50 to the best rival".to_owned());
        if offered {
            head.push(Measure::Sent.name().to_owned());
        }
        head.extend(["rounds", "disturbed"].map(str::to_owned));
        let mut table = Table::new(1, head);
        let measured_in_it =
            workload.contenders.iter().filter(|measured| measured.rounds_in(state).next().is_some());
        for measured in measured_in_it {
            let mut row = vec![name(measured)];
            row.extend(Measure::DELAYS.map(|measure| spread(measured, state, measure)));
            row.push(to_the_best_rival(workload, measured, state));
            if offered {
                row.push(sent(measured, state));
            }
            row.push(measured.rounds_in(state).count().to_string());
            row.push(disturbed_of(measured.rounds_in(state)));
            table.push(row);
        }
        table.to_string()
    });
    let mut tables: Vec<String> = tables.collect();
    let changed: usize = workload.contenders.iter().map(Measured::changed).sum();
    if changed > 0 {
        tables.push(format!("The state changed during {changed} more measurements.\n"));
    }
    tables.join("\n")
}

/// Workloads that differ in how many look on, beside the first of them.
pub(crate) fn onlookers(workloads: &[&Workload]) -> String {
    let Some(none) = workloads.first() else { return String::new() };
    let states = states(workloads.iter().copied());
    let mut head = vec!["optional consumers".to_owned()];
    for state in &states {
        head.push(format!("{}: {}", state.name(), none.measure.name()));
        head.push("to none".to_owned());
    }
    head.extend(["changed", "disturbed"].map(str::to_owned));
    let mut table = Table::new(1, head);
    for workload in workloads {
        let count = workload.id.split('/').nth(1).unwrap_or_default();
        for measured in &workload.contenders {
            let mut row = vec![if measured.kind == Kind::Own {
                count.to_owned()
            } else {
                format!("{count} ({})", measured.name)
            }];
            for state in &states {
                row.push(spread_and_rounds(measured, *state, workload.measure));
                row.push(ratio(
                    measured.spread(*state, workload.measure).map(|spread| spread.median),
                    none.find(measured.name)
                        .and_then(|same| same.spread(*state, none.measure))
                        .map(|spread| spread.median),
                ));
            }
            row.push(measured.changed().to_string());
            row.push(disturbed_of(measured.rounds.iter().copied()));
            table.push(row);
        }
    }
    table.to_string()
}

fn name(measured: &Measured) -> String {
    match measured.kind {
        Kind::Own => format!("**{}**", measured.name),
        Kind::Setting | Kind::Rival => measured.name.to_owned(),
        Kind::Yardstick => format!("*{}* (yardstick)", measured.name),
    }
}

fn spread(measured: &Measured, state: State, measure: Measure) -> String {
    measured.spread(state, measure).map_or(String::new(), |spread| measure.show_spread(spread))
}

fn spread_and_rounds(measured: &Measured, state: State, measure: Measure) -> String {
    match measured.rounds_in(state).count() {
        0 => String::new(),
        rounds => format!("{} ({rounds})", spread(measured, state, measure)),
    }
}

fn sent(measured: &Measured, state: State) -> String {
    let sent = measured.spread(state, Measure::Sent);
    let shown = sent.map_or(String::new(), |sent| Measure::Sent.show(sent.median));
    if measured.keeps_up(state) { shown } else { format!("{shown}: does not keep up") }
}

fn to_the_best_rival(workload: &Workload, measured: &Measured, state: State) -> String {
    let measure = workload.measure;
    ratio(
        measured.spread(state, measure).map(|spread| spread.median),
        workload.best_rival(state, measure).map(|(_, median)| median),
    )
}

fn ratio(value: Option<f64>, to: Option<f64>) -> String {
    value.zip(to).map_or(String::new(), |(value, to)| format!("{:.2}", value / to))
}

fn disturbed_of<'a>(rounds: impl Iterator<Item = &'a Record>) -> String {
    let rounds: Vec<_> = rounds.collect();
    let all = rounds.len();
    disturbed(rounds.into_iter()).map_or("n/a".to_owned(), |disturbed| format!("{disturbed} of {all}"))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{CHANGED, FAR, NEAR, delays, rate, record};
    use super::*;

    #[test]
    fn each_state_has_its_columns_and_what_changed_is_counted() {
        let id = "one-to-one/single/65536/64";
        let records = [
            record(id, "ringbus", NEAR, rate(120.0)),
            record(id, "ringbus", NEAR, rate(100.0)),
            record(id, "ringbus", NEAR, rate(130.0)),
            record(id, "ringbus", CHANGED, rate(1.0)),
            record(id, "rtrb", NEAR, rate(60.0)),
            record(id, "rtrb", FAR, rate(4.0)),
        ];
        let workloads = Workload::all(&records).expect("known contenders");
        let expected = "\
            | contender | near: M events/s | to the best rival | far: M events/s | to the best rival | changed | disturbed |\n\
            | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n\
            | **ringbus** | 120 [100..130] (3) | 2.00 |  |  | 1 | 0 of 4 |\n\
            | rtrb | 60.0 [60.0..60.0] (1) | 1.00 | 4.00 [4.00..4.00] (1) | 1.00 | 0 | 0 of 2 |\n";
        assert_eq!(workload(&workloads[0]), expected);
    }

    #[test]
    fn latencies_have_a_table_for_each_state_and_say_who_does_not_keep_up() {
        let id = "load/steady/10M/65536/64";
        let records = [
            record(id, "rtrb", NEAR, delays(200, 400, Some((10e6, 10e6)))),
            record(id, "disruptor", NEAR, delays(90_000, 95_000, Some((10e6, 5e6)))),
            record(id, "rtrb", FAR, delays(4_000, 8_000, Some((10e6, 9.6e6)))),
        ];
        let workloads = Workload::all(&records).expect("known contenders");
        let tables = workload(&workloads[0]);
        let rows: Vec<&str> =
            tables.lines().filter(|line| line.starts_with("| ") && !line.contains("---")).collect();
        assert_eq!(rows.len(), 5, "{tables}");
        assert!(rows[0].starts_with("| near: contender | p50 | p90 |"), "{tables}");
        assert!(rows[2].contains("| 50.0 %: does not keep up |"), "{tables}");
        assert!(rows[3].starts_with("| far: contender |"), "{tables}");
        assert!(rows[4].contains("| 96.0 % | 1 | 0 of 1 |"), "{tables}");
    }

    #[test]
    fn onlookers_have_one_table() {
        let records = [
            record("onlookers/0/65536/64", "ringbus", NEAR, rate(100.0)),
            record("onlookers/16/65536/64", "ringbus", NEAR, rate(99.0)),
        ];
        let workloads = Workload::all(&records).expect("known contenders");
        let table = onlookers(&workloads.iter().collect::<Vec<_>>());
        assert!(table.ends_with("| 16 | 99.0 [99.0..99.0] (1) | 0.99 | 0 | 0 of 1 |\n"), "{table}");
    }
}
