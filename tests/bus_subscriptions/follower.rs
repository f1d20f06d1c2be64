//! Where a subscription must be, from what it was given.

use ringbus::bus::{RecordRef, Tally};

use super::stream::{Choice, Stream};

/// What has become of the sequences since a subscription joined, by brute force.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    choice: Choice,
    pub(crate) limit: usize,
    /// Everything before this is accounted for.
    at: u64,
    passed: u64,
    filtered_out: u64,
    missed: u64,
    let_pass: u64,
    /// What went by in pauses and was not come to yet: from, to.
    pauses: Vec<(u64, u64)>,
}

impl Follower {
    pub(crate) fn new(joined_at: u64, choice: Choice, limit: Option<usize>) -> Self {
        let limit = limit.unwrap_or(usize::MAX);
        let (passed, filtered_out, missed, let_pass) = (0, 0, 0, 0);
        Self { choice, limit, at: joined_at, passed, filtered_out, missed, let_pass, pauses: Vec::new() }
    }

    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// It was given this record: nothing between the last one and this may have passed the filter.
    pub(crate) fn record(&mut self, stream: &Stream, record: RecordRef<'_>) {
        let sequence = record.sequence().get();
        self.pass_over(stream, sequence);
        let published = stream.at(sequence).expect("a record begins there");
        assert!(self.choice.wants(published), "the filter does not let it pass: {published:?}");
        assert_eq!(
            (record.kind(), record.topic(), record.source()),
            (published.kind, published.topic, published.source)
        );
        assert_eq!((record.trace(), record.order()), (published.trace, published.order));
        assert_eq!(record.payload().len(), published.len);
        if let Some(payload) = &published.payload {
            assert_eq!(record.payload(), payload, "of the record at {sequence}");
        }
        Stream::check_flags(published, record.header().flags);
        self.at = published.end();
        self.passed += published.slots();
    }

    /// There was nothing more that passed the filter.
    pub(crate) fn nothing_more(&mut self, stream: &Stream) {
        self.pass_over(stream, stream.cursor());
    }

    /// Goes through what the filter stops, and over pauses, up to `sequence`.
    fn pass_over(&mut self, stream: &Stream, sequence: u64) {
        while self.at < sequence {
            if self.pass_over_pause() {
                continue;
            }
            let stopped = stream.at(self.at).expect("it stands where a record begins");
            assert!(!self.choice.wants(stopped), "was not given {stopped:?}");
            self.at = stopped.end();
            self.filtered_out += stopped.slots();
        }
        assert_eq!(self.at, sequence, "came out in the middle of a record");
    }

    fn pass_over_pause(&mut self) -> bool {
        let Some(&(from, to)) = self.pauses.first() else { return false };
        if from != self.at {
            return false;
        }
        self.pauses.remove(0);
        self.let_pass += to - from;
        self.at = to;
        from < to
    }

    /// It was told of a loss. Before it, it may have gone through records that the filter stops, of which it did not say anything.
    pub(crate) fn lagged(&mut self, stream: &Stream, missed: u64, resumed_at: u64) {
        assert!(missed > 0);
        assert!(
            resumed_at == stream.cursor() || stream.at(resumed_at).is_some(),
            "resumed in the middle of a record"
        );
        let passed_by: u64 =
            self.pauses.iter().filter(|(_, to)| *to <= resumed_at).map(|(from, to)| to - from).sum();
        let mut stopped = (resumed_at - self.at - passed_by)
            .checked_sub(missed)
            .expect("no more can be lost than lies between");
        while stopped > 0 {
            if self.pass_over_pause() {
                continue;
            }
            let record = stream.at(self.at).expect("it stands where a record begins");
            assert!(!self.choice.wants(record), "was not given {record:?}");
            stopped = stopped.checked_sub(record.slots()).expect("what it went through are whole records");
            self.filtered_out += record.slots();
            self.at = record.end();
        }
        self.pauses.retain(|(from, to)| {
            let is_behind = *to <= resumed_at;
            if is_behind {
                self.let_pass += to - from;
            }
            !is_behind
        });
        self.missed += missed;
        self.at = resumed_at;
    }

    /// So many sequences from `from` on went by in a pause.
    pub(crate) fn let_pass(&mut self, from: u64, let_pass: u64) {
        if let_pass > 0 {
            self.pauses.push((from, from + let_pass));
        }
    }

    /// Of one that has come to the end of `stream`.
    pub(crate) fn tally(&self, stream: &Stream) -> Tally {
        assert_eq!(self.at, stream.cursor());
        let mut tally = Tally::default();
        tally.passed = self.passed;
        tally.filtered_out = self.filtered_out;
        tally.missed = self.missed;
        tally.let_pass = self.let_pass;
        tally
    }
}
