//! The audit log, against a plain scan of everything that its subscription was told.

#[path = "common/block_stream.rs"]
mod block_stream;
#[path = "common/cases.rs"]
mod cases;

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::thread;

use block_stream::{Event, FIRST, SLOT, Stream, TRANSACTIONS, Told, block_hash, streams, transaction_hash};
use proptest::prelude::*;
use ringbus::Sequence;
use ringbus::bus::{
    Answer, Audit, AuditError, AuditLog, BlockStart, Bus, Cause, Emit, Flags, Hash, Header, Kind, Origin,
    Outcome, RecordRef, Source, Subscriber, Topic, TransactionEnded,
};

const RECORD_BYTES: usize = AuditLog::RECORD_BYTES;
const TRACE_BYTES: usize = AuditLog::CAUSE_BYTES;
const BLOCK_BYTES: usize = AuditLog::BLOCK_BYTES;

/// Of a block, what lies between two losses: its number in the stream, and how many losses came before.
type Piece = (usize, usize);

/// Everything that a subscription was told, and what the log should have kept of it.
struct Model<'a> {
    stream: &'a Stream,
    bound: usize,
    records: Vec<(&'a Event, Piece)>,
    /// How many of them are evicted.
    evicted: usize,
    from: u64,
    until: u64,
    /// First sequence and count.
    losses: Vec<(u64, u64)>,
    losses_told: usize,
    /// Of which the beginning or the end was told, so that the hash is known.
    known: HashSet<Piece>,
    open: Option<Piece>,
}

impl<'a> Model<'a> {
    fn new(stream: &'a Stream, bound: usize) -> Self {
        let start = stream.start().get();
        Self {
            stream,
            bound,
            records: Vec::new(),
            evicted: 0,
            from: start,
            until: start,
            losses: Vec::new(),
            losses_told: 0,
            known: HashSet::new(),
            open: None,
        }
    }

    fn tell(&mut self, told: Told<'a>) {
        match told {
            Told::BlockBegun(event) => {
                self.open = None;
                self.known.insert((event.emission, self.losses_told));
            }
            Told::Record(event) => {
                let piece = (event.emission, self.losses_told);
                self.open = Some(piece);
                self.records.push((event, piece));
                self.until = event.end;
                while self.evicted < self.records.len() && self.bytes() > self.bound {
                    self.from = self.records[self.evicted].0.end;
                    self.evicted += 1;
                }
            }
            Told::BlockEnded(event) => {
                self.open = None;
                self.known.insert((event.emission, self.losses_told));
            }
            Told::Missed { first, count } | Told::LetPass { first, count } => {
                self.open = None;
                self.losses.push((first, count));
                self.losses_told += 1;
            }
        }
    }

    fn kept(&self) -> &[(&'a Event, Piece)] {
        &self.records[self.evicted..]
    }

    fn bytes(&self) -> usize {
        let kept = self.kept();
        let payloads: usize = kept.iter().map(|(event, _)| event.payload.len()).sum();
        let traces: HashSet<Hash> = kept.iter().map(|(event, _)| event.header.trace).collect();
        let mut pieces: HashMap<Piece, u64> = HashMap::new();
        let open = self.open.and_then(|open| self.records.iter().find(|(_, piece)| *piece == open));
        for (event, piece) in kept.iter().chain(open) {
            pieces.insert(*piece, event.header.block_height);
        }
        // The pieces of a height share an entry of the index.
        let heights: HashSet<u64> = pieces.values().copied().collect();
        let shared = (pieces.len() - heights.len()) * 32;
        kept.len() * RECORD_BYTES + payloads + traces.len() * TRACE_BYTES + pieces.len() * BLOCK_BYTES
            - shared
    }

    fn cause(&self, event: &Event, piece: Piece) -> Cause {
        let trace = event.header.trace;
        if !self.known.contains(&piece) {
            Cause::Unclear(trace)
        } else if trace == block_hash(event.emission) {
            Cause::Block(trace)
        } else {
            Cause::Transaction(trace)
        }
    }

    /// Checks an answer that should be all kept events that `belongs` picks.
    fn check(&self, answer: &Answer, belongs: impl Fn(&Event) -> bool) -> Result<(), TestCaseError> {
        let expected: Vec<&Event> =
            self.kept().iter().map(|kept| kept.0).filter(|event| belongs(event)).collect();
        prop_assert_eq!(answer.len(), expected.len());
        prop_assert_eq!(answer.is_empty(), expected.is_empty());
        for (record, event) in answer.records().zip(&expected) {
            prop_assert_eq!(record.sequence().get(), event.sequence);
            prop_assert_eq!(record.header(), &event.header);
            prop_assert_eq!(record.payload(), &event.payload[..]);
        }

        let in_blocks = answer.blocks().flat_map(|block| block.records().map(move |record| (block, record)));
        let in_blocks: Vec<_> = in_blocks.collect();
        prop_assert_eq!(in_blocks.len(), expected.len());
        let pieces = self.kept().iter().filter(|(event, _)| belongs(event));
        for ((block, record), (event, piece)) in in_blocks.into_iter().zip(pieces) {
            prop_assert_eq!(
                (block.height(), block.time()),
                (event.header.block_height, event.header.block_time)
            );
            prop_assert_eq!(record.sequence().get(), event.sequence);
            let hash = self.known.contains(piece).then(|| block_hash(event.emission));
            prop_assert_eq!(block.hash(), hash.as_ref());
            prop_assert_eq!(block.cause_of(&record), self.cause(event, *piece));
        }

        let coverage = answer.coverage();
        prop_assert_eq!(coverage.found, expected.len());
        prop_assert!(!answer.is_complete() || !expected.is_empty());
        // All there ever were, and ever will be, in the blocks that the answer is about.
        let emissions: HashSet<usize> = expected.iter().map(|event| event.emission).collect();
        let in_emissions = |event: &&Event| emissions.contains(&event.emission);
        let all: Vec<&Event> = self
            .stream
            .events
            .iter()
            .filter(in_emissions)
            .filter(|event| event.passes && belongs(event))
            .collect();
        if answer.is_complete() {
            prop_assert_eq!(all.len(), expected.len(), "not all of it is there: {}", coverage);
        }
        // What stands in blocks that were seen from beginning to end, and of which nothing is gone, is complete.
        let is_whole = |emission: &usize| {
            let mut events = self.stream.events.iter().filter(|event| event.emission == *emission);
            let is_there = |event: &Event| !event.unseen && event.sequence >= self.from;
            events.clone().all(is_there)
                && events.any(Event::ends)
                && self.open.is_none_or(|open| open.0 != *emission)
        };
        let is_gone = self.records[..self.evicted].iter().any(|(event, _)| belongs(event));
        if !expected.is_empty() && !is_gone && emissions.iter().all(is_whole) {
            prop_assert!(answer.is_complete(), "all of it is there: {}", coverage);
        }
        Ok(())
    }

    fn check_all(&self, audit: &Audit) -> Result<(), TestCaseError> {
        let extent = audit.extent();
        prop_assert_eq!((extent.from.get(), extent.until.get()), (self.from, self.until));
        prop_assert_eq!(extent.records, self.kept().len());
        prop_assert_eq!(extent.bytes, self.bytes());
        let lost = self.losses.iter().filter(|loss| loss.0 >= self.from).map(|loss| loss.1);
        prop_assert_eq!(extent.lost, lost.sum::<u64>());

        let heights = self.stream.events.last().map_or(0, |event| event.header.block_height);
        for height in 0..=heights + 1 {
            let answer = audit.block(height);
            self.check(&answer, |event| event.header.block_height == height)?;
            let is_gone = |(event, _): &(&Event, Piece)| event.header.block_height == height;
            prop_assert!(!answer.is_complete() || !self.records[..self.evicted].iter().any(is_gone));
            for number in 1..=TRANSACTIONS {
                let hash = transaction_hash(height, number);
                self.check(&audit.transaction(&hash), |event| event.header.trace == hash)?;
            }
            for order in 0..10 {
                let caused = self
                    .kept()
                    .iter()
                    .filter(|(event, _)| event.header.block_height == height && event.header.order == order);
                let caused: Vec<_> = caused
                    .map(|(event, piece)| (Sequence::new(event.sequence), self.cause(event, *piece)))
                    .collect();
                prop_assert_eq!(audit.cause_at(height, order), caused);
            }
        }
        for emission in 0..6 {
            let hash = block_hash(emission);
            self.check(&audit.transaction(&hash), |event| event.header.trace == hash)?;
        }
        for sequence in FIRST - 1..self.until + 2 {
            let covers = |event: &Event| event.sequence <= sequence && sequence < event.end;
            let kept = self.kept().iter().find(|(event, _)| covers(event));
            match (audit.cause_of(Sequence::new(sequence)), kept) {
                (Ok(cause), Some((event, piece))) => prop_assert_eq!(cause, self.cause(event, *piece)),
                (Err(not_kept), None) => {
                    prop_assert_eq!(not_kept.sequence.get(), sequence);
                    prop_assert_eq!((not_kept.from.get(), not_kept.until.get()), (self.from, self.until));
                }
                (found, _) => prop_assert!(false, "sequence {}: {:?}", sequence, found),
            }
        }
        Ok(())
    }
}

/// After everything that the subscription is told, every possible question is answered as by a plain scan.
fn answers_equal_a_scan(stream: &Stream, bound: usize) -> Result<(), TestCaseError> {
    let mut log = AuditLog::new(bound);
    let audit = log.audit();
    let mut model = Model::new(stream, bound);
    log.start(stream.start()).expect("nothing to fail");
    for told in stream.told() {
        told.tell(&mut log);
        model.tell(told);
        prop_assert!(audit.extent().bytes <= bound || audit.extent().records == 0);
        model.check_all(&audit)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases::config(384))]

    #[test]
    fn a_log_without_a_bound_answers_like_a_scan(stream in streams(true)) {
        answers_equal_a_scan(&stream, usize::MAX)?;
    }

    #[test]
    fn a_bounded_log_answers_like_a_scan_of_the_newest(stream in streams(false), bound in 0..4_000_usize) {
        answers_equal_a_scan(&stream, bound)?;
    }

    #[test]
    fn a_bounded_log_behind_a_filter_answers_like_a_scan(stream in streams(true), bound in 0..2_000_usize) {
        answers_equal_a_scan(&stream, bound)?;
    }
}

// By hand

const A: Hash = Hash::new([0xA; 32]);
const B: Hash = Hash::new([0xB; 32]);

/// A log that is fed one event after the other.
struct Feed {
    log: AuditLog,
    audit: Audit,
    next: u64,
    header: Header,
}

impl Feed {
    fn new(bytes: usize) -> Self {
        let mut log = AuditLog::new(bytes);
        log.start(Sequence::new(0)).expect("nothing to fail");
        Self { audit: log.audit(), log, next: 0, header: Header::default() }
    }

    fn block_hash(&self) -> Hash {
        Hash::new([self.header.block_height as u8; 32])
    }

    fn begin(&mut self, height: u64) {
        self.header = Header { block_height: height, ..Header::default() };
        let header = Header { trace: self.block_hash(), order: 1, flags: Flags::BEGINS_BLOCK, ..self.header };
        self.log.block_begun(&header).expect("nothing to fail");
        self.record(header, 0);
    }

    fn end(&mut self) {
        let header = Header { trace: self.block_hash(), flags: Flags::ENDS_BLOCK, ..self.header };
        self.emit(header, 0);
        self.log.block_ended(&header).expect("nothing to fail");
    }

    /// Emits an event that this transaction caused.
    fn caused_by(&mut self, trace: Hash) {
        self.emit(Header { trace, kind: Kind::new(9), ..self.header }, 0);
    }

    fn emit(&mut self, header: Header, bytes: usize) {
        self.record(Header { order: self.header.order + 1, ..header }, bytes);
    }

    fn record(&mut self, header: Header, bytes: usize) {
        self.header.order = header.order;
        let header = Header { len: bytes.min(SLOT) as u16, ..header };
        let payload = vec![0; bytes];
        let record = RecordRef::new(Sequence::new(self.next), &header, &payload);
        self.log.record(record).expect("the sequences ascend");
        self.next += bytes.div_ceil(SLOT).max(1) as u64;
    }

    fn lose(&mut self, count: u64) {
        self.next += count;
        self.log.lagged(count, Sequence::new(self.next)).expect("nothing to fail");
    }

    fn orders(&self, hash: Hash) -> Vec<u32> {
        self.audit.transaction(&hash).records().map(|record| record.order()).collect()
    }

    fn why(&self, hash: Hash) -> String {
        self.audit.transaction(&hash).coverage().to_string()
    }
}

#[test]
fn interleaved_transactions_are_told_apart_and_kept_in_order() {
    let mut feed = Feed::new(usize::MAX);
    feed.begin(7);
    for trace in [A, B, A, A, B] {
        feed.caused_by(trace);
    }
    assert_eq!(feed.why(A), "incomplete: it has not ended; the log answers from sequence 0 up to 6");
    feed.end();
    assert_eq!((feed.orders(A), feed.orders(B)), (vec![2, 4, 5], vec![3, 6]));
    assert_eq!((feed.why(A), feed.why(B)), ("complete".to_owned(), "complete".to_owned()));
    assert_eq!(feed.audit.cause_of(Sequence::new(3)), Ok(Cause::Transaction(A)));
    assert_eq!(feed.audit.cause_of(Sequence::new(6)), Ok(Cause::Block(Hash::new([7; 32]))));
    assert_eq!(feed.audit.cause_at(7, 3), [(Sequence::new(2), Cause::Transaction(B))]);
    assert_eq!(feed.audit.cause_at(7, 8), []);
    assert_eq!(feed.audit.cause_at(8, 1), []);
}

#[test]
fn a_block_that_is_emitted_twice_is_answered_with_both() {
    let mut feed = Feed::new(usize::MAX);
    feed.begin(1);
    feed.caused_by(A);
    feed.end();
    feed.begin(1);
    feed.end();
    let answer = feed.audit.block(1);
    assert!(answer.is_complete());
    assert_eq!(answer.records().map(|record| record.order()).collect::<Vec<_>>(), [1, 2, 3, 1, 2]);
    assert_eq!(answer.blocks().map(|block| block.records().len()).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(feed.audit.cause_at(1, 2).len(), 2);
}

#[test]
fn a_transaction_that_has_ended_is_complete_before_its_block_ends() {
    let mut feed = Feed::new(usize::MAX);
    feed.begin(1);
    feed.caused_by(A);
    assert!(!feed.audit.transaction(&A).is_complete());
    feed.emit(Header { trace: A, kind: Kind::TRANSACTION_ENDED, ..feed.header }, 8);
    assert!(feed.audit.transaction(&A).is_complete());
    feed.caused_by(B);
    feed.lose(3);
    assert!(feed.audit.transaction(&A).is_complete(), "what was lost afterwards is not its own");
    assert_eq!(
        feed.why(B),
        "incomplete: records were missed or let pass; the log answers from sequence 0 up to 4, and lost 3 of them"
    );
}

#[test]
fn what_was_lost_inside_a_block_is_missing_and_between_blocks_is_not() {
    let mut feed = Feed::new(usize::MAX);
    feed.begin(1);
    feed.caused_by(A);
    feed.lose(0);
    feed.end();
    feed.lose(5);
    feed.begin(2);
    feed.caused_by(B);
    feed.end();
    assert!(feed.audit.block(1).is_complete() && feed.audit.block(2).is_complete());
    assert_eq!(feed.audit.extent().lost, 5);

    feed.begin(3);
    feed.lose(1);
    feed.header.order = 4;
    feed.caused_by(A);
    let expected = Cause::Unclear(A);
    assert_eq!(feed.audit.cause_at(3, 5)[0].1, expected, "the block has not ended since its hash was lost");
    feed.end();
    assert_eq!(feed.audit.cause_at(3, 5)[0].1, Cause::Transaction(A));
    let block = feed.audit.block(3);
    assert_eq!(block.records().map(|record| record.order()).collect::<Vec<_>>(), [1, 5, 6]);
    assert!(block.coverage().lost && !block.coverage().begun_before && !block.coverage().unfinished);
    assert_eq!((block.blocks().len(), block.coverage().extent.lost), (2, 6));
    let not_kept = feed.audit.cause_of(Sequence::new(5)).expect_err("it was lost");
    assert_eq!(
        not_kept.to_string(),
        "the audit log has no event with sequence 5: its subscription missed it, let it pass, or filtered it out"
    );
}

#[test]
fn a_log_that_joins_inside_a_block_says_so() {
    let mut feed = Feed::new(usize::MAX);
    feed.log.start(Sequence::new(40)).expect("nothing to fail");
    (feed.next, feed.header.block_height, feed.header.order) = (40, 5, 17);
    feed.caused_by(A);
    assert_eq!(feed.audit.cause_of(Sequence::new(40)), Ok(Cause::Unclear(A)));
    feed.end();
    assert_eq!(feed.audit.cause_of(Sequence::new(40)), Ok(Cause::Transaction(A)));
    assert_eq!(
        feed.why(A),
        "incomplete: its block began before the log; the log answers from sequence 40 up to 42"
    );
    assert_eq!(feed.why(B), "nothing found: the log answers from sequence 40 up to 42");
    assert_eq!(
        feed.audit.cause_of(Sequence::new(39)).expect_err("before the log").to_string(),
        "the audit log has no event with sequence 39: it answers from 40 on, what came before was evicted, or came \
         before the log"
    );
    assert_eq!(
        feed.audit.cause_of(Sequence::new(42)).expect_err("behind the log").to_string(),
        "the audit log has no event with sequence 42: it has seen nothing from 42 on yet"
    );
}

#[test]
fn streams_whose_blocks_do_not_fit_are_answered_by_their_headers() {
    // A block that begins again, and never ended.
    let mut feed = Feed::new(usize::MAX);
    feed.begin(1);
    feed.begin(1);
    feed.end();
    let answer = feed.audit.block(1);
    assert_eq!(answer.blocks().map(|block| block.records().len()).collect::<Vec<_>>(), [1, 2]);
    assert!(answer.coverage().unfinished);

    // Events of another height, and that one's end, inside a block.
    feed.begin(2);
    feed.header.block_height = 3;
    feed.caused_by(A);
    assert_eq!((feed.audit.block(2).len(), feed.audit.block(3).len()), (1, 1));
    assert!(feed.audit.block(3).coverage().begun_before);
    let end_of_4 = Header { block_height: 4, ..feed.header };
    feed.log.block_ended(&end_of_4).expect("nothing to fail");
    assert!(feed.audit.block(3).coverage().unfinished);
    assert_eq!(feed.audit.cause_at(3, 2)[0].1, Cause::Unclear(A));

    // A block of which only the beginning was told, and then an event of another height.
    let begin_of_5 = Header { block_height: 5, trace: A, ..feed.header };
    feed.log.block_begun(&begin_of_5).expect("nothing to fail");
    feed.header.block_height = 6;
    feed.caused_by(A);
    assert_eq!(feed.audit.cause_at(6, 3)[0].1, Cause::Unclear(A));
}

/// A block of `begin`, one event by `A` and two by `B`, and `end`, without payloads.
const FIVE_RECORDS: usize = 5 * RECORD_BYTES + 3 * TRACE_BYTES + BLOCK_BYTES;

fn five_records(feed: &mut Feed, height: u64) {
    feed.begin(height);
    for trace in [A, B, B] {
        feed.caused_by(trace);
    }
    feed.end();
}

#[test]
fn the_bound_is_kept_to_the_byte() {
    let mut feed = Feed::new(FIVE_RECORDS);
    five_records(&mut feed, 1);
    assert_eq!((feed.audit.extent().records, feed.audit.extent().bytes), (5, FIVE_RECORDS));
    assert!(feed.audit.block(1).is_complete());

    let mut feed = Feed::new(FIVE_RECORDS - 1);
    five_records(&mut feed, 1);
    assert_eq!((feed.audit.extent().records, feed.audit.extent().from.get()), (4, 1));
    assert_eq!(
        feed.audit.extent().bytes,
        FIVE_RECORDS - RECORD_BYTES,
        "the block's trace is still there, from its end"
    );
    assert_eq!(
        feed.audit.block(1).coverage().to_string(),
        "incomplete: its oldest records are gone; the log answers from sequence 1 up to 5"
    );
}

#[test]
fn a_transaction_is_complete_while_its_own_records_are_there() {
    // The block's first record goes when its last one comes; transactions that came before know that they lost nothing.
    let mut feed = Feed::new(FIVE_RECORDS - 1);
    five_records(&mut feed, 1);
    assert_eq!(feed.why(A), "complete");
    assert_eq!(feed.why(B), "complete");
    assert!(feed.audit.transaction(&Hash::new([1; 32])).coverage().evicted);

    // One that comes up afterwards cannot know.
    let mut feed = Feed::new(4 * RECORD_BYTES + 2 * TRACE_BYTES + BLOCK_BYTES);
    feed.begin(1);
    for trace in [A, A, A, A, B] {
        feed.caused_by(trace);
    }
    feed.end();
    assert_eq!(feed.orders(B), [6]);
    assert!(feed.audit.transaction(&B).coverage().evicted);

    // In the next block, it can.
    five_records(&mut feed, 2);
    assert_eq!(feed.orders(B), [3, 4]);
    assert!(!feed.audit.transaction(&B).coverage().evicted);
}

#[test]
fn a_repeated_height_remembers_that_an_emission_is_gone() {
    for bound in [FIVE_RECORDS, FIVE_RECORDS + RECORD_BYTES] {
        let mut feed = Feed::new(bound);
        five_records(&mut feed, 1);
        five_records(&mut feed, 1);
        let answer = feed.audit.block(1);
        assert!(answer.coverage().evicted, "{bound}: {}", answer.coverage());
        five_records(&mut feed, 2);
        assert!(feed.audit.block(2).is_complete());
    }
    // Also where the second one begins when nothing of the first is left.
    let mut feed = Feed::new(FIVE_RECORDS);
    five_records(&mut feed, 1);
    feed.header.block_height = 1;
    feed.emit(Header { trace: A, ..feed.header }, 10 * FIVE_RECORDS);
    assert_eq!(feed.audit.extent().records, 0);
    feed.begin(1);
    feed.end();
    assert_eq!((feed.audit.block(1).len(), feed.audit.block(1).coverage().evicted), (2, true));
}

#[test]
fn a_record_larger_than_the_bound_leaves_nothing_and_harms_nothing() {
    let mut feed = Feed::new(FIVE_RECORDS);
    feed.begin(1);
    feed.emit(Header { trace: A, ..feed.header }, FIVE_RECORDS);
    let extent = feed.audit.extent();
    assert_eq!(
        (extent.records, extent.from, extent.until),
        (0, Sequence::new(feed.next), Sequence::new(feed.next))
    );
    assert_eq!(feed.audit.block(1).len(), 0);
    feed.caused_by(B);
    feed.end();
    assert_eq!(feed.orders(B), [3]);
    assert!(feed.audit.block(1).coverage().evicted);
    five_records(&mut feed, 2);
    assert!(feed.audit.block(2).is_complete());
    assert_eq!(feed.audit.block(1).len(), 0);
    assert_eq!(feed.audit.extent().bytes, FIVE_RECORDS);

    let mut nothing = Feed::new(0);
    five_records(&mut nothing, 1);
    assert_eq!((nothing.audit.extent().records, nothing.audit.extent().bytes), (0, 0));
}

#[test]
fn every_fragment_of_an_event_leads_to_its_cause() {
    let mut feed = Feed::new(usize::MAX);
    feed.begin(1);
    feed.emit(Header { trace: A, ..feed.header }, 3 * SLOT);
    feed.emit(Header { trace: B, ..feed.header }, 3 * SLOT + 1);
    let causes = (1..=8).map(|sequence| feed.audit.cause_of(Sequence::new(sequence)).ok());
    let (a, b) = (Some(Cause::Transaction(A)), Some(Cause::Transaction(B)));
    assert_eq!(causes.collect::<Vec<_>>(), [a, a, a, b, b, b, b, None]);

    // An event takes a sequence, whatever its header says.
    let header = Header { len: 5, block_height: 1, trace: A, ..Header::default() };
    feed.log.record(RecordRef::new(Sequence::new(8), &header, b"")).expect("the sequences ascend");
    assert_eq!(feed.audit.cause_of(Sequence::new(8)), Ok(Cause::Transaction(A)));
    assert_eq!(feed.audit.extent().until, Sequence::new(9));
}

#[test]
fn records_that_are_out_of_order_are_refused_and_a_new_start_forgets() {
    let mut feed = Feed::new(usize::MAX);
    five_records(&mut feed, 1);
    let header = Header::default();
    let refused = feed.log.record(RecordRef::new(Sequence::new(4), &header, b""));
    assert_eq!(
        refused.map_err(|error: AuditError| error.to_string()),
        Err("the audit log got the record with sequence 4, expected 5 or later; give each bus a log of its own".into())
    );
    assert_eq!(feed.audit.extent().records, 5);

    feed.log.start(Sequence::new(2)).expect("nothing to fail");
    let extent = feed.audit.extent();
    assert_eq!((extent.records, extent.bytes, extent.from.get(), extent.until.get()), (0, 0, 2, 2));
    feed.next = 2;
    five_records(&mut feed, 1);
    assert!(feed.audit.block(1).is_complete());
}

#[test]
fn other_threads_ask_while_the_log_goes_on() {
    let mut feed = Feed::new(8 * FIVE_RECORDS);
    let audit = feed.audit.clone();
    let asking = thread::spawn(move || {
        let mut last = 0;
        while last < 1_000 {
            let extent = audit.extent();
            last = extent.until.get() / 5;
            thread::yield_now();
            assert!(extent.bytes <= 8 * FIVE_RECORDS);
            let answer = audit.block(last.max(1));
            assert!(answer.len() <= 5);
            assert!(!answer.is_complete() || answer.len() == 5);
        }
    });
    for height in 1..=1_000 {
        five_records(&mut feed, height);
    }
    asking.join().expect("what it was told was right");
}

#[test]
fn a_tree_shows_blocks_transactions_and_what_led_to_what() {
    let mut feed = Feed::new(usize::MAX);
    feed.begin(1);
    let at =
        |trace, kind, led_by| Header { trace, kind: Kind::new(kind), trigger_kind: led_by, ..feed.header };
    let events = [at(A, 1, 0), at(B, 1, 0), at(A, 2, 1), at(A, 3, 2), at(A, 2, 1), at(A, 3, 2), at(A, 4, 0)];
    for (index, header) in events.into_iter().enumerate() {
        feed.emit(
            Header { topic: Topic::new(8), source: Source::new(3), trigger_reason: 9, ..header },
            index,
        );
    }
    let answer = feed.audit.block(1);
    let tree = answer
        .tree()
        .describe(|record| match record.kind().get() {
            4 => "two\nlines".to_owned(),
            0 => "begin".to_owned(),
            kind => format!("no. {kind}"),
        })
        .nest(|earlier, later| {
            earlier.kind().get() == u16::from(later.header().trigger_kind) && later.order() > 2
        });
    assert_eq!(
        tree.to_string(),
        "\
block 1, 1970-01-01T00:00:00.000000000Z, hash 0101010101010101010101010101010101010101010101010101010101010101
├─ outside of transactions: 1 event
│  └─ 1: begin (kind 0)
├─ transaction 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a: 6 events
│  ├─ 2: no. 1 (kind 1, topic 8, source 3, trigger 0/9)
│  │  ├─ 4: no. 2 (kind 2, topic 8, source 3, trigger 1/9)
│  │  │  └─ 5: no. 3 (kind 3, topic 8, source 3, trigger 2/9)
│  │  └─ 6: no. 2 (kind 2, topic 8, source 3, trigger 1/9)
│  │     └─ 7: no. 3 (kind 3, topic 8, source 3, trigger 2/9)
│  └─ 8: two
│     lines (kind 4, topic 8, source 3, trigger 0/9)
└─ transaction 0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b: 1 event
   └─ 3: no. 1 (kind 1, topic 8, source 3, trigger 0/9)
incomplete: it has not ended; the log answers from sequence 0 up to 8
"
    );

    feed.end();
    let answer = feed.audit.transaction(&B);
    let plain = answer.tree().to_string();
    assert!(
        plain.contains("   └─ 3: 1 byte (kind 1, topic 8, source 3, trigger 0/9)\ncomplete\n"),
        "{plain}"
    );
}

#[test]
fn a_chain_as_long_as_the_block_is_printed() {
    let mut feed = Feed::new(usize::MAX);
    feed.begin(1);
    for _ in 0..2_000 {
        feed.caused_by(A);
    }
    let answer = feed.audit.transaction(&A);
    let text = answer.tree().nest(|earlier, later| earlier.order() + 1 == later.order()).to_string();
    assert_eq!(text.lines().count(), 2 + 2_000 + 1);
    let deepest = text.lines().nth(2 + 1_999).expect("it is there");
    assert_eq!(deepest.find("└─"), Some(3 * 2_000));
}

#[test]
fn a_log_on_a_bus_keeps_what_a_writer_said() -> Result<(), Box<dyn Error>> {
    const MATCHING: Origin = Origin::of(Source::new(3));
    let (mut writer, bus) = Bus::<64>::builder("testnet").capacity(64).build()?;
    let log = AuditLog::new(usize::MAX);
    let audit = log.audit();
    let worker = bus.subscribe("audit").required().spawn(log)?;

    let block = Hash::new([1; 32]);
    let mut sequences = vec![writer.begin_block(BlockStart { height: 1, time: 5, hash: block })?];
    writer.begin_transaction(A)?;
    for bytes in [0, 1, SLOT, SLOT + 1, 5 * SLOT] {
        sequences.push(writer.next_sequence());
        writer.emit_bytes(MATCHING, Kind::new(9), Topic::new(2), &vec![7; bytes])?;
    }
    sequences.push(writer.end_transaction(Outcome::Succeeded)?);
    sequences.push(writer.end_block()?);
    writer.close()?;
    worker.join()?;

    let all = audit.block(1);
    assert!(all.is_complete(), "{}", all.coverage());
    assert_eq!(all.records().map(|record| record.sequence()).collect::<Vec<_>>(), sequences);
    assert_eq!(all.records().map(|record| record.order()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8]);
    let caused = audit.transaction(&A);
    assert!(caused.is_complete(), "{}", caused.coverage());
    let lengths: Vec<usize> = caused.records().map(|record| record.payload().len()).collect();
    assert_eq!(lengths, [0, 1, SLOT, SLOT + 1, 5 * SLOT, size_of::<TransactionEnded>()]);
    assert_eq!(all.tree().to_string().lines().count(), 1 + (1 + 2) + (1 + 6) + 1);

    let extent = audit.extent();
    assert_eq!((extent.from, extent.until, extent.lost), (Sequence::new(0), bus.cursor(), 0));
    // Each slot leads to a cause: the first and the last one to the block, the others to the transaction.
    let last = bus.cursor().get() - 1;
    for sequence in 0..=last {
        let expected = match sequence {
            0 => Cause::Block(block),
            sequence if sequence == last => Cause::Block(block),
            _ => Cause::Transaction(A),
        };
        assert_eq!(audit.cause_of(Sequence::new(sequence)), Ok(expected), "{sequence}");
    }
    Ok(())
}
