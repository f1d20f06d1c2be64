//! What is said of a ring that is not as it should be.

use super::*;

#[test]
fn how_it_ended_is_said() {
    let states = [
        (Liveness::Dead, "dead", "process 4711 is gone and has not closed the ring"),
        (Liveness::Closed(End::Closed), "closed", "the ring is closed: the producer has finished"),
        (Liveness::Stalled { silent_for: Duration::from_secs(61) }, "stalled", "no heartbeat for 1 min 1 s"),
    ];
    for (liveness, word, sentence) in states {
        let mut model = model();
        model.look(Look::Same(Sample { liveness, ..sample(2_000, 1_200_000) }));
        let lines = lines(&model, &mut view(), 80, 24);
        assert_eq!(words(&lines, "ringbus")[3], word);
        assert!(lines[2].starts_with(sentence), "{}", lines[2]);
        assert!(words(&lines, "journal").contains(&"2,500"), "what was known stays");
    }
}

#[test]
fn a_restart_and_a_lost_file_are_said() {
    let mut model = model();
    model.look(Look::Restarted(facts(), sample(2_000, 10)));
    let restarted = lines(&model, &mut view(), 80, 24);
    assert!(restarted[2].starts_with("restarted: this is another ring"), "{}", restarted[2]);
    assert!(restarted[3].ends_with("restarts 1"), "{}", restarted[3]);
    model.look(Look::Same(Sample { is_gone: true, ..sample(20_000, 10) }));
    let gone = lines(&model, &mut view(), 80, 24);
    assert_eq!(gone[2], "the file is gone; a new ring will be shown when it comes");
}

#[test]
fn an_old_report_is_said_to_be_one() {
    let mut model = model();
    model.look(Look::Same(sample(61_500, 1_200_000)));
    assert_eq!(lines(&model, &mut view(), 80, 24)[2], "consumers as they were 1 min 0 s ago");
}

#[test]
fn a_full_ring_says_for_whom_the_producer_waits() {
    let mut model = Model::new(facts());
    let slow = vec![required("journal", 0, 10_000)];
    model.look(Look::Same(Sample { report: Some(report(0, waits(0, 0), slow)), ..sample(0, 10_000) }));
    let lines = lines(&model, &mut view(), 80, 24);
    assert!(lines[4].ends_with("FULL, the producer waits for journal"), "{}", lines[4]);
}

#[test]
fn what_was_not_seen_of_the_kinds_is_said() {
    let mut model = Model::new(facts());
    model.look(Look::Same(Sample { kinds: kinds(0, 0, 0, 0), ..sample(0, 0) }));
    model.look(Look::Same(Sample { kinds: kinds(37, 0, 0, 63), ..sample(1_000, 100) }));
    let narrow = lines(&model, &mut view(), 80, 24);
    assert!(narrow.iter().any(|line| line.starts_with("KIND (sampled: saw 37%)")), "{}", narrow.join("\n"));
    assert_eq!(words(&narrow, "Trade")[1], "~100");
    let beside = lines(&model, &mut view(), 120, 40);
    assert!(
        beside.iter().any(|line| line.ends_with("KIND (sampled: saw 37%) EVENTS/S SHARE")),
        "{}",
        beside.join("\n")
    );
}

#[test]
fn why_there_is_nothing_is_said() {
    let mut facts = facts();
    facts.uncounted = Some("no bus: its events have no kinds".to_owned());
    let mut model = Model::new(facts);
    model.look(Look::Same(sample(0, 5)));
    let lines = lines(&model, &mut view(), 80, 24);
    assert_eq!(lines[4], "fill      -     the core reports no consumers");
    assert!(lines.contains(&"the core has not reported any".to_owned()), "{}", lines.join("\n"));
    assert!(lines.contains(&"no bus: its events have no kinds".to_owned()), "{}", lines.join("\n"));
}
