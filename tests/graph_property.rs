//! Random programs on consumer graphs: joining after others, leaving, failing, pausing, starting together, stopping.
//!
//! As in `tests/property.rs`, one thread runs everything beside a plain model that predicts every answer. This model knows who
//! comes after whom and how each consumer has gone; it knows nothing of gates, barriers or requests. After every step, also
//! inside a claim or a pause, all handles, all marks of progress and the statistics must say what the model says, and the law of
//! conservation must hold: `delivered + let pass while paused + lag == published since it joined`.

#[path = "common/cases.rs"]
mod cases;

use std::mem;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;
use ringbus::stats::{ConsumerKind, ConsumerState};
use ringbus::wait::{Turn, WaitStrategy};
use ringbus::{
    End, Failure, FailureCause, GroupError, GroupMember, JoinError, PauseError, Producer, Progress,
    ProgressError, PublishError, ReadError, RequiredConsumer, Ring, Sequence, Upstream,
};

/// Nothing is ever waited for.
#[derive(Debug)]
struct NoWait;

impl WaitStrategy for NoWait {
    fn wait(&mut self, _: &Turn) {
        panic!("waits, after a deadline that has passed");
    }
}

type Consumer = RequiredConsumer<u64, NoWait>;

// What is done. Consumers are meant by how many of those that come into question joined later.

#[derive(Clone, Debug)]
enum Operation {
    /// Publishes so many, one by one, unless the ring is full before.
    Publish(usize),
    /// With a deadline that has passed, so that it counts as a wait if there is no room.
    PublishBatch(usize),
    /// Claims, pushes so many, lets others do something meanwhile, and publishes or drops the claim.
    Claim {
        count: usize,
        pushed: usize,
        meanwhile: Vec<Operation>,
        publish: bool,
    },
    Join {
        upstream: Vec<Whom>,
        batch_limit: Option<usize>,
        detach: bool,
    },
    Read(usize, Acknowledge),
    Part(usize, Parting),
    Pause {
        who: usize,
        meanwhile: Vec<Operation>,
        resume: Resume,
    },
    StartTogether {
        group: Vec<usize>,
        with_stranger: bool,
    },
    /// All for a sequence so far from where each one stands.
    WaitFor(i64),
    Stop,
    Close,
    DropProducer,
}

/// Whom to come after.
#[derive(Clone, Copy, Debug)]
enum Whom {
    /// One that has not gone.
    There(usize),
    /// One that has joined at some time.
    Any(usize),
    /// One that reads another ring.
    Stranger,
}

#[derive(Clone, Copy, Debug)]
enum Acknowledge {
    All,
    /// So many, which may be more than there are.
    First(usize),
    Poll,
}

#[derive(Clone, Copy, Debug)]
enum Parting {
    Leave,
    Drop,
    Fail,
}

#[derive(Clone, Copy, Debug)]
enum Resume {
    Call,
    Drop,
    /// The guard is leaked: the consumer stays paused, and can be called.
    Never,
}

// What is expected

#[derive(Clone, Debug)]
struct Setup {
    capacity: usize,
    max_batch: usize,
    max_required: usize,
    first_sequence: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Running,
    Paused,
    Left,
    Failed(Arc<Failure>),
}

/// A consumer, also after it has gone.
struct Member {
    name: Arc<str>,
    joined_at: u64,
    /// Where it stands, where its pause began, or where it stood when it went.
    position: u64,
    batch_limit: u64,
    detach: bool,
    upstream: Vec<usize>,
    state: State,
    /// In pauses that are over.
    let_pass: u64,
    /// From the beginning of its first pause to the end of its last, as far as that is known.
    not_delivered: Option<Range<u64>>,
    /// How often the producer waited for it.
    waits: u64,
}

impl Member {
    fn is_there(&self) -> bool {
        matches!(self.state, State::Running | State::Paused)
    }

    fn delivered(&self) -> u64 {
        self.position - self.joined_at - self.let_pass
    }
}

struct Model {
    setup: Setup,
    /// All that was ever published.
    history: Vec<u64>,
    /// How many events were ever written, published or not.
    written: u64,
    /// All that ever joined. Elsewhere they are known by their index.
    members: Vec<Member>,
    /// The last owner of each place.
    places: Vec<Option<usize>>,
    /// The first failure, unless a stop came before.
    failure: Option<Arc<Failure>>,
    is_stopped: bool,
    /// How the producer has ended the stream.
    end: Option<End>,
    refused: u64,
    waits: u64,
}

impl Model {
    fn cursor(&self) -> u64 {
        self.setup.first_sequence + self.history.len() as u64
    }

    fn event(&self, sequence: u64) -> u64 {
        self.history[(sequence - self.setup.first_sequence) as usize]
    }

    /// Events to write next; other ones at each call.
    fn new_events(&mut self, count: usize) -> Vec<u64> {
        let first = self.written;
        self.written += count as u64;
        (first..self.written).map(|number| !number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect()
    }

    /// Those that come after it and have not gone.
    fn dependants(&self, who: usize) -> impl Iterator<Item = usize> {
        let members = self.members.iter().enumerate();
        members.filter_map(move |(other, member)| {
            (member.is_there() && member.upstream.contains(&who)).then_some(other)
        })
    }

    /// The first place that is not kept: by its owner, for good if that one has failed, or by those that come after it.
    fn free_place(&self) -> Option<usize> {
        let is_kept = |owner: usize| {
            self.members[owner].state != State::Left || self.dependants(owner).next().is_some()
        };
        self.places.iter().position(|owner| !owner.is_some_and(is_kept))
    }

    /// Of those that gate, the one furthest behind; of several, the one in the first place.
    fn slowest(&self) -> Option<usize> {
        let gating = |&who: &usize| matches!(self.members[who].state, State::Running | State::Failed(_));
        self.places.iter().flatten().copied().filter(gating).min_by_key(|&who| self.members[who].position)
    }

    /// What a failure or a stop has decided on, whichever came first.
    fn decided(&self) -> Option<End> {
        let poisoned = self.failure.clone().map(End::Poisoned);
        poisoned.or_else(|| self.is_stopped.then_some(End::Stopped))
    }

    /// The producer notices.
    fn check_attention(&mut self) -> Result<(), PublishError> {
        let Some(decided) = self.decided() else { return Ok(()) };
        Err(match self.end.get_or_insert(decided) {
            End::Poisoned(failure) => PublishError::Poisoned(Arc::clone(failure)),
            _ => PublishError::Stopped,
        })
    }

    fn claim(&mut self, count: usize, waits: bool) -> Result<(), PublishError> {
        let max_batch = self.setup.max_batch;
        if count > max_batch {
            return Err(PublishError::BatchTooLong { len: count, max_batch });
        }
        self.check_attention()?;
        let Some(slowest) = self.slowest() else { return Ok(()) };
        let held = self.cursor() - self.members[slowest].position;
        if held + count as u64 <= self.setup.capacity as u64 {
            return Ok(());
        }
        self.refused += 1;
        if waits {
            self.waits += 1;
            self.members[slowest].waits += 1;
        }
        Err(PublishError::Full { needed: count })
    }

    fn publish_claimed(&mut self, events: &[u64]) -> Result<Sequence, PublishError> {
        if events.is_empty() {
            return Err(PublishError::NothingWritten);
        }
        self.check_attention()?;
        let first = Sequence::new(self.cursor());
        self.history.extend(events);
        Ok(first)
    }

    fn close(&mut self) -> Result<Sequence, PublishError> {
        match self.check_attention() {
            Err(poisoned @ PublishError::Poisoned(_)) => return Err(poisoned),
            Err(_stopped) => {}
            Ok(()) => self.end = Some(End::Closed),
        }
        Ok(Sequence::new(self.cursor()))
    }

    /// `None` stands for the stranger.
    fn check_join(&self, name: &str, batch_limit: u64, after: &[Option<usize>]) -> Result<usize, JoinError> {
        let consumer = name.into();
        if batch_limit == 0 {
            return Err(JoinError::ZeroBatchLimit { consumer });
        }
        let ring = "orders".into();
        for who in after {
            let Some(member) = who.map(|who| &self.members[who]) else {
                let (upstream, other) = ("stranger".into(), "other".into());
                return Err(JoinError::OtherRing { consumer, ring, upstream, other });
            };
            let upstream = Arc::clone(&member.name);
            match member.state {
                State::Running => {}
                State::Paused => return Err(JoinError::UpstreamPaused { consumer, upstream }),
                _ => return Err(JoinError::UpstreamGone { consumer, upstream }),
            }
        }
        let max_required = self.setup.max_required;
        self.free_place().ok_or(JoinError::TooManyRequired { consumer, ring, max_required })
    }

    /// How many events it gets.
    fn read(&self, who: usize) -> Result<u64, ReadError> {
        let Member { position, batch_limit, ref upstream, .. } = self.members[who];
        let acknowledged = upstream.iter().map(|&upstream| self.members[upstream].position).min();
        // It may have joined ahead of those it comes after.
        let unread = acknowledged.unwrap_or(self.cursor()).saturating_sub(position);
        if unread > 0 {
            return Ok(unread.min(batch_limit));
        }
        // The end of the stream, whoever has left.
        if let Some(end) = self.end.as_ref().filter(|_| position == self.cursor()) {
            return Err(ReadError::Ended(end.clone()));
        }
        // A stop, unless the stream had ended otherwise before: then the rest is drained.
        let stopped = self.decided().filter(|_| self.is_stopped);
        if let Some(stopped) = stopped.filter(|_| self.end.as_ref().is_none_or(|end| *end == End::Stopped)) {
            return Err(ReadError::Ended(stopped));
        }
        // One that has gone, and was not ahead.
        let mut upstream = upstream.iter().map(|&who| &self.members[who]);
        let gone = upstream.find(|upstream| !upstream.is_there() && upstream.position <= position);
        Err(gone.map_or(ReadError::Empty, |gone| {
            ReadError::Ended(match &gone.state {
                State::Failed(failure) => End::UpstreamFailed(Arc::clone(failure)),
                _ => {
                    let (upstream, position) = (Arc::clone(&gone.name), Sequence::new(gone.position));
                    End::UpstreamLeft { upstream, position }
                }
            })
        }))
    }

    fn pause(&mut self, who: usize) -> Result<(), PauseError> {
        self.end_leaked_pause(who);
        if self.dependants(who).next().is_some() {
            return Err(PauseError::HasDependants { consumer: Arc::clone(&self.members[who].name) });
        }
        let member = &mut self.members[who];
        member.state = State::Paused;
        let first = member.not_delivered.as_ref().map_or(member.position, |range| range.start);
        member.not_delivered = Some(first..member.position);
        Ok(())
    }

    fn resume(&mut self, who: usize) -> u64 {
        let cursor = self.cursor();
        let member = &mut self.members[who];
        let passed = cursor - member.position;
        member.state = State::Running;
        member.position = cursor;
        member.let_pass += passed;
        member.not_delivered.as_mut().expect("it was paused").end = cursor;
        passed
    }

    /// It is called: whoever held the guard of its pause has leaked it.
    fn end_leaked_pause(&mut self, who: usize) {
        if self.members[who].state == State::Paused {
            self.resume(who);
        }
    }

    fn start_together(&mut self, group: &[usize]) -> Result<Sequence, GroupError> {
        group.iter().for_each(|&who| self.end_leaked_pause(who));
        for &who in group {
            let Member { ref name, joined_at, position, .. } = self.members[who];
            let consumer = Arc::clone(name);
            if position != joined_at {
                return Err(GroupError::HasStarted { consumer, position: Sequence::new(position) });
            }
            if self.dependants(who).any(|dependant| !group.contains(&dependant)) {
                return Err(GroupError::DependantOutside { consumer });
            }
        }
        let start = group.iter().map(|&who| self.members[who].position).max().unwrap_or(self.cursor());
        for &who in group {
            self.members[who].joined_at = start;
            self.members[who].position = start;
        }
        Ok(Sequence::new(start))
    }

    fn wait_for(&self, who: usize, sequence: u64) -> Result<(), ProgressError> {
        let Member { name, joined_at, position, state, not_delivered, .. } = &self.members[who];
        let (consumer, at) = (Arc::clone(name), Sequence::new(sequence));
        if sequence < *joined_at || not_delivered.as_ref().is_some_and(|range| range.contains(&sequence)) {
            return Err(ProgressError::NotDelivered { consumer, sequence: at });
        }
        if sequence < *position {
            return Ok(());
        }
        let position = Sequence::new(*position);
        let stopped = self.decided().filter(|_| self.is_stopped);
        Err(match (state, self.end.clone().or(stopped)) {
            (State::Left, _) => ProgressError::Left { consumer, position },
            (State::Failed(failure), _) => ProgressError::Failed(Arc::clone(failure)),
            (_, Some(end)) if sequence >= self.cursor() => {
                ProgressError::NeverPublished { sequence: at, end }
            }
            _ => ProgressError::Deadline { consumer, position },
        })
    }
}

// Both side by side

struct Case {
    /// Taken out while there is a claim.
    producer: Option<Producer<u64, NoWait>>,
    ring: Ring<u64>,
    /// By index, as in the model. Taken out while its pause is held, and when it goes.
    consumers: Vec<Option<Consumer>>,
    progress: Vec<Progress>,
    /// Reads another ring.
    stranger: Consumer,
    attempts: usize,
    model: Model,
}

impl Case {
    fn new(setup: Setup) -> Self {
        let (producer, ring) = Ring::<u64>::builder()
            .name("orders")
            .capacity(setup.capacity)
            .max_batch(setup.max_batch)
            .max_required(setup.max_required)
            .first_sequence(Sequence::new(setup.first_sequence))
            .wait(NoWait)
            .build()
            .expect("the settings keep the rules");
        let (_, other) = Ring::<u64>::builder().name("other").build().expect("as well");
        let stranger = other.required("stranger").wait(NoWait).join().expect("there are places");
        let model = Model {
            places: vec![None; setup.max_required],
            setup,
            history: Vec::new(),
            written: 0,
            members: Vec::new(),
            failure: None,
            is_stopped: false,
            end: None,
            refused: 0,
            waits: 0,
        };
        let (consumers, progress) = (Vec::new(), Vec::new());
        Self { producer: Some(producer), ring, consumers, progress, stranger, attempts: 0, model }
    }

    fn run(&mut self, operation: Operation) {
        let in_hand = |who| nth_newest(who, self.consumers.len(), |who| self.consumers[who].is_some());
        match operation {
            Operation::Publish(count) => self.publish(count),
            Operation::PublishBatch(len) => self.publish_batch(len),
            Operation::Claim { count, pushed, meanwhile, publish } => {
                self.claim(count, pushed, meanwhile, publish);
            }
            Operation::Join { upstream, batch_limit, detach } => self.join(&upstream, batch_limit, detach),
            Operation::Read(who, acknowledge) => {
                if let Some(who) = in_hand(who) {
                    self.read(who, acknowledge);
                }
            }
            Operation::Part(who, how) => {
                if let Some(who) = in_hand(who) {
                    self.part(who, how);
                }
            }
            Operation::Pause { who, meanwhile, resume } => {
                if let Some(who) = in_hand(who) {
                    self.pause(who, meanwhile, resume);
                }
            }
            Operation::StartTogether { group: meant, with_stranger } => {
                let mut group = Vec::new();
                for who in meant.into_iter().filter_map(in_hand) {
                    if !group.contains(&who) {
                        group.push(who);
                    }
                }
                self.start_together(&group, with_stranger);
            }
            Operation::WaitFor(offset) => {
                for (who, progress) in self.progress.iter().enumerate() {
                    let sequence = self.model.members[who].position.saturating_add_signed(offset);
                    let actual = progress.wait_for_with(Sequence::new(sequence), Instant::now(), &mut NoWait);
                    assert_eq!(actual, self.model.wait_for(who, sequence));
                }
            }
            Operation::Stop => {
                self.ring.stop();
                self.model.is_stopped = true;
            }
            Operation::Close => {
                if let Some(producer) = self.producer.take() {
                    assert_eq!(producer.close(), self.model.close());
                }
            }
            Operation::DropProducer => {
                if self.producer.take().is_some() {
                    let _ = self.model.close();
                }
            }
        }
        self.check();
    }

    fn publish(&mut self, count: usize) {
        let Self { producer: Some(producer), model, .. } = self else { return };
        for _ in 0..count {
            let event = model.new_events(1);
            let expected = model.claim(1, false).and_then(|()| model.publish_claimed(&event));
            assert_eq!(producer.try_publish(&event[0]), expected);
            if expected.is_err() {
                break;
            }
        }
    }

    fn publish_batch(&mut self, len: usize) {
        let Self { producer: Some(producer), model, .. } = self else { return };
        // From nothing up to one more than may be.
        let events = model.new_events(len % (model.setup.max_batch + 2));
        let expected = match events.len() {
            0 => Ok(Sequence::new(model.cursor())),
            len => model.claim(len, true).and_then(|()| model.publish_claimed(&events)),
        };
        assert_eq!(producer.publish_batch_deadline(&events, Instant::now()), expected);
    }

    fn claim(&mut self, count: usize, pushed: usize, meanwhile: Vec<Operation>, publish: bool) {
        let Some(mut producer) = self.producer.take() else { return };
        let count = count % (self.model.setup.max_batch + 2);
        match (producer.try_claim(count), self.model.claim(count, false)) {
            (Ok(mut claim), Ok(())) => {
                let events = self.model.new_events(pushed % (count + 1));
                events.iter().for_each(|event| claim.push(event).expect("no more than was claimed"));
                meanwhile.into_iter().for_each(|operation| self.run(operation));
                if publish {
                    assert_eq!(claim.publish(), self.model.publish_claimed(&events));
                }
            }
            (actual, expected) => assert_eq!(actual.map(drop), expected),
        }
        self.producer = Some(producer);
    }

    fn join(&mut self, upstream: &[Whom], batch_limit: Option<usize>, detach: bool) {
        self.attempts += 1;
        let name = format!("consumer {}", self.attempts);
        let Self { ring, consumers, progress, stranger, model, .. } = self;
        let there = |who| nth_newest(who, model.members.len(), |who| model.members[who].is_there());
        let any = |who| nth_newest(who, model.members.len(), |_| true);
        let after = upstream.iter().filter_map(|whom| match *whom {
            Whom::There(who) => there(who).map(Some),
            Whom::Any(who) => any(who).map(Some),
            Whom::Stranger => Some(None),
        });
        let after: Vec<Option<usize>> = after.collect();
        let followed = after.iter().map(|who| match *who {
            None => &*stranger as &dyn Upstream,
            // By itself or by its progress: it must make no difference.
            Some(who) => consumers[who].as_ref().map_or(&progress[who] as _, |consumer| consumer as _),
        });
        let followed: Vec<&dyn Upstream> = followed.collect();
        let (first, others) = followed.split_at(followed.len().min(1));
        let mut builder = ring.required(&name).wait(NoWait).after(first).after(others);
        if let Some(events) = batch_limit {
            builder = builder.batch_limit(events);
        }
        if detach {
            builder = builder.detach_on_drop();
        }
        let batch_limit = batch_limit.map_or(u64::MAX, |events| events as u64);
        let (joined, expected) = (builder.join(), model.check_join(&name, batch_limit, &after));
        let (consumer, place) = match (joined, expected) {
            (Ok(consumer), Ok(place)) => (consumer, place),
            (joined, expected) => return assert_eq!(joined.map(drop), expected.map(drop)),
        };
        progress.push(consumer.progress());
        consumers.push(Some(consumer));
        model.places[place] = Some(model.members.len());
        model.members.push(Member {
            name: name.into(),
            joined_at: model.cursor(),
            position: model.cursor(),
            batch_limit,
            detach,
            upstream: after.into_iter().flatten().collect(),
            state: State::Running,
            let_pass: 0,
            not_delivered: None,
            waits: 0,
        });
    }

    fn read(&mut self, who: usize, acknowledge: Acknowledge) {
        let Self { consumers, model, .. } = self;
        let consumer = consumers[who].as_mut().expect("it is in hand");
        model.end_leaked_pause(who);
        let expected = model.read(who);
        let (position, mut handled) = (model.members[who].position, 0);
        let mut see = |event: &u64, sequence: Sequence| {
            assert_eq!((sequence.get(), *event), (position + handled, model.event(position + handled)));
            handled += 1;
        };
        if let Acknowledge::Poll = acknowledge {
            let polled = consumer.poll(|event, sequence, _| see(event, sequence));
            assert_eq!(polled.map(|len| len as u64), expected);
            model.members[who].position += handled;
            return;
        }
        let batch = match (consumer.read_deadline(Instant::now()), &expected) {
            (Ok(batch), Ok(_)) => batch,
            (actual, _) => return assert_eq!(actual.map(|batch| batch.len() as u64), expected),
        };
        batch.iter().for_each(|(sequence, event)| see(event, sequence));
        assert_eq!(Ok(handled), expected);
        model.members[who].position += match acknowledge {
            Acknowledge::First(count) => {
                let acknowledged = batch.acknowledge_first(count);
                assert_eq!(acknowledged.is_ok(), count as u64 <= handled);
                acknowledged.map_or(0, |()| count as u64)
            }
            Acknowledge::All | Acknowledge::Poll => {
                batch.acknowledge();
                handled
            }
        };
    }

    fn part(&mut self, who: usize, how: Parting) {
        let Self { consumers, progress, model, .. } = self;
        let consumer = consumers[who].take().expect("it is in hand");
        let is_open = model.end.is_none() && !model.is_stopped;
        let message = format!("message {who}");
        let failure = match how {
            _ if model.members[who].detach => None,
            Parting::Leave => None,
            Parting::Drop => is_open.then_some((FailureCause::Abandoned, None)),
            Parting::Fail => Some((FailureCause::Failed, Some(&*message))),
        };
        if failure.is_some() {
            // What has passed has passed: nothing from where it fails on is overwritten.
            model.end_leaked_pause(who);
        }
        let Member { ref name, position, .. } = model.members[who];
        match how {
            Parting::Leave => assert_eq!(consumer.leave().get(), position),
            Parting::Drop => drop(consumer),
            Parting::Fail => consumer.fail(&message),
        }
        let Some((cause, message)) = failure else {
            model.members[who].state = State::Left;
            return;
        };
        // What will never be acknowledged.
        let Err(ProgressError::Failed(failure)) =
            progress[who].wait_for(Sequence::new(u64::MAX), Instant::now())
        else {
            panic!("{name} has failed, and nobody knows");
        };
        assert_eq!(
            (&failure.consumer, failure.cause, failure.position.get(), failure.message.as_deref()),
            (name, cause, position, message)
        );
        if !model.is_stopped {
            model.failure.get_or_insert_with(|| Arc::clone(&failure));
        }
        model.members[who].state = State::Failed(failure);
    }

    fn pause(&mut self, who: usize, meanwhile: Vec<Operation>, resume: Resume) {
        let mut consumer = self.consumers[who].take().expect("it is in hand");
        match (consumer.pause(), self.model.pause(who)) {
            (Ok(paused), Ok(())) => {
                meanwhile.into_iter().for_each(|operation| self.run(operation));
                match resume {
                    Resume::Call => assert_eq!(paused.resume(), self.model.resume(who)),
                    Resume::Drop => drop((paused, self.model.resume(who))),
                    Resume::Never => mem::forget(paused),
                }
            }
            (actual, expected) => assert_eq!(actual.map(drop), expected),
        }
        self.consumers[who] = Some(consumer);
    }

    fn start_together(&mut self, group: &[usize], with_stranger: bool) {
        let mut in_hand: Vec<_> = self.consumers.iter_mut().map(Option::as_mut).collect();
        let members = group.iter().map(|&who| in_hand[who].take().expect("it is in hand") as _);
        let mut members: Vec<&mut dyn GroupMember> = members.collect();
        let expected = if with_stranger {
            members.push(&mut self.stranger);
            Err(GroupError::OtherRing { consumer: "stranger".into(), ring: "orders".into() })
        } else {
            self.model.start_together(group)
        };
        assert_eq!(self.ring.start_together(&mut members), expected);
    }

    /// What everybody says is what the model says, and the law of conservation holds.
    fn check(&self) {
        let Self { producer, ring, consumers, progress, model, .. } = self;
        let cursor = model.cursor();
        assert_eq!((ring.cursor().get(), ring.end()), (cursor, model.end.clone()));
        assert!(producer.as_ref().is_none_or(|producer| producer.next_sequence().get() == cursor));
        assert_eq!((consumers.len(), progress.len()), (model.members.len(), model.members.len()));
        for ((expected, actual), progress) in model.members.iter().zip(consumers).zip(progress) {
            let Member { joined_at, position, let_pass, .. } = *expected;
            assert_eq!((progress.name(), progress.position().get()), (&*expected.name, position));
            let Some(actual) = actual else { continue };
            assert_eq!(actual.name(), &*expected.name);
            assert_eq!((actual.joined_at().get(), actual.position().get()), (joined_at, position));
            assert_eq!((actual.delivered(), actual.let_pass()), (expected.delivered(), let_pass));
            let accounted = actual.delivered() + actual.let_pass() + actual.lag();
            assert_eq!(accounted, cursor - joined_at, "conservation");
        }
        self.check_stats();
    }

    fn check_stats(&self) {
        let (model, stats) = (&self.model, self.ring.stats());
        let cursor = model.cursor();
        assert_eq!((stats.cursor.get(), &stats.end), (cursor, &model.end));
        assert_eq!(stats.published(), model.history.len() as u64);
        assert_eq!((stats.refused, stats.waits.count), (model.refused, model.waits));
        let slowest = model.slowest().map(|who| &model.members[who].name);
        assert_eq!(stats.gated_by().map(|consumer| &consumer.name), slowest);
        let members = model.places.iter().flatten().map(|&who| &model.members[who]);
        let members: Vec<_> = members.filter(|member| member.state != State::Left).collect();
        assert_eq!(stats.consumers.len(), members.len());
        for (actual, expected) in stats.consumers.iter().zip(members) {
            let behind = cursor - expected.position;
            let (state, passing, lag) = match expected.state {
                State::Paused => (ConsumerState::Paused, behind, 0),
                State::Failed(_) => (ConsumerState::Failed, 0, behind),
                _ => (ConsumerState::Running, 0, behind),
            };
            assert_eq!((&actual.name, actual.state), (&expected.name, state));
            assert_eq!((actual.kind, actual.missed), (ConsumerKind::Required, 0));
            assert_eq!(actual.joined_at.get(), expected.joined_at);
            assert_eq!(actual.position.get(), expected.position);
            assert_eq!((actual.delivered, actual.lag), (expected.delivered(), lag));
            assert_eq!((actual.let_pass, actual.waits.count), (expected.let_pass + passing, expected.waits));
            let accounted = actual.delivered + actual.missed + actual.let_pass + actual.lag;
            assert_eq!(accounted, cursor - expected.joined_at, "conservation");
        }
    }

    /// Ends the stream. Whoever is left reads the rest, gets its end, and leaves; those that came first go first.
    fn drain(mut self) {
        self.run(Operation::Close);
        for who in 0..self.consumers.len() {
            if self.consumers[who].is_none() {
                continue;
            }
            self.read(who, Acknowledge::All);
            while self.model.read(who).is_ok() {
                self.read(who, Acknowledge::All);
            }
            assert_ne!(self.model.read(who), Err(ReadError::Empty), "nobody waits for ever");
            self.read(who, Acknowledge::All);
            self.part(who, Parting::Leave);
            self.check();
        }
        // All places are free again but those of the failed.
        let failed = self.model.members.iter().filter(|member| member.state != State::Left).count();
        let before = self.model.members.len();
        (0..=self.model.setup.max_required).for_each(|_| self.join(&[], None, true));
        assert_eq!(self.model.members.len() - before, self.model.setup.max_required - failed);
    }
}

/// Of the first `count` numbers that come into question, the `nth` from the last, counted round.
fn nth_newest(nth: usize, count: usize, is_meant: impl Fn(usize) -> bool) -> Option<usize> {
    let meant: Vec<usize> = (0..count).rev().filter(|&who| is_meant(who)).collect();
    (!meant.is_empty()).then(|| meant[nth % meant.len()])
}

// What is tried

fn setups() -> impl Strategy<Value = Setup> {
    (2_u32..=5).prop_flat_map(|bits| {
        let capacity = 1 << bits;
        let first = prop_oneof![Just(0), 1_u64..100, (1_u64 << 62) - 1_000..=1 << 62];
        (1..=capacity / 4, 2_usize..=8, first).prop_map(move |(max_batch, max_required, first_sequence)| {
            Setup { capacity, max_batch, max_required, first_sequence }
        })
    })
}

fn joins() -> impl Strategy<Value = Operation> {
    let whom = prop_oneof![
        20 => (0_usize..8).prop_map(Whom::There),
        1 => (0_usize..40).prop_map(Whom::Any),
        1 => Just(Whom::Stranger),
    ];
    let batch_limit = prop_oneof![8 => Just(None), 8 => (1_usize..10).prop_map(Some), 1 => Just(Some(0))];
    (prop::collection::vec(whom, 0..4), batch_limit, prop::bool::weighted(0.6))
        .prop_map(|(upstream, batch_limit, detach)| Operation::Join { upstream, batch_limit, detach })
}

/// Operations, with others in them to a depth.
fn operations(depth: u32) -> BoxedStrategy<Operation> {
    let who = || 0_usize..8;
    let acknowledge = prop_oneof![
        4 => Just(Acknowledge::All),
        4 => (0_usize..12).prop_map(Acknowledge::First),
        3 => Just(Acknowledge::Poll),
    ];
    let parting = prop_oneof![4 => Just(Parting::Leave), 2 => Just(Parting::Drop), 2 => Just(Parting::Fail)];
    let flat = prop_oneof![
        20 => (1_usize..20).prop_map(Operation::Publish),
        60 => (0_usize..1_000).prop_map(Operation::PublishBatch),
        40 => joins(),
        120 => (who(), acknowledge).prop_map(|(who, acknowledge)| Operation::Read(who, acknowledge)),
        20 => (who(), parting).prop_map(|(who, how)| Operation::Part(who, how)),
        25 => (prop::collection::vec(0_usize..4, 0..5), prop::bool::weighted(0.05))
            .prop_map(|(group, with_stranger)| Operation::StartTogether { group, with_stranger }),
        20 => (-12_i64..8).prop_map(Operation::WaitFor),
        3 => Just(Operation::Stop),
        2 => Just(Operation::Close),
        1 => Just(Operation::DropProducer),
    ];
    let Some(depth) = depth.checked_sub(1) else { return flat.boxed() };
    let resume = prop_oneof![3 => Just(Resume::Call), 1 => Just(Resume::Drop), 2 => Just(Resume::Never)];
    let meanwhile = || prop::collection::vec(operations(depth), 0..6);
    let claims = (0_usize..1_000, 0_usize..1_000, meanwhile(), prop::bool::weighted(0.8));
    prop_oneof![
        12 => flat,
        1 => claims.prop_map(|(count, pushed, meanwhile, publish)| {
            Operation::Claim { count, pushed, meanwhile, publish }
        }),
        1 => (who(), meanwhile(), resume)
            .prop_map(|(who, meanwhile, resume)| Operation::Pause { who, meanwhile, resume }),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(cases::config(256))]

    #[test]
    fn graphs_do_what_the_model_says(
        setup in setups(),
        operations in prop::collection::vec(operations(2), 0..500),
    ) {
        let mut case = Case::new(setup);
        for operation in operations {
            case.run(operation);
        }
        case.drain();
    }
}
