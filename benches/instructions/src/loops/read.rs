//! Reading what is there. The handler has every word of an event in a register, and does nothing with it.

use std::hint::black_box;

use ringbus::wait::BusySpin;

use crate::event::{Words, discard, make};
use crate::loops::{Counted, EVENTS, Loop, Producer, ring};

type Required = ringbus::RequiredConsumer<Words<8>, BusySpin>;
type Optional<const W: usize> = ringbus::OptionalConsumer<Words<W>, BusySpin>;

/// How many events an optional consumer finds at once.
const FOUND: u64 = 64;
const THERE: &str = "they were published";

pub(super) fn all() -> Vec<Loop> {
    vec![
        required_read(1),
        required_read(64),
        required_read(1_000).listed(),
        required_poll(),
        optional_one::<1>(),
        optional_one::<4>(),
        optional_one::<8>().listed(),
        optional_one::<32>(),
        optional_many(),
    ]
}

/// What one side publishes and the other reads, batch by batch.
struct Feed<const W: usize> {
    producer: Producer<W>,
    events: Vec<Words<W>>,
}

/// The path of `publish_next`.
pub(super) const PUBLISH_NEXT: &str = "instructions::loops::read::publish_next";

impl<const W: usize> Feed<W> {
    fn new(producer: Producer<W>, len: u64) -> Self {
        Self { producer, events: (0..len).map(make).collect() }
    }

    fn batches(&self) -> u64 {
        EVENTS / self.events.len() as u64
    }
}

#[inline(never)]
fn publish_next<const W: usize>(feed: &mut Feed<W>) {
    feed.producer.publish_batch(&feed.events).expect("nobody closes the ring");
}

fn required(len: u64) -> (Feed<8>, Required) {
    let (producer, ring) = ring();
    // Not paced: what that does depends on the time, and a count must not.
    let builder = ring.required("reader").wait(BusySpin).paced(false);
    let consumer = builder.detach_on_drop().join().expect("there is a place");
    (Feed::new(producer, len), consumer)
}

fn required_read(len: u64) -> Loop {
    let subject = Counted::new("instructions::loops::read::read_for_each", move || {
        let (mut feed, mut consumer) = required(len);
        read_for_each(&mut feed, &mut consumer)
    });
    Loop::new(format!("required: read and for_each, batches of {len}"), subject, slices_read::<8>(len))
}

#[inline(never)]
fn read_for_each(feed: &mut Feed<8>, consumer: &mut Required) -> u64 {
    let mut handled = 0;
    for _ in 0..feed.batches() {
        publish_next(feed);
        handled += consumer.read().expect(THERE).for_each(|event, _, _| discard(event));
    }
    handled as u64
}

fn required_poll() -> Loop {
    let subject = Counted::new("instructions::loops::read::poll", || {
        let (mut feed, mut consumer) = required(1);
        poll(&mut feed, &mut consumer)
    });
    Loop::new("required: poll of each event", subject, slices_read::<8>(1))
}

#[inline(never)]
fn poll(feed: &mut Feed<8>, consumer: &mut Required) -> u64 {
    let mut handled = 0;
    for _ in 0..feed.batches() {
        publish_next(feed);
        handled += consumer.poll(|event, _, _| discard(event)).expect(THERE);
    }
    handled as u64
}

fn optional<const W: usize>() -> (Feed<W>, Optional<W>) {
    let (producer, ring) = ring();
    let consumer = ring.optional("reader").wait(BusySpin).paced(false).join().expect("anybody may join");
    (Feed::new(producer, FOUND), consumer)
}

fn optional_one<const W: usize>() -> Loop {
    let subject = Counted::new("instructions::loops::read::try_recv", || {
        let (mut feed, mut consumer) = optional::<W>();
        try_recv(&mut feed, &mut consumer)
    });
    Loop::new(format!("optional: try_recv, {} bytes", W * 8), subject, slices_read::<W>(FOUND))
}

#[inline(never)]
fn try_recv<const W: usize>(feed: &mut Feed<W>, consumer: &mut Optional<W>) -> u64 {
    let mut received = 0;
    for _ in 0..feed.batches() {
        publish_next(feed);
        for _ in 0..FOUND {
            let (_, event) = consumer.try_recv().expect(THERE);
            discard(&event);
            received += 1;
        }
    }
    received
}

fn optional_many() -> Loop {
    let subject = Counted::new("instructions::loops::read::try_recv_many", || {
        let (mut feed, mut consumer) = optional::<8>();
        try_recv_many(&mut feed, &mut consumer, &mut Vec::with_capacity(FOUND as usize))
    });
    Loop::new(format!("optional: try_recv_many of {FOUND}, 64 bytes"), subject, slices_read::<8>(FOUND))
}

#[inline(never)]
fn try_recv_many(feed: &mut Feed<8>, consumer: &mut Optional<8>, buffer: &mut Vec<Words<8>>) -> u64 {
    let mut received = 0;
    for _ in 0..feed.batches() {
        publish_next(feed);
        buffer.clear();
        received += consumer.try_recv_many(buffer).expect(THERE).count;
        buffer.iter().for_each(discard);
    }
    received as u64
}

/// The events as they stand in the feed, instead of in a ring.
fn slices_read<const W: usize>(len: u64) -> Counted {
    Counted::new("instructions::loops::read::read_slices", move || {
        read_slices(&mut Feed::<W>::new(ring().0, len))
    })
}

#[inline(never)]
fn read_slices<const W: usize>(feed: &mut Feed<W>) -> u64 {
    let mut handled = 0;
    for _ in 0..feed.batches() {
        publish_next(feed);
        let events = black_box(feed.events.as_slice());
        events.iter().for_each(discard);
        handled += events.len();
    }
    handled as u64
}
