//! The writer, as subscribers see it: the context in the headers, order, misuse, and how the stream ends. (Slots, fragments and
//! marks: `src/bus/writer/tests.rs`.)

#[path = "common/cases.rs"]
mod cases;
mod common;

use std::error::Error;
use std::num::NonZero;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use bytemuck::pod_read_unaligned;
use common::{Announce, at, panic_quietly, poisoned};
use proptest::prelude::*;
use ringbus::bus::{
    BlockBegun, BlockEnded, BlockStart, Bus, Emit, Filter, Hash, Header, Kind, Origin, Outcome, RecordRef,
    RequiredSubscription, Source, StreamId, Topic, TransactionEnded, WriteError, Writer,
};
use ringbus::wait::WaitStrategy;
use ringbus::{End, FailureCause, PublishError, ReadError, Sequence};

const A: Kind = Kind::new(1);
const B: Kind = Kind::new(2);
const ENGINE: Origin = Origin::of(Source::new(3));
const MARKET: Topic = Topic::new(4);

/// A bus of 64 slots for 64 bytes each, of which 4 can be published at once, and a subscription to everything.
fn bus() -> (Writer<64>, Bus<64>, RequiredSubscription<64>) {
    let (writer, bus) = Bus::<64>::builder("testnet").capacity(64).max_batch(4).build().unwrap();
    let all = bus.subscribe("all").required().join().unwrap();
    (writer, bus, all)
}

fn block(height: u64) -> BlockStart {
    BlockStart { height, time: 1_000 + height as i64, hash: hash(height) }
}

fn hash(number: u64) -> Hash {
    let mut bytes = [0xb1; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Hash::new(bytes)
}

fn failed(error: &str) -> Outcome<'_> {
    Outcome::Failed { code: NonZero::new(9).unwrap(), error }
}

fn emit<const P: usize>(writer: &mut Writer<P, impl WaitStrategy>, kind: Kind) -> Result<(), WriteError> {
    writer.emit_bytes(ENGINE, kind, MARKET, b"said")
}

/// A record, as far as the writer answers for it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    height: u64,
    time: i64,
    trace: Hash,
    order: u32,
    kind: Kind,
    payload: Vec<u8>,
    begins: bool,
    ends: bool,
}

impl Seen {
    fn of(record: RecordRef<'_>) -> Self {
        Self {
            height: record.block_height(),
            time: record.block_time(),
            trace: record.trace(),
            order: record.order(),
            kind: record.kind(),
            payload: record.payload().to_vec(),
            begins: record.begins_block(),
            ends: record.ends_block(),
        }
    }
}

/// What the subscription has not seen before.
fn take<const P: usize>(subscription: &mut RequiredSubscription<P>) -> Vec<Seen> {
    let mut seen = Vec::new();
    match subscription.poll(|record| seen.push(Seen::of(record))) {
        Ok(_) | Err(ReadError::Empty) => seen,
        Err(other) => panic!("{other}"),
    }
}

/// Likewise, kinds and order numbers.
fn kinds<const P: usize>(subscription: &mut RequiredSubscription<P>) -> Vec<(Kind, u32)> {
    take(subscription).iter().map(|seen| (seen.kind, seen.order)).collect()
}

// Misuse

#[test]
fn outside_of_blocks_nothing_can_be_said_or_ended() {
    let (mut writer, _bus, mut all) = bus();
    for _ in 0..2 {
        assert_eq!(emit(&mut writer, A), Err(WriteError::OutsideBlock));
        assert_eq!(writer.try_emit_bytes(ENGINE, A, MARKET, b""), Err(WriteError::OutsideBlock));
        assert_eq!(writer.batch().emit_bytes(ENGINE, A, MARKET, b""), Err(WriteError::OutsideBlock));
        assert_eq!(writer.begin_transaction(hash(5)), Err(WriteError::OutsideBlock));
        assert_eq!(writer.end_transaction(Outcome::Succeeded), Err(WriteError::NoTransaction));
        assert_eq!(writer.end_block(), Err(WriteError::NoBlock));
        assert_eq!((writer.height(), writer.is_in_block(), writer.transaction()), (None, false, None));
        assert_eq!(take(&mut all), []);
        // The second time, after a block.
        writer.begin_block(block(1)).unwrap();
        assert_eq!((writer.height(), writer.is_in_block()), (Some(1), true));
        writer.end_block().unwrap();
        assert_eq!(kinds(&mut all), [(Kind::BLOCK_BEGUN, 1), (Kind::BLOCK_ENDED, 2)]);
    }
    all.leave();
}

#[test]
fn blocks_and_transactions_do_not_nest_and_end_in_order() {
    let (mut writer, _bus, mut all) = bus();
    writer.begin_block(block(7)).unwrap();
    assert_eq!(writer.begin_block(block(8)), Err(WriteError::BlockOpen { height: 7 }));
    assert_eq!(writer.end_transaction(Outcome::Succeeded), Err(WriteError::NoTransaction));
    writer.begin_transaction(hash(5)).unwrap();
    let open = WriteError::TransactionOpen { trace: hash(5) };
    assert_eq!(writer.begin_transaction(hash(6)), Err(open.clone()));
    assert_eq!(writer.end_block(), Err(open));
    assert_eq!(writer.begin_block(block(8)), Err(WriteError::BlockOpen { height: 7 }));
    assert_eq!(writer.transaction(), Some(hash(5)));
    emit(&mut writer, A).unwrap();
    let seen = take(&mut all);
    assert_eq!((seen[1].order, seen[1].height, seen[1].trace), (2, 7, hash(5)));
    assert_eq!(seen.len(), 2);
    all.leave();
}

#[test]
fn kinds_of_the_buss_own_are_refused_wherever_bytes_are_given() {
    let (mut writer, _bus, mut all) = bus();
    writer.begin_block(block(1)).unwrap();
    for kind in [Kind::FIRST_RESERVED, Kind::BLOCK_ENDED, Kind::new(u16::MAX)] {
        let reserved = WriteError::ReservedKind { kind };
        assert_eq!(emit(&mut writer, kind), Err(reserved.clone()));
        assert_eq!(writer.try_emit_bytes(ENGINE, kind, MARKET, b""), Err(reserved.clone()));
        assert_eq!(writer.batch().emit_bytes(ENGINE, kind, MARKET, b""), Err(reserved.clone()));
        assert_eq!(writer.stage_bytes(ENGINE, kind, MARKET, b""), Err(reserved));
    }
    assert_eq!(
        writer.emit(ENGINE, &BlockBegun::default()),
        Err(WriteError::ReservedKind { kind: Kind::BLOCK_BEGUN })
    );
    emit(&mut writer, Kind::new(Kind::FIRST_RESERVED.get() - 1)).unwrap();
    assert_eq!(kinds(&mut all), [(Kind::BLOCK_BEGUN, 1), (Kind::new(0xfeff), 2)]);
    all.leave();
}

#[test]
fn errors_say_what_was_wrong_and_what_to_do() {
    let trace = Hash::new([0xab; 32]);
    let full = PublishError::Full { needed: 2 };
    let messages = [
        (
            WriteError::OutsideBlock,
            "no block is open, and events and transactions need one; call begin_block first, or stage the event for the next block"
                .to_owned(),
        ),
        (WriteError::BlockOpen { height: 7 }, "block 7 is still open; call end_block first".to_owned()),
        (
            WriteError::NoBlock,
            "no block is open, so there is none to end; call begin_block first".to_owned(),
        ),
        (
            WriteError::TransactionOpen { trace },
            format!("transaction {} is still open; call end_transaction first", "ab".repeat(32)),
        ),
        (
            WriteError::NoTransaction,
            "no transaction is open, so there is none to end; call begin_transaction first".to_owned(),
        ),
        (
            WriteError::BlockFull { most: 5 },
            "the block has 5 events, and order numbers count no further; end it, and go on in the next block".to_owned(),
        ),
        (
            WriteError::ReservedKind { kind: Kind::BLOCK_BEGUN },
            "kind 65281 is one of the bus's own; choose one below 65280, and begin and end blocks and transactions by the \
             writer's calls"
                .to_owned(),
        ),
        (
            WriteError::PayloadTooLong { len: 193, longest: 192 },
            "a payload of 193 bytes is longer than 192 bytes, the most that one batch can carry; split it, or build the bus with \
             a higher max_batch or longer slots"
                .to_owned(),
        ),
        (
            WriteError::BatchTooLong { slots: 5, max_batch: 4 },
            "a batch of 5 slots is longer than the max batch of 4; publish what there is and begin another, or build the bus with \
             a higher max_batch"
                .to_owned(),
        ),
        (WriteError::Publish(full.clone()), full.to_string()),
    ];
    for (error, message) in messages {
        assert_eq!(error.to_string(), message);
        assert_eq!(error.source().is_some(), matches!(error, WriteError::Publish(_)), "{error:?}");
    }
    assert_eq!(WriteError::from(full.clone()), WriteError::Publish(full));
    assert_eq!(
        WriteError::from(PublishError::BatchTooLong { len: 5, max_batch: 4 }),
        WriteError::BatchTooLong { slots: 5, max_batch: 4 }
    );
}

// Batches and waiting

#[test]
fn each_subscription_gets_of_a_mixed_batch_what_its_filter_lets_pass() {
    let (mut writer, bus, mut all) = bus();
    let subscribe = |name, filter| bus.subscribe(name).filter(filter).required().join().unwrap();
    let mut only_a = subscribe("a", Filter::kinds([A]));
    let mut only_b = subscribe("b", Filter::kinds([B]));
    writer.begin_block(block(1)).unwrap();
    let mut batch = writer.batch();
    for kind in [A, B, A] {
        batch.emit_bytes(ENGINE, kind, MARKET, b"said").unwrap();
    }
    batch.publish().unwrap();
    assert_eq!(kinds(&mut only_a), [(A, 2), (A, 4)]);
    assert_eq!(kinds(&mut only_b), [(B, 3)]);
    assert_eq!(kinds(&mut all), [(Kind::BLOCK_BEGUN, 1), (A, 2), (B, 3), (A, 4)]);
    for subscription in [all, only_a, only_b] {
        subscription.leave();
    }
}

#[test]
fn a_writer_waits_for_room_and_goes_on_where_it_was() {
    let (announce, waiting) = Announce::new();
    let (mut writer, bus) = Bus::<64>::builder("testnet").capacity(8).wait(announce).build().unwrap();
    let mut all = bus.subscribe("all").required().join().unwrap();
    writer.begin_block(block(1)).unwrap();
    (0..7).for_each(|_| emit(&mut writer, A).unwrap());
    assert_eq!(
        writer.try_emit_bytes(ENGINE, B, MARKET, b""),
        Err(WriteError::Publish(PublishError::Full { needed: 1 }))
    );
    let mut writer = thread::scope(|scope| {
        let writing = scope.spawn(move || {
            emit(&mut writer, B).unwrap();
            writer
        });
        waiting.has_begun();
        assert_eq!(take(&mut all).len(), 8);
        writing.join().unwrap()
    });
    assert_eq!(writer.end_block(), Ok(at(9)));
    assert_eq!(kinds(&mut all), [(B, 9), (Kind::BLOCK_ENDED, 10)]);
    all.leave();
}

#[test]
fn nothing_is_published_before_as_many_have_joined_as_the_bus_waits_for() {
    let begin = |mut writer: Writer<64>| writer.begin_block(block(1));
    let forward = |writer: Writer<64>| {
        let mut forwarder = writer.forward_from(&StreamId::new("testnet")).unwrap();
        forwarder.forward(&Header::default(), b"")
    };
    for start in [begin as fn(Writer<64>) -> Result<Sequence, WriteError>, forward] {
        let (writer, bus) = Bus::<64>::builder("testnet").starts_with(2).build().unwrap();
        let mut first = bus.subscribe("first").required().join().unwrap();
        let (sender, started) = channel();
        let core = thread::spawn(move || sender.send(start(writer)).unwrap());
        // A writer that did not wait would have published long before.
        assert!(started.recv_timeout(Duration::from_millis(20)).is_err());
        let mut second = bus.subscribe("second").required().join().unwrap();
        assert_eq!(started.recv_timeout(Duration::from_secs(30)), Ok(Ok(at(0))));
        core.join().unwrap();
        assert_eq!((take(&mut first).len(), take(&mut second).len()), (1, 1));
    }
}

// Ends

#[test]
fn a_stopped_bus_refuses_everything_and_the_context_stays() {
    let (mut writer, bus, mut all) = bus();
    writer.begin_block(block(1)).unwrap();
    writer.begin_transaction(hash(5)).unwrap();
    assert_eq!(take(&mut all).len(), 1);
    bus.stop();
    let stopped = WriteError::Publish(PublishError::Stopped);
    for _ in 0..2 {
        assert_eq!(emit(&mut writer, A), Err(stopped.clone()));
        assert_eq!(writer.emit_bytes(ENGINE, A, MARKET, &[0; 65]), Err(stopped.clone()));
        assert_eq!(writer.end_transaction(Outcome::Succeeded), Err(stopped.clone()));
        assert_eq!(writer.end_transaction(failed("")), Err(stopped.clone()));
        assert_eq!((writer.height(), writer.transaction()), (Some(1), Some(hash(5))));
    }
    assert_eq!(writer.next_sequence(), at(1));
    assert_eq!(all.poll(|_| ()), Err(ReadError::Ended(End::Stopped)));
}

#[test]
fn a_block_that_cannot_begin_keeps_what_is_staged_and_one_that_cannot_end_stays_open() {
    let (mut writer, bus, all) = bus();
    writer.stage_bytes(ENGINE, A, MARKET, b"staged").unwrap();
    bus.stop();
    assert_eq!(writer.begin_block(block(1)), Err(WriteError::Publish(PublishError::Stopped)));
    assert_eq!((writer.height(), writer.staged(), writer.next_sequence()), (None, 1, at(0)));
    drop(all);

    let (mut writer, bus, all) = self::bus();
    writer.begin_block(block(2)).unwrap();
    bus.stop();
    assert_eq!(writer.end_block(), Err(WriteError::Publish(PublishError::Stopped)));
    assert_eq!(writer.height(), Some(2));
    drop(all);
}

#[test]
fn a_required_subscription_that_fails_is_named_in_the_writers_error() {
    let (mut writer, _bus, all) = bus();
    writer.begin_block(block(1)).unwrap();
    all.fail("disk full");
    let error = emit(&mut writer, A).unwrap_err();
    let WriteError::Publish(cause) = &error else { panic!("{error}") };
    let failure = poisoned(cause);
    assert_eq!((&*failure.consumer, failure.cause), ("all", FailureCause::Failed));
    assert_eq!(error.source().unwrap().to_string(), cause.to_string());
    assert_eq!(writer.close(), Err(error), "which tells more than that a block is open");
}

#[test]
fn closing_says_whether_a_block_was_open_and_closes_all_the_same() {
    let (mut writer, _bus, mut all) = bus();
    writer.begin_block(block(1)).unwrap();
    writer.end_block().unwrap();
    assert_eq!(writer.close(), Ok(at(2)));
    assert_eq!(take(&mut all).len(), 2);
    assert_eq!(all.poll(|_| ()), Err(ReadError::Ended(End::Closed)));

    let (mut writer, _bus, mut all) = self::bus();
    writer.begin_block(block(7)).unwrap();
    assert_eq!(writer.close(), Err(WriteError::BlockOpen { height: 7 }));
    assert_eq!(take(&mut all).len(), 1);
    assert_eq!(all.poll(|_| ()), Err(ReadError::Ended(End::Closed)));
}

#[test]
fn a_core_that_panics_ends_the_stream_with_its_failure() {
    let (mut writer, _bus, mut all) = bus();
    let core = thread::spawn(move || {
        writer.begin_block(block(1)).unwrap();
        panic_quietly();
    });
    assert!(core.join().is_err());
    assert_eq!(take(&mut all).len(), 1);
    assert_eq!(all.poll(|_| ()), Err(ReadError::Ended(End::ProducerFailed)));
}

#[test]
fn a_writer_forwards_its_own_streams_records_and_no_others() {
    let (writer, _bus, mut all) = bus();
    assert_eq!(writer.stream(), &StreamId::new("testnet"));
    let error = writer.forward_from(&StreamId::new("mainnet")).unwrap_err();
    assert_eq!((error.expected, error.found), (StreamId::new("testnet"), StreamId::new("mainnet")));
    assert_eq!(all.poll(|_| ()), Err(ReadError::Ended(End::Closed)));
}

#[test]
fn what_one_bus_says_another_forwards_unchanged() {
    let (mut writer, _bus, mut all) = bus();
    let (relay, other_bus) = Bus::<192>::builder("testnet").capacity(16).build().unwrap();
    let mut relayed = other_bus.subscribe("all").required().join().unwrap();
    let mut relay = relay.forward_from(writer.stream()).unwrap();
    writer.stage_bytes(ENGINE, A, MARKET, &[5; 200]).unwrap();
    writer.begin_block(block(1)).unwrap();
    writer.begin_transaction(hash(5)).unwrap();
    writer.emit_bytes(ENGINE, B, MARKET, &[6; 256]).unwrap();
    writer.end_transaction(failed("no margin")).unwrap();
    writer.end_block().unwrap();
    let mut seen = Vec::new();
    all.poll(|record| {
        relay.forward(record.header(), record.payload()).unwrap();
        seen.push(Seen::of(record));
    })
    .unwrap();
    assert_eq!(seen.len(), 6);
    assert_eq!(take(&mut relayed), seen);
    all.leave();
    relayed.leave();
}

// Everything at random, against a model

#[derive(Clone, Debug)]
enum Step {
    BeginBlock,
    EndBlock,
    BeginTransaction,
    EndTransaction { error: Option<usize> },
    Emit(Event),
    TryEmit(Event),
    Stage(Event),
    Batch { events: Vec<Event>, is_published: bool },
}

#[derive(Clone, Debug)]
struct Event {
    kind: Kind,
    len: usize,
}

const MAX_BATCH: usize = 4;
const LONGEST: usize = MAX_BATCH * 64;

impl Event {
    /// Bytes that no other event of a test has, as far as there is room for that.
    fn payload(&self, number: usize) -> Vec<u8> {
        (0..self.len).map(|at| (at * 7 + number) as u8).collect()
    }

    fn slots(&self) -> usize {
        self.len.div_ceil(64).max(1)
    }

    fn check(&self) -> Result<(), WriteError> {
        if self.kind >= Kind::FIRST_RESERVED {
            Err(WriteError::ReservedKind { kind: self.kind })
        } else if self.len > LONGEST {
            Err(WriteError::PayloadTooLong { len: self.len, longest: LONGEST })
        } else {
            Ok(())
        }
    }
}

/// What a bus should show, told without slots.
#[derive(Debug, Default)]
struct Model {
    said: Vec<Seen>,
    staged: Vec<(Kind, Vec<u8>)>,
    height: u64,
    block: Option<OpenBlock>,
}

#[derive(Debug)]
struct OpenBlock {
    order: u32,
    transactions: u32,
    /// Its hash, and how many events it has had.
    transaction: Option<(Hash, u32)>,
}

impl Model {
    fn open(&mut self) -> Result<&mut OpenBlock, WriteError> {
        self.block.as_mut().ok_or(WriteError::OutsideBlock)
    }

    fn say(&mut self, kind: Kind, payload: Vec<u8>) {
        let height = self.height;
        let block = self.block.as_mut().unwrap();
        block.order += 1;
        let trace = block.transaction.as_mut().map_or(hash(height), |(trace, events)| {
            *events += 1;
            *trace
        });
        self.said.push(Seen {
            height,
            time: 1_000 + height as i64,
            trace,
            order: block.order,
            kind,
            payload,
            begins: kind == Kind::BLOCK_BEGUN,
            ends: kind == Kind::BLOCK_ENDED,
        });
    }

    fn begin_block(&mut self) -> Result<(), WriteError> {
        if self.block.is_some() {
            return Err(WriteError::BlockOpen { height: self.height });
        }
        self.height += 1;
        self.block = Some(OpenBlock { order: 0, transactions: 0, transaction: None });
        self.say(Kind::BLOCK_BEGUN, hash(self.height).bytes().to_vec());
        for (kind, payload) in std::mem::take(&mut self.staged) {
            self.say(kind, payload);
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), WriteError> {
        let block = self.block.as_ref().ok_or(WriteError::NoBlock)?;
        if let Some((trace, _)) = block.transaction {
            return Err(WriteError::TransactionOpen { trace });
        }
        let ended =
            BlockEnded { hash: hash(self.height), events: block.order + 1, transactions: block.transactions };
        self.say(Kind::BLOCK_ENDED, bytemuck::bytes_of(&ended).to_vec());
        self.block = None;
        Ok(())
    }

    fn begin_transaction(&mut self, trace: Hash) -> Result<(), WriteError> {
        let block = self.open()?;
        if let Some((trace, _)) = block.transaction {
            return Err(WriteError::TransactionOpen { trace });
        }
        block.transaction = Some((trace, 0));
        Ok(())
    }

    fn end_transaction(&mut self, error: Option<&str>) -> Result<(), WriteError> {
        let open = self.block.as_ref().and_then(|block| block.transaction);
        let (_, mut events) = open.ok_or(WriteError::NoTransaction)?;
        if let Some(error) = error {
            let longest = error.len().min(LONGEST - 64);
            self.say(Kind::TRANSACTION_FAILED, error.as_bytes()[..longest].to_vec());
            events += 1;
        }
        let ended = TransactionEnded { events: events + 1, code: if error.is_some() { 9 } else { 0 } };
        self.say(Kind::TRANSACTION_ENDED, bytemuck::bytes_of(&ended).to_vec());
        let block = self.open()?;
        block.transaction = None;
        block.transactions += 1;
        Ok(())
    }

    fn emit(&mut self, event: &Event, payload: Vec<u8>) -> Result<(), WriteError> {
        self.open()?;
        event.check()?;
        self.say(event.kind, payload);
        Ok(())
    }

    fn stage(&mut self, event: &Event, payload: Vec<u8>) -> Result<(), WriteError> {
        event.check()?;
        self.staged.push((event.kind, payload));
        Ok(())
    }
}

fn an_event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![20 => 0..5_u16, 1 => Just(0xff00), 1 => Just(0xff02)];
    let len = prop_oneof![
        4 => 0..=64_usize,
        2 => prop::sample::select(vec![0, 63, 64, 65, 127, 128, 129, 192, 193, LONGEST - 1, LONGEST]),
        1 => LONGEST..LONGEST + 3,
    ];
    (kind, len).prop_map(|(kind, len)| Event { kind: Kind::new(kind), len })
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::BeginBlock),
        2 => Just(Step::EndBlock),
        3 => Just(Step::BeginTransaction),
        3 => prop::option::of(0..300_usize).prop_map(|error| Step::EndTransaction { error }),
        8 => an_event().prop_map(Step::Emit),
        4 => an_event().prop_map(Step::TryEmit),
        3 => an_event().prop_map(Step::Stage),
        4 => (prop::collection::vec(an_event(), 0..6), prop::bool::weighted(0.8))
            .prop_map(|(events, is_published)| Step::Batch { events, is_published }),
    ]
}

/// Collects `events` in a batch and in a list, and makes sure that both take the same ones.
fn collect(
    writer: &mut Writer<64>,
    model: &mut Model,
    events: &[Event],
    number: usize,
    is_published: bool,
) -> Result<(), TestCaseError> {
    let mut batch = writer.batch();
    let mut slots = 0;
    let mut taken = Vec::new();
    for event in events {
        let payload = event.payload(number);
        let expected = model.open().map(drop).and_then(|()| event.check()).and_then(|()| {
            let slots = slots + event.slots();
            if slots <= MAX_BATCH {
                Ok(())
            } else {
                Err(WriteError::BatchTooLong { slots, max_batch: MAX_BATCH })
            }
        });
        let collected = batch.emit_bytes(ENGINE, event.kind, MARKET, &payload);
        prop_assert_eq!(&collected, &expected);
        if collected.is_ok() {
            slots += event.slots();
            taken.push((event, payload));
        }
    }
    prop_assert_eq!((batch.len(), batch.slots()), (taken.len(), slots));
    if is_published {
        prop_assert_eq!(batch.publish().unwrap().is_some(), !taken.is_empty());
        for (event, payload) in taken {
            model.emit(event, payload).unwrap();
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases::config(256))]

    #[test]
    fn whatever_is_said_is_seen_and_what_is_refused_leaves_no_trace(steps in prop::collection::vec(a_step(), 0..60)) {
        let (mut writer, bus, mut all) = bus();
        let mut model = Model::default();
        let mut seen = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            let trace = hash(1_000_000 + number as u64);
            match step {
                // A ring's worth of staged events would wait for a subscriber that this thread runs later.
                Step::Stage(_) if model.staged.len() >= 12 => {}
                Step::BeginBlock => {
                    let next = writer.next_sequence();
                    let begun = writer.begin_block(block(model.height + 1));
                    prop_assert_eq!(begun, model.begin_block().map(|()| next));
                }
                Step::EndBlock => {
                    let next = writer.next_sequence();
                    prop_assert_eq!(writer.end_block(), model.end_block().map(|()| next));
                }
                Step::BeginTransaction => {
                    prop_assert_eq!(writer.begin_transaction(trace), model.begin_transaction(trace));
                }
                Step::EndTransaction { error } => {
                    let error = error.map(|len| "e".repeat(len));
                    let ended = writer.end_transaction(error.as_deref().map_or(Outcome::Succeeded, failed));
                    let expected = model.end_transaction(error.as_deref());
                    prop_assert_eq!(ended.map(|last| last + 1), expected.map(|()| writer.next_sequence()));
                }
                Step::Emit(event) => {
                    let payload = event.payload(number);
                    let emitted = writer.emit_bytes(ENGINE, event.kind, MARKET, &payload);
                    prop_assert_eq!(emitted, model.emit(event, payload));
                }
                Step::TryEmit(event) => {
                    let payload = event.payload(number);
                    let next = writer.next_sequence();
                    let emitted = writer.try_emit_bytes(ENGINE, event.kind, MARKET, &payload);
                    prop_assert_eq!(emitted, model.emit(event, payload).map(|()| next));
                }
                Step::Stage(event) => {
                    let payload = event.payload(number);
                    let staged = writer.stage_bytes(ENGINE, event.kind, MARKET, &payload);
                    prop_assert_eq!(staged, model.stage(event, payload));
                }
                Step::Batch { events, is_published } => {
                    collect(&mut writer, &mut model, events, number, *is_published)?;
                }
            }
            seen.extend(take(&mut all));
            prop_assert_eq!(writer.staged(), model.staged.len());
            prop_assert_eq!(writer.height(), model.block.as_ref().map(|_| model.height));
            prop_assert_eq!(writer.transaction(), model.block.as_ref().and_then(|open| open.transaction).map(|(hash, _)| hash));
        }
        prop_assert_eq!(&seen, &model.said);
        // What stands in the bus's own records is what the records are.
        for (at, record) in seen.iter().enumerate().filter(|(_, record)| record.ends) {
            let ended: BlockEnded = pod_read_unaligned(&record.payload);
            let of_block = seen[..=at].iter().filter(|other| other.height == record.height);
            prop_assert_eq!(of_block.map(|other| other.order).collect::<Vec<_>>(), (1..=ended.events).collect::<Vec<_>>());
        }
        all.leave();
        drop(bus);
    }
}
