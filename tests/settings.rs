//! What a ring can be built with, what it refuses, and which events may travel on it.

mod common;

use std::fmt::Debug;

use bytemuck::NoUninit;
use common::at;
use ringbus::{
    BuildError, Event, JoinError, MAX_FIRST_SEQUENCE, ReadFrom, Received, Ring, RingBuilder, Sequence,
};

#[track_caller]
fn refused<E: Event>(builder: RingBuilder<E>, error: &BuildError, message: &str) {
    let refusal = builder.build().unwrap_err();
    assert_eq!(refusal, *error);
    assert_eq!(refusal.to_string(), message);
}

fn builder() -> RingBuilder<u64> {
    Ring::builder()
}

#[test]
fn a_capacity_that_is_no_power_of_two_of_at_least_4_is_refused() {
    for (capacity, advice) in [
        (0, "4 would do"),
        (1, "4 would do"),
        (2, "4 would do"),
        (3, "4 would do"),
        (5, "8 would do"),
        (1_000, "1024 would do"),
        ((1 << 63) + 1, "choose a smaller one"),
        (usize::MAX, "choose a smaller one"),
    ] {
        refused(
            builder().capacity(capacity),
            &BuildError::Capacity { capacity },
            &format!("capacity {capacity} is not a power of two of at least 4; {advice}"),
        );
    }
}

#[test]
fn a_max_batch_above_a_quarter_of_the_capacity_is_refused() {
    refused(
        builder().capacity(64).max_batch(17),
        &BuildError::MaxBatch { max_batch: 17, capacity: 64 },
        "max batch 17 is not between 1 and a quarter of the capacity (16); lower it, or raise the capacity of 64",
    );
}

#[test]
fn a_max_batch_of_0_is_refused() {
    refused(
        builder().capacity(64).max_batch(0),
        &BuildError::MaxBatch { max_batch: 0, capacity: 64 },
        "max batch 0 is not between 1 and a quarter of the capacity (16); raise it to at least 1",
    );
}

#[test]
fn more_than_4096_required_consumers_are_refused() {
    refused(
        builder().max_required(4_097),
        &BuildError::MaxRequired { max_required: 4_097, most: 4_096 },
        "4097 required consumers are more than the 4096 a ring can have; lower max_required",
    );
    let (_producer, ring) = builder().max_required(4_096).build().unwrap();
    assert_eq!(ring.max_required(), 4_096);
}

#[test]
fn a_first_sequence_above_2_to_the_62_is_refused() {
    let first_sequence = at((1 << 62) + 1);
    refused(
        builder().first_sequence(first_sequence),
        &BuildError::FirstSequence { first_sequence },
        "first sequence 4611686018427387905 is above 4611686018427387904 (2^62), the highest a ring can start at; \
         pass the sequence that follows the last one kept",
    );
    let (mut producer, ring) = builder().first_sequence(at(1 << 62)).build().unwrap();
    assert_eq!(MAX_FIRST_SEQUENCE, 1 << 62);
    assert_eq!((ring.first_sequence(), ring.cursor()), (at(1 << 62), at(1 << 62)));
    assert_eq!(producer.publish(&0), Ok(at(1 << 62)));
}

#[test]
fn memory_that_does_not_exist_is_refused() {
    // Beyond what a machine has, beyond what an allocation may be, beyond what a number can say.
    for capacity in [1 << 50, 1 << 51, 1 << 52, 1 << 63] {
        refused(
            Ring::<[u64; 512]>::builder().capacity(capacity),
            &BuildError::Memory { capacity, event_bytes: 4_096 },
            &format!(
                "no memory for {capacity} slots of 4096 bytes; lower the capacity, or make the events smaller"
            ),
        );
    }
}

#[test]
fn what_is_not_set_has_its_default() {
    let (producer, ring) = builder().build().unwrap();
    assert_eq!(ring.name(), "ring");
    assert_eq!(ring.capacity(), 1_024);
    assert_eq!(ring.max_batch(), 256);
    assert_eq!(ring.max_required(), 32);
    assert_eq!(ring.first_sequence(), at(0));
    assert_eq!(ring.end(), None);
    assert_eq!(producer.next_sequence(), at(0));
}

#[test]
fn what_is_set_is_what_the_ring_has() {
    let (producer, ring) = builder()
        .name("orders")
        .capacity(64)
        .max_batch(3)
        .max_required(5)
        .first_sequence(Sequence::new(700))
        .build()
        .unwrap();
    assert_eq!(ring.name(), "orders");
    assert_eq!(ring.capacity(), 64);
    assert_eq!(ring.max_batch(), 3);
    assert_eq!(ring.max_required(), 5);
    assert_eq!(ring.first_sequence(), at(700));
    assert_eq!(producer.next_sequence(), at(700));
    assert_eq!(ring.clone().name(), "orders", "a clone is the same ring");
}

#[test]
fn the_smallest_ring_has_4_slots_and_batches_of_1() {
    let (mut producer, ring) = common::ring(4);
    assert_eq!((ring.capacity(), ring.max_batch()), (4, 1));
    let mut required = ring.required("audit").join().unwrap();
    let mut optional = ring.optional("monitor").join().unwrap();
    for lap in 0..5 {
        common::publish_up_to(&mut producer, 4 * lap + 3);
        assert_eq!(optional.try_recv(), Ok((at(4 * lap), 4 * lap)));
        common::publish_up_to(&mut producer, 4 * lap + 4);
        for number in 4 * lap + 1..4 * lap + 4 {
            assert_eq!(optional.try_recv(), Ok((at(number), number)));
        }
        assert!(producer.try_publish(&0).is_err(), "four slots are four slots");
        assert_eq!(common::take_all(&mut required), (4 * lap..4 * lap + 4).collect::<Vec<_>>());
    }
}

#[test]
fn a_ring_for_no_required_consumer_refuses_them_and_publishes() {
    let (mut producer, ring) = builder().name("loose").capacity(8).max_required(0).build().unwrap();
    let error = ring.required("audit").join().unwrap_err();
    assert_eq!(
        error,
        JoinError::TooManyRequired { consumer: "audit".into(), ring: "loose".into(), max_required: 0 }
    );
    assert_eq!(
        error.to_string(),
        "consumer `audit` cannot join ring `loose`: all 0 places for required consumers are taken; let one leave \
         (the place of one that failed, or that others come after, stays taken), or build the ring with a higher max_required"
    );
    common::publish_up_to(&mut producer, 100);
    let mut optional = ring.optional("monitor").start(ReadFrom::NewestMinus(1)).join().unwrap();
    assert_eq!(optional.try_recv(), Ok((at(99), 99)));
}

/// Publishes singles, batches and claims of 1, 2 and 2 events on a ring of 8, so that each slot is reached by all of them,
/// and batches stand across the wrap; reads them in all three ways.
fn travels_unchanged<E: Event + PartialEq + Debug>(event: impl Fn(u64) -> E) {
    let (mut producer, ring) = Ring::<E>::builder().capacity(8).build().unwrap();
    let mut required = ring.required("audit").join().unwrap();
    let mut single = ring.optional("single").join().unwrap();
    let mut many = ring.optional("many").join().unwrap();
    let mut buffer = Vec::with_capacity(5);
    for step in 0..32 {
        let first = step * 5;
        let events: Vec<E> = (first..first + 5).map(&event).collect();
        assert_eq!(producer.publish(&events[0]), Ok(at(first)));
        assert_eq!(producer.publish_batch(&events[1..3]), Ok(at(first + 1)));
        let mut claim = producer.claim(2).unwrap();
        claim.push(&events[3]).unwrap();
        claim.push(&events[4]).unwrap();
        assert_eq!(claim.publish(), Ok(at(first + 3)));

        let batch = required.try_read().unwrap();
        let (before_wrap, after_wrap) = batch.slices();
        assert_eq!([before_wrap, after_wrap].concat(), events);
        batch.acknowledge();

        for (sequence, event) in (first..).zip(&events) {
            assert_eq!(single.try_recv(), Ok((at(sequence), *event)));
        }

        buffer.clear();
        let received = Received { missed: 0, first: at(first), count: 5 };
        assert_eq!(many.try_recv_many(&mut buffer), Ok(received));
        assert_eq!(buffer, events);
    }
}

/// Different in every bit from the number before it, most of the time.
fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number
}

#[test]
fn events_of_8_bytes_travel_unchanged() {
    travels_unchanged(mixed);
}

#[test]
fn events_of_4096_bytes_travel_unchanged() {
    travels_unchanged::<[u64; 512]>(|number| std::array::from_fn(|word| mixed(number * 512 + word as u64)));
}

#[test]
fn events_aligned_to_1_travel_unchanged() {
    assert_eq!(align_of::<[u8; 24]>(), 1);
    travels_unchanged::<[u8; 8]>(|number| mixed(number).to_le_bytes());
    travels_unchanged::<[u8; 24]>(|number| {
        std::array::from_fn(|byte| mixed(number * 24 + byte as u64) as u8)
    });
}

#[test]
fn events_aligned_to_64_travel_unchanged() {
    #[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
    #[repr(C, align(64))]
    struct Line([u64; 16]);

    assert_eq!((align_of::<Line>(), size_of::<Line>()), (64, 128));
    travels_unchanged(|number| Line(std::array::from_fn(|word| mixed(number * 16 + word as u64))));
}

#[test]
fn events_with_an_enum_that_is_never_0_travel_unchanged() {
    #[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
    #[repr(u8)]
    enum Side {
        Buy = 1,
        Sell = 2,
    }

    #[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
    #[repr(C)]
    struct Order {
        number: u64,
        side: Side,
        hidden: bool,
        padding: [u8; 6],
    }

    travels_unchanged(|number| Order {
        number,
        side: if mixed(number).is_multiple_of(2) { Side::Buy } else { Side::Sell },
        hidden: number.is_multiple_of(3),
        padding: [0; 6],
    });
}
