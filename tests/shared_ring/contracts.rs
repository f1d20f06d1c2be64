//! What holds of an optional consumer, wherever the ring is and wherever the consumer is.

use std::path::PathBuf;

use ringbus::shared::{ObserveError, Observer};
use ringbus::{
    End, OptionalConsumer, Producer, PublishError, ReadFrom, Received, Ring, Sequence, StartError,
};

use crate::common::{assert_law, at, publish_up_to, take_all};
use crate::{Place, builder, lagged, quietly};

/// An optional consumer, here or elsewhere.
trait Consumer {
    fn try_recv(&mut self) -> Result<(Sequence, u64), ObserveError>;
    fn try_recv_many(&mut self, buffer: &mut Vec<u64>) -> Result<Received, ObserveError>;
    fn skip_to(&mut self, to: ReadFrom) -> Result<u64, StartError>;
    fn position(&self) -> Sequence;
    /// Delivered, missed, lag.
    fn account(&self) -> (u64, u64, u64);
}

impl Consumer for OptionalConsumer<u64> {
    fn try_recv(&mut self) -> Result<(Sequence, u64), ObserveError> {
        Ok(Self::try_recv(self)?)
    }

    fn try_recv_many(&mut self, buffer: &mut Vec<u64>) -> Result<Received, ObserveError> {
        Ok(Self::try_recv_many(self, buffer)?)
    }

    fn skip_to(&mut self, to: ReadFrom) -> Result<u64, StartError> {
        Self::skip_to(self, to)
    }

    fn position(&self) -> Sequence {
        Self::position(self)
    }

    fn account(&self) -> (u64, u64, u64) {
        (self.delivered(), self.missed(), self.lag())
    }
}

impl Consumer for Observer<u64> {
    fn try_recv(&mut self) -> Result<(Sequence, u64), ObserveError> {
        Self::try_recv(self)
    }

    fn try_recv_many(&mut self, buffer: &mut Vec<u64>) -> Result<Received, ObserveError> {
        Self::try_recv_many(self, buffer)
    }

    fn skip_to(&mut self, to: ReadFrom) -> Result<u64, StartError> {
        Self::skip_to(self, to)
    }

    fn position(&self) -> Sequence {
        Self::position(self)
    }

    fn account(&self) -> (u64, u64, u64) {
        (self.delivered(), self.missed(), self.lag())
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    OptionalOnTheHeap,
    OptionalInAFile,
    Observer,
}

const EVERYBODY: [Who; 3] = [Who::OptionalOnTheHeap, Who::OptionalInAFile, Who::Observer];

struct World {
    who: Who,
    place: Place,
    producer: Producer<u64>,
    ring: Ring<u64>,
}

impl World {
    fn new(who: Who, capacity: usize, max_batch: usize, first: u64) -> Self {
        let place = Place::new();
        let mut settings = builder(capacity).max_batch(max_batch).first_sequence(at(first));
        if who != Who::OptionalOnTheHeap {
            settings = settings.shared(quietly(&place.path()));
        }
        let (producer, ring) = settings.build().unwrap();
        Self { who, place, producer, ring }
    }

    /// Of 16 with a max batch of 4, with so many published.
    fn sixteen(who: Who, published: u64) -> Self {
        let mut world = Self::new(who, 16, 4, 0);
        publish_up_to(&mut world.producer, published);
        world
    }

    fn path(&self) -> PathBuf {
        self.place.path()
    }

    fn consumer(&self, start: ReadFrom, resume: ReadFrom) -> Result<Box<dyn Consumer>, StartError> {
        if self.who != Who::Observer {
            return Ok(Box::new(self.ring.optional("monitor").start(start).resume(resume).join()?));
        }
        match Observer::<u64>::builder(self.path()).start(start).resume(resume).attach() {
            Ok(observer) => Ok(Box::new(observer)),
            Err(ringbus::shared::AttachError::Start(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    }

    fn reads_all(&self, consumer: &mut dyn Consumer, from: u64) {
        for number in from..self.ring.cursor().get() {
            assert_eq!(consumer.try_recv(), Ok((at(number), number)), "{:?}", self.who);
        }
        assert_eq!(consumer.try_recv(), Err(ObserveError::Empty), "{:?}", self.who);
    }
}

const fn oldest(headroom: u64) -> ReadFrom {
    ReadFrom::Oldest { headroom }
}

/// Where one starts when 100 are published.
const STARTS: [(ReadFrom, u64); 13] = [
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
    (ReadFrom::Sequence(at(88)), 88),
];

#[test]
fn starts_exactly_where_it_is_told_to() {
    for who in EVERYBODY {
        let world = World::sixteen(who, 100);
        for (start, joined_at) in STARTS {
            let mut consumer = world.consumer(start, oldest(0)).unwrap();
            assert_eq!(consumer.position(), at(joined_at), "{who:?} {start:?}");
            world.reads_all(&mut *consumer, joined_at);
            assert_eq!(consumer.account(), (100 - joined_at, 0, 0), "{who:?} {start:?}");
        }
    }
}

#[test]
fn the_window_ends_exactly_at_capacity_less_max_batch() {
    for who in EVERYBODY {
        let world = World::sixteen(who, 100);
        for (start, missed) in [(88, 0), (87, 1), (86, 2), (84, 4), (50, 38), (0, 88)] {
            let mut consumer = world.consumer(ReadFrom::Sequence(at(start)), oldest(0)).unwrap();
            if missed > 0 {
                assert_eq!(consumer.try_recv(), Err(lagged(missed, 88)), "{who:?} {start}");
            }
            world.reads_all(&mut *consumer, 88);
            assert_eq!(consumer.account(), (12, missed, 0), "{who:?} {start}");
        }
    }
}

#[test]
fn does_not_start_at_what_the_ring_does_not_have() {
    for who in EVERYBODY {
        let mut world = World::new(who, 16, 4, 1_000);
        publish_up_to(&mut world.producer, 1_005);
        let refused = |sequence| world.consumer(ReadFrom::Sequence(at(sequence)), oldest(0)).err().unwrap();
        assert!(
            matches!(refused(1_006), StartError::NotYetPublished { asked, cursor, .. } if (asked, cursor) == (at(1_006), at(1_005)))
        );
        assert!(
            matches!(refused(999), StartError::BeforeFirst { asked, first_sequence, .. } if (asked, first_sequence) == (at(999), at(1_000)))
        );
        for (start, joined_at) in [(oldest(0), 1_000), (oldest(8), 1_001), (ReadFrom::NewestMinus(9), 1_000)]
        {
            assert_eq!(world.consumer(start, oldest(0)).unwrap().position(), at(joined_at), "{who:?}");
        }
    }
}

#[test]
fn an_overrun_by_any_number_of_laps_is_counted_exactly() {
    for who in EVERYBODY {
        for published in [12, 13, 14, 16, 17, 28, 29, 32, 33, 160, 1_601] {
            for (resume, resumed_at) in [
                (oldest(0), published - 12),
                (oldest(3), published - 9),
                (ReadFrom::Newest, published),
                (ReadFrom::NewestMinus(5), published - 5),
                (ReadFrom::Sequence(at(0)), published - 12),
                (ReadFrom::Sequence(at(published - 2)), published - 2),
            ] {
                let mut world = World::sixteen(who, 0);
                let mut consumer = world.consumer(ReadFrom::Newest, resume).unwrap();
                publish_up_to(&mut world.producer, published);
                assert_eq!(consumer.account(), (0, 0, published), "not before it is noticed");
                let from = if published > 12 { resumed_at } else { 0 };
                if from > 0 {
                    assert_eq!(
                        consumer.try_recv(),
                        Err(lagged(from, from)),
                        "{who:?} {published} {resume:?}"
                    );
                }
                world.reads_all(&mut *consumer, from);
                assert_eq!(consumer.account(), (published - from, from, 0), "{who:?} {published} {resume:?}");
            }
        }
    }
}

#[test]
fn recv_many_appends_what_is_there_and_fits() {
    for who in EVERYBODY {
        let mut world = World::sixteen(who, 10);
        let mut consumer = world.consumer(ReadFrom::Sequence(at(0)), oldest(2)).unwrap();
        let received = |missed, first, count| Ok(Received { missed, first: at(first), count });
        let mut full = vec![7];
        full.shrink_to_fit();
        assert_eq!(consumer.try_recv_many(&mut full), Err(ObserveError::BufferFull));
        let mut three = Vec::with_capacity(4);
        three.push(99);
        assert_eq!(consumer.try_recv_many(&mut three), received(0, 0, 3));
        assert_eq!(three, [99, 0, 1, 2], "{who:?}");
        publish_up_to(&mut world.producer, 15);
        // Where the ring wraps, too.
        publish_up_to(&mut world.producer, 20);
        let mut rest = Vec::with_capacity(100);
        assert_eq!(consumer.try_recv_many(&mut rest), Err(lagged(7, 10)), "{who:?}");
        assert_eq!(consumer.try_recv_many(&mut rest), received(0, 10, 10), "{who:?}");
        assert_eq!(rest, (10..20).collect::<Vec<_>>(), "{who:?}");
        assert_eq!(consumer.try_recv_many(&mut rest), Err(ObserveError::Empty));
        assert_eq!(consumer.account(), (13, 7, 0), "{who:?}");
    }
}

#[test]
fn skip_to_moves_ahead_alone_and_counts() {
    for who in EVERYBODY {
        let world = World::sixteen(who, 100);
        let mut consumer = world.consumer(oldest(0), oldest(0)).unwrap();
        assert_eq!(consumer.try_recv(), Ok((at(88), 88)));
        assert_eq!(consumer.skip_to(ReadFrom::Sequence(at(95))), Ok(6));
        assert!(matches!(
            consumer.skip_to(ReadFrom::Sequence(at(94))),
            Err(StartError::Backwards { asked, position, .. }) if (asked, position) == (at(94), at(95))
        ));
        assert!(matches!(
            consumer.skip_to(ReadFrom::Sequence(at(101))),
            Err(StartError::NotYetPublished { .. })
        ));
        assert_eq!(consumer.skip_to(oldest(0)), Ok(0), "it has been there");
        assert_eq!(consumer.try_recv(), Ok((at(95), 95)));
        assert_eq!(consumer.skip_to(ReadFrom::Newest), Ok(4));
        assert_eq!(consumer.try_recv(), Err(ObserveError::Empty));
        assert_eq!(consumer.account(), (2, 10, 0), "{who:?}");
    }
}

#[test]
fn the_smallest_ring_and_the_highest_sequences_will_do() {
    for who in EVERYBODY {
        let first = 1 << 62;
        let mut world = World::new(who, 4, 1, first);
        let mut consumer = world.consumer(ReadFrom::Newest, oldest(0)).unwrap();
        for end in (first + 3..).step_by(3).take(50) {
            publish_up_to(&mut world.producer, end);
            world.reads_all(&mut *consumer, end - 3);
        }
        publish_up_to(&mut world.producer, first + 154);
        assert_eq!(consumer.try_recv(), Err(lagged(1, first + 151)), "{who:?}");
        world.reads_all(&mut *consumer, first + 151);
        assert_eq!(consumer.account(), (153, 1, 0), "{who:?}");
    }
}

#[test]
fn what_is_published_before_the_end_is_drained() {
    for who in EVERYBODY {
        let World { producer, ring, place, .. } = World::sixteen(who, 20);
        let mut consumer = {
            let world = World { who, place, producer, ring };
            let consumer = world.consumer(ReadFrom::Sequence(at(0)), oldest(0)).unwrap();
            world.producer.close().unwrap();
            consumer
        };
        assert_eq!(consumer.try_recv(), Err(lagged(8, 8)), "{who:?}");
        for number in 8..20 {
            assert_eq!(consumer.try_recv(), Ok((at(number), number)), "{who:?}");
        }
        for _ in 0..3 {
            assert_eq!(consumer.try_recv(), Err(ObserveError::Ended(End::Closed)), "{who:?}");
            let mut buffer = Vec::with_capacity(1);
            assert_eq!(consumer.try_recv_many(&mut buffer), Err(ObserveError::Ended(End::Closed)), "{who:?}");
        }
    }
}

/// What the core's own consumers see is the same, whether others can look on or not.
#[test]
fn required_consumers_hold_the_producer_up_and_lose_nothing_in_a_file_too() {
    for who in [Who::OptionalOnTheHeap, Who::OptionalInAFile] {
        let World { mut producer, ring, place: _place, .. } = World::new(who, 8, 2, 0);
        let mut journal = ring.required("journal").join().unwrap();
        let mut store = ring.required("store").after(&[&journal]).join().unwrap();
        for lap in 0..50 {
            publish_up_to(&mut producer, (lap + 1) * 8);
            match producer.try_publish(&0) {
                Err(PublishError::Full { .. }) => {}
                other => panic!("{who:?}: {other:?}"),
            }
            assert!(store.try_read().is_err(), "{who:?}: nothing is acknowledged upstream");
            let expected: Vec<_> = (lap * 8..(lap + 1) * 8).collect();
            assert_eq!(take_all(&mut journal), expected, "{who:?}");
            assert_eq!(take_all(&mut store), expected, "{who:?}");
            assert_law(&ring.stats());
        }
        producer.close().unwrap();
        assert_eq!((journal.read().unwrap_err(), store.read().unwrap_err()), (End::Closed, End::Closed));
        assert_eq!((journal.leave(), store.leave()), (at(400), at(400)));
    }
}
