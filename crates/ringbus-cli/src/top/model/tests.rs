use ringbus::stats::{ConsumerState, Waits};

use super::super::sample::{Look, Sample};
use super::super::testing::{after, facts, kinds, optional, report, required, sample, waits};
use super::*;

fn model(samples: impl IntoIterator<Item = Sample>) -> Model {
    let mut model = Model::new(facts());
    samples.into_iter().for_each(|sample| model.look(Look::Same(sample)));
    model
}

#[test]
fn one_look_tells_no_rates() {
    let consumers = vec![required("journal", 100, 0), optional("monitor", 10, 90, 0)];
    let first = Sample {
        report: Some(report(0, Waits::default(), consumers)),
        kinds: kinds(3, 1, 0, 0),
        ..sample(0, 100)
    };
    let model = model([first]);
    assert_eq!((model.rate, model.waited, model.history.len()), (None, None, 0));
    let monitor = &model.consumers[1];
    assert_eq!((monitor.rate, monitor.newly_missed, monitor.waited, monitor.missed), (None, None, None, 90));
    let kinds = model.kinds.unwrap();
    assert_eq!((kinds.rows[0].rate, kinds.rows[0].share, kinds.rows[0].count), (None, None, 3));
}

#[test]
fn the_rate_is_what_was_published_between_two_looks() {
    let model = model([sample(0, 100), sample(500, 1_100), sample(750, 1_100), sample(1_000, 1_601)]);
    assert_eq!(model.rate, Some(2_004.0));
    assert_eq!(model.history, [2_000, 0, 2_004]);
}

#[test]
fn no_more_rates_are_kept_than_screens_have_columns() {
    let model = model((0..600).map(|at| sample(at * 100, at * at)));
    assert_eq!(model.history.len(), HISTORY);
    assert_eq!(model.history.back(), Some(&((599 * 599 - 598 * 598) * 10)));
}

#[test]
fn consumers_are_told_by_two_reports_and_the_time_between_them() {
    let before = vec![required("journal", 1_000, 50), optional("monitor", 500, 100, 0)];
    let mut journal = required("journal", 3_000, 2_500);
    journal.waits = waits(3, 100);
    let now = vec![journal, optional("monitor", 900, 350, 12_000)];
    let model = model([
        Sample { report: Some(report(0, waits(1, 10), before)), ..sample(20, 1_000) },
        Sample { report: Some(report(400, waits(5, 60), now)), ..sample(520, 5_000) },
    ]);
    let [journal, monitor] = &model.consumers[..] else { panic!("two consumers") };
    assert_eq!((journal.rate, journal.lag, journal.lag_share), (Some(5_000.0), 2_500, 0.25));
    assert_eq!((journal.waited, journal.newly_missed), (Some(0.25), Some(0)));
    assert_eq!((monitor.rate, monitor.missed, monitor.newly_missed), (Some(1_000.0), 350, Some(250)));
    assert_eq!(monitor.lag_share, 1.2);
    assert_eq!(model.waited, Some(Waited { share: 0.125, per_second: 10.0 }));
}

#[test]
fn a_report_that_is_read_twice_changes_nothing() {
    let reports = [(0, 1_000), (200, 3_000), (200, 3_000)];
    let samples = reports.iter().zip([0, 250, 290]).map(|(&(written_at, delivered), taken_at)| Sample {
        report: Some(report(written_at, Waits::default(), vec![required("journal", delivered, 0)])),
        ..sample(taken_at, 0)
    });
    let model = model(samples);
    assert_eq!(model.consumers[0].rate, Some(10_000.0));
}

#[test]
fn a_report_that_could_not_be_read_leaves_the_former_one() {
    let first = Some(report(0, Waits::default(), vec![required("journal", 1_000, 9)]));
    let third = Some(report(1_000, Waits::default(), vec![required("journal", 3_000, 4)]));
    let mut model = model([Sample { report: first, ..sample(0, 0) }, sample(500, 0)]);
    assert!(model.has_report());
    assert_eq!(model.consumers[0].lag, 9);
    model.look(Look::Same(Sample { report: third, ..sample(1_000, 0) }));
    assert_eq!((model.consumers[0].lag, model.consumers[0].rate), (4, Some(2_000.0)));
}

#[test]
fn rates_do_not_go_on_where_the_process_is_gone() {
    let reports = [(0, 0), (100, 1_000)].map(|(written_at, delivered)| Sample {
        report: Some(report(written_at, waits(0, 0), vec![optional("monitor", delivered, 5, 3)])),
        ..sample(written_at, 0)
    });
    let mut model = model(reports);
    model.look(Look::Same(sample(60_000, 0)));
    assert_eq!(
        (model.consumers[0].rate, model.old_report()),
        (Some(10_000.0), Some(after(60_000) - after(100)))
    );
    model.look(Look::Same(Sample { liveness: Liveness::Dead, ..sample(60_500, 0) }));
    let monitor = &model.consumers[0];
    assert_eq!((monitor.rate, monitor.newly_missed, monitor.waited, model.waited), (None, None, None, None));
    assert_eq!((monitor.missed, monitor.lag), (5, 3));
}

#[test]
fn a_consumer_that_joined_anew_under_its_old_name_has_no_rate_yet() {
    let mut anew = required("journal", 10, 0);
    anew.joined_at = 900.into();
    let model = model([
        Sample {
            report: Some(report(0, Waits::default(), vec![required("journal", 800, 0)])),
            ..sample(0, 0)
        },
        Sample { report: Some(report(100, Waits::default(), vec![anew])), ..sample(100, 0) },
    ]);
    assert_eq!(model.consumers[0].rate, None);
}

#[test]
fn the_ring_is_as_full_as_the_slowest_makes_it_that_the_producer_waits_for() {
    let mut paused = required("paused", 0, 9_000);
    paused.state = ConsumerState::Paused;
    let consumers =
        vec![required("quick", 0, 10), paused, required("slow", 0, 4_000), optional("monitor", 0, 0, 9_999)];
    let full = model([Sample { report: Some(report(0, Waits::default(), consumers)), ..sample(0, 0) }]);
    assert_eq!(full.fill(), Some(Fill { by: "slow", lag: 4_000, share: 0.4 }));
    let nobody = vec![optional("monitor", 0, 0, 9_999)];
    let free = model([Sample { report: Some(report(0, Waits::default(), nobody)), ..sample(0, 0) }]);
    assert_eq!(free.fill(), None);
}

#[test]
fn kinds_are_sorted_by_rate_and_named_by_the_schema() {
    let model = model([
        Sample { kinds: kinds(100, 100, 0, 0), ..sample(0, 0) },
        Sample { kinds: kinds(150, 400, 50, 0), ..sample(500, 0) },
    ]);
    let kinds = model.kinds.unwrap();
    assert_eq!(kinds.sampled, None);
    let rows: Vec<_> = kinds.rows.iter().map(|row| (&row.name[..], row.rate, row.share, row.count)).collect();
    assert_eq!(
        rows,
        [
            ("OrderAccepted", Some(600.0), Some(0.75), 400),
            ("Trade", Some(100.0), Some(0.125), 150),
            ("kind 77", Some(100.0), Some(0.125), 50),
        ]
    );
}

#[test]
fn rates_of_kinds_are_made_up_for_what_was_not_seen() {
    let model = model([
        Sample { kinds: kinds(0, 0, 0, 1_000), ..sample(0, 1_000) },
        Sample { kinds: kinds(75, 25, 0, 1_300), ..sample(1_000, 1_400) },
    ]);
    let kinds = model.kinds.unwrap();
    assert_eq!(kinds.sampled, Some(0.25));
    assert_eq!((kinds.rows[0].rate, kinds.rows[0].share), (Some(300.0), Some(0.75)));
}

#[test]
fn what_is_not_read_yet_is_not_lost() {
    // (The ring has 10,000 slots.)
    for (cursor, sampled, rate) in [(5_100, None, 100.0), (5_101, Some(100.0 / 5_101.0), 5_101.0)] {
        let model = model([
            Sample { kinds: kinds(0, 0, 0, 0), ..sample(0, 0) },
            Sample { kinds: kinds(100, 0, 0, 0), ..sample(1_000, cursor) },
        ]);
        let kinds = model.kinds.unwrap();
        assert_eq!(kinds.sampled, sampled);
        assert_eq!(kinds.rows[0].rate.map(f64::round), Some(rate));
    }
}

#[test]
fn where_nothing_was_seen_no_rates_are_known() {
    let model = model([
        Sample { kinds: kinds(5, 0, 0, 0), ..sample(0, 5) },
        Sample { kinds: kinds(5, 0, 0, 300), ..sample(1_000, 305) },
    ]);
    let kinds = model.kinds.unwrap();
    assert_eq!((kinds.sampled, kinds.rows[0].rate, kinds.rows[0].share), (Some(0.0), None, None));
    assert_eq!(kinds.rows[0].count, 5);
}

#[test]
fn another_ring_begins_anew() {
    let mut model = model([
        Sample { kinds: kinds(5, 0, 0, 0), ..sample(0, 1_000_000) },
        Sample { kinds: kinds(9, 0, 0, 0), ..sample(500, 2_000_000) },
    ]);
    let facts = Facts { process_id: 4_712, ..facts() };
    model.look(Look::Restarted(facts, sample(1_000, 10)));
    assert_eq!((model.rate, model.history.len(), model.kinds.is_none()), (None, 0, true));
    assert_eq!((model.restarts, model.restarted_at, model.facts.process_id), (1, Some(after(1_000)), 4_712));
    model.look(Look::Same(sample(1_500, 110)));
    assert_eq!(model.rate, Some(200.0));
}
