//! Subscribers that fail: who learns of it, and what counts as handled.

use std::sync::mpsc::{Receiver, Sender, channel};

use ringbus::bus::{
    BlockStart, Bus, Emit, Hash, Header, Kind, Origin, RecordRef, Subscriber, Topic, WriteError, Writer,
};
use ringbus::worker::Shutdown;
use ringbus::{End, FailureCause, PublishError, Sequence};

/// The call that is to fail.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Start,
    BlockBegun(u64),
    Record(u64),
    BatchEnded,
    BlockEnded(u64),
    Shutdown,
    Never,
}

/// Tells each of its calls.
struct Failing {
    at: At,
    calls: Sender<String>,
}

impl Failing {
    fn new(at: At) -> (Self, Receiver<String>) {
        let (calls, called) = channel();
        (Self { at, calls }, called)
    }

    fn call(&self, call: At) -> Result<(), String> {
        self.calls.send(format!("{call:?}")).expect("the test is there");
        if call == self.at { Err(format!("no {call:?}")) } else { Ok(()) }
    }
}

impl Subscriber for Failing {
    type Error = String;

    fn start(&mut self, _: Sequence) -> Result<(), String> {
        self.call(At::Start)
    }

    fn block_begun(&mut self, header: &Header) -> Result<(), String> {
        self.call(At::BlockBegun(header.block_height))
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), String> {
        self.call(At::Record(record.sequence().get()))
    }

    fn batch_ended(&mut self) -> Result<(), String> {
        self.call(At::BatchEnded)
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), String> {
        self.call(At::BlockEnded(header.block_height))
    }

    fn failed(&mut self, error: &String) {
        self.calls.send(format!("failed: {error}")).expect("the test is there");
    }

    fn shutdown(&mut self, _: &Shutdown) -> Result<(), String> {
        self.call(At::Shutdown)
    }
}

/// Two blocks, with an event each: sequences 0 to 5.
fn two_blocks(writer: &mut Writer<64>) -> Result<(), WriteError> {
    for height in 1..=2 {
        writer.begin_block(BlockStart { height, time: 0, hash: Hash::default() })?;
        writer.emit_bytes(Origin::default(), Kind::new(1), Topic::default(), b"event")?;
        writer.end_block()?;
    }
    Ok(())
}

const ALL: [&str; 13] = [
    "Start",
    "BlockBegun(1)",
    "Record(0)",
    "Record(1)",
    "Record(2)",
    "BlockEnded(1)",
    "BlockBegun(2)",
    "Record(3)",
    "Record(4)",
    "Record(5)",
    "BlockEnded(2)",
    "BatchEnded",
    "Shutdown",
];

#[test]
fn calls_come_in_order_and_an_error_is_the_last_but_for_being_told_so() {
    let calls = [
        (At::Start, 1),
        (At::BlockBegun(1), 2),
        (At::Record(4), 9),
        (At::BlockEnded(2), 11),
        (At::BatchEnded, 12),
        (At::Shutdown, 13),
        (At::Never, 13),
    ];
    for (at, expected) in calls {
        let (mut writer, bus) = Bus::<64>::builder("test").capacity(64).build().unwrap();
        let subscription = bus.subscribe("failing").required().join().unwrap();
        two_blocks(&mut writer).unwrap();
        writer.close().unwrap();
        let (failing, called) = Failing::new(at);
        let ended = subscription.into_worker(failing).spawn().unwrap().join();
        let mut all: Vec<String> = ALL[..expected].iter().map(|call| (*call).to_owned()).collect();
        if at == At::Never {
            assert_eq!(ended.unwrap().reason, Shutdown::Ended(End::Closed));
        } else {
            all.push(format!("failed: no {at:?}"));
            let error = ended.unwrap_err();
            assert_eq!((&*error.consumer, &*error.message), ("failing", &*format!("no {at:?}")));
            // All was at hand at once: what came before in the batch does not count as handled either.
            let handled = if at == At::Shutdown { 6 } else { 0 };
            assert_eq!(error.sequence.get(), handled, "failing at {at:?}");
        }
        assert_eq!(called.try_iter().collect::<Vec<_>>(), all, "failing at {at:?}");
    }
}

#[test]
fn a_required_subscriber_that_fails_fails_the_bus_with_its_name_and_its_words() {
    let (mut writer, bus) = Bus::<64>::builder("test").build().unwrap();
    let (failing, _called) = Failing::new(At::Record(1));
    let worker = bus.subscribe("store").required().spawn(failing).unwrap();
    let mut healthy = bus.subscribe("healthy").required().join().unwrap();
    // It may take a while until the writer meets it.
    let refused = loop {
        if let Err(refused) = two_blocks(&mut writer) {
            break refused;
        }
        let _ = healthy.poll(|_| {});
    };
    let WriteError::Publish(PublishError::Poisoned(failure)) = &refused else { panic!("{refused}") };
    assert_eq!((&*failure.consumer, failure.cause), ("store", FailureCause::Failed));
    assert_eq!(failure.message.as_deref(), Some("no Record(1)"));
    assert!(failure.position.get() <= 1);
    assert_eq!(worker.join().unwrap_err().cause, FailureCause::Failed);
    drop(writer);
    while healthy.poll(|_| {}).is_ok() {}
    assert!(matches!(healthy.read().unwrap_err(), End::Poisoned(failure) if &*failure.consumer == "store"));
}

#[test]
fn one_that_was_built_to_detach_goes_alone() {
    let (mut writer, bus) = Bus::<64>::builder("test").capacity(16).build().unwrap();
    let (failing, _called) = Failing::new(At::Record(1));
    let worker = bus.subscribe("optional extra").required().detach_on_drop().spawn(failing).unwrap();
    let mut stays = bus.subscribe("stays").required().join().unwrap();
    for _ in 0..100 {
        two_blocks(&mut writer).unwrap();
        stays.poll(|_| {}).unwrap();
    }
    assert_eq!(worker.join().unwrap_err().cause, FailureCause::Failed);
    assert_eq!(bus.subscriptions().len(), 1);
    assert_eq!(stays.tally().passed, 600);
    stays.leave();
}
