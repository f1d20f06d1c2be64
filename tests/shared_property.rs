//! Random programs of a core and those who look on, every answer predicted by a plain model; and threads at full speed.
//!
//! The model knows how far each ring was published and a few numbers for each observer: nothing of files, slots, mirrors or cursors that
//! were seen before. One thread runs everything, so each answer is exact.

#[path = "common/cases.rs"]
mod cases;
#[path = "shared_property/model.rs"]
mod model;
#[path = "shared_property/threads.rs"]
mod threads;

use std::path::PathBuf;

use bytemuck::{Pod, Zeroable};
use model::{Answer, Place, Rings, Watcher};
use proptest::prelude::*;
use ringbus::shared::{Observer, Shared};
use ringbus::wait::{Turn, WaitStrategy};
use ringbus::{Producer, Ring, Sequence};
use tempfile::TempDir;

const MOST_WATCHERS: usize = 4;

/// Differs for each event of each ring, and from those that were never published.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Event {
    value: u64,
    checksum: u64,
}

impl Event {
    fn new(ring: usize, sequence: u64) -> Self {
        let value = (sequence ^ (ring as u64).rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { value, checksum: !value ^ value.rotate_left(29) }
    }

    const NEVER_PUBLISHED: Self = Self { value: u64::MAX, checksum: u64::MAX };
}

/// Nothing is ever waited for.
#[derive(Debug)]
struct NoWait;

impl WaitStrategy for NoWait {
    fn wait(&mut self, _: &Turn) {
        panic!("waits for what is there, or for what will never come");
    }
}

/// A ring to be built: capacity as a power of two, max batch, and where it begins relative to where the last one ended.
#[derive(Clone, Copy, Debug)]
struct Shape {
    capacity: u32,
    max_batch: usize,
    begins: Begins,
}

#[derive(Clone, Copy, Debug)]
enum Begins {
    Anew,
    WhereTheLastEnded,
    Beyond(u64),
}

#[derive(Clone, Debug)]
enum Operation {
    Publish(u64),
    PublishBatch(usize),
    /// So many are claimed, so many written, and then it is published, or dropped.
    Claim {
        count: usize,
        pushed: usize,
        publishes: bool,
    },
    Close,
    Restart(Shape),
    Attach {
        start: Place,
        resume: Option<Place>,
        follows: bool,
    },
    Receive {
        who: usize,
        events: usize,
        waits: bool,
    },
    ReceiveMany {
        who: usize,
        spare: usize,
        waits: bool,
    },
    SkipTo(usize, Place),
    Detach(usize),
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        (0..20_u64).prop_map(Place::Oldest),
        Just(Place::Newest),
        (0..40_u64).prop_map(Place::NewestMinus),
        (-40..3_i64).prop_map(Place::FromCursor),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let begins = prop_oneof![
        1 => Just(Begins::Anew),
        3 => Just(Begins::WhereTheLastEnded),
        1 => (1..100_u64).prop_map(Begins::Beyond)
    ];
    (2..=5_u32, 1..=8_usize, begins).prop_map(|(capacity, max_batch, begins)| {
        let max_batch = max_batch.min(1 << (capacity - 2));
        Shape { capacity, max_batch, begins }
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let who = any::<usize>;
    prop_oneof![
        6 => (0..40_u64).prop_map(Operation::Publish),
        4 => (0..9_usize).prop_map(Operation::PublishBatch),
        3 => (0..9_usize, 0..9_usize, any::<bool>())
            .prop_map(|(count, pushed, publishes)| Operation::Claim { count, pushed, publishes }),
        1 => Just(Operation::Close),
        2 => shape().prop_map(Operation::Restart),
        3 => (place(), prop::option::of(place()), any::<bool>())
            .prop_map(|(start, resume, follows)| Operation::Attach { start, resume, follows }),
        10 => (who(), 1..40_usize, any::<bool>())
            .prop_map(|(who, events, waits)| Operation::Receive { who, events, waits }),
        5 => (who(), 0..40_usize, any::<bool>())
            .prop_map(|(who, spare, waits)| Operation::ReceiveMany { who, spare, waits }),
        2 => (who(), place()).prop_map(|(who, place)| Operation::SkipTo(who, place)),
        1 => who().prop_map(Operation::Detach),
    ]
}

struct World {
    path: PathBuf,
    rings: Rings,
    /// Nothing once it is closed; the ring is kept nevertheless.
    producer: Option<Producer<Event, NoWait>>,
    ring: Option<Ring<Event>>,
    watchers: Vec<(Observer<Event, NoWait>, Watcher)>,
    _place: TempDir,
}

impl World {
    fn new(shape: Shape) -> Self {
        let place = tempfile::tempdir().expect("there is room");
        let path = place.path().join("ring");
        let (rings, watchers) = (Rings::default(), Vec::new());
        let mut world = Self { path, rings, producer: None, ring: None, watchers, _place: place };
        world.restart(shape);
        world
    }

    fn restart(&mut self, Shape { capacity, max_batch, begins }: Shape) {
        drop((self.producer.take(), self.ring.take()));
        let ended_at = self.rings.end();
        let first = match begins {
            Begins::Anew => 0,
            Begins::WhereTheLastEnded => ended_at,
            Begins::Beyond(gap) => ended_at + gap,
        };
        let settings = Ring::builder().capacity(1 << capacity).max_batch(max_batch).wait(NoWait);
        let shared = Shared::at(&self.path).report_every(None);
        let built = settings.first_sequence(Sequence::new(first)).shared(shared).build();
        let (producer, ring) = built.expect("nobody has it");
        (self.producer, self.ring) = (Some(producer), Some(ring));
        self.rings.start(first, 1 << capacity, max_batch as u64);
    }

    /// The next so many events.
    fn next(&self, events: usize) -> Vec<Event> {
        (self.rings.end()..).take(events).map(|sequence| Event::new(self.rings.current(), sequence)).collect()
    }

    fn publish(&mut self, operation: &Operation) {
        let events = match operation {
            Operation::Publish(events) => self.next(*events as usize),
            Operation::PublishBatch(events) => self.next(*events),
            Operation::Claim { pushed, .. } => self.next(*pushed),
            _ => return,
        };
        let Some(producer) = &mut self.producer else { return };
        let max_batch = producer.max_batch();
        let published = match operation {
            Operation::PublishBatch(_) => {
                let batch = &events[..events.len().min(max_batch)];
                producer.publish_batch(batch).expect("it fits");
                batch.len()
            }
            Operation::Claim { count, pushed, publishes } => {
                let count = (*count).min(max_batch);
                let pushed = (*pushed).min(count);
                let mut claim = producer.claim(count).expect("it fits");
                for event in &events[..pushed] {
                    claim.push(if *publishes { event } else { &Event::NEVER_PUBLISHED }).expect("it fits");
                }
                match pushed {
                    1.. if *publishes => claim.publish().map(|_| pushed).expect("it has events"),
                    _ => 0,
                }
            }
            _ => {
                events.iter().for_each(|event| assert!(producer.publish(event).is_ok()));
                events.len()
            }
        };
        self.rings.publish(published as u64);
    }

    fn receive(&mut self, who: usize, waits: bool) -> bool {
        let (observer, watcher) = &mut self.watchers[who];
        let expected = watcher.receive(&self.rings);
        let received = if waits && !expected.is_empty() { observer.recv() } else { observer.try_recv() };
        let goes_on = matches!(expected, Answer::Event { .. });
        match (expected, received) {
            (Answer::Event { ring, sequence }, Ok(received)) => {
                assert_eq!(received, (Sequence::new(sequence), Event::new(ring, sequence)));
            }
            (Answer::Nothing(expected), Err(error)) => assert_eq!(error, expected),
            (expected, received) => panic!("expected {expected:?}, got {received:?}"),
        }
        goes_on
    }

    fn receive_many(&mut self, who: usize, spare: usize, waits: bool) {
        let (observer, watcher) = &mut self.watchers[who];
        let expected = watcher.receive_many(&self.rings, spare as u64);
        let mut buffer = Vec::with_capacity(spare);
        let spare_there_is = buffer.capacity();
        assert_eq!(spare_there_is, spare, "of events of 16 bytes");
        let received = match &expected {
            Err(answer) if answer.is_empty() => observer.try_recv_many(&mut buffer),
            _ if waits => observer.recv_many(&mut buffer),
            _ => observer.try_recv_many(&mut buffer),
        };
        match (expected, received) {
            (Ok((ring, first, count)), Ok(received)) => {
                assert_eq!(
                    (received.missed, received.first, received.count as u64),
                    (0, Sequence::new(first), count)
                );
                let events: Vec<_> =
                    (first..first + count).map(|sequence| Event::new(ring, sequence)).collect();
                assert_eq!(buffer, events);
            }
            (Err(Answer::Nothing(expected)), Err(error)) => assert_eq!((error, buffer.len()), (expected, 0)),
            (expected, received) => panic!("expected {expected:?}, got {received:?}"),
        }
    }

    fn attach(&mut self, start: Place, resume: Option<Place>, follows: bool) {
        let cursor = self.rings.end();
        let resume = resume.map(|place| place.at(cursor));
        let mut settings = Observer::<Event>::builder(&self.path).start(start.at(cursor)).wait(NoWait);
        if let Some(resume) = resume {
            settings = settings.resume(resume);
        }
        let attached = if follows { settings.attach_following() } else { settings.attach() };
        match (Watcher::attach(&self.rings, start.at(cursor), resume, follows), attached) {
            (Some(watcher), Ok(observer)) => self.watchers.push((observer, watcher)),
            (None, Err(_)) => {}
            (expected, attached) => panic!("expected {expected:?}, got {attached:?}"),
        }
    }

    fn run(&mut self, operation: &Operation) {
        let watchers = self.watchers.len();
        match operation {
            Operation::Close => {
                self.rings.close();
                self.producer = None;
            }
            Operation::Restart(shape) => {
                self.rings.close();
                self.restart(*shape);
            }
            Operation::Attach { start, resume, follows } if watchers < MOST_WATCHERS => {
                self.attach(*start, *resume, *follows);
            }
            Operation::Receive { who, events, waits } if watchers > 0 => {
                let mut left = *events;
                while left > 0 && self.receive(who % watchers, *waits) {
                    left -= 1;
                }
            }
            Operation::ReceiveMany { who, spare, waits } if watchers > 0 => {
                self.receive_many(who % watchers, *spare, *waits);
            }
            Operation::SkipTo(who, place) if watchers > 0 => {
                let (observer, watcher) = &mut self.watchers[who % watchers];
                let place = place.at(self.rings.end());
                let skipped = observer.skip_to(place);
                assert_eq!(
                    skipped.as_ref().ok(),
                    watcher.skip_to(&self.rings, place).as_ref(),
                    "{skipped:?}"
                );
            }
            Operation::Detach(who) if watchers > 0 => drop(self.watchers.swap_remove(who % watchers)),
            publishing => self.publish(publishing),
        }
        self.check();
    }

    fn check(&self) {
        for (observer, watcher) in &self.watchers {
            let numbers =
                (observer.position().get(), observer.delivered(), observer.missed(), observer.lag());
            assert_eq!(numbers, watcher.numbers(&self.rings));
            assert_eq!(observer.file().cursor().get(), watcher.cursor(&self.rings));
            assert_eq!(observer.file().is_replaced(), watcher.ring() != self.rings.current());
        }
    }
}

proptest! {
    #![proptest_config(cases::config(400))]

    #[test]
    fn observers_get_exactly_what_the_model_says(
        first in shape(),
        operations in prop::collection::vec(operation(), 0..100),
    ) {
        let mut world = World::new(first);
        operations.iter().for_each(|operation| world.run(operation));
        for who in 0..world.watchers.len() {
            while world.receive(who, false) {}
        }
        world.check();
    }
}
