//! What a ring's file tells of the consumers in the core's own process.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ringbus::shared::{ConsumerReport, Report, RingFile, Shared};
use ringbus::stats::{ConsumerKind, ConsumerState, ConsumerStats, Histogram, Stats};
use ringbus::{PublishError, ReadFrom, Ring};

use crate::common::{at, eventually, in_time, publish_up_to, soon, take_all};
use crate::{Place, builder, lagged, sixteen};

/// It reports when it is built and when it ends, and hardly ever between.
fn seldom(place: &Place) -> Shared {
    Shared::at(place.path()).report_every(Some(Duration::from_secs(3_600)))
}

#[track_caller]
fn assert_same(told: &ConsumerReport, stats: &ConsumerStats) {
    assert_eq!(
        (&*told.name, told.kind, told.state, told.joined_at, told.position),
        (&*stats.name, stats.kind, stats.state, stats.joined_at, stats.position)
    );
    assert_eq!(
        (told.delivered, told.missed, told.let_pass, told.lag, told.waits),
        (stats.delivered, stats.missed, stats.let_pass, stats.lag, stats.waits)
    );
    match (&told.latency, &stats.latency) {
        (None, sampled) => assert!(sampled.as_ref().is_none_or(Histogram::is_empty)),
        (Some(told), sampled) => {
            let sampled = sampled.as_ref().expect("it is sampled");
            let at = |quantile| Duration::from_nanos(sampled.value_at_quantile(quantile));
            assert_eq!((told.samples, told.max), (sampled.len(), Duration::from_nanos(sampled.max())));
            assert_eq!((told.p50, told.p99, told.p999), (at(0.5), at(0.99), at(0.999)));
        }
    }
}

#[track_caller]
fn assert_tells(report: &Report, stats: &Stats) {
    assert_eq!((report.cursor, report.waits, report.refused), (stats.cursor, stats.waits, stats.refused));
    assert_eq!(report.consumers.len(), stats.consumers.len());
    report.consumers.iter().zip(&stats.consumers).for_each(|(told, stats)| assert_same(told, stats));
    for told in &report.consumers {
        let accounted = told.delivered + told.missed + told.let_pass + told.lag;
        assert_eq!(told.joined_at + accounted, report.cursor, "{told:?}");
    }
    assert_eq!(report.left_out, 0);
}

#[test]
fn tells_every_consumer_as_the_statistics_do() {
    let place = Place::new();
    let settings = builder(16).sample_latency(NonZero::<u64>::MIN).shared(seldom(&place));
    let (mut producer, ring) = settings.build().unwrap();
    let mut journal = ring.required("journal").join().unwrap();
    let mut store = ring.required("store").after(&[&journal]).join().unwrap();
    let mut resting = ring.required("resting").join().unwrap();
    let mut monitor = ring.optional("monitor").resume(ReadFrom::Oldest { headroom: 0 }).join().unwrap();
    let mut idle = ring.optional("idle").join().unwrap();
    let resting_until_the_end = resting.pause().unwrap();
    let idling_until_the_end = idle.pause();
    for _ in 0..3 {
        let first = producer.next_sequence().get();
        publish_up_to(&mut producer, first + 16);
        assert!(matches!(producer.try_publish(&0), Err(PublishError::Full { .. })));
        assert!(matches!(producer.publish_deadline(&0, soon()), Err(PublishError::Full { .. })));
        assert_eq!(take_all(&mut journal).len(), 16);
        assert_eq!(take_all(&mut store).len(), 16);
    }
    publish_up_to(&mut producer, 53);
    journal.try_read().unwrap().acknowledge_first(3).unwrap();
    assert_eq!(ringbus::shared::ObserveError::from(monitor.try_recv().unwrap_err()), lagged(41, 41));
    assert_eq!(monitor.try_recv(), Ok((at(41), 41)));

    let file = RingFile::open(place.path()).unwrap();
    let first = file.report().unwrap();
    assert_eq!((first.cursor, first.consumers.len(), first.refused, first.waits.count), (at(0), 0, 0, 0));
    drop(producer);
    let (report, stats) = (file.report().unwrap(), ring.stats());
    assert_tells(&report, &stats);
    assert!(report.age <= first.age + Duration::from_secs(3_600));
    assert_eq!((report.cursor, report.refused), (at(53), 6));
    let told: Vec<_> = report
        .consumers
        .iter()
        .map(|told| {
            (
                &*told.name,
                told.kind,
                told.state,
                told.position.get(),
                told.delivered,
                told.missed,
                told.let_pass,
                told.lag,
            )
        })
        .collect();
    use {
        ConsumerKind::{Optional, Required},
        ConsumerState::{Paused, Running},
    };
    assert_eq!(
        told,
        [
            ("journal", Required, Running, 51, 51, 0, 0, 2),
            ("store", Required, Running, 48, 48, 0, 0, 5),
            ("resting", Required, Paused, 0, 0, 0, 53, 0),
            ("monitor", Optional, Running, 42, 1, 41, 0, 11),
            ("idle", Optional, Paused, 0, 0, 0, 53, 0),
        ]
    );
    let samples: Vec<_> =
        report.consumers.iter().map(|told| told.latency.map(|latency| latency.samples)).collect();
    assert_eq!(samples, [Some(51), Some(48), None, None, None]);
    // Nothing more is told.
    drop((resting_until_the_end, idling_until_the_end));
    assert_tells(&file.report().unwrap(), &stats);
}

#[test]
fn tells_who_has_failed() {
    let place = Place::new();
    let (mut producer, ring) = builder(16).shared(seldom(&place)).build().unwrap();
    let mut journal = ring.required("journal").join().unwrap();
    publish_up_to(&mut producer, 5);
    journal.try_read().unwrap().acknowledge_first(2).unwrap();
    drop(journal);
    assert!(producer.publish(&5).is_err());
    drop(producer);
    let report = RingFile::open(place.path()).unwrap().report().unwrap();
    assert_tells(&report, &ring.stats());
    let journal = &report.consumers[0];
    assert_eq!((journal.state, journal.position, journal.lag), (ConsumerState::Failed, at(2), 3));
}

#[test]
fn is_told_again_and_again() {
    let place = Place::new();
    let every = Shared::at(place.path()).report_every(Some(Duration::from_millis(1)));
    let (mut producer, ring) = builder(16).shared(every).build().unwrap();
    let file = RingFile::open(place.path()).unwrap();
    let _monitor = ring.optional("monitor").join().unwrap();
    for end in 1..20 {
        publish_up_to(&mut producer, end);
        eventually("a report of it", || file.report().is_some_and(|report| report.cursor == at(end)));
    }
    let report = file.report().unwrap();
    assert_eq!((report.consumers.len(), report.consumers[0].lag), (1, 19));
}

#[test]
fn however_often_it_is_told_the_ring_ends() {
    for every in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let cursor = in_time("a ring that reports", move || {
            let place = Place::new();
            let shared = Shared::at(place.path()).report_every(Some(every));
            let (mut producer, _ring) = builder(16).shared(shared).build().unwrap();
            publish_up_to(&mut producer, 5);
            let file = RingFile::open(place.path()).unwrap();
            let told = || file.report().map(|report| report.cursor);
            if every < Duration::MAX {
                // The thread runs.
                eventually("a report of it", || told() == Some(at(5)));
            }
            drop(producer);
            told()
        });
        assert_eq!(cursor, Some(at(5)), "{every:?}");
    }
}

/// Whoever reads while it is being written gets what was written before, or after.
#[test]
fn is_never_read_half_written() {
    let place = Place::new();
    let every = Shared::at(place.path()).report_every(Some(Duration::from_micros(1)));
    let (mut producer, ring) = builder(16).shared(every).build().unwrap();
    let _consumers: Vec<_> =
        (0..20).map(|name| ring.optional(&format!("monitor {name}")).join().unwrap()).collect();
    let (file, is_over) = (RingFile::open(place.path()).unwrap(), AtomicBool::new(false));
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut told, mut last) = (0, at(0));
            while !is_over.load(Ordering::Relaxed) || told == 0 {
                let Some(report) = file.report() else { continue };
                assert!(report.cursor >= last);
                for consumer in &report.consumers {
                    assert_eq!((consumer.lag, consumer.position), (report.cursor.get(), at(0)), "{report:?}");
                }
                told += u64::from(report.consumers.len() == 20);
                last = report.cursor;
            }
            told
        });
        (0..400_000).for_each(|event| assert!(producer.publish(&event).is_ok()));
        is_over.store(true, Ordering::Relaxed);
        assert!(reading.join().unwrap() > 0);
    });
}

#[test]
fn is_not_told_where_nobody_wants_it() {
    let place = Place::new();
    let (mut producer, ring) = sixteen(&place);
    let _monitor = ring.optional("monitor").join().unwrap();
    publish_up_to(&mut producer, 5);
    let file = RingFile::open(place.path()).unwrap();
    assert!(file.report().is_none());
    drop(producer);
    assert!(file.report().is_none());
}

#[test]
fn a_long_name_is_cut_off_between_characters() {
    let place = Place::new();
    let (producer, ring) = builder(16).shared(seldom(&place)).build().unwrap();
    let names = [format!("x{}", "ü".repeat(100)), "y".repeat(128), "z".repeat(129), String::new()];
    let consumers: Vec<_> = names.iter().map(|name| ring.optional(name).join().unwrap()).collect();
    drop(producer);
    let report = RingFile::open(place.path()).unwrap().report().unwrap();
    let told: Vec<_> = report.consumers.iter().map(|told| &*told.name).collect();
    assert_eq!(told, [&*format!("x{}", "ü".repeat(63)), &names[1], &names[1].replace('y', "z"), ""]);
    drop(consumers);
}

/// There is a place for each required consumer, and for 32 others.
#[test]
fn says_how_many_found_no_place() {
    for (optional, left_out) in [(32, 0), (34, 0), (35, 1), (60, 26)] {
        let place = Place::new();
        let settings = Ring::<u64>::builder().capacity(8).max_required(3).shared(seldom(&place));
        let (producer, ring) = settings.build().unwrap();
        let journal = ring.required("journal").join().unwrap();
        let consumers: Vec<_> =
            (0..optional).map(|number| ring.optional(&number.to_string()).join().unwrap()).collect();
        drop(producer);
        let report = RingFile::open(place.path()).unwrap().report().unwrap();
        assert_eq!((report.left_out, report.consumers.len() as u64), (left_out, 1 + optional - left_out));
        assert_eq!(&*report.consumers[0].name, "journal", "the required come first");
        assert!(
            (0..).zip(&report.consumers[1..]).all(|(number, told): (u64, _)| told.name == number.to_string())
        );
        drop((journal, consumers));
    }
}
