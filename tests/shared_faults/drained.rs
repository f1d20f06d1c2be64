//! Reading to the end, with every event checked and every number kept.

use ringbus::End;
use ringbus::bus::RecordObserver;
use ringbus::shared::{ObserveError, Observer};

use super::pattern::{check, event};

/// What an observer got until the stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drained {
    pub(crate) start: u64,
    pub(crate) delivered: u64,
    pub(crate) missed: u64,
    pub(crate) position: u64,
    pub(crate) end: End,
}

impl Drained {
    /// Every sequence up to `cursor`, and none beyond it, was delivered or counted as missed.
    #[track_caller]
    pub(crate) fn assert_exact_up_to(&self, cursor: u64) {
        assert_eq!(self.position, cursor, "{self:?}");
        assert_eq!(self.delivered + self.missed, cursor - self.start, "{self:?}");
    }

    pub(crate) fn numbers(&self) -> String {
        let Self { start, delivered, missed, position, .. } = self;
        format!("{start} {delivered} {missed} {position}")
    }

    /// Of one that said its [`numbers`](Self::numbers).
    pub(crate) fn of(numbers: &[u64], end: End) -> Self {
        let &[start, delivered, missed, position] = numbers else { panic!("no such numbers: {numbers:?}") };
        Self { start, delivered, missed, position, end }
    }
}

/// Reads to the end, one by one or as many at once as there are.
pub(crate) fn drain<const WORDS: usize>(mut observer: Observer<[u64; WORDS]>, by_many: bool) -> Drained {
    let drained = drain_one(&mut observer, by_many);
    assert_eq!(observer.try_recv(), Err(ObserveError::Ended(drained.end.clone())), "it has ended for good");
    assert_eq!((observer.delivered(), observer.missed()), (drained.delivered, drained.missed));
    assert_eq!(observer.lag(), 0);
    drained
}

/// Reads to the end of a ring; for one that follows, that is the next after the last that it has read to the end.
pub(crate) fn drain_one<const WORDS: usize>(observer: &mut Observer<[u64; WORDS]>, by_many: bool) -> Drained {
    let start = observer.position().get();
    let (mut next, mut delivered, mut missed) = (start, 0, 0);
    let mut buffer = Vec::with_capacity(100);
    let end = loop {
        buffer.clear();
        let received = if by_many {
            observer.recv_many(&mut buffer).map(|received| (received.missed, received.first))
        } else {
            observer.recv().map(|(sequence, event)| {
                buffer.push(event);
                (0, sequence)
            })
        };
        match received {
            Ok((before, first)) => {
                missed += before;
                next += before;
                assert_eq!(first.get(), next);
                for found in &buffer {
                    assert!(*found == event(next), "event {next} is not what was published");
                    next += 1;
                }
                delivered += buffer.len() as u64;
            }
            Err(ObserveError::Lagged { missed: lost, resumed_at }) => {
                assert_eq!((lost > 0, resumed_at.get()), (true, next + lost));
                missed += lost;
                next = resumed_at.get();
            }
            // What lies between, where a whole ring was passed over, is told next.
            Err(ObserveError::Restarted { resumed_at }) => {
                assert!(next == start && resumed_at.get() >= start, "{start}, {next}, {resumed_at}");
            }
            Err(ObserveError::Ended(end)) => break end,
            Err(other) => panic!("at {next}: {other}"),
        }
    };
    Drained { start, delivered, missed, position: observer.position().get(), end }
}

/// As [`drain`], of records.
pub(crate) fn drain_records(mut observer: RecordObserver) -> Drained {
    let drained = drain_one_bus(&mut observer);
    let end = ObserveError::Ended(drained.end.clone());
    assert_eq!(observer.try_recv().unwrap_err(), end, "it has ended for good");
    let tally = observer.tally();
    assert_eq!((tally.passed, tally.missed), (drained.delivered, drained.missed));
    assert_eq!((tally.total(), observer.lag()), (drained.delivered + drained.missed, 0));
    drained
}

/// As [`drain_one`], of records.
pub(crate) fn drain_one_bus(observer: &mut RecordObserver) -> Drained {
    let start = observer.position().get();
    let (mut next, mut delivered, mut missed) = (start, 0, 0);
    let end = loop {
        match observer.recv() {
            Ok(record) => {
                assert_eq!(record.sequence().get(), next);
                let slots = check(record);
                delivered += slots;
                next += slots;
            }
            Err(ObserveError::Lagged { missed: lost, resumed_at }) => {
                assert_eq!((lost > 0, resumed_at.get()), (true, next + lost));
                missed += lost;
                next = resumed_at.get();
            }
            // What lies between, where a whole ring was passed over, is told next.
            Err(ObserveError::Restarted { resumed_at }) => {
                assert!(next == start && resumed_at.get() >= start, "{start}, {next}, {resumed_at}");
            }
            Err(ObserveError::Ended(end)) => break end,
            Err(other) => panic!("at {next}: {other}"),
        }
    };
    Drained { start, delivered, missed, position: observer.position().get(), end }
}
