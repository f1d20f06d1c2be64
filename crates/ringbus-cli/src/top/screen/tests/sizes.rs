//! What a screen of a certain size has.

use super::*;

#[test]
fn at_80_by_24_all_of_it_is_there() {
    let lines = lines(&model(), &mut view(), 80, 24);
    assert_eq!(lines.len(), 24);
    assert_eq!(words(&lines, "ringbus")[..4], ["ringbus", "top", "exchange", "alive"]);
    assert!(lines[0].ends_with("every 500 ms  ? help"), "{}", lines[0]);
    assert_eq!(lines[1], "stream testnet-001  pid 4711  age 1 min 21 s  /dev/shm/ringbus-demo");
    assert_eq!(lines[2], "cursor    1,200,000  capacity 10,000  refused 7");
    assert!(lines[3].starts_with("events/s  800k  ██"), "{}", lines[3]);
    assert!(lines[3].ends_with("peak 800k"), "{}", lines[3]);
    assert_eq!(lines[4], "fill      25%   [##########...........................] 2,500 of 10,000: journal");
    assert_eq!(lines[5], "waited    4.0%  of the time, 6/s: journal 3.2%, positions 0.8%");
    let head = words(&lines, "CONSUMER");
    assert_eq!(
        head,
        ["CONSUMER", "KIND", "STATE", "LAG", "LAG%", "RATE", "MISSED", "NEW", "P50", "P99", "MAX"]
    );
    let journal = ["journal", "req", "running", "2,500", "25%", "800k", "-", "-", "1.2µs", "45µs", "3.0ms"];
    assert_eq!(words(&lines, "journal"), journal);
    let monitor = ["monitor", "opt", "running", "9,500", "95%", "2,000", "12,288", "+4,096", "-", "-", "-"];
    assert_eq!(words(&lines, "monitor"), monitor);
    assert_eq!(words(&lines, "audit")[..5], ["audit", "log", "opt", "paused", "40"]);
    assert_eq!(words(&lines, "KIND"), ["KIND", "EVENTS/S", "SHARE", "COUNTED"]);
    assert_eq!(words(&lines, "OrderAccepted"), ["OrderAccepted", "600k", "75%", "900,000"]);
    assert_eq!(words(&lines, "Trade"), ["Trade", "200k", "25%", "300,000"]);
    assert!(lines[23].starts_with(" q quit  p pause") && lines[23].ends_with("? help"), "{}", lines[23]);
}

#[test]
fn at_120_by_40_the_kinds_stand_beside_the_consumers() {
    let lines = lines(&model(), &mut view(), 120, 40);
    let head = words(&lines, "CONSUMER");
    assert_eq!(head[8], "P50", "the waits by consumer are what there is no room for: {head:?}");
    assert_eq!(head[11..], ["KIND", "EVENTS/S", "SHARE"]);
    assert_eq!(words(&lines, "journal")[11..], ["OrderAccepted", "600k", "75%"]);
    assert!(lines[1].ends_with("/dev/shm/ringbus-demo  epoch 00c0ffee"), "{}", lines[1]);
    // The picture has six rows.
    assert!(lines[3..9].iter().all(|line| line.contains("██")), "{}", lines.join("\n"));
    assert!(lines[9].starts_with("fill      25%"), "{}", lines[9]);
}

#[test]
fn a_wide_screen_has_the_waits_by_consumer() {
    let lines = lines(&model(), &mut view(), 200, 60);
    assert_eq!(words(&lines, "CONSUMER")[8], "WAIT");
    assert_eq!(words(&lines, "journal")[1], "required");
    assert_eq!(words(&lines, "journal")[8], "3.2%");
}

#[test]
fn at_40_by_10_what_matters_most_is_there() {
    let lines = lines(&model(), &mut view(), 40, 10);
    assert_eq!(words(&lines, "ringbus")[..4], ["ringbus", "top", "exchange", "alive"]);
    assert!(lines[1].starts_with("events/s  800k"), "{}", lines[1]);
    assert_eq!(lines[2], "fill      25%   2,500 of 10,000: journal");
    assert_eq!(lines[3], "waited    4.0%  of the time, 6/s: journ…");
    assert_eq!(words(&lines, "CONSUMER"), ["CONSUMER", "STATE", "LAG", "RATE", "MISSED"]);
    assert_eq!(words(&lines, "monitor"), ["monitor", "running", "9,500", "2,000", "12,288"]);
}

#[test]
fn no_size_is_too_small() {
    for model in [model(), Model::new(facts())] {
        for columns in (0..60).step_by(3) {
            for rows in 0..30 {
                let mut view = view();
                view.shows_help = rows % 2 == 0;
                let area = Rect::new(0, 0, columns, rows);
                draw(&model, &mut view, area, &mut Buffer::empty(area));
            }
        }
    }
}

#[test]
fn as_text_no_row_is_left_out() {
    let mut model = Model::new(facts());
    let many = (0..40).map(|at| required(&format!("keeper-{at:02}"), 0, at)).collect();
    model.look(Look::Same(Sample {
        report: Some(report(0, waits(0, 0), many)),
        kinds: kinds(1, 2, 3, 0),
        ..sample(0, 0)
    }));
    for columns in [60, 80, 160] {
        let text = super::super::text(&model, &mut view(), columns);
        assert_eq!(text.matches("keeper-").count(), 40 + 1, "and once as the slowest:\n{text}");
        assert!(
            text.contains("Trade") && text.contains("OrderAccepted") && text.contains("kind 77"),
            "{text}"
        );
        assert!(!text.contains("? help") && !text.contains("q quit"), "{text}");
    }
}
