//! A producer at full speed, and observers that cannot keep up: every event is whole, and every one that is missing is counted.

use std::thread;

use bytemuck::{Pod, Zeroable};
use ringbus::shared::{ObserveError, Observer, Shared};
use ringbus::{End, Producer, ReadFrom, Ring};

const EVENTS: u64 = 1_500_000;
const ENDED: ObserveError = ObserveError::Ended(End::Closed);

/// Each word says which event it belongs to.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Wide([u64; 8]);

impl Wide {
    fn new(sequence: u64) -> Self {
        Self(std::array::from_fn(|word| sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word as u64))
    }
}

/// One by one, in batches, and by claims, some of which are dropped.
fn publish_all(mut producer: Producer<Wide>) {
    let mut next = 0;
    while next < EVENTS {
        let events = (next % 4 + 1).min(EVENTS - next);
        match next % 3 {
            0 => {
                producer.publish_batch(&[0, 1, 2, 3].map(|ahead| Wide::new(next + ahead))[..events as usize])
            }
            1 => (next..next + events)
                .map(|sequence| producer.publish(&Wide::new(sequence)))
                .last()
                .expect("some"),
            _ => {
                let mut dropped = producer.claim(4).expect("it fits");
                dropped.push(&Wide([u64::MAX; 8])).expect("it fits");
                drop(dropped);
                let mut claim = producer.claim(4).expect("it fits");
                (next..next + events).for_each(|sequence| claim.push(&Wide::new(sequence)).expect("it fits"));
                claim.publish()
            }
        }
        .expect("nobody holds it up");
        next += events;
    }
}

/// What one observer has seen.
#[derive(Default)]
struct Seen {
    next: u64,
    delivered: u64,
    missed: u64,
}

impl Seen {
    fn event(&mut self, sequence: u64, event: &Wide) {
        assert_eq!(sequence, self.next, "neither told of as missed nor delivered");
        assert_eq!(event.0, Wide::new(sequence).0);
        self.next += 1;
        self.delivered += 1;
    }

    fn loss(&mut self, missed: u64) {
        assert!(missed > 0);
        self.next += missed;
        self.missed += missed;
    }

    fn recv(mut self, mut observer: Observer<Wide>) -> (Self, Observer<Wide>) {
        loop {
            match observer.recv() {
                Ok((sequence, event)) => self.event(sequence.get(), &event),
                Err(ObserveError::Lagged { missed, resumed_at }) => {
                    self.loss(missed);
                    assert_eq!(resumed_at.get(), self.next);
                }
                Err(ENDED) => return (self, observer),
                Err(other) => panic!("{other}"),
            }
        }
    }

    fn recv_many(mut self, mut observer: Observer<Wide>) -> (Self, Observer<Wide>) {
        let mut buffer = Vec::with_capacity(24);
        loop {
            buffer.clear();
            match observer.recv_many(&mut buffer) {
                Ok(received) => {
                    if received.missed > 0 {
                        self.loss(received.missed);
                    }
                    assert_eq!((received.first.get(), received.count), (self.next, buffer.len()));
                    (self.next..).zip(&buffer).for_each(|(sequence, event)| self.event(sequence, event));
                }
                Err(ObserveError::Lagged { missed, resumed_at }) => {
                    self.loss(missed);
                    assert_eq!(resumed_at.get(), self.next);
                }
                Err(ENDED) => return (self, observer),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn events_are_whole_and_losses_exact_while_the_producer_runs() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("ring");
    let shared = Shared::at(&path).report_every(None);
    let (producer, ring) = Ring::<Wide>::builder().capacity(32).max_batch(4).shared(shared).build().unwrap();
    let attach = || {
        let oldest = ReadFrom::Oldest { headroom: 0 };
        Observer::<Wide>::builder(&path).start(oldest).resume(oldest).attach().unwrap()
    };
    let (one_by_one, many) = (attach(), attach());
    let reading = [
        thread::spawn(move || Seen::default().recv(one_by_one)),
        thread::spawn(move || Seen::default().recv_many(many)),
    ];
    publish_all(producer);
    assert_eq!(ring.cursor().get(), EVENTS);
    for reading in reading {
        let (seen, observer) = reading.join().unwrap();
        assert_eq!(seen.delivered + seen.missed, EVENTS);
        assert_eq!(
            (observer.delivered(), observer.missed(), observer.lag()),
            (seen.delivered, seen.missed, 0)
        );
        assert!(seen.delivered > 0);
    }
}
