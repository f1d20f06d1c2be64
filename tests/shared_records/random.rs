//! Random operations on a small bus, every answer predicted by brute force. Observers are overrun all the time, and start anywhere: in the
//! middle of payloads too.

use std::path::PathBuf;

use proptest::prelude::*;
use ringbus::ReadFrom;
use ringbus::bus::{Bus, Kind, RecordObserver, Source, Topic};
use ringbus::shared::ObserveError;
use tempfile::TempDir;

use crate::follower::Follower;
use crate::stream::{Choice, Emission, PAYLOAD, Stream};
use crate::{CLOSED, cases, place, quietly};

#[derive(Clone, Debug)]
enum Operation {
    Emit(Emission),
    Batch(Vec<Emission>),
    NextTransaction(u8),
    NextBlock(u8),
    Attach { choice: Choice, start: ReadFrom },
    Receive { who: usize, records: usize },
    Detach(usize),
}

fn emission() -> impl Strategy<Value = Emission> {
    // Lengths around each boundary, and others.
    let len = prop_oneof![
        (0..=4_usize, 0..=2_usize).prop_map(|(slots, over)| (slots * PAYLOAD + over).saturating_sub(1)),
        0..=8 * PAYLOAD,
    ];
    (1..5_u16, 0..3_u16, 0..3_u16, len).prop_map(|(kind, topic, source, len)| Emission {
        kind: Kind::new(kind),
        topic: Topic::new(topic),
        source: Source::new(source),
        len,
    })
}

fn choice() -> impl Strategy<Value = Choice> {
    let kinds = prop::option::of((prop::collection::vec(0..5_u16, 0..4), any::<bool>()));
    let some = |numbers| prop::option::weighted(0.3, numbers);
    let trace = prop::option::weighted(0.2, 0..3_u8);
    let longer_than = prop::option::weighted(0.3, 0..3 * PAYLOAD);
    (kinds, some(0..3_u16), some(0..3_u16), trace, longer_than).prop_map(
        |(kinds, topic, source, trace, longer_than)| Choice { kinds, topic, source, trace, longer_than },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    let start = prop_oneof![
        Just(ReadFrom::Newest),
        (0..8_u64).prop_map(|headroom| ReadFrom::Oldest { headroom }),
        (0..30_u64).prop_map(ReadFrom::NewestMinus)
    ];
    prop_oneof![
        12 => emission().prop_map(Operation::Emit),
        4 => prop::collection::vec(emission(), 0..6).prop_map(Operation::Batch),
        2 => (0..3_u8).prop_map(Operation::NextTransaction),
        1 => any::<u8>().prop_map(Operation::NextBlock),
        2 => (choice(), start).prop_map(|(choice, start)| Operation::Attach { choice, start }),
        8 => (any::<usize>(), 0..12_usize).prop_map(|(who, records)| Operation::Receive { who, records }),
        1 => any::<usize>().prop_map(Operation::Detach),
    ]
}

struct Watcher {
    observer: RecordObserver,
    follower: Follower,
    attached_at: u64,
}

struct World {
    stream: Stream,
    _bus: Bus<PAYLOAD>,
    watchers: Vec<Watcher>,
    path: PathBuf,
    _place: TempDir,
}

impl World {
    fn new() -> Self {
        let (place, path) = place();
        let (writer, bus) = Bus::builder("test").capacity(32).shared(quietly(&path)).build().unwrap();
        Self { stream: Stream::new(writer), _bus: bus, watchers: Vec::new(), path, _place: place }
    }

    fn receive(&mut self, who: usize, records: usize) {
        for _ in 0..records {
            let Watcher { observer, follower, .. } = &mut self.watchers[who];
            match observer.try_recv() {
                Ok(record) => follower.record(&self.stream, record),
                Err(ObserveError::Lagged { missed, resumed_at }) => {
                    follower.lagged(&self.stream, missed, resumed_at.get());
                }
                Err(ObserveError::Empty) => {
                    follower.nothing_more(&self.stream);
                    break;
                }
                Err(other) => panic!("the bus is open: {other}"),
            }
            self.check();
        }
    }

    fn run(&mut self, operation: &Operation) {
        let watchers = self.watchers.len();
        match operation {
            Operation::Emit(emission) => assert!(self.stream.try_emit(emission), "nobody holds it up"),
            Operation::Batch(emissions) => {
                let fitting = self.stream.fitting(emissions);
                assert!(self.stream.try_batch(fitting), "nobody holds it up");
            }
            Operation::NextTransaction(hash) => self.stream.next_transaction(*hash),
            Operation::NextBlock(hash) => self.stream.next_block(*hash),
            Operation::Attach { choice, start } if watchers < 4 => {
                let settings = RecordObserver::builder(&self.path).filter(choice.filter()).start(*start);
                let observer = settings.attach().expect("it starts on the ring");
                let attached_at = observer.position().get();
                let follower = Follower::new(attached_at, choice.clone(), None);
                self.watchers.push(Watcher { observer, follower, attached_at });
            }
            Operation::Receive { who, records } if watchers > 0 => self.receive(who % watchers, *records),
            Operation::Detach(who) if watchers > 0 => drop(self.watchers.swap_remove(who % watchers)),
            _ => {}
        }
        self.check();
    }

    /// Every sequence since it attached is accounted for.
    fn check(&self) {
        for Watcher { observer, attached_at, .. } in &self.watchers {
            let accounted = observer.tally().total();
            assert_eq!(accounted + observer.lag(), self.stream.cursor() - attached_at);
            assert_eq!(observer.position().get(), attached_at + accounted);
        }
    }

    fn finish(mut self) {
        for who in 0..self.watchers.len() {
            self.receive(who, usize::MAX);
            let Watcher { observer, follower, .. } = &self.watchers[who];
            assert_eq!((observer.lag(), observer.tally()), (0, follower.tally(&self.stream)));
        }
        self.stream.close();
        for watcher in &mut self.watchers {
            assert_eq!(watcher.observer.recv().err(), Some(CLOSED));
        }
    }
}

proptest! {
    #![proptest_config(cases::config(600))]

    #[test]
    fn observers_get_what_passes_and_account_for_the_rest(
        operations in prop::collection::vec(operation(), 0..120),
    ) {
        let mut world = World::new();
        operations.iter().for_each(|operation| world.run(operation));
        world.finish();
    }
}
