//! Subscriptions against brute force: what a filter lets pass, in order, and the rest accounted for to the last sequence.
//!
//! One thread, random operations: emit, batches of mixed kinds, payloads of every length around the slot boundaries, subscribe and
//! unsubscribe, read a part, acknowledge or not, pause and resume. Optional subscriptions are overrun all the time, because the ring is
//! small and they read seldom.

#[path = "common/cases.rs"]
mod cases;
#[path = "bus_subscriptions/follower.rs"]
mod follower;
#[path = "bus_subscriptions/stream.rs"]
mod stream;

use follower::Follower;
use proptest::prelude::*;
use ringbus::bus::{
    Bus, Emit, Filter, Kind, OptionalSubscription, Origin, RequiredSubscription, Source, Topic,
};
use ringbus::wait::BusySpin;
use ringbus::{End, ReadError, ReadFrom, RecvError};
use stream::{Choice, Emission, PAYLOAD, Stream};

const CAPACITY: usize = 32;

#[derive(Clone, Debug)]
enum Operation {
    Emit(Emission),
    Batch(Vec<Emission>),
    NextTransaction(u8),
    NextBlock(u8),
    SubscribeRequired { choice: Choice, limit: Option<usize> },
    SubscribeOptional { choice: Choice, start: ReadFrom },
    Read { who: usize, take: usize, acknowledge: bool },
    Receive { who: usize, records: usize },
    PauseRequired { who: usize, events: Vec<Emission> },
    PauseOptional { who: usize, events: Vec<Emission> },
    LeaveRequired(usize),
    DropOptional(usize),
}

fn emission() -> impl Strategy<Value = Emission> {
    // Lengths around each boundary, and others.
    let len = prop_oneof![
        (0..=4_usize, 0..=2_usize).prop_map(|(slots, over)| (slots * PAYLOAD + over).saturating_sub(1)),
        0..=4 * PAYLOAD,
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
    (
        kinds,
        some(0..3_u16),
        some(0..3_u16),
        prop::option::weighted(0.2, 0..3_u8),
        prop::option::weighted(0.3, 0..3 * PAYLOAD),
    )
        .prop_map(|(kinds, topic, source, trace, longer_than)| Choice {
            kinds,
            topic,
            source,
            trace,
            longer_than,
        })
}

fn operation() -> impl Strategy<Value = Operation> {
    let few = || prop::collection::vec(emission(), 0..6);
    let start = prop_oneof![
        Just(ReadFrom::Newest),
        Just(ReadFrom::Oldest { headroom: 0 }),
        (0..20_u64).prop_map(ReadFrom::NewestMinus)
    ];
    prop_oneof![
        12 => emission().prop_map(Operation::Emit),
        4 => few().prop_map(Operation::Batch),
        2 => (0..3_u8).prop_map(Operation::NextTransaction),
        1 => any::<u8>().prop_map(Operation::NextBlock),
        1 => (choice(), prop::option::of(1..4_usize))
            .prop_map(|(choice, limit)| Operation::SubscribeRequired { choice, limit }),
        1 => (choice(), start).prop_map(|(choice, start)| Operation::SubscribeOptional { choice, start }),
        10 => (any::<usize>(), 0..12_usize, any::<bool>())
            .prop_map(|(who, take, acknowledge)| Operation::Read { who, take, acknowledge }),
        5 => (any::<usize>(), 0..12_usize).prop_map(|(who, records)| Operation::Receive { who, records }),
        1 => (any::<usize>(), few()).prop_map(|(who, events)| Operation::PauseRequired { who, events }),
        1 => (any::<usize>(), few()).prop_map(|(who, events)| Operation::PauseOptional { who, events }),
        1 => any::<usize>().prop_map(Operation::LeaveRequired),
        1 => any::<usize>().prop_map(Operation::DropOptional),
    ]
}

struct World {
    stream: Stream,
    bus: Bus<PAYLOAD>,
    required: Vec<(RequiredSubscription<PAYLOAD>, Follower)>,
    optional: Vec<(OptionalSubscription<PAYLOAD, BusySpin>, Follower)>,
}

impl World {
    fn new() -> Self {
        let (writer, bus) = Bus::builder("test").capacity(CAPACITY).build().expect("good settings");
        Self { stream: Stream::new(writer), bus, required: Vec::new(), optional: Vec::new() }
    }

    /// Makes room for so many slots, as a required subscription that keeps up would.
    fn make_room(&mut self) {
        for who in 0..self.required.len() {
            self.read(who, usize::MAX, true);
        }
    }

    fn emit(&mut self, emission: &Emission) {
        if !self.stream.try_emit(emission) {
            self.make_room();
            assert!(self.stream.try_emit(emission), "all required subscriptions have acknowledged all");
        }
    }

    fn read(&mut self, who: usize, take: usize, acknowledge: bool) {
        loop {
            let (subscription, follower) = &mut self.required[who];
            let limit = follower.limit;
            let mut records = match subscription.try_read() {
                Ok(records) => records,
                Err(ReadError::Empty) => {
                    follower.nothing_more(&self.stream);
                    return;
                }
                Err(other) => panic!("the bus is open: {other}"),
            };
            let mut reading = follower.clone();
            let mut taken = 0;
            let mut saw_all = false;
            while taken < take {
                let Some(record) = records.next() else {
                    saw_all = taken < limit;
                    break;
                };
                reading.record(&self.stream, record);
                taken += 1;
            }
            assert!(taken <= limit, "{taken} records were read at once where {limit} may be");
            if saw_all {
                reading.nothing_more(&self.stream);
            }
            if !acknowledge {
                return;
            }
            records.acknowledge();
            *follower = reading;
            if take < usize::MAX {
                return;
            }
        }
    }

    fn receive(&mut self, who: usize, records: usize) {
        let (subscription, follower) = &mut self.optional[who];
        for _ in 0..records {
            match subscription.try_recv() {
                Ok(record) => follower.record(&self.stream, record),
                Err(RecvError::Lagged { missed, resumed_at }) => {
                    follower.lagged(&self.stream, missed, resumed_at.get());
                }
                Err(RecvError::Empty) => {
                    follower.nothing_more(&self.stream);
                    break;
                }
                Err(other) => panic!("the bus is open: {other}"),
            }
        }
    }

    fn pause_required(&mut self, who: usize, events: &[Emission]) {
        let (mut subscription, mut follower) = self.required.swap_remove(who);
        let from = self.bus.cursor().get() - subscription.lag();
        let paused = subscription.pause().expect("nobody comes after it");
        events.iter().for_each(|emission| self.emit(emission));
        let let_pass = paused.resume();
        follower.let_pass(from, let_pass);
        self.required.push((subscription, follower));
    }

    fn pause_optional(&mut self, who: usize, events: &[Emission]) {
        let (mut subscription, mut follower) = self.optional.swap_remove(who);
        let paused = subscription.pause();
        events.iter().for_each(|emission| self.emit(emission));
        let let_pass = paused.resume();
        follower.let_pass(self.bus.cursor().get() - let_pass, let_pass);
        self.optional.push((subscription, follower));
    }

    fn run(&mut self, operation: &Operation) {
        let (required, optional) = (self.required.len(), self.optional.len());
        match operation {
            Operation::Emit(emission) => self.emit(emission),
            Operation::Batch(emissions) => {
                let fitting = self.stream.fitting(emissions);
                if !self.stream.try_batch(fitting) {
                    self.make_room();
                    assert!(
                        self.stream.try_batch(fitting),
                        "all required subscriptions have acknowledged all"
                    );
                }
            }
            // (They wait for room.)
            Operation::NextTransaction(hash) => {
                self.make_room();
                self.stream.next_transaction(*hash);
            }
            Operation::NextBlock(hash) => {
                self.make_room();
                self.stream.next_block(*hash);
            }
            Operation::SubscribeRequired { choice, limit } if required < 4 => {
                let builder = self.bus.subscribe("required").filter(choice.filter()).required();
                let builder = if let Some(limit) = limit { builder.limit(*limit) } else { builder };
                let subscription = builder.join().expect("a free place");
                let follower = Follower::new(subscription.joined_at().get(), choice.clone(), *limit);
                self.required.push((subscription, follower));
            }
            Operation::SubscribeOptional { choice, start } if optional < 4 => {
                let builder = self.bus.subscribe("optional").filter(choice.filter()).optional();
                let subscription =
                    builder.wait(BusySpin).start(*start).join().expect("it starts on the ring");
                let follower = Follower::new(subscription.joined_at().get(), choice.clone(), None);
                self.optional.push((subscription, follower));
            }
            Operation::Read { who, take, acknowledge } if required > 0 => {
                self.read(who % required, *take, *acknowledge);
            }
            Operation::Receive { who, records } if optional > 0 => self.receive(who % optional, *records),
            Operation::PauseRequired { who, events } if required > 0 => {
                self.pause_required(who % required, events);
            }
            Operation::PauseOptional { who, events } if optional > 0 => {
                self.pause_optional(who % optional, events);
            }
            Operation::LeaveRequired(who) if required > 0 => {
                let (subscription, follower) = self.required.swap_remove(who % required);
                let position = subscription.position();
                assert!(follower.at() <= position.get() + CAPACITY as u64);
                assert_eq!(subscription.leave(), position);
            }
            Operation::DropOptional(who) if optional > 0 => drop(self.optional.swap_remove(who % optional)),
            _ => {}
        }
        self.check();
    }

    fn check(&self) {
        let cursor = self.bus.cursor().get();
        assert_eq!(cursor, self.stream.cursor());
        for (subscription, _) in &self.required {
            let published = cursor - subscription.joined_at().get();
            assert_eq!(subscription.tally().total() + subscription.lag(), published);
            assert_eq!(subscription.tally().missed, 0);
        }
        for (subscription, _) in &self.optional {
            let published = cursor - subscription.joined_at().get();
            assert_eq!(subscription.tally().total() + subscription.lag(), published);
        }
        let stats = self.bus.subscriptions();
        assert_eq!(stats.len(), self.required.len() + self.optional.len());
        assert!(stats.is_sorted_by(|one, next| one.id < next.id));
        for stats in stats {
            assert_eq!(stats.tally.total() + stats.lag, cursor - stats.joined_at.get());
        }
    }

    /// Everybody drains what is left, and the accounts must hold what the followers have seen.
    fn finish(mut self) {
        self.make_room();
        for who in 0..self.optional.len() {
            self.receive(who, usize::MAX);
        }
        for (subscription, follower) in &self.required {
            assert_eq!((subscription.lag(), subscription.tally()), (0, follower.tally(&self.stream)));
        }
        for (subscription, follower) in &self.optional {
            assert_eq!((subscription.lag(), subscription.tally()), (0, follower.tally(&self.stream)));
        }
        self.stream.close();
        for (mut subscription, _) in self.required {
            assert_eq!(subscription.try_read().err(), Some(ReadError::Ended(End::Closed)));
        }
        for (mut subscription, _) in self.optional {
            assert_eq!(subscription.try_recv().err(), Some(RecvError::Ended(End::Closed)));
        }
    }
}

proptest! {
    #![proptest_config(cases::config(1_500))]

    #[test]
    fn subscriptions_get_what_passes_and_account_for_the_rest(
        operations in prop::collection::vec(operation(), 0..120),
    ) {
        let mut world = World::new();
        operations.iter().for_each(|operation| world.run(operation));
        world.finish();
    }
}

/// What `Filter` promises beyond single criteria: a view, an own predicate on top, and that the payload of what the header stops is
/// not looked at.
#[test]
fn predicates_see_only_what_the_header_lets_pass() {
    let (mut writer, bus) = Bus::<64>::builder("test").build().unwrap();
    let (asked, heard) = std::sync::mpsc::channel();
    let filter = Filter::kinds([Kind::new(1)]).matching(move |record| {
        asked.send(record.kind()).unwrap();
        record.payload() == b"yes"
    });
    let mut subscription = bus.subscribe("few").filter(filter).required().join().unwrap();
    writer.begin_block(stream::block(1, 1)).unwrap();
    for (kind, payload) in [(1, &b"yes"[..]), (2, b"yes"), (1, b"no"), (3, b"no")] {
        writer.emit_bytes(Origin::default(), Kind::new(kind), Topic::default(), payload).unwrap();
    }
    let mut seen = Vec::new();
    assert_eq!(subscription.poll(|record| seen.push(record.payload().to_vec())), Ok(1));
    assert_eq!(seen, [b"yes"]);
    assert_eq!(heard.try_iter().map(Kind::get).collect::<Vec<_>>(), [1, 1]);
    subscription.leave();
}
