//! Optional consumers, in this process or in another, as the measurements see them.

use std::convert::identity;
use std::hint::black_box;
use std::time::{Duration, Instant};

use ringbus::shared::{ObserveError, Observer};
use ringbus::wait::WaitStrategy;
use ringbus::{OptionalConsumer, Sequence};

use crate::common::{Words, checksum};
use crate::delays::Delays;
use crate::event::are_whole;
use crate::paced;

pub(crate) type Message = Words<8>;

/// How many events are copied at once: what `benches/TRIED.md` found best.
pub(crate) const BUFFER: usize = 256;

/// What an observer and an optional consumer have in common.
pub(crate) trait Receive {
    fn recv(&mut self) -> Result<(Sequence, Message), ObserveError>;
    fn try_recv(&mut self) -> Result<(Sequence, Message), ObserveError>;
    fn recv_many(&mut self, buffer: &mut Vec<Message>) -> Result<Sequence, ObserveError>;
    fn try_recv_many(&mut self, buffer: &mut Vec<Message>) -> Result<Sequence, ObserveError>;
    fn position(&self) -> u64;
    fn delivered(&self) -> u64;
    fn missed(&self) -> u64;
    fn lag(&self) -> u64;
}

macro_rules! receive {
    ($receiver:ident, $told:expr) => {
        impl<W: WaitStrategy> Receive for $receiver<Message, W> {
            fn recv(&mut self) -> Result<(Sequence, Message), ObserveError> {
                $receiver::recv(self).map_err($told)
            }

            fn try_recv(&mut self) -> Result<(Sequence, Message), ObserveError> {
                $receiver::try_recv(self).map_err($told)
            }

            fn recv_many(&mut self, buffer: &mut Vec<Message>) -> Result<Sequence, ObserveError> {
                $receiver::recv_many(self, buffer).map_err($told).map(|received| received.first)
            }

            fn try_recv_many(&mut self, buffer: &mut Vec<Message>) -> Result<Sequence, ObserveError> {
                $receiver::try_recv_many(self, buffer).map_err($told).map(|received| received.first)
            }

            fn position(&self) -> u64 {
                $receiver::position(self).get()
            }

            fn delivered(&self) -> u64 {
                $receiver::delivered(self)
            }

            fn missed(&self) -> u64 {
                $receiver::missed(self)
            }

            fn lag(&self) -> u64 {
                $receiver::lag(self)
            }
        }
    };
}

receive!(OptionalConsumer, ObserveError::from);
receive!(Observer, identity);

/// How often somebody who watches looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looks {
    /// Again and again, without a pause.
    Polling,
    /// When it is time, as `recv_many` sees it.
    Blocking,
    /// Once a millisecond, for all that is there then.
    EachMillisecond,
}

/// What became of the events until the ring was closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    pub(crate) delivered: u64,
    pub(crate) missed: u64,
    /// From the first event to the last.
    pub(crate) nanoseconds: u64,
}

/// Receives events until the ring is closed, and checks them: each is whole, they are in order, and none is unaccounted for.
pub(crate) fn watch(receiver: &mut impl Receive, looks: Looks) -> Watched {
    let joined_at = receiver.position();
    let mut began = None;
    let mut last = None;
    let mut buffer = Vec::with_capacity(BUFFER);
    // Until when this look lasts: what comes meanwhile is for the next.
    let mut until = u64::MAX;
    loop {
        if looks == Looks::EachMillisecond && receiver.position() >= until {
            std::thread::sleep(Duration::from_millis(1));
            until = u64::MAX;
        }
        if looks == Looks::EachMillisecond && until == u64::MAX {
            until = receiver.position() + receiver.lag();
        }
        buffer.clear();
        let received = match looks {
            Looks::Blocking => receiver.recv_many(&mut buffer),
            Looks::Polling | Looks::EachMillisecond => receiver.try_recv_many(&mut buffer),
        };
        match received {
            Ok(_) => {
                began.get_or_insert_with(Instant::now);
                assert!(
                    are_whole(&buffer) && last.is_none_or(|last| last < buffer[0][0]),
                    "not what was published"
                );
                last = buffer.last().map(|event| event[0]);
            }
            Err(ObserveError::Empty | ObserveError::Lagged { .. }) => {}
            Err(ObserveError::Ended(_)) => break,
            Err(error) => panic!("{error}"),
        }
    }
    let nanoseconds = began.map_or(0, |began| began.elapsed().as_nanos() as u64);
    let (delivered, missed) = (receiver.delivered(), receiver.missed());
    assert_eq!(joined_at + delivered + missed, receiver.position());
    Watched { delivered, missed, nanoseconds }
}

/// Receives events of [`paced::publish`] until the ring is closed, and says how late they came.
pub(crate) fn delays(receiver: &mut impl Receive, count: u64) -> Delays {
    let mut delays = Delays::of(count);
    let joined_at = receiver.position();
    loop {
        match receiver.recv() {
            Ok((sequence, event)) => delays.record(sequence.get(), paced::late(&event)),
            Err(ObserveError::Lagged { .. }) => {}
            Err(ObserveError::Ended(_)) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(joined_at + receiver.delivered() + receiver.missed(), count);
    delays
}

/// Reads what there is now, one by one or many at once, and adds it up. Returns how long that took, and for how many.
pub(crate) fn read(receiver: &mut impl Receive, many: bool) -> (Duration, u64) {
    let (before, mut sum, mut buffer) = (receiver.delivered(), 0u64, Vec::with_capacity(BUFFER));
    let began = Instant::now();
    if many {
        while receiver.try_recv_many(&mut buffer).is_ok() {
            sum = buffer.drain(..).fold(sum, |sum, event| sum.wrapping_add(checksum(&event)));
        }
    } else {
        while let Ok((_, event)) = receiver.try_recv() {
            sum = sum.wrapping_add(checksum(&event));
        }
    }
    let took = began.elapsed();
    black_box(sum);
    (took, receiver.delivered() - before)
}
