//! Optional consumers: where they start and go on, what they are told of what they missed, and that the producer does not
//! notice them.

mod common;

use std::thread;
use std::time::Instant;

use common::{Announce, Dice, at, much_later, publish_up_to, ring, soon};
use ringbus::{End, OptionalConsumer, Producer, ReadFrom, Received, RecvError, Ring, StartError};

const CLOSED: RecvError = RecvError::Ended(End::Closed);

const fn oldest(headroom: u64) -> ReadFrom {
    ReadFrom::Oldest { headroom }
}

const fn lagged(missed: u64, resumed_at: u64) -> RecvError {
    RecvError::Lagged { missed, resumed_at: at(resumed_at) }
}

#[track_caller]
fn assert_adds_up(consumer: &OptionalConsumer<u64>, ring: &Ring<u64>) {
    assert_eq!(
        consumer.delivered() + consumer.missed() + consumer.lag(),
        ring.cursor().since(consumer.joined_at())
    );
}

/// 100 events on a ring of 16 with a max batch of 4: the last 12 can be read.
fn hundred_published() -> (Producer<u64>, Ring<u64>) {
    let (mut producer, ring) = ring(16);
    publish_up_to(&mut producer, 100);
    (producer, ring)
}

#[test]
fn starts_exactly_where_it_is_told_to() {
    let (_producer, ring) = hundred_published();
    for (start, joined_at) in [
        (oldest(0), 88),
        (oldest(3), 91),
        (oldest(12), 100),
        (oldest(13), 100),
        (oldest(u64::MAX), 100),
        (ReadFrom::Newest, 100),
        (ReadFrom::NewestMinus(0), 100),
        (ReadFrom::NewestMinus(5), 95),
        (ReadFrom::NewestMinus(12), 88),
        (ReadFrom::NewestMinus(13), 88),
        (ReadFrom::NewestMinus(u64::MAX), 88),
        (ReadFrom::Sequence(at(100)), 100),
        (ReadFrom::Sequence(at(99)), 99),
        (ReadFrom::Sequence(at(88)), 88),
    ] {
        let mut consumer = ring.optional("monitor").start(start).join().unwrap();
        assert_eq!((consumer.joined_at(), consumer.position()), (at(joined_at), at(joined_at)), "{start:?}");
        for number in joined_at..100 {
            assert_eq!(consumer.try_recv(), Ok((at(number), number)), "{start:?}");
        }
        assert_eq!(consumer.try_recv(), Err(RecvError::Empty), "{start:?}");
        assert_eq!((consumer.delivered(), consumer.missed()), (100 - joined_at, 0), "{start:?}");
    }
}

#[test]
fn starts_at_the_first_event_where_there_are_not_so_many() {
    let (mut producer, ring) = Ring::builder().capacity(16).first_sequence(at(1_000)).build().unwrap();
    publish_up_to(&mut producer, 1_005);
    for (start, joined_at) in [
        (oldest(0), 1_000),
        (oldest(7), 1_000),
        (oldest(8), 1_001),
        (ReadFrom::NewestMinus(4), 1_001),
        (ReadFrom::NewestMinus(5), 1_000),
        (ReadFrom::NewestMinus(9), 1_000),
        (ReadFrom::Sequence(at(1_000)), 1_000),
    ] {
        let consumer = ring.optional("monitor").start(start).join().unwrap();
        assert_eq!(consumer.joined_at(), at(joined_at), "{start:?}");
    }
}

#[test]
fn starts_at_the_next_event_unless_told_otherwise() {
    let (mut producer, ring) = hundred_published();
    let mut consumer = ring.optional("monitor").join().unwrap();
    assert_eq!((consumer.name(), consumer.joined_at()), ("monitor", at(100)));
    assert_eq!(consumer.try_recv(), Err(RecvError::Empty));
    publish_up_to(&mut producer, 101);
    assert_eq!(consumer.try_recv(), Ok((at(100), 100)));
}

#[test]
fn cannot_start_at_what_is_not_yet_published() {
    let (_producer, ring) = hundred_published();
    let error = ring.optional("monitor").start(ReadFrom::Sequence(at(101))).join().unwrap_err();
    assert_eq!(
        error,
        StartError::NotYetPublished { consumer: "monitor".into(), asked: at(101), cursor: at(100) }
    );
    assert_eq!(
        error.to_string(),
        "consumer `monitor` cannot go to sequence 101: the cursor is at 100; go there or before, or read the newest"
    );
}

#[test]
fn cannot_start_before_the_first_event_of_the_ring() {
    let (mut producer, ring) = Ring::builder().capacity(16).first_sequence(at(1_000)).build().unwrap();
    publish_up_to(&mut producer, 1_005);
    let error = ring.optional("monitor").start(ReadFrom::Sequence(at(999))).join().unwrap_err();
    assert_eq!(
        error,
        StartError::BeforeFirst { consumer: "monitor".into(), asked: at(999), first_sequence: at(1_000) }
    );
    assert_eq!(
        error.to_string(),
        "consumer `monitor` cannot start at sequence 999: this ring begins at 1000; read what is before from where it was \
         kept, and start at 1000"
    );
}

#[test]
fn a_start_at_an_overwritten_sequence_is_told_what_it_missed() {
    for (start, missed) in [(87, 1), (50, 38), (0, 88)] {
        let (_producer, ring) = hundred_published();
        let start = ReadFrom::Sequence(at(start));
        let mut consumer = ring.optional("replay").start(start).resume(oldest(0)).join().unwrap();
        assert_eq!(consumer.missed(), 0);
        assert_eq!(consumer.try_recv(), Err(lagged(missed, 88)), "{start:?}");
        assert_eq!(consumer.try_recv(), Ok((at(88), 88)));
        assert_eq!((consumer.missed(), consumer.delivered(), consumer.lag()), (missed, 1, 11));
        assert_adds_up(&consumer, &ring);
    }
}

/// Where it goes on when sequence 0 was next and 100 are published.
const RESUMES: [(ReadFrom, u64); 16] = [
    (oldest(0), 88),
    (oldest(3), 91),
    (oldest(12), 100),
    (oldest(13), 100),
    (oldest(u64::MAX), 100),
    (ReadFrom::Newest, 100),
    (ReadFrom::NewestMinus(0), 100),
    (ReadFrom::NewestMinus(5), 95),
    (ReadFrom::NewestMinus(12), 88),
    (ReadFrom::NewestMinus(50), 88),
    (ReadFrom::NewestMinus(u64::MAX), 88),
    (ReadFrom::Sequence(at(95)), 95),
    (ReadFrom::Sequence(at(100)), 100),
    (ReadFrom::Sequence(at(10)), 88),
    (ReadFrom::Sequence(at(0)), 88),
    (ReadFrom::Sequence(at(200)), 100),
];

#[test]
fn an_overrun_is_counted_exactly_and_resumed_where_it_is_told_to() {
    for (resume, resumed_at) in RESUMES {
        let (mut producer, ring) = ring(16);
        let mut consumer = ring.optional("monitor").resume(resume).join().unwrap();
        publish_up_to(&mut producer, 100);
        assert_eq!((consumer.missed(), consumer.lag()), (0, 100), "not before it is noticed: {resume:?}");
        assert_eq!(consumer.try_recv(), Err(lagged(resumed_at, resumed_at)), "{resume:?}");
        assert_eq!((consumer.missed(), consumer.position()), (resumed_at, at(resumed_at)), "{resume:?}");
        for number in resumed_at..100 {
            assert_eq!(consumer.try_recv(), Ok((at(number), number)), "{resume:?}");
        }
        assert_eq!(consumer.try_recv(), Err(RecvError::Empty), "{resume:?}");
        assert_eq!(
            (consumer.delivered(), consumer.missed(), consumer.lag()),
            (100 - resumed_at, resumed_at, 0)
        );
    }
}

#[test]
fn recv_many_counts_and_resumes_in_the_same_way() {
    for (resume, resumed_at) in RESUMES {
        let (mut producer, ring) = ring(16);
        let mut consumer = ring.optional("monitor").resume(resume).join().unwrap();
        publish_up_to(&mut producer, 100);
        let mut buffer = Vec::with_capacity(100);
        assert_eq!(consumer.try_recv_many(&mut buffer), Err(lagged(resumed_at, resumed_at)), "{resume:?}");
        assert!(buffer.is_empty());
        let rest = Received { missed: 0, first: at(resumed_at), count: 100 - resumed_at as usize };
        let expected = if resumed_at == 100 { Err(RecvError::Empty) } else { Ok(rest) };
        assert_eq!(consumer.try_recv_many(&mut buffer), expected, "{resume:?}");
        assert_eq!(buffer, (resumed_at..100).collect::<Vec<_>>(), "{resume:?}");
        assert_adds_up(&consumer, &ring);
    }
}

#[test]
fn resumes_with_a_headroom_of_an_eighth_of_the_ring_unless_told_otherwise() {
    let (_producer, ring) = hundred_published();
    let mut consumer = ring.optional("monitor").start(ReadFrom::Sequence(at(0))).join().unwrap();
    assert_eq!(consumer.try_recv(), Err(lagged(90, 90)));
    assert_eq!(
        lagged(90, 90).to_string(),
        "90 events were skipped because the producer had come round; goes on at sequence 90 (a larger ring, or a faster reader, \
         would have kept up)"
    );
}

#[test]
fn the_last_capacity_less_max_batch_events_can_be_read_and_not_one_more() {
    for max_batch in [1, 3, 4] {
        let readable = 16 - max_batch as u64;
        let (mut producer, ring) = Ring::builder().capacity(16).max_batch(max_batch).build().unwrap();
        publish_up_to(&mut producer, 50);
        let join = || ring.optional("monitor").resume(oldest(0)).join().unwrap();
        let (mut just_right, mut too_late) = (join(), join());
        publish_up_to(&mut producer, 50 + readable);
        assert_eq!(just_right.try_recv(), Ok((at(50), 50)));
        publish_up_to(&mut producer, 51 + readable);
        assert_eq!(too_late.try_recv(), Err(lagged(1, 51)));
        assert_eq!(too_late.try_recv(), Ok((at(51), 51)));
    }
}

#[test]
fn headroom_is_how_many_more_events_are_published_before_it_is_overrun_again() {
    for headroom in 0..12 {
        for more in [headroom, headroom + 1] {
            let (mut producer, ring) = hundred_published();
            let mut consumer =
                ring.optional("monitor").start(oldest(headroom)).resume(oldest(0)).join().unwrap();
            let first = consumer.joined_at();
            publish_up_to(&mut producer, 100 + more);
            let expected =
                if more == headroom { Ok((first, first.get())) } else { Err(lagged(1, first.get() + 1)) };
            assert_eq!(consumer.try_recv(), expected, "headroom {headroom}, {more} more");
        }
    }
}

#[test]
fn recv_many_appends_within_the_spare_capacity_and_never_reallocates() {
    let (mut producer, ring) = ring(16);
    publish_up_to(&mut producer, 10);
    let mut consumer = ring.optional("monitor").join().unwrap();
    publish_up_to(&mut producer, 21);
    let mut buffer = Vec::with_capacity(8);
    buffer.extend([700, 701, 702]);
    let (address, capacity) = (buffer.as_ptr(), buffer.capacity());
    assert_eq!(capacity, 8);

    let received = consumer.try_recv_many(&mut buffer);
    assert_eq!(received, Ok(Received { missed: 0, first: at(10), count: 5 }));
    assert_eq!(buffer, [700, 701, 702, 10, 11, 12, 13, 14]);
    assert_eq!(consumer.try_recv_many(&mut buffer), Err(RecvError::BufferFull));
    assert_eq!(buffer.len(), 8);
    assert_eq!((consumer.position(), consumer.delivered()), (at(15), 5));

    buffer.truncate(1);
    let received = consumer.recv_many(&mut buffer);
    assert_eq!(received, Ok(Received { missed: 0, first: at(15), count: 6 }), "across the wrap");
    assert_eq!(buffer, [700, 15, 16, 17, 18, 19, 20]);
    assert_eq!(consumer.try_recv_many(&mut buffer), Err(RecvError::Empty));
    assert_eq!((buffer.as_ptr(), buffer.capacity(), buffer.len()), (address, capacity, 7));
}

#[test]
fn a_buffer_without_spare_capacity_is_an_error_whatever_there_is_to_read() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.optional("monitor").resume(oldest(0)).join().unwrap();
    let mut full = Vec::new();
    let passed = Instant::now();
    for published in [0, 5, 100] {
        publish_up_to(&mut producer, published);
        assert_eq!(consumer.try_recv_many(&mut full), Err(RecvError::BufferFull));
        assert_eq!(consumer.recv_many(&mut full), Err(RecvError::BufferFull));
        assert_eq!(consumer.recv_many_deadline(&mut full, passed), Err(RecvError::BufferFull));
        assert_eq!((consumer.missed(), consumer.lag()), (0, published));
    }
    assert_eq!(full.capacity(), 0);
    assert_eq!(
        RecvError::BufferFull.to_string(),
        "the buffer has no spare capacity: clear it, or reserve room for more events"
    );
}

#[test]
fn skip_to_counts_what_it_skips() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.optional("monitor").join().unwrap();
    publish_up_to(&mut producer, 10);
    assert_eq!(consumer.try_recv(), Ok((at(0), 0)));
    assert_eq!(consumer.skip_to(ReadFrom::Sequence(at(4))), Ok(3));
    assert_eq!((consumer.position(), consumer.delivered(), consumer.missed()), (at(4), 1, 3));
    assert_eq!(consumer.try_recv(), Ok((at(4), 4)));
    assert_eq!(consumer.skip_to(ReadFrom::NewestMinus(2)), Ok(3));
    assert_eq!(consumer.try_recv(), Ok((at(8), 8)));
    assert_eq!(consumer.skip_to(ReadFrom::Newest), Ok(1));
    assert_eq!(consumer.try_recv(), Err(RecvError::Empty));
    assert_eq!((consumer.delivered(), consumer.missed(), consumer.lag()), (3, 7, 0));

    publish_up_to(&mut producer, 100);
    assert_eq!(
        consumer.skip_to(oldest(2)),
        Ok(80),
        "an overrun that was not noticed is skipped like the rest"
    );
    assert_eq!(consumer.try_recv(), Ok((at(90), 90)));
    assert_eq!((consumer.delivered(), consumer.missed(), consumer.lag()), (4, 87, 9));
    assert_adds_up(&consumer, &ring);
}

#[test]
fn skip_to_stays_where_it_is_rather_than_go_back() {
    let (_producer, ring) = hundred_published();
    let mut consumer = ring.optional("monitor").start(ReadFrom::NewestMinus(4)).join().unwrap();
    for behind in [oldest(0), ReadFrom::NewestMinus(4), ReadFrom::NewestMinus(7), ReadFrom::Sequence(at(96))]
    {
        assert_eq!(consumer.skip_to(behind), Ok(0), "{behind:?}");
    }
    let error = consumer.skip_to(ReadFrom::Sequence(at(95))).unwrap_err();
    assert_eq!(error, StartError::Backwards { consumer: "monitor".into(), asked: at(95), position: at(96) });
    assert_eq!(
        error.to_string(),
        "consumer `monitor` cannot go back to sequence 95: it stands at 96 and has accounted for all before; join a second \
         consumer there"
    );
    assert_eq!(
        consumer.skip_to(ReadFrom::Sequence(at(101))),
        Err(StartError::NotYetPublished { consumer: "monitor".into(), asked: at(101), cursor: at(100) })
    );
    assert_eq!((consumer.position(), consumer.missed()), (at(96), 0));
    assert_eq!(consumer.try_recv(), Ok((at(96), 96)));
}

#[test]
fn delivered_missed_and_lag_add_up_at_every_step() {
    for (seed, (resume, _)) in (1..).zip(RESUMES) {
        let mut dice = Dice(seed);
        let (mut producer, ring) = ring(16);
        publish_up_to(&mut producer, 20);
        let mut consumer = ring.optional("monitor").resume(resume).join().unwrap();
        let (mut delivered, mut missed) = (0, 0);
        let mut buffer = Vec::with_capacity(20);
        for _ in 0..3_000 {
            match dice.below(8) {
                0..=2 => publish_up_to(&mut producer, ring.cursor().get() + dice.below(10)),
                3..=5 => match consumer.try_recv() {
                    Ok((sequence, event)) => {
                        assert_eq!(sequence.get(), event);
                        delivered += 1;
                    }
                    Err(RecvError::Lagged { missed: more, .. }) => missed += more,
                    Err(error) => assert_eq!(error, RecvError::Empty),
                },
                6 => {
                    buffer.truncate(dice.below(20) as usize);
                    match consumer.try_recv_many(&mut buffer) {
                        Ok(received) => {
                            delivered += received.count as u64;
                            missed += received.missed;
                        }
                        Err(RecvError::Lagged { missed: more, .. }) => missed += more,
                        Err(error) => assert_eq!(error, RecvError::Empty),
                    }
                }
                _ => missed += consumer.skip_to(ReadFrom::NewestMinus(dice.below(20))).unwrap(),
            }
            assert_eq!((consumer.delivered(), consumer.missed()), (delivered, missed), "{resume:?}");
            assert_adds_up(&consumer, &ring);
        }
        assert!(delivered > 0 && missed > 0);
    }
}

#[test]
fn any_number_may_join_and_each_has_its_own_position() {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(256).max_required(0).build().unwrap();
    let mut consumers: Vec<_> = (0..100)
        .map(|number| {
            publish_up_to(&mut producer, number);
            ring.optional("monitor").join().unwrap()
        })
        .collect();
    publish_up_to(&mut producer, 100);
    for (joined_at, consumer) in (0..).zip(&mut consumers) {
        assert_eq!(consumer.joined_at(), at(joined_at));
        for number in joined_at..100 {
            assert_eq!(consumer.try_recv(), Ok((at(number), number)));
        }
        assert_eq!(consumer.try_recv(), Err(RecvError::Empty));
    }
}

#[test]
fn never_holds_the_producer_up() {
    let (mut producer, ring) = ring(16);
    let mut idle: Vec<_> = (0..10).map(|_| ring.optional("idle").resume(oldest(0)).join().unwrap()).collect();
    publish_up_to(&mut producer, 16 * 50);
    for consumer in &mut idle {
        assert_eq!(consumer.try_recv(), Err(lagged(788, 788)));
    }
}

#[test]
fn drains_what_can_be_read_and_then_gets_the_end() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.optional("monitor").join().unwrap();
    publish_up_to(&mut producer, 3);
    drop(producer);
    assert_eq!(consumer.recv(), Ok((at(0), 0)));
    let mut rest = Vec::with_capacity(8);
    assert_eq!(consumer.recv_many(&mut rest), Ok(Received { missed: 0, first: at(1), count: 2 }));
    assert_eq!(rest, [1, 2]);
    for _ in 0..3 {
        assert_eq!(consumer.try_recv(), Err(CLOSED));
        assert_eq!(consumer.recv(), Err(CLOSED));
        assert_eq!(consumer.recv_deadline(much_later()), Err(CLOSED));
        assert_eq!(consumer.try_recv_many(&mut rest), Err(CLOSED));
        assert_eq!(consumer.recv_many(&mut rest), Err(CLOSED));
        assert_eq!(consumer.recv_many_deadline(&mut rest, much_later()), Err(CLOSED));
    }
    assert_eq!((consumer.delivered(), consumer.missed(), consumer.lag()), (3, 0, 0));
    assert_eq!(CLOSED.to_string(), "the ring is closed: the producer has finished");
}

#[test]
fn an_overrun_one_learns_that_first_then_drains_then_gets_the_end() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.optional("monitor").resume(ReadFrom::NewestMinus(2)).join().unwrap();
    publish_up_to(&mut producer, 100);
    drop(producer);
    assert_eq!(consumer.recv(), Err(lagged(98, 98)));
    assert_eq!(consumer.recv(), Ok((at(98), 98)));
    assert_eq!(consumer.recv(), Ok((at(99), 99)));
    assert_eq!(consumer.recv(), Err(CLOSED));
    assert_adds_up(&consumer, &ring);
}

#[test]
fn the_deadline_forms_return_empty_not_before_the_deadline() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.optional("monitor").join().unwrap();
    let mut buffer = Vec::with_capacity(4);
    let deadline = soon();
    assert_eq!(consumer.recv_deadline(deadline), Err(RecvError::Empty));
    assert!(Instant::now() >= deadline);
    let deadline = soon();
    assert_eq!(consumer.recv_many_deadline(&mut buffer, deadline), Err(RecvError::Empty));
    assert!(Instant::now() >= deadline);
    assert_eq!(RecvError::Empty.to_string(), "no event to read yet; try again, or use a form that waits");

    publish_up_to(&mut producer, 2);
    assert_eq!(consumer.recv_deadline(deadline), Ok((at(0), 0)), "one look, although it has passed");
    let received = Received { missed: 0, first: at(1), count: 1 };
    assert_eq!(consumer.recv_many_deadline(&mut buffer, deadline), Ok(received));
}

#[test]
fn the_waiting_forms_return_when_something_is_published() {
    fn many(
        receive: impl FnOnce(&mut Vec<u64>) -> Result<Received, RecvError>,
    ) -> Result<Vec<u64>, RecvError> {
        let mut buffer = Vec::with_capacity(4);
        receive(&mut buffer).map(|_| buffer)
    }
    type Form = fn(&mut OptionalConsumer<u64, Announce>) -> Result<Vec<u64>, RecvError>;
    let forms: [Form; 4] = [
        |consumer| consumer.recv().map(|(_, event)| vec![event]),
        |consumer| consumer.recv_deadline(much_later()).map(|(_, event)| vec![event]),
        |consumer| many(|buffer| consumer.recv_many(buffer)),
        |consumer| many(|buffer| consumer.recv_many_deadline(buffer, much_later())),
    ];
    let (mut producer, ring) = ring(16);
    let (announce, waiting) = Announce::new();
    let mut consumer = ring.optional("monitor").wait(announce).join().unwrap();
    for (event, form) in (70..).zip(forms) {
        let received = thread::scope(|scope| {
            let receiving = scope.spawn(|| form(&mut consumer));
            waiting.has_begun();
            producer.publish(&event).unwrap();
            receiving.join().unwrap()
        });
        assert_eq!(received, Ok(vec![event]));
    }
}

#[test]
fn what_it_returns_is_whole_and_in_order_while_the_producer_laps_it() {
    const EVENTS: u64 = 200_000;
    let (mut producer, ring) = Ring::<[u64; 4]>::builder().capacity(16).build().unwrap();
    let event = |number: u64| [number, !number, number << 7, number ^ 0x5555];
    let mut single = ring.optional("single").join().unwrap();
    let mut many = ring.optional("many").resume(oldest(0)).join().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in (0..EVENTS).step_by(4) {
                producer.publish_batch(&[0, 1, 2, 3].map(|index| event(number + index))).unwrap();
            }
        });
        scope.spawn(move || {
            let (mut next, mut missed) = (0, 0);
            loop {
                match single.recv() {
                    Ok((sequence, received)) => {
                        assert_eq!((sequence, received), (at(next), event(next)));
                        next += 1;
                    }
                    Err(RecvError::Lagged { missed: more, resumed_at }) => {
                        missed += more;
                        next += more;
                        assert_eq!(resumed_at, at(next));
                    }
                    Err(error) => break assert_eq!(error, CLOSED),
                }
            }
            assert_eq!((next, single.missed()), (EVENTS, missed));
        });
        scope.spawn(move || {
            let (mut next, mut missed) = (0, 0);
            let mut buffer = Vec::with_capacity(8);
            loop {
                buffer.clear();
                match many.recv_many(&mut buffer) {
                    Ok(received) => {
                        missed += received.missed;
                        next += received.missed;
                        assert_eq!((received.first, received.count), (at(next), buffer.len()));
                        for received in &buffer {
                            assert_eq!(*received, event(next));
                            next += 1;
                        }
                    }
                    Err(RecvError::Lagged { missed: more, resumed_at }) => {
                        missed += more;
                        next += more;
                        assert_eq!(resumed_at, at(next));
                    }
                    Err(error) => break assert_eq!(error, CLOSED),
                }
            }
            assert_eq!((next, many.missed()), (EVENTS, missed));
        });
    });
}
