//! What is printed.

use serde_json::Value;

use crate::support::{bench, fine};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn assert_spread(spread: &Value) {
    let [min, median, max] = ["min", "median", "max"].map(|name| number(&spread[name]));
    assert!(0.0 < min && min <= median && median <= max, "{spread}");
}

/// Of the pairs of a histogram.
fn total(histogram: &Value) -> u64 {
    let pairs = histogram.as_array().expect("a histogram is an array");
    pairs.iter().map(|pair| pair[1].as_u64().expect("a count")).sum()
}

/// All consumers got what was sent, which was something.
#[track_caller]
fn assert_delivered(measured: &Value, consumers: usize) {
    assert!(measured["sent"].as_u64().expect("a count") > 0);
    assert_eq!(measured["received"], Value::from(vec![measured["sent"].clone(); consumers]));
    assert_eq!(
        measured["received_checksums"],
        Value::from(vec![measured["sent_checksum"].clone(); consumers])
    );
    assert_eq!(measured["sent_checksum"].as_str().expect("hexadecimal").len(), 16);
}

#[test]
fn every_figure_is_there_and_every_event_arrived() {
    let printed = fine(bench(&["--quick", "--json", "--rate", "100000"]));
    let report: Value = serde_json::from_str(&printed).expect("it is JSON");
    let rounds = report["rounds"].as_u64().expect("a count");
    assert_eq!(rounds, 3);

    assert_spread(&report["hand_off_nanoseconds"]);

    let throughput = report["throughput"].as_array().expect("an array");
    let workloads: Vec<_> =
        throughput.iter().map(|measured| measured["workload"].as_str().expect("a name")).collect();
    let expected = [
        "one-to-one, single",
        "one-to-one, batches of 64",
        "one-to-three, single",
        "one-to-three, batches of 64",
    ];
    assert_eq!(workloads, expected);
    for (measured, consumers) in throughput.iter().zip([1, 1, 3, 3]) {
        assert_spread(&measured["events_per_second"]);
        assert_eq!(measured["rounds"].as_array().map(Vec::len), Some(3));
        assert_delivered(measured, consumers);
        let sent = measured["sent"].as_u64().expect("a count");
        assert!(sent.is_multiple_of(measured["batch"].as_u64().expect("a count")), "a batch was cut");
    }

    let latency = &report["latency"];
    assert_eq!(number(&latency["offered_per_second"]), 100_000.0);
    assert_spread(&latency["sent_per_second"]);
    assert_delivered(latency, 1);
    // 50 ms of each round, and a tenth of what was planned is not recorded: unless the machine was too slow to send it all.
    let (sent, planned) = (latency["sent"].as_u64().expect("a count"), rounds * 5_000);
    let recorded = total(&latency["histogram"]);
    assert!(if sent == planned {
        recorded == sent - planned / 10
    } else {
        sent < planned && recorded < sent
    });
    let percentiles = latency["percentiles"].as_array().expect("an array");
    let medians: Vec<_> = percentiles.iter().map(|one| number(&one["nanoseconds"]["median"])).collect();
    assert_eq!(
        percentiles.iter().map(|one| number(&one["percent"])).collect::<Vec<_>>(),
        [50.0, 90.0, 99.0, 99.9, 99.99, 100.0]
    );
    assert!(medians.is_sorted() && medians[0] > 0.0, "{medians:?}");

    let jitter = report["jitter"].as_array().expect("an array");
    assert_eq!(jitter.len(), report["machine"]["measured"].as_array().expect("an array").len().max(1));
    for core in jitter {
        assert!(
            number(&core["seconds"]) > 0.0
                && number(&core["looks"]) > 0.0
                && number(&core["look_nanoseconds"]) > 0.0
        );
        assert_eq!(core["gaps"].as_u64(), Some(total(&core["histogram"])));
        assert_eq!(number(&core["worst_nanoseconds"]) > 0.0, number(&core["gaps"]) > 0.0);
        assert!((0.0..=100.0).contains(&number(&core["lost_percent"])));
    }
}

/// On one core all threads take turns, which is said.
#[test]
fn a_single_core_is_measured_with_a_warning() {
    let everything = fine(bench(&["--quick", "--json", "--rate", "10000"]));
    let report: Value = serde_json::from_str(&everything).expect("it is JSON");
    let Some(core) = report["machine"]["measured"][0].as_u64() else {
        return; // This system does not pin threads.
    };
    let core = core.to_string();
    let printed = fine(bench(&["--quick", "--json", "--rate", "10000", "--cores", &core]));
    let report: Value = serde_json::from_str(&printed).expect("it is JSON");
    let warnings = report["warnings"].to_string();
    for warning in ["one-to-one has 2 threads for 1 core:", "one-to-three has 4 threads for 1 core:"] {
        assert!(warnings.contains(warning), "{warnings}");
    }
    for (measured, consumers) in report["throughput"].as_array().expect("an array").iter().zip([1, 1, 3, 3]) {
        assert_eq!(
            (&measured["waits"], &measured["cores"]),
            (&"yielding".into(), &Value::from(Vec::<u64>::new()))
        );
        assert_delivered(measured, consumers);
    }
    assert_eq!(report["jitter"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["jitter"][0]["core"].to_string(), core);
}
