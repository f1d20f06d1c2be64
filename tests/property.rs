//! Random sequences of operations on small rings, every result predicted by a plain model.
//!
//! The model is the whole history of what was published, and a few numbers for each consumer. It knows nothing of slots,
//! limits that are looked at once a lap, or cursors that were seen before. One thread runs everything, so each answer is
//! exact: what is delivered, what is missed, who is refused and why. After every operation the conservation law must hold for
//! every consumer: `delivered + missed + lag == published since it joined`.

#![allow(
    clippy::forget_non_drop,
    reason = "whether claims and batches have a `Drop` must make no difference"
)]

#[path = "common/cases.rs"]
mod cases;

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use bytemuck::NoUninit;
use proptest::prelude::*;
use ringbus::wait::{Turn, WaitStrategy};
use ringbus::{
    AcknowledgeError, End, Failure, FailureCause, JoinError, OptionalConsumer, Producer, PublishError,
    ReadError, ReadFrom, Received, RecvError, RequiredConsumer, Ring, Sequence, StartError,
};

const MOST_OPTIONAL: usize = 4;

/// Differs for each event ever written, also for those that were never published.
#[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
#[repr(C)]
struct Event {
    value: u64,
    checksum: u64,
}

impl Event {
    fn new(sequence: u64, written_before: u64) -> Self {
        let value = (sequence ^ written_before.rotate_left(40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { value, checksum: !value ^ value.rotate_left(29) }
    }
}

/// Nothing is ever waited for.
#[derive(Debug)]
struct NoWait;

impl WaitStrategy for NoWait {
    fn wait(&mut self, _: &Turn) {
        panic!("waits for what is there, or for what will never come");
    }
}

// What is done

#[derive(Clone, Debug)]
enum Operation {
    Publish(Form),
    PublishBatch(Form, usize),
    /// Claims, pushes so many, lets consumers do something meanwhile, and finishes.
    Claim {
        form: Form,
        count: usize,
        pushed: usize,
        meanwhile: Vec<ConsumerOperation>,
        finish: Finish,
    },
    /// Publishes so many, unless the ring is full before: overruns those who do not read.
    Flood(usize),
    Consumer(ConsumerOperation),
    /// Those that do not detach fail, one after the other.
    DropAllRequired,
    Close,
    DropProducer,
}

#[derive(Clone, Debug)]
enum ConsumerOperation {
    JoinRequired { batch_limit: Option<usize>, detach: bool },
    Part(usize, Parting),
    Read(usize, Form, Acknowledge),
    AcknowledgeDeferred(usize),
    Poll { who: usize, publish_at: Option<u64>, panic_at: Option<u64> },
    JoinOptional { start: Option<Place>, resume: Option<Place> },
    DropOptional(usize),
    Receive(usize, Form),
    ReceiveMany { who: usize, form: Form, kept: usize, spare: usize },
    SkipTo(usize, Place),
}

/// Of the three forms of a call, the waiting one is used only where the model says that it need not wait.
#[derive(Clone, Copy, Debug)]
enum Form {
    Try,
    Wait,
    Deadline,
}

#[derive(Clone, Copy, Debug)]
enum Finish {
    Publish,
    Drop,
    Forget,
}

#[derive(Clone, Copy, Debug)]
enum Acknowledge {
    All,
    /// So many, which may be more than there are.
    First(usize),
    Later,
    FirstLater(usize),
    Drop,
    Forget,
}

#[derive(Clone, Copy, Debug)]
enum Parting {
    Leave,
    Drop,
    Leak,
}

/// A [`ReadFrom`], with sequences relative to the cursor of the moment.
#[derive(Clone, Copy, Debug)]
enum Place {
    Oldest(u64),
    Newest,
    NewestMinus(u64),
    FromCursor(i64),
}

impl Place {
    fn at(self, cursor: u64) -> ReadFrom {
        match self {
            Self::Oldest(headroom) => ReadFrom::Oldest { headroom },
            Self::Newest => ReadFrom::Newest,
            Self::NewestMinus(events) => ReadFrom::NewestMinus(events),
            Self::FromCursor(offset) => {
                ReadFrom::Sequence(Sequence::new(cursor.saturating_add_signed(offset)))
            }
        }
    }
}

// What is expected

type Failed = (String, FailureCause, u64);

fn failed(failure: &Failure) -> Failed {
    (failure.consumer.to_string(), failure.cause, failure.position.get())
}

#[derive(Clone, Debug, PartialEq)]
enum Stop {
    Closed,
    ProducerFailed,
    Poisoned(Failed),
}

impl From<End> for Stop {
    fn from(end: End) -> Self {
        match end {
            End::Closed => Self::Closed,
            End::ProducerFailed => Self::ProducerFailed,
            End::Poisoned(failure) => Self::Poisoned(failed(&failure)),
            other => panic!("unknown end: {other:?}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Refused {
    Full { needed: usize },
    BatchTooLong { len: usize, max_batch: usize },
    NothingWritten,
    Poisoned(Failed),
}

impl From<PublishError> for Refused {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Full { needed } => Self::Full { needed },
            PublishError::BatchTooLong { len, max_batch } => Self::BatchTooLong { len, max_batch },
            PublishError::NothingWritten => Self::NothingWritten,
            PublishError::Poisoned(failure) => Self::Poisoned(failed(&failure)),
            other => panic!("unknown error: {other:?}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Unread {
    Empty,
    BufferFull,
    Lagged { missed: u64, resumed_at: u64 },
    Ended(Stop),
}

impl From<ReadError> for Unread {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Empty => Self::Empty,
            ReadError::Ended(end) => Self::Ended(end.into()),
            other => panic!("unknown error: {other:?}"),
        }
    }
}

impl From<RecvError> for Unread {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Empty => Self::Empty,
            RecvError::BufferFull => Self::BufferFull,
            RecvError::Lagged { missed, resumed_at } => Self::Lagged { missed, resumed_at: resumed_at.get() },
            RecvError::Ended(end) => Self::Ended(end.into()),
            other => panic!("unknown error: {other:?}"),
        }
    }
}

fn published(result: Result<Sequence, PublishError>) -> Result<u64, Refused> {
    result.map(Sequence::get).map_err(Refused::from)
}

#[derive(Clone, Debug)]
struct Setup {
    capacity: usize,
    max_batch: usize,
    max_required: usize,
    first_sequence: u64,
}

struct RequiredModel {
    name: String,
    joined_at: u64,
    position: u64,
    /// What lies between the position and this is deferred.
    next: u64,
    batch_limit: u64,
    detach: bool,
}

impl RequiredModel {
    /// A position is one number: what was deferred before an event is acknowledged with it.
    fn acknowledge(&mut self, count: u64) {
        self.next += count;
        if count > 0 {
            self.position = self.next;
        }
    }
}

struct OptionalModel {
    name: String,
    joined_at: u64,
    position: u64,
    delivered: u64,
    missed: u64,
    resume: ReadFrom,
}

struct Model {
    setup: Setup,
    /// All that was ever published.
    history: Vec<Event>,
    /// All that was ever written, published or not.
    written: u64,
    required: Vec<RequiredModel>,
    optional: Vec<OptionalModel>,
    /// The positions of those who keep their place for good: leaked or failed.
    stuck: Vec<u64>,
    failure: Option<Failed>,
    end: Option<Stop>,
}

impl Model {
    fn cursor(&self) -> u64 {
        self.setup.first_sequence + self.history.len() as u64
    }

    fn event(&self, sequence: u64) -> Event {
        self.history[(sequence - self.setup.first_sequence) as usize]
    }

    /// Events to write next; other ones at each call.
    fn new_events(&mut self, count: usize) -> Vec<Event> {
        let cursor = self.cursor();
        (0..count as u64)
            .map(|offset| {
                self.written += 1;
                Event::new(cursor + offset, self.written)
            })
            .collect()
    }

    fn check_failure(&mut self) -> Result<(), Refused> {
        let Some(failure) = &self.failure else { return Ok(()) };
        self.end.get_or_insert(Stop::Poisoned(failure.clone()));
        Err(Refused::Poisoned(failure.clone()))
    }

    fn claim(&mut self, count: usize) -> Result<(), Refused> {
        let max_batch = self.setup.max_batch;
        if count > max_batch {
            return Err(Refused::BatchTooLong { len: count, max_batch });
        }
        self.check_failure()?;
        let gates = self.required.iter().map(|consumer| consumer.position).chain(self.stuck.iter().copied());
        let slowest = gates.min().unwrap_or(self.cursor());
        if self.cursor() - slowest + count as u64 > self.setup.capacity as u64 {
            return Err(Refused::Full { needed: count });
        }
        Ok(())
    }

    fn publish_claimed(&mut self, events: &[Event]) -> Result<u64, Refused> {
        if events.is_empty() {
            return Err(Refused::NothingWritten);
        }
        self.check_failure()?;
        let first = self.cursor();
        self.history.extend(events);
        Ok(first)
    }

    fn publish(&mut self, events: &[Event]) -> Result<u64, Refused> {
        if events.is_empty() {
            return Ok(self.cursor());
        }
        self.claim(events.len())?;
        self.publish_claimed(events)
    }

    fn close(&mut self) -> Result<u64, Refused> {
        let checked = self.check_failure();
        self.end.get_or_insert(Stop::Closed);
        checked.map(|()| self.cursor())
    }

    fn nothing_unread(&self) -> Unread {
        self.end.clone().map_or(Unread::Empty, Unread::Ended)
    }

    /// How many events a required consumer gets.
    fn read(&self, who: usize) -> Result<u64, Unread> {
        let consumer = &self.required[who];
        match self.cursor() - consumer.next {
            0 => Err(self.nothing_unread()),
            unread => Ok(unread.min(consumer.batch_limit)),
        }
    }

    fn window(&self) -> u64 {
        (self.setup.capacity - self.setup.max_batch) as u64
    }

    /// Where a place is, as close as what can be read allows.
    fn resolve(&self, place: ReadFrom) -> u64 {
        let published = self.history.len() as u64;
        let behind = match place {
            ReadFrom::Oldest { headroom } => self.window().saturating_sub(headroom),
            ReadFrom::Newest => 0,
            ReadFrom::NewestMinus(events) => events,
            ReadFrom::Sequence(sequence) => self.cursor().saturating_sub(sequence.get()),
        };
        self.cursor() - behind.min(self.window()).min(published)
    }

    fn start(&self, place: ReadFrom, name: &str) -> Result<u64, StartError> {
        let (consumer, cursor) = (name.into(), Sequence::new(self.cursor()));
        let first_sequence = Sequence::new(self.setup.first_sequence);
        match place {
            ReadFrom::Sequence(asked) if asked > cursor => {
                Err(StartError::NotYetPublished { consumer, asked, cursor })
            }
            ReadFrom::Sequence(asked) if asked < first_sequence => {
                Err(StartError::BeforeFirst { consumer, asked, first_sequence })
            }
            ReadFrom::Sequence(asked) => Ok(asked.get()),
            relative => Ok(self.resolve(relative)),
        }
    }

    fn skip_to(&mut self, who: usize, place: ReadFrom) -> Result<u64, StartError> {
        let OptionalModel { name, position, .. } = &self.optional[who];
        let position = *position;
        let target = match place {
            ReadFrom::Sequence(asked) if asked.get() < position => {
                let (consumer, position) = (name.as_str().into(), Sequence::new(position));
                return Err(StartError::Backwards { consumer, asked, position });
            }
            place => self.start(place, name)?.max(position),
        };
        self.optional[who].missed += target - position;
        self.optional[who].position = target;
        Ok(target - position)
    }

    /// The first sequence an optional consumer is given, and how many it gets.
    fn receive(&mut self, who: usize, room: usize) -> Result<(u64, u64), Unread> {
        if room == 0 {
            return Err(Unread::BufferFull);
        }
        let (position, resume) = (self.optional[who].position, self.optional[who].resume);
        let unread = self.cursor() - position;
        if unread == 0 {
            return Err(self.nothing_unread());
        }
        if unread > self.window() {
            let resumed_at = self.resolve(resume);
            let missed = resumed_at - position;
            self.optional[who].missed += missed;
            self.optional[who].position = resumed_at;
            return Err(Unread::Lagged { missed, resumed_at });
        }
        let count = unread.min(room as u64);
        self.optional[who].delivered += count;
        self.optional[who].position += count;
        Ok((position, count))
    }
}

// Both side by side

struct Case {
    producer: Option<Producer<Event, NoWait>>,
    consumers: Consumers,
}

struct Consumers {
    ring: Ring<Event>,
    required: Vec<RequiredConsumer<Event, NoWait>>,
    optional: Vec<OptionalConsumer<Event, NoWait>>,
    joined: usize,
    model: Model,
}

impl Case {
    fn new(setup: Setup) -> Self {
        let (producer, ring) = Ring::<Event>::builder()
            .capacity(setup.capacity)
            .max_batch(setup.max_batch)
            .max_required(setup.max_required)
            .first_sequence(Sequence::new(setup.first_sequence))
            .wait(NoWait)
            .build()
            .expect("the settings keep the rules");
        let model = Model {
            setup,
            history: Vec::new(),
            written: 0,
            required: Vec::new(),
            optional: Vec::new(),
            stuck: Vec::new(),
            failure: None,
            end: None,
        };
        let consumers = Consumers { ring, required: Vec::new(), optional: Vec::new(), joined: 0, model };
        Self { producer: Some(producer), consumers }
    }

    fn run(&mut self, operation: Operation) {
        let Self { producer: slot, consumers } = self;
        match (operation, slot.as_mut()) {
            (Operation::Consumer(operation), producer) => consumers.run(operation, producer),
            (Operation::DropAllRequired, _) => {
                while !consumers.required.is_empty() {
                    consumers.part(0, Parting::Drop);
                }
            }
            (_, None) => {}
            (Operation::Publish(form), Some(producer)) => {
                let event = consumers.model.new_events(1);
                let expected = consumers.model.publish(&event);
                let actual = match waits(form, matches!(expected, Err(Refused::Full { .. }))) {
                    Form::Try => producer.try_publish(&event[0]),
                    Form::Wait => producer.publish(&event[0]),
                    Form::Deadline => producer.publish_deadline(&event[0], Instant::now()),
                };
                assert_eq!(published(actual), expected);
            }
            (Operation::PublishBatch(form, len), Some(producer)) => {
                // From nothing up to two more than may be.
                let events = consumers.model.new_events(len % (consumers.model.setup.max_batch + 3));
                let expected = consumers.model.publish(&events);
                let actual = match waits(form, matches!(expected, Err(Refused::Full { .. }))) {
                    Form::Try => producer.try_publish_batch(&events),
                    Form::Wait => producer.publish_batch(&events),
                    Form::Deadline => producer.publish_batch_deadline(&events, Instant::now()),
                };
                assert_eq!(published(actual), expected);
            }
            (Operation::Claim { form, count, pushed, meanwhile, finish }, Some(producer)) => {
                let count = count % (consumers.model.setup.max_batch + 2);
                let expected = consumers.model.claim(count);
                let actual = match waits(form, matches!(expected, Err(Refused::Full { .. }))) {
                    Form::Try => producer.try_claim(count),
                    Form::Wait => producer.claim(count),
                    Form::Deadline => producer.claim_deadline(count, Instant::now()),
                };
                let mut claim = match actual {
                    Ok(claim) => claim,
                    Err(error) => return assert_eq!(Err(Refused::from(error)), expected),
                };
                assert_eq!(expected, Ok(()));
                // Up to one more than was claimed.
                let events = consumers.model.new_events(pushed % (count + 2));
                for (index, event) in events.iter().enumerate() {
                    assert_eq!(
                        (claim.len(), claim.remaining()),
                        (index.min(count), count - index.min(count))
                    );
                    match claim.push(event) {
                        Ok(()) => assert!(index < count, "pushed more than was claimed"),
                        Err(full) => assert_eq!((full.claimed, index), (count, count)),
                    }
                }
                for operation in meanwhile {
                    consumers.run(operation, None);
                    consumers.check();
                }
                match finish {
                    Finish::Publish => {
                        let expected = consumers.model.publish_claimed(&events[..events.len().min(count)]);
                        assert_eq!(published(claim.publish()), expected);
                    }
                    Finish::Drop => drop(claim),
                    Finish::Forget => mem::forget(claim),
                }
            }
            (Operation::Flood(count), Some(producer)) => {
                for _ in 0..count {
                    let event = consumers.model.new_events(1);
                    let expected = consumers.model.publish(&event);
                    assert_eq!(published(producer.try_publish(&event[0])), expected);
                    if expected.is_err() {
                        break;
                    }
                }
            }
            (Operation::Close, Some(_)) => {
                let actual = slot.take().expect("there is a producer").close();
                assert_eq!(published(actual), consumers.model.close());
            }
            (Operation::DropProducer, Some(_)) => {
                *slot = None;
                let _ = consumers.model.close();
            }
        }
        if let Some(producer) = slot {
            assert_eq!(producer.next_sequence().get(), consumers.model.cursor());
        }
        consumers.check();
    }

    /// Ends the stream, and reads what is left.
    fn drain(mut self) {
        self.run(Operation::Close);
        let Self { consumers, .. } = &mut self;
        for who in 0..consumers.required.len() {
            while consumers.model.read(who).is_ok() {
                consumers.read(who, Form::Wait, Acknowledge::All);
            }
            consumers.read(who, Form::Wait, Acknowledge::All);
            consumers.acknowledge_deferred(who);
        }
        for who in 0..consumers.optional.len() {
            while consumers.model.optional[who].position < consumers.model.cursor() {
                consumers.receive(who, Form::Wait);
            }
            consumers.receive(who, Form::Wait);
        }
        consumers.check();
        let lags = consumers.required.iter().map(RequiredConsumer::lag);
        assert_eq!(lags.chain(consumers.optional.iter().map(OptionalConsumer::lag)).sum::<u64>(), 0);
    }
}

/// The form to use, unless the waiting one would wait for ever.
fn waits(form: Form, would_block: bool) -> Form {
    if would_block && matches!(form, Form::Wait) { Form::Try } else { form }
}

/// What a handler panics with on purpose.
struct OnPurpose;

impl Consumers {
    fn run(&mut self, operation: ConsumerOperation, producer: Option<&mut Producer<Event, NoWait>>) {
        let (required, optional) = (self.required.len(), self.optional.len());
        match operation {
            ConsumerOperation::JoinRequired { batch_limit, detach } => {
                self.join_required(batch_limit, detach);
            }
            ConsumerOperation::JoinOptional { start, resume } if optional < MOST_OPTIONAL => {
                self.join_optional(start, resume);
            }
            ConsumerOperation::Part(who, how) if required > 0 => self.part(who % required, how),
            ConsumerOperation::Read(who, form, acknowledge) if required > 0 => {
                self.read(who % required, form, acknowledge);
            }
            ConsumerOperation::AcknowledgeDeferred(who) if required > 0 => {
                self.acknowledge_deferred(who % required);
            }
            ConsumerOperation::Poll { who, publish_at, panic_at } if required > 0 => {
                self.poll(who % required, producer, publish_at, panic_at);
            }
            ConsumerOperation::DropOptional(who) if optional > 0 => {
                self.optional.swap_remove(who % optional);
                self.model.optional.swap_remove(who % optional);
            }
            ConsumerOperation::Receive(who, form) if optional > 0 => self.receive(who % optional, form),
            ConsumerOperation::ReceiveMany { who, form, kept, spare } if optional > 0 => {
                self.receive_many(who % optional, form, kept, spare);
            }
            ConsumerOperation::SkipTo(who, place) if optional > 0 => {
                let who = who % optional;
                let place = place.at(self.model.cursor());
                assert_eq!(self.optional[who].skip_to(place), self.model.skip_to(who, place));
            }
            _nobody_to_do_it => {}
        }
    }

    fn new_name(&mut self) -> String {
        self.joined += 1;
        format!("consumer {}", self.joined)
    }

    fn join_required(&mut self, batch_limit: Option<usize>, detach: bool) {
        let name = self.new_name();
        let mut builder = self.ring.required(&name).wait(NoWait);
        if let Some(events) = batch_limit {
            builder = builder.batch_limit(events);
        }
        if detach {
            builder = builder.detach_on_drop();
        }
        let max_required = self.model.setup.max_required;
        let consumer = name.as_str().into();
        let expected = if batch_limit == Some(0) {
            Err(JoinError::ZeroBatchLimit { consumer })
        } else if self.model.required.len() + self.model.stuck.len() == max_required {
            Err(JoinError::TooManyRequired { consumer, ring: self.ring.name().into(), max_required })
        } else {
            Ok(())
        };
        let joined = builder.join().map(|consumer| self.required.push(consumer));
        assert_eq!(joined, expected);
        if joined.is_ok() {
            let cursor = self.model.cursor();
            self.model.required.push(RequiredModel {
                name,
                joined_at: cursor,
                position: cursor,
                next: cursor,
                batch_limit: batch_limit.map_or(u64::MAX, |events| events as u64),
                detach,
            });
        }
    }

    fn part(&mut self, who: usize, how: Parting) {
        let consumer = self.required.swap_remove(who);
        let RequiredModel { name, position, detach, .. } = self.model.required.swap_remove(who);
        match how {
            Parting::Leave => assert_eq!(consumer.leave().get(), position),
            Parting::Drop => {
                drop(consumer);
                if !detach && self.model.end.is_none() {
                    self.model.failure.get_or_insert((name, FailureCause::Abandoned, position));
                    self.model.stuck.push(position);
                }
            }
            Parting::Leak => {
                mem::forget(consumer);
                self.model.stuck.push(position);
            }
        }
    }

    fn read(&mut self, who: usize, form: Form, acknowledge: Acknowledge) {
        let Self { required, model, .. } = self;
        let expected = model.read(who);
        let consumer = &mut required[who];
        let actual = match waits(form, expected == Err(Unread::Empty)) {
            Form::Try => consumer.try_read(),
            Form::Wait => consumer.read().map_err(ReadError::Ended),
            Form::Deadline => consumer.read_deadline(Instant::now()),
        };
        let batch = match actual {
            Ok(batch) => batch,
            Err(error) => return assert_eq!(Err(Unread::from(error)), expected),
        };
        assert_eq!(Ok(batch.len() as u64), expected);
        let next = model.required[who].next;
        assert_eq!(batch.first_sequence().get(), next);
        let (before_wrap, after_wrap) = batch.slices();
        assert_eq!(before_wrap.len() + after_wrap.len(), batch.len());
        let events = before_wrap.iter().chain(after_wrap);
        assert_eq!(batch.iter().len(), batch.len());
        for (((sequence, event), in_slice), expected) in (&batch).into_iter().zip(events).zip(next..) {
            assert_eq!((sequence.get(), *event), (expected, model.event(expected)));
            assert_eq!(event, in_slice);
        }
        let len = batch.len();
        let some = |count, actual: Result<(), AcknowledgeError>| {
            let expected = if count > len { Err(AcknowledgeError { count, len }) } else { Ok(()) };
            assert_eq!(actual, expected);
            if count > len { 0 } else { count as u64 }
        };
        let expected = &mut model.required[who];
        match acknowledge {
            Acknowledge::All => {
                batch.acknowledge();
                expected.acknowledge(len as u64);
            }
            Acknowledge::First(count) => {
                expected.acknowledge(some(count, batch.acknowledge_first(count)));
            }
            Acknowledge::Later => {
                batch.defer();
                expected.next += len as u64;
            }
            Acknowledge::FirstLater(count) => expected.next += some(count, batch.defer_first(count)),
            Acknowledge::Drop => drop(batch),
            Acknowledge::Forget => mem::forget(batch),
        }
    }

    fn acknowledge_deferred(&mut self, who: usize) {
        self.required[who].acknowledge_deferred();
        self.model.required[who].position = self.model.required[who].next;
    }

    /// The handler may publish an event, and may panic.
    fn poll(
        &mut self,
        who: usize,
        mut producer: Option<&mut Producer<Event, NoWait>>,
        publish_at: Option<u64>,
        panic_at: Option<u64>,
    ) {
        let Self { required, model, .. } = self;
        let expected = model.read(who);
        let len = expected.clone().unwrap_or(0);
        let RequiredModel { position, next, .. } = model.required[who];
        let part = model.setup.capacity as u64 / 4;
        let mut handled = 0;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            required[who].poll(|event, sequence, end_of_batch| {
                assert_eq!((sequence.get(), *event), (next + handled, model.event(next + handled)));
                assert_eq!(end_of_batch, handled + 1 == len);
                // Long batches are acknowledged in parts.
                let acknowledged = handled / part * part;
                model.required[who].position = if acknowledged > 0 { next + acknowledged } else { position };
                if let (true, Some(producer)) = (publish_at == Some(handled), &mut producer) {
                    let event = model.new_events(1);
                    let expected = model.publish(&event);
                    assert_eq!(published(producer.try_publish(&event[0])), expected);
                }
                if panic_at == Some(handled) {
                    resume_unwind(Box::new(OnPurpose));
                }
                handled += 1;
            })
        }));
        match polled {
            Ok(polled) => {
                assert_eq!(polled.map(|count| count as u64).map_err(Unread::from), expected);
                assert_eq!(handled, len);
            }
            Err(panic) if panic.is::<OnPurpose>() => assert_eq!(panic_at, Some(handled)),
            Err(panic) => resume_unwind(panic),
        }
        model.required[who].acknowledge(handled);
    }

    fn join_optional(&mut self, start: Option<Place>, resume: Option<Place>) {
        let name = self.new_name();
        let cursor = self.model.cursor();
        let mut builder = self.ring.optional(&name).wait(NoWait);
        // What it is unless set.
        let mut start_at = ReadFrom::Newest;
        let mut resume_at = ReadFrom::Oldest { headroom: self.model.setup.capacity as u64 / 8 };
        if let Some(place) = start {
            start_at = place.at(cursor);
            builder = builder.start(start_at);
        }
        if let Some(place) = resume {
            resume_at = place.at(cursor);
            builder = builder.resume(resume_at);
        }
        let expected = self.model.start(start_at, &name);
        let joined = builder.join().map(|consumer| {
            let joined_at = consumer.joined_at().get();
            self.optional.push(consumer);
            joined_at
        });
        assert_eq!(joined, expected);
        if let Ok(joined_at) = joined {
            self.model.optional.push(OptionalModel {
                name,
                joined_at,
                position: joined_at,
                delivered: 0,
                missed: 0,
                resume: resume_at,
            });
        }
    }

    fn receive(&mut self, who: usize, form: Form) {
        let Self { optional, model, .. } = self;
        let expected = model.receive(who, 1);
        let consumer = &mut optional[who];
        let actual = match waits(form, expected == Err(Unread::Empty)) {
            Form::Try => consumer.try_recv(),
            Form::Wait => consumer.recv(),
            Form::Deadline => consumer.recv_deadline(Instant::now()),
        };
        let actual = actual.map(|(sequence, event)| (sequence.get(), event)).map_err(Unread::from);
        assert_eq!(actual, expected.map(|(sequence, _one)| (sequence, model.event(sequence))));
    }

    fn receive_many(&mut self, who: usize, form: Form, kept: usize, spare: usize) {
        let Self { optional, model, .. } = self;
        let mut buffer = Vec::with_capacity(kept + spare);
        buffer.extend(model.new_events(kept));
        let (mut expected_buffer, capacity) = (buffer.clone(), buffer.capacity());
        let expected = model.receive(who, capacity - kept).map(|(first, count)| {
            expected_buffer.extend((first..first + count).map(|sequence| model.event(sequence)));
            Received { missed: 0, first: Sequence::new(first), count: count as usize }
        });
        let consumer = &mut optional[who];
        let actual = match waits(form, expected == Err(Unread::Empty)) {
            Form::Try => consumer.try_recv_many(&mut buffer),
            Form::Wait => consumer.recv_many(&mut buffer),
            Form::Deadline => consumer.recv_many_deadline(&mut buffer, Instant::now()),
        };
        assert_eq!(actual.map_err(Unread::from), expected);
        assert_eq!((buffer.capacity(), buffer), (capacity, expected_buffer));
    }

    /// What every consumer says of itself is what the model says, and the conservation law holds.
    fn check(&self) {
        let Self { ring, required, optional, model, .. } = self;
        let cursor = model.cursor();
        assert_eq!((ring.cursor().get(), ring.end().map(Stop::from)), (cursor, model.end.clone()));
        assert_eq!((required.len(), optional.len()), (model.required.len(), model.optional.len()));
        for (actual, expected) in required.iter().zip(&model.required) {
            assert_eq!(actual.name(), expected.name);
            assert_eq!(actual.joined_at().get(), expected.joined_at);
            assert_eq!(actual.position().get(), expected.position);
            assert_eq!(actual.delivered(), expected.position - expected.joined_at);
            assert_eq!(actual.deferred(), expected.next - expected.position);
            assert_eq!(actual.delivered() + actual.lag(), cursor - expected.joined_at, "conservation");
        }
        for (actual, expected) in optional.iter().zip(&model.optional) {
            assert_eq!(actual.name(), expected.name);
            assert_eq!(actual.joined_at().get(), expected.joined_at);
            assert_eq!(actual.position().get(), expected.position);
            assert_eq!((actual.delivered(), actual.missed()), (expected.delivered, expected.missed));
            assert_eq!(
                actual.delivered() + actual.missed() + actual.lag(),
                cursor - expected.joined_at,
                "conservation"
            );
        }
    }
}

// What is tried

fn setups() -> impl Strategy<Value = Setup> {
    (2_u32..=6).prop_flat_map(|bits| {
        let capacity = 1 << bits;
        let first_sequence = prop_oneof![Just(0), 1_u64..100, (1_u64 << 62) - 1_000..=1 << 62];
        (1..=capacity / 4, 0_usize..=3, first_sequence).prop_map(
            move |(max_batch, max_required, first_sequence)| Setup {
                capacity,
                max_batch,
                max_required,
                first_sequence,
            },
        )
    })
}

fn forms() -> impl Strategy<Value = Form> {
    prop_oneof![2 => Just(Form::Try), 1 => Just(Form::Wait), 1 => Just(Form::Deadline)]
}

fn places() -> impl Strategy<Value = Place> {
    let distance = || prop_oneof![8 => 0_u64..80, 1 => Just(u64::MAX)];
    prop_oneof![
        distance().prop_map(Place::Oldest),
        Just(Place::Newest),
        distance().prop_map(Place::NewestMinus),
        (-100_i64..20).prop_map(Place::FromCursor),
        (-6_i64..2).prop_map(Place::FromCursor),
    ]
}

fn acknowledgements() -> impl Strategy<Value = Acknowledge> {
    prop_oneof![
        3 => Just(Acknowledge::All),
        3 => (0_usize..20).prop_map(Acknowledge::First),
        2 => Just(Acknowledge::Later),
        2 => (0_usize..20).prop_map(Acknowledge::FirstLater),
        1 => Just(Acknowledge::Drop),
        1 => Just(Acknowledge::Forget),
    ]
}

fn consumer_operations() -> impl Strategy<Value = ConsumerOperation> {
    let who = || 0_usize..12;
    let batch_limit = prop_oneof![4 => Just(None), 4 => (1_usize..20).prop_map(Some), 1 => Just(Some(0))];
    let parting = prop_oneof![8 => Just(Parting::Leave), 2 => Just(Parting::Drop), 1 => Just(Parting::Leak)];
    prop_oneof![
        2 => (batch_limit, prop::bool::weighted(0.6))
            .prop_map(|(batch_limit, detach)| ConsumerOperation::JoinRequired { batch_limit, detach }),
        1 => (who(), parting).prop_map(|(who, how)| ConsumerOperation::Part(who, how)),
        8 => (who(), forms(), acknowledgements())
            .prop_map(|(who, form, acknowledge)| ConsumerOperation::Read(who, form, acknowledge)),
        2 => who().prop_map(ConsumerOperation::AcknowledgeDeferred),
        5 => (who(), prop::option::of(0_u64..40), prop::option::weighted(0.2, 0_u64..20))
            .prop_map(|(who, publish_at, panic_at)| ConsumerOperation::Poll { who, publish_at, panic_at }),
        2 => (prop::option::of(places()), prop::option::weighted(0.8, places()))
            .prop_map(|(start, resume)| ConsumerOperation::JoinOptional { start, resume }),
        1 => who().prop_map(ConsumerOperation::DropOptional),
        8 => (who(), forms()).prop_map(|(who, form)| ConsumerOperation::Receive(who, form)),
        5 => (who(), forms(), 0_usize..3, 0_usize..40)
            .prop_map(|(who, form, kept, spare)| ConsumerOperation::ReceiveMany { who, form, kept, spare }),
        2 => (who(), places()).prop_map(|(who, place)| ConsumerOperation::SkipTo(who, place)),
    ]
}

fn operations() -> impl Strategy<Value = Operation> {
    let finish = prop_oneof![4 => Just(Finish::Publish), 2 => Just(Finish::Drop), 1 => Just(Finish::Forget)];
    let meanwhile = prop::collection::vec(consumer_operations(), 0..4);
    prop_oneof![
        40 => forms().prop_map(Operation::Publish),
        60 => (forms(), 0_usize..1_000).prop_map(|(form, len)| Operation::PublishBatch(form, len)),
        60 => (forms(), 0_usize..1_000, 0_usize..1_000, meanwhile, finish).prop_map(
            |(form, count, pushed, meanwhile, finish)| Operation::Claim { form, count, pushed, meanwhile, finish }
        ),
        20 => (1_usize..150).prop_map(Operation::Flood),
        200 => consumer_operations().prop_map(Operation::Consumer),
        1 => Just(Operation::DropAllRequired),
        1 => Just(Operation::Close),
        1 => Just(Operation::DropProducer),
    ]
}

proptest! {
    #![proptest_config(cases::config(512))]

    #[test]
    fn ring_does_what_the_model_says(
        setup in setups(),
        operations in prop::collection::vec(operations(), 0..200),
    ) {
        let mut case = Case::new(setup);
        for operation in operations {
            case.run(operation);
        }
        case.drain();
    }
}
