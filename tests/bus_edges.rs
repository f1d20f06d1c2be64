//! Where calls of a subscription meet: pauses and what is in hand, filters that stop everything, starts, handles used from inside.

use std::convert::Infallible;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use ringbus::bus::{
    BlockStart, Bus, ControlError, Emit, Filter, Header, Kind, Origin, RecordRef, Subscriber, SubscriptionId,
    Topic, Writer,
};
use ringbus::worker::Shutdown;
use ringbus::{RecvError, Sequence};

fn bus(capacity: usize) -> (Writer<64>, Bus<64>) {
    let (mut writer, bus) = Bus::builder("test").capacity(capacity).build().unwrap();
    writer.begin_block(BlockStart::default()).unwrap();
    (writer, bus)
}

fn emit(writer: &mut Writer<64>, kind: u16) {
    writer.emit_bytes(Origin::default(), Kind::new(kind), Topic::default(), b"event").unwrap();
}

#[test]
fn a_pause_that_was_leaked_is_accounted_for() {
    let (mut writer, bus) = bus(64);
    let mut subscription = bus.subscribe("leaks").required().join().unwrap();
    mem::forget(subscription.pause().unwrap());
    (0..9).for_each(|_| emit(&mut writer, 1));
    assert!(subscription.try_read().is_err(), "it goes on at the cursor");
    emit(&mut writer, 1);
    assert_eq!(subscription.poll(|_| {}), Ok(1));
    let tally = subscription.tally();
    assert_eq!((tally.passed, tally.let_pass, subscription.lag()), (1, 9, 0));
    assert_eq!(bus.subscriptions()[0].tally, tally);
    subscription.leave();
}

/// What it had copied already is let pass too.
#[test]
fn an_optional_subscription_goes_on_at_the_newest_after_a_pause() {
    let (mut writer, bus) = bus(256);
    let mut subscription = bus.subscribe("pauses").optional().join().unwrap();
    (0..40).for_each(|_| emit(&mut writer, 1));
    assert_eq!(subscription.recv().unwrap().sequence().get(), 1);
    assert_eq!(subscription.pause().resume(), 39);
    assert_eq!(subscription.try_recv().err(), Some(RecvError::Empty));
    emit(&mut writer, 1);
    assert_eq!(subscription.recv().unwrap().sequence().get(), 41);
    let tally = subscription.tally();
    assert_eq!((tally.passed, tally.let_pass, tally.missed), (2, 39, 0));
}

/// A handler that panics has handled nothing of what it was given at once.
#[test]
fn what_a_handler_panicked_at_is_delivered_again() {
    let (mut writer, bus) = bus(64);
    let mut subscription = bus.subscribe("panics").required().limit(3).join().unwrap();
    (0..5).for_each(|_| emit(&mut writer, 1));
    let mut seen = Vec::new();
    let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
        subscription.read().unwrap().for_each(|record| {
            seen.push(record.sequence().get());
            assert!(seen.len() < 2, "on purpose");
        });
    }));
    assert!(panicked.is_err());
    assert_eq!((subscription.tally().passed, subscription.lag()), (0, 5));
    for expected in [3, 2] {
        let passed = subscription.read().unwrap().for_each(|record| seen.push(record.sequence().get()));
        assert_eq!(passed, expected);
    }
    assert_eq!(seen, [1, 2, 1, 2, 3, 4, 5]);
    assert_eq!((subscription.tally().passed, subscription.lag()), (5, 0));
    subscription.leave();
}

/// Its filter emits a record for each that it stops, so there is always one more.
#[test]
fn calls_that_do_not_wait_end_also_where_nothing_ever_passes() {
    let (writer, bus) = bus(64);
    let writer = Arc::new(Mutex::new(writer));
    let (asked, questions) = mpsc::channel();
    let emitting = Arc::clone(&writer);
    let filter = Filter::all().matching(move |_| {
        asked.send(()).unwrap();
        emit(&mut emitting.lock().unwrap(), 1);
        false
    });
    let mut subscription = bus.subscribe("stops all").filter(filter).optional().join().unwrap();
    (0..3).for_each(|_| emit(&mut writer.lock().unwrap(), 1));
    assert_eq!(subscription.try_recv().err(), Some(RecvError::Empty));
    assert_eq!(questions.try_iter().count(), 3, "as many as there were when it was called");
    assert_eq!(subscription.recv_deadline(Instant::now()).err(), Some(RecvError::Empty));
    assert_eq!(questions.try_iter().count(), 1, "the deadline has passed");
    assert_eq!(subscription.tally().filtered_out, 4);
    assert_eq!(subscription.lag(), 3);
}

/// Tells its calls, and unsubscribes itself at the start if it is told whom.
struct Calls {
    told: mpsc::Sender<String>,
    unsubscribe: Option<(Bus<64>, SubscriptionId)>,
}

impl Calls {
    fn new() -> (Self, mpsc::Receiver<String>) {
        let (told, calls) = mpsc::channel();
        (Self { told, unsubscribe: None }, calls)
    }

    fn tell(&self, call: &str) -> Result<(), Infallible> {
        self.told.send(call.to_owned()).unwrap();
        Ok(())
    }
}

impl Subscriber for Calls {
    type Error = Infallible;

    fn start(&mut self, first: Sequence) -> Result<(), Infallible> {
        if let Some((bus, id)) = self.unsubscribe.take() {
            bus.unsubscribe(id).unwrap();
        }
        self.tell(&format!("start {first}"))
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Infallible> {
        self.tell(&format!("record {}", record.sequence()))
    }

    fn block_ended(&mut self, _: &Header) -> Result<(), Infallible> {
        self.tell("block ended")
    }

    fn batch_ended(&mut self) -> Result<(), Infallible> {
        self.tell("batch ended")
    }
}

#[test]
fn a_worker_starts_with_what_was_copied_before_it_was_one() {
    let (mut writer, bus) = bus(256);
    let mut subscription = bus.subscribe("changes over").optional().join().unwrap();
    (0..40).for_each(|_| emit(&mut writer, 1));
    assert_eq!(subscription.recv().unwrap().sequence().get(), 1);
    let (subscriber, calls) = Calls::new();
    let worker = subscription.into_worker(subscriber).spawn().unwrap();
    writer.end_block().unwrap();
    writer.close().unwrap();
    worker.join().unwrap();
    let calls: Vec<String> = calls.iter().collect();
    assert_eq!(calls[..2], ["start 2", "record 2"]);
    assert_eq!(calls.iter().filter(|call| call.starts_with("record")).count(), 40);
}

/// A store may write in `block_ended`, and flush in `batch_ended`.
#[test]
fn a_batch_that_ends_a_block_is_flushed_though_no_record_of_it_passes() {
    let (mut writer, bus) = bus(64);
    let (subscriber, calls) = Calls::new();
    let only_ones = Filter::kinds([Kind::new(1)]);
    let worker = bus.subscribe("store").filter(only_ones).required().spawn(subscriber).unwrap();
    let progress = worker.progress().unwrap();
    let wait_for = |position| {
        while progress.position().get() < position {
            thread::yield_now();
        }
    };
    emit(&mut writer, 1);
    wait_for(2);
    writer.end_block().unwrap();
    wait_for(3);
    // Told before it was acknowledged.
    let calls: Vec<String> = calls.try_iter().collect();
    assert_eq!(calls, ["start 1", "record 1", "batch ended", "block ended", "batch ended"]);
    drop(writer);
    worker.join().unwrap();
}

#[test]
fn a_subscriber_can_unsubscribe_itself_from_its_first_call_on() {
    let (_writer, bus) = bus(64);
    for _ in 0..100 {
        let subscription = bus.subscribe("goes").required().join().unwrap();
        let (mut subscriber, _calls) = Calls::new();
        let id = subscription.id();
        subscriber.unsubscribe = Some((bus.clone(), id));
        let worker = subscription.into_worker(subscriber);
        assert_eq!(worker.id(), id);
        assert_eq!(worker.spawn().unwrap().join().unwrap().reason, Shutdown::Requested);
        assert_eq!(bus.unsubscribe(id), Err(ControlError::Gone { id }));
    }
}

#[test]
fn a_writer_does_not_wait_for_subscriptions_where_nobody_can_subscribe() {
    let (mut writer, bus) = Bus::<64>::builder("test").starts_with(2).build().unwrap();
    let one = bus.subscribe("one of two").required().join().unwrap();
    drop(bus);
    writer.begin_block(BlockStart::default()).unwrap();
    assert_eq!(one.lag(), 1);
    one.leave();
}
