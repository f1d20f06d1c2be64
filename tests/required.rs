//! Required consumers: every event, in order, and nothing lost by what a consumer does or leaves undone.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use common::{Announce, Dice, at, leak, much_later, panic_quietly, publish_up_to, ring, soon, take_all};
use ringbus::{AcknowledgeError, End, JoinError, PublishError, ReadError, Ring, Sequence};

const FULL: PublishError = PublishError::Full { needed: 1 };

#[test]
fn joins_at_the_cursor_and_gets_every_event_from_there_on() {
    let (mut producer, ring) = ring(16);
    publish_up_to(&mut producer, 5);
    let mut consumer = ring.required("audit").join().unwrap();
    assert_eq!(consumer.name(), "audit");
    assert_eq!((consumer.joined_at(), consumer.position()), (at(5), at(5)));
    assert_eq!(consumer.try_read().unwrap_err(), ReadError::Empty);
    let mut events = Vec::new();
    for end in [6, 9, 20, 21, 30] {
        publish_up_to(&mut producer, end);
        events.extend(take_all(&mut consumer));
    }
    assert_eq!(events, (5..30).collect::<Vec<_>>());
    assert_eq!(ReadError::Empty.to_string(), "no event to read yet; try again, or use a form that waits");
}

#[test]
fn several_consumers_each_get_every_event() {
    let (mut producer, ring) = ring(8);
    let mut early = ring.required("early").join().unwrap();
    publish_up_to(&mut producer, 3);
    let mut late = ring.required("late").join().unwrap();
    publish_up_to(&mut producer, 8);
    assert_eq!(take_all(&mut late), [3, 4, 5, 6, 7]);
    assert_eq!(producer.try_publish(&8), Err(FULL), "the slowest counts");
    assert_eq!(take_all(&mut early), [0, 1, 2, 3, 4, 5, 6, 7]);
    publish_up_to(&mut producer, 16);
    assert_eq!(take_all(&mut early), (8..16).collect::<Vec<_>>());
    assert_eq!(take_all(&mut late), (8..16).collect::<Vec<_>>());
}

#[test]
fn a_batch_is_two_slices_where_the_ring_wraps_and_one_elsewhere() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 6);
    let batch = consumer.try_read().unwrap();
    assert_eq!((batch.first_sequence(), batch.len()), (at(0), 6));
    assert_eq!(batch.slices(), (&[0, 1, 2, 3, 4, 5][..], &[][..]));
    batch.acknowledge();

    publish_up_to(&mut producer, 11);
    let batch = consumer.try_read().unwrap();
    assert_eq!((batch.first_sequence(), batch.len()), (at(6), 5));
    assert_eq!(batch.slices(), (&[6, 7][..], &[8, 9, 10][..]));
    let expected: Vec<(Sequence, u64)> = (6..11).map(|number| (at(number), number)).collect();
    let mut iterated = batch.iter();
    for (done, pair) in expected.iter().enumerate() {
        assert_eq!(iterated.len(), 5 - done);
        assert_eq!(iterated.next().map(|(sequence, event)| (sequence, *event)), Some(*pair));
    }
    assert_eq!(iterated.next(), None);
    let mut folded = Vec::new();
    batch.iter().for_each(|(sequence, event)| folded.push((sequence, *event)));
    assert_eq!(folded, expected);
}

#[test]
fn a_batch_is_the_whole_ring_at_most() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 5);
    consumer.try_read().unwrap().acknowledge();
    publish_up_to(&mut producer, 13);
    let batch = consumer.try_read().unwrap();
    assert_eq!(batch.slices(), (&[5, 6, 7][..], &[8, 9, 10, 11, 12][..]));
}

#[test]
fn acknowledging_makes_exactly_that_much_room() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 8);
    assert_eq!(consumer.try_read().unwrap().acknowledge_first(3), Ok(()));
    assert_eq!((consumer.position(), consumer.delivered(), consumer.lag()), (at(3), 3, 5));
    publish_up_to(&mut producer, 11);
    assert_eq!(producer.try_publish(&11), Err(FULL));
    consumer.try_read().unwrap().acknowledge();
    assert_eq!((consumer.position(), consumer.delivered(), consumer.lag()), (at(11), 11, 0));
    publish_up_to(&mut producer, 19);
    assert_eq!(producer.try_publish(&19), Err(FULL));
}

#[test]
fn acknowledging_more_than_there_is_acknowledges_nothing() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 3);
    let error = consumer.try_read().unwrap().acknowledge_first(4).unwrap_err();
    assert_eq!(error, AcknowledgeError { count: 4, len: 3 });
    assert_eq!(
        error.to_string(),
        "cannot acknowledge 4 events of a batch of 3; nothing was acknowledged, and the batch will be delivered again"
    );
    assert_eq!(
        consumer.try_read().unwrap().acknowledge_first(usize::MAX),
        Err(AcknowledgeError { count: usize::MAX, len: 3 })
    );
    assert_eq!((consumer.delivered(), consumer.lag()), (0, 3));
    assert_eq!(consumer.try_read().unwrap().acknowledge_first(0), Ok(()));
    assert_eq!(consumer.delivered(), 0);
    assert_eq!(take_all(&mut consumer), [0, 1, 2]);
}

#[test]
fn what_was_not_acknowledged_is_delivered_again_with_what_came_since() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 3);
    drop(consumer.try_read().unwrap());
    publish_up_to(&mut producer, 5);
    let batch = consumer.try_read().unwrap();
    assert_eq!(batch.slices().0, [0, 1, 2, 3, 4], "after a drop");
    leak(batch);
    publish_up_to(&mut producer, 6);
    let batch = consumer.try_read().unwrap();
    assert_eq!(batch.slices().0, [0, 1, 2, 3, 4, 5], "after a leak");
    batch.acknowledge_first(2).unwrap();
    publish_up_to(&mut producer, 7);
    assert_eq!(take_all(&mut consumer), [2, 3, 4, 5, 6], "after a part");
}

#[test]
fn a_batch_is_no_longer_than_its_limit() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.required("audit").batch_limit(3).join().unwrap();
    publish_up_to(&mut producer, 8);
    assert_eq!(consumer.try_read().unwrap().len(), 3);
    consumer.try_read().unwrap().acknowledge_first(1).unwrap();
    assert_eq!(take_all(&mut consumer), [1, 2, 3]);
    assert_eq!(take_all(&mut consumer), [4, 5, 6]);
    publish_up_to(&mut producer, 9);
    assert_eq!(take_all(&mut consumer), [7, 8]);
    publish_up_to(&mut producer, 13);
    let mut handled = Vec::new();
    assert_eq!(consumer.poll(|event, _, end| handled.push((*event, end))), Ok(3));
    assert_eq!(handled, [(9, false), (10, false), (11, true)]);
    assert_eq!(consumer.lag(), 1);
}

#[test]
fn a_batch_limit_of_0_is_refused() {
    let (_producer, ring) = ring(16);
    let error = ring.required("audit").batch_limit(0).join().unwrap_err();
    assert_eq!(error, JoinError::ZeroBatchLimit { consumer: "audit".into() });
    assert_eq!(
        error.to_string(),
        "consumer `audit` has a batch limit of 0 events; use at least 1, or set no limit"
    );
}

/// Which place an event has in the published batch.
type Marked = [u64; 2];

#[test]
fn a_consumer_without_a_limit_never_sees_part_of_a_published_batch() {
    const BATCHES: u64 = 20_000;
    let (mut producer, ring) = Ring::<Marked>::builder().capacity(16).build().unwrap();
    let mut reading = ring.required("reading").join().unwrap();
    let mut polling = ring.required("polling").join().unwrap();
    let whole = |first: Marked, last: Marked| assert_eq!((first[0], last[0] + 1), (0, last[1]));
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut dice = Dice(1);
            for number in 0..BATCHES {
                let len = 1 + dice.below(4);
                let batch: Vec<Marked> = (0..len).map(|index| [index, len]).collect();
                if number % 2 == 0 {
                    producer.publish_batch(&batch).unwrap();
                } else {
                    let mut claim = producer.claim(4).unwrap();
                    batch.iter().for_each(|event| claim.push(event).unwrap());
                    claim.publish().unwrap();
                }
            }
        });
        let reading = scope.spawn(move || {
            let mut batches = 0;
            let end = loop {
                match reading.read() {
                    Ok(batch) => {
                        let (before_wrap, after_wrap) = batch.slices();
                        whole(
                            before_wrap[0],
                            *after_wrap.last().unwrap_or(&before_wrap[before_wrap.len() - 1]),
                        );
                        batches += batch.iter().filter(|(_, event)| event[0] == 0).count() as u64;
                        batch.acknowledge();
                    }
                    Err(end) => break end,
                }
            };
            (batches, end)
        });
        let polling = scope.spawn(move || {
            let mut batches = 0;
            let end = loop {
                let mut first = None;
                let polled = polling.poll(|event, _, end_of_batch| {
                    let first = *first.get_or_insert(*event);
                    batches += u64::from(event[0] == 0);
                    if end_of_batch {
                        whole(first, *event);
                    }
                });
                match polled {
                    Ok(_) => {}
                    Err(ReadError::Empty) => thread::yield_now(),
                    Err(error) => break error,
                }
            };
            (batches, end)
        });
        assert_eq!(reading.join().unwrap(), (BATCHES, End::Closed));
        assert_eq!(polling.join().unwrap(), (BATCHES, ReadError::Ended(End::Closed)));
    });
}

#[test]
fn poll_tells_event_sequence_and_end_of_batch_and_acknowledges() {
    let (mut producer, ring) = Ring::builder().capacity(16).first_sequence(at(100)).build().unwrap();
    let mut consumer = ring.required("audit").join().unwrap();
    assert_eq!(consumer.poll(|_: &u64, _, _| unreachable!()), Err(ReadError::Empty));
    producer.publish_batch(&[7, 8, 9]).unwrap();
    let mut handled = Vec::new();
    let polled =
        consumer.poll(|event, sequence, end_of_batch| handled.push((*event, sequence, end_of_batch)));
    assert_eq!(polled, Ok(3));
    assert_eq!(handled, [(7, at(100), false), (8, at(101), false), (9, at(102), true)]);
    assert_eq!((consumer.position(), consumer.lag()), (at(103), 0));
}

#[test]
fn for_each_acknowledges_a_long_batch_in_parts_of_a_quarter_of_the_ring() {
    let (mut producer, ring) = ring(16);
    let mut consumer = ring.required("audit").join().unwrap();
    publish_up_to(&mut producer, 15);
    let mut room = Vec::new();
    let mut ends = Vec::new();
    let handled = consumer.try_read().unwrap().for_each(|event, sequence, end_of_batch| {
        assert_eq!(at(*event), sequence);
        let before = producer.next_sequence();
        while producer.try_publish(&producer.next_sequence().get()).is_ok() {}
        room.push(producer.next_sequence().since(before));
        ends.push(end_of_batch);
    });
    assert_eq!(handled, 15);
    assert_eq!(room, [1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0]);
    assert_eq!(ends.iter().position(|end| *end), Some(14), "of the batch, not of a part");
    assert_eq!(take_all(&mut consumer), (15..28).collect::<Vec<_>>());
}

#[test]
fn after_a_panic_of_the_handler_delivery_goes_on_at_the_event_that_panicked() {
    // On a ring of 16 the parts are 4 long: at the start, in the middle and at the end of one, and in the last.
    for bad in [0, 3, 4, 6, 7, 8, 12, 13] {
        let (mut producer, ring) = ring(16);
        publish_up_to(&mut producer, 5);
        let mut consumer = ring.required("audit").join().unwrap();
        publish_up_to(&mut producer, 5 + 14);
        let polling = AssertUnwindSafe(|| {
            consumer.poll(|event, _, _| {
                if *event == 5 + bad {
                    panic_quietly()
                }
            })
        });
        assert!(catch_unwind(polling).is_err());
        assert_eq!((consumer.position(), consumer.delivered(), consumer.lag()), (at(5 + bad), bad, 14 - bad));
        publish_up_to(&mut producer, 5 + 16 + bad);
        assert_eq!(producer.try_publish(&90), Err(FULL));
        assert_eq!(take_all(&mut consumer), (5 + bad..21 + bad).collect::<Vec<_>>());
    }
}

#[test]
fn leaving_frees_the_producer_and_the_place() {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_required(1).build().unwrap();
    let mut consumer = ring.required("first").join().unwrap();
    publish_up_to(&mut producer, 8);
    consumer.try_read().unwrap().acknowledge_first(2).unwrap();
    publish_up_to(&mut producer, 10);
    assert_eq!(producer.try_publish(&10), Err(FULL));
    assert!(ring.required("second").join().is_err());
    assert_eq!(consumer.leave(), at(2));
    publish_up_to(&mut producer, 30);
    let mut second = ring.required("second").join().unwrap();
    publish_up_to(&mut producer, 31);
    assert_eq!(take_all(&mut second), [30]);
}

#[test]
fn when_the_slowest_leaves_a_waiting_producer_goes_on() {
    let (announce, waiting) = Announce::new();
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).wait(announce).build().unwrap();
    let slow = ring.required("slow").join().unwrap();
    let mut fast = ring.required("fast").join().unwrap();
    publish_up_to(&mut producer, 8);
    assert_eq!(take_all(&mut fast).len(), 8);
    let published = thread::scope(|scope| {
        let publishing = scope.spawn(|| producer.publish(&8));
        waiting.has_begun();
        assert_eq!(slow.leave(), at(0));
        publishing.join().unwrap()
    });
    assert_eq!(published, Ok(at(8)));
    assert_eq!(take_all(&mut fast), [8]);
}

#[test]
fn there_are_32_places_and_each_is_free_again_when_its_owner_has_left() {
    let (mut producer, ring) = ring(8);
    let join = |number: usize| ring.required(&format!("consumer {number}")).join();
    let mut consumers: Vec<_> = (0..32).map(|number| join(number).unwrap()).collect();
    let error = join(32).unwrap_err();
    assert_eq!(
        error,
        JoinError::TooManyRequired { consumer: "consumer 32".into(), ring: "ring".into(), max_required: 32 }
    );
    assert_eq!(
        error.to_string(),
        "consumer `consumer 32` cannot join ring `ring`: all 32 places for required consumers are taken; let one leave \
         (the place of one that failed, or that others come after, stays taken), or build the ring with a higher \
         max_required"
    );
    for number in 0..32 {
        consumers.remove(0).leave();
        consumers.push(join(100 + number).unwrap());
        assert!(join(200).is_err());
    }
    publish_up_to(&mut producer, 8);
    for consumer in &mut consumers {
        assert_eq!(producer.try_publish(&8), Err(FULL), "each of them counts");
        assert_eq!(take_all(consumer).len(), 8);
    }
    assert_eq!(producer.try_publish(&8), Ok(at(8)));
}

#[test]
fn a_detached_consumer_leaves_when_it_is_dropped_even_by_a_panic() {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_required(1).build().unwrap();
    let consumer = ring.required("dropped").detach_on_drop().join().unwrap();
    publish_up_to(&mut producer, 8);
    drop(consumer);
    publish_up_to(&mut producer, 16);

    let consumer = ring.required("panics").detach_on_drop().join().unwrap();
    publish_up_to(&mut producer, 24);
    let panicked = thread::spawn(move || {
        let _dropped_on_the_way = consumer;
        panic_quietly();
    });
    assert!(panicked.join().is_err());
    publish_up_to(&mut producer, 40);
    assert!(ring.required("next").join().is_ok());
}

#[test]
fn a_leaked_consumer_holds_the_ring_up_for_good() {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(8).max_required(2).build().unwrap();
    let mut healthy = ring.required("healthy").join().unwrap();
    leak(ring.required("leaked").join().unwrap());
    publish_up_to(&mut producer, 8);
    assert_eq!(take_all(&mut healthy).len(), 8);
    for _ in 0..100 {
        assert_eq!(producer.try_publish(&90), Err(FULL));
    }
    assert_eq!(producer.publish_deadline(&90, soon()), Err(FULL));
    assert!(ring.required("third").join().is_err(), "its place is not free");
    assert_eq!((ring.cursor(), ring.end()), (at(8), None));
}

#[test]
fn delivered_and_lag_add_up_to_what_was_published_since_it_joined() {
    let mut dice = Dice(42);
    let (mut producer, ring) = ring(32);
    publish_up_to(&mut producer, 11);
    let mut consumer = ring.required("audit").join().unwrap();
    let mut delivered = 0;
    for _ in 0..5_000 {
        match dice.below(4) {
            0 => {
                let _ = producer.try_publish_batch(&[0; 8][..dice.below(9) as usize]);
            }
            1 => {
                if let Ok(batch) = consumer.try_read() {
                    let count = dice.below(batch.len() as u64 + 1);
                    batch.acknowledge_first(count as usize).unwrap();
                    delivered += count;
                }
            }
            2 => drop(consumer.try_read()),
            _ => delivered += consumer.poll(|_, _, _| {}).unwrap_or(0) as u64,
        }
        assert_eq!(consumer.delivered(), delivered);
        assert_eq!(consumer.position(), at(11 + delivered));
        assert_eq!(consumer.delivered() + consumer.lag(), ring.cursor().since(at(11)));
    }
    assert!(delivered > 100 * 32, "{delivered} are not many laps");
}

#[test]
fn read_deadline_returns_empty_not_before_its_deadline() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    let deadline = soon();
    assert_eq!(consumer.read_deadline(deadline).unwrap_err(), ReadError::Empty);
    assert!(Instant::now() >= deadline);
    publish_up_to(&mut producer, 2);
    assert_eq!(consumer.read_deadline(deadline).unwrap().len(), 2, "one look, although it has passed");
    consumer.read_deadline(much_later()).unwrap().acknowledge();
    drop(producer);
    assert_eq!(consumer.read_deadline(much_later()).unwrap_err(), ReadError::Ended(End::Closed));
}

#[test]
fn a_waiting_read_returns_when_something_is_published() {
    let (mut producer, ring) = ring(8);
    let (announce, waiting) = Announce::new();
    let mut consumer = ring.required("audit").wait(announce).join().unwrap();
    for deadline in [false, true] {
        let sequence = producer.next_sequence();
        let read = thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let batch = if deadline {
                    consumer.read_deadline(much_later()).unwrap()
                } else {
                    consumer.read().unwrap()
                };
                let read = (batch.first_sequence(), batch.slices().0.to_vec());
                batch.acknowledge();
                read
            });
            waiting.has_begun();
            producer.publish_batch(&[70, 71]).unwrap();
            reading.join().unwrap()
        });
        assert_eq!(read, (sequence, vec![70, 71]));
    }
}

#[test]
fn a_consumer_may_move_to_another_thread_between_batches() {
    let (mut producer, ring) = ring(8);
    let mut consumer = ring.required("audit").join().unwrap();
    for turn in 0..10 {
        publish_up_to(&mut producer, 6 * (turn + 1));
        consumer = thread::spawn(move || {
            assert_eq!(take_all(&mut consumer), (6 * turn..6 * (turn + 1)).collect::<Vec<_>>());
            consumer
        })
        .join()
        .unwrap();
    }
    assert_eq!(consumer.leave(), at(60));
}
