//! What criterion left in its folder, as a table.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Outcome;

use super::markdown::Table;
use super::numbers::three_digits;

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
    group_id: String,
    throughput: Throughput,
}

/// What one iteration does.
#[derive(Deserialize)]
enum Throughput {
    Elements(u64),
}

#[derive(Deserialize)]
struct Estimates {
    /// Absent where criterion did not vary the number of iterations.
    slope: Option<Estimate>,
    mean: Estimate,
}

/// Nanoseconds an iteration.
#[derive(Clone, Copy, Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Clone, Copy, Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// Every benchmark below this folder, by group and by how much one iteration does.
pub(crate) fn table(folder: &Path) -> Outcome<String> {
    let mut found = Vec::new();
    collect(folder, &mut found)?;
    if found.is_empty() {
        return Err(format!("{}: no results of criterion; run `cargo bench` first", folder.display()).into());
    }
    found.sort_by_key(|(Benchmark { full_id, group_id, throughput: Throughput::Elements(events) }, _)| {
        (group_id.clone(), *events, full_id.clone())
    });
    let mut table = Table::new(1, ["bench", "ns an event", "M events/s [interval of 95 %]"]);
    for (benchmark, estimate) in found {
        table.push(row(&benchmark, estimate));
    }
    Ok(table.to_string())
}

fn row(benchmark: &Benchmark, estimate: Estimate) -> Vec<String> {
    let Throughput::Elements(events) = benchmark.throughput;
    let each = |nanoseconds: f64| nanoseconds / events as f64;
    let rate = |nanoseconds: f64| three_digits(1e3 / each(nanoseconds));
    let Interval { lower_bound, upper_bound } = estimate.confidence_interval;
    vec![
        benchmark.full_id.clone(),
        format!("{:.2}", each(estimate.point_estimate)),
        format!("{} [{}..{}]", rate(estimate.point_estimate), rate(upper_bound), rate(lower_bound)),
    ]
}

fn collect(folder: &Path, found: &mut Vec<(Benchmark, Estimate)>) -> Outcome<()> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.ends_with("new/benchmark.json") {
            let estimates: Estimates = read(&path.with_file_name("estimates.json"))?;
            found.push((read(&path)?, estimates.slope.unwrap_or(estimates.mean)));
        }
    }
    Ok(())
}

fn read<T: DeserializeOwned>(path: &Path) -> Outcome<T> {
    let read = || -> Outcome<T> { Ok(serde_json::from_reader(BufReader::new(File::open(path)?))?) };
    read().map_err(|error| format!("{}: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_divided_among_its_events() {
        let benchmark = serde_json::from_str(
            r#"{"full_id": "publish/alone/batch 10", "group_id": "publish/alone", "throughput": {"Elements": 10}}"#,
        );
        let interval = Interval { lower_bound: 10.0, upper_bound: 40.0 };
        let estimate = Estimate { point_estimate: 20.0, confidence_interval: interval };
        let row = row(&benchmark.expect("as criterion writes it"), estimate);
        assert_eq!(row, ["publish/alone/batch 10", "2.00", "500 [250..1000]"]);
    }
}
