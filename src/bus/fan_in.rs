//! Several subscriptions read as one, round robin.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::error::End;
use crate::token::Token;
use crate::wait::{BackOff, WaitStrategy};
use crate::waiting::{Until, look_until};

/// Several subscriptions, mostly of several buses with a writer each, read by one consumer as one.
///
/// It goes round: each round takes from each subscription that has some at most so many records
/// ([`at_most`](Self::at_most)), and begins behind the one that was served last. None starves, and one whose bus is slow holds up no other.
/// The order is kept within each subscription, and nothing is said about the order between two.
///
/// What the handler is given depends on the subscriptions. Of [required](super::RequiredSubscription) ones: a
/// [`RecordRef`](super::RecordRef). The records of one round are acknowledged, for each subscription at once, after the handler has returned
/// from the last of them; if it panics, they are delivered again. Of [optional](super::OptionalSubscription) ones:
/// `Result<RecordRef, Lagged>`, because they may have lost some ([`Lagged`](super::Lagged)). The first argument says which subscription it
/// came by, counted from 0 in the order in which they were given.
///
/// A subscription that came [`after`](super::SubscribeRequired::after) others and has lost them ([`End::UpstreamLeft`],
/// [`End::UpstreamFailed`]) is read no more, and goes on holding its bus up until the fan-in is dropped or taken apart.
///
/// Dropped, it drops its subscriptions: required ones fail their buses, unless those have ended. To go in good order, let them
/// [leave](super::RequiredSubscription::leave) one by one ([`into_subscriptions`](Self::into_subscriptions)).
///
/// # Examples
///
/// ```
/// use ringbus::bus::{BlockStart, Bus, Emit, FanIn, Hash, Kind, Origin, Topic};
///
/// let mut writers = Vec::new();
/// let mut markets = Vec::new();
/// for market in ["spot", "futures"] {
///     let (writer, bus) = Bus::<64>::builder(market).build()?;
///     markets.push(bus.subscribe("risk").required().join()?);
///     writers.push(writer);
/// }
/// let mut risk = FanIn::new(markets);
///
/// for mut writer in writers {
///     writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) })?;
///     writer.emit_bytes(Origin::default(), Kind::new(7), Topic::default(), b"filled")?;
///     writer.end_block()?;
///     writer.close()?;
/// }
///
/// let mut records = [0, 0];
/// let all_ended = loop {
///     match risk.read(|market, _record| records[market] += 1) {
///         Ok(_) => {}
///         Err(all_ended) => break all_ended,
///     }
/// };
/// assert_eq!(records, [3, 3]);
/// assert!(all_ended.ends.iter().all(|(name, end)| (&**name, end) == ("risk", &ringbus::End::Closed)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FanIn<S: Inlet, W: WaitStrategy = BackOff> {
    inlets: Inlets<S>,
    wait: W,
}

struct Inlets<S> {
    subscriptions: Vec<S>,
    /// How each has ended.
    ends: Vec<Option<End>>,
    /// Which is served first in the next round.
    first: usize,
    at_most: usize,
}

impl<S: Inlet> FanIn<S> {
    /// Goes round these subscriptions.
    #[must_use]
    pub fn new(subscriptions: Vec<S>) -> Self {
        let ends = subscriptions.iter().map(|_| None).collect();
        Self { inlets: Inlets { subscriptions, ends, first: 0, at_most: 64 }, wait: BackOff::default() }
    }
}

impl<S: Inlet, W: WaitStrategy> FanIn<S, W> {
    /// How it waits in [`read`](Self::read) and [`read_deadline`](Self::read_deadline); [`BackOff`] unless set. Nobody wakes who waits
    /// for several buses, so [`Park`](crate::wait::Park) naps here.
    #[must_use]
    pub fn wait<V: WaitStrategy>(self, wait: V) -> FanIn<S, V> {
        FanIn { inlets: self.inlets, wait }
    }

    /// The most records that are taken from one subscription before the next one's turn; 64 unless set.
    ///
    /// Panics if it is 0.
    #[must_use]
    pub fn at_most(mut self, records: usize) -> Self {
        assert!(records > 0, "a fan-in that may take 0 records in a turn would take none");
        self.inlets.at_most = records;
        self
    }

    /// Goes round once, and calls `handle` for what is there. Returns how often it was called: 0, if there is nothing now.
    ///
    /// # Errors
    ///
    /// [`AllEnded`] if nothing will come any more.
    pub fn poll(&mut self, mut handle: impl FnMut(usize, S::Item<'_>)) -> Result<usize, AllEnded> {
        self.inlets.round(&mut handle)
    }

    /// As [`poll`](Self::poll), and waits until there is something.
    ///
    /// # Errors
    ///
    /// [`AllEnded`] if nothing will come any more.
    pub fn read(&mut self, handle: impl FnMut(usize, S::Item<'_>)) -> Result<usize, AllEnded> {
        self.read_until(Until::Done, handle)
    }

    /// As [`poll`](Self::poll), and waits until there is something or `deadline` has passed. Goes round once, also if it has passed before.
    ///
    /// # Errors
    ///
    /// [`AllEnded`] if nothing will come any more.
    pub fn read_deadline(
        &mut self,
        deadline: Instant,
        handle: impl FnMut(usize, S::Item<'_>),
    ) -> Result<usize, AllEnded> {
        self.read_until(Until::Deadline(deadline), handle)
    }

    fn read_until(
        &mut self,
        until: Until,
        mut handle: impl FnMut(usize, S::Item<'_>),
    ) -> Result<usize, AllEnded> {
        let Self { inlets, wait } = self;
        look_until(until, wait, None, || match inlets.round(&mut handle) {
            Ok(0) => None,
            answer => Some(answer),
        })
        .unwrap_or(Ok(0))
    }

    /// How the subscription `which` has ended; `None` if it has not, or there is no such one.
    #[must_use]
    pub fn end(&self, which: usize) -> Option<&End> {
        self.inlets.ends.get(which)?.as_ref()
    }

    /// The subscriptions, in the order in which they were given.
    #[must_use]
    pub fn subscriptions(&self) -> &[S] {
        &self.inlets.subscriptions
    }

    /// The subscriptions, each for itself again.
    #[must_use]
    pub fn into_subscriptions(self) -> Vec<S> {
        self.inlets.subscriptions
    }
}

impl<S: Inlet> Inlets<S> {
    fn round(&mut self, handle: &mut impl FnMut(usize, S::Item<'_>)) -> Result<usize, AllEnded> {
        let count = self.subscriptions.len();
        let mut handled = 0;
        for which in (self.first..count).chain(0..self.first) {
            if self.ends[which].is_some() {
                continue;
            }
            let subscription = &mut self.subscriptions[which];
            let turn = subscription.turn(Token::CRATE, self.at_most, |item| handle(which, item));
            if turn.handled > 0 {
                self.first = (which + 1) % count;
                handled += turn.handled;
            }
            self.ends[which] = turn.end;
        }
        if handled == 0 && self.ends.iter().all(Option::is_some) {
            Err(self.all_ended())
        } else {
            Ok(handled)
        }
    }

    #[cold]
    fn all_ended(&self) -> AllEnded {
        let names = self.subscriptions.iter().map(|subscription| Arc::clone(subscription.name(Token::CRATE)));
        AllEnded { ends: names.zip(self.ends.iter().flatten().cloned()).collect() }
    }
}

impl<S: Inlet, W: WaitStrategy> fmt::Debug for FanIn<S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.inlets.subscriptions.iter().map(|subscription| subscription.name(Token::CRATE));
        f.debug_struct("FanIn")
            .field("subscriptions", &names.collect::<Vec<_>>())
            .field("ends", &self.inlets.ends)
            .field("at_most", &self.inlets.at_most)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// All subscriptions of a [`FanIn`] have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AllEnded {
    /// The name of each, and how it ended, in the order in which they were given.
    pub ends: Vec<(Arc<str>, End)>,
}

impl fmt::Display for AllEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all {} subscriptions have ended", self.ends.len())?;
        for (place, (name, end)) in self.ends.iter().enumerate() {
            write!(f, "{} `{name}`: {end}", if place == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl std::error::Error for AllEnded {}

/// A subscription that a [`FanIn`] can read: a [`RequiredSubscription`](super::RequiredSubscription) or an
/// [`OptionalSubscription`](super::OptionalSubscription). Sealed.
pub trait Inlet: sealed::Inlet {}

impl<S: sealed::Inlet> Inlet for S {}

mod sealed {
    use std::sync::Arc;

    use super::super::lagged::Lagged;
    use super::super::optional::OptionalSubscription;
    use super::super::record_ref::RecordRef;
    use super::super::required::RequiredSubscription;
    use crate::error::{End, ReadError, RecvError};
    use crate::token::Token;
    use crate::wait::WaitStrategy;

    pub trait Inlet {
        /// What a handler is given.
        type Item<'a>;

        /// Handles what is there, so many at most.
        fn turn(&mut self, _: Token, at_most: usize, handle: impl FnMut(Self::Item<'_>)) -> Turn;

        fn name(&self, _: Token) -> &Arc<str>;
    }

    /// What came of a turn.
    pub struct Turn {
        pub(super) handled: usize,
        /// It was the last.
        pub(super) end: Option<End>,
    }

    impl<const PAYLOAD: usize, W: WaitStrategy> Inlet for RequiredSubscription<PAYLOAD, W> {
        type Item<'a> = RecordRef<'a>;

        fn turn(&mut self, _: Token, at_most: usize, mut handle: impl FnMut(RecordRef<'_>)) -> Turn {
            let mut handled = 0;
            let mut records = match self.try_read() {
                Ok(records) => records,
                Err(ReadError::Empty) => return Turn { handled, end: None },
                Err(ReadError::Ended(end)) => return Turn { handled, end: Some(end) },
            };
            while handled < at_most
                && let Some(record) = records.next()
            {
                handle(record);
                handled += 1;
            }
            records.acknowledge();
            Turn { handled, end: None }
        }

        fn name(&self, _: Token) -> &Arc<str> {
            self.registration.name()
        }
    }

    impl<const PAYLOAD: usize, W: WaitStrategy> Inlet for OptionalSubscription<PAYLOAD, W> {
        type Item<'a> = Result<RecordRef<'a>, Lagged>;

        fn turn(
            &mut self,
            _: Token,
            at_most: usize,
            mut handle: impl FnMut(Result<RecordRef<'_>, Lagged>),
        ) -> Turn {
            for handled in 0..at_most {
                match self.try_recv() {
                    Ok(record) => handle(Ok(record)),
                    Err(RecvError::Lagged { missed, resumed_at }) => {
                        handle(Err(Lagged { missed, resumed_at }));
                    }
                    Err(RecvError::Ended(end)) => return Turn { handled, end: Some(end) },
                    Err(RecvError::Empty) => return Turn { handled, end: None },
                    Err(RecvError::BufferFull) => unreachable!("records are copied into memory that grows"),
                }
            }
            Turn { handled: at_most, end: None }
        }

        fn name(&self, _: Token) -> &Arc<str> {
            self.registration.name()
        }
    }
}
