//! What was published, as the test knows it.

use ringbus::PublishError;
use ringbus::bus::{
    BlockStart, Emit, Filter, Flags, Hash, Kind, Origin, Outcome, Source, Topic, WriteError, Writer,
};

pub(crate) const PAYLOAD: usize = 64;

/// One event to emit.
#[derive(Clone, Debug)]
pub(crate) struct Emission {
    pub(crate) kind: Kind,
    pub(crate) topic: Topic,
    pub(crate) source: Source,
    pub(crate) len: usize,
}

/// What a subscription asks for.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Which kinds; `true`: all but these. 0 stands for the beginning of a block.
    pub(crate) kinds: Option<(Vec<u16>, bool)>,
    pub(crate) topic: Option<u16>,
    pub(crate) source: Option<u16>,
    pub(crate) trace: Option<u8>,
    pub(crate) longer_than: Option<usize>,
}

fn kind(number: u16) -> Kind {
    if number == 0 { Kind::BLOCK_BEGUN } else { Kind::new(number) }
}

impl Choice {
    pub(crate) fn filter(&self) -> Filter {
        let mut filter = match &self.kinds {
            None => Filter::all(),
            Some((kinds, false)) => Filter::kinds(kinds.iter().copied().map(kind)),
            Some((kinds, true)) => Filter::all_but(kinds.iter().copied().map(kind)),
        };
        if let Some(topic) = self.topic {
            filter = filter.on_topic(Topic::new(topic));
        }
        if let Some(source) = self.source {
            filter = filter.from_source(Source::new(source)).from_source(Source::new(99));
        }
        if let Some(trace) = self.trace {
            filter = filter.of_trace(hash(trace));
        }
        if let Some(len) = self.longer_than {
            filter = filter.matching(move |record| record.payload().len() > len);
        }
        filter
    }

    /// The same, by brute force.
    pub(crate) fn wants(&self, record: &Published) -> bool {
        let kinds = match &self.kinds {
            None => true,
            Some((kinds, all_but)) => kinds.iter().any(|number| kind(*number) == record.kind) != *all_but,
        };
        kinds
            && self.topic.is_none_or(|topic| record.topic.get() == topic)
            && self.source.is_none_or(|source| record.source.get() == source)
            && self.trace.is_none_or(|trace| record.trace == hash(trace))
            && self.longer_than.is_none_or(|len| record.len > len)
    }
}

/// A record that is on the ring.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    pub(crate) topic: Topic,
    pub(crate) source: Source,
    pub(crate) trace: Hash,
    pub(crate) order: u32,
    pub(crate) len: usize,
    /// `None`: the bus's own, which is not looked into.
    pub(crate) payload: Option<Vec<u8>>,
}

impl Published {
    pub(crate) fn slots(&self) -> u64 {
        self.len.div_ceil(PAYLOAD).max(1) as u64
    }

    pub(crate) fn end(&self) -> u64 {
        self.sequence + self.slots()
    }
}

pub(crate) fn hash(number: u8) -> Hash {
    Hash::new([number; 32])
}

pub(crate) fn block(height: u64, number: u8) -> BlockStart {
    BlockStart { height, time: -5, hash: hash(number) }
}

/// The writer, and all that it has written.
pub(crate) struct Stream {
    writer: Writer<PAYLOAD>,
    pub(crate) records: Vec<Published>,
    trace: Hash,
    block_hash: Hash,
    height: u64,
    order: u32,
    emitted: u64,
}

impl Stream {
    pub(crate) fn new(mut writer: Writer<PAYLOAD>) -> Self {
        writer.begin_block(block(1, 200)).expect("nobody has subscribed");
        let (trace, block_hash) = (hash(200), hash(200));
        let mut stream =
            Self { writer, records: Vec::new(), trace, block_hash, height: 1, order: 0, emitted: 0 };
        stream.own(Kind::BLOCK_BEGUN, 32);
        stream
    }

    pub(crate) fn cursor(&self) -> u64 {
        self.records.last().map_or(0, Published::end)
    }

    /// The record that begins at `sequence`.
    pub(crate) fn at(&self, sequence: u64) -> Option<&Published> {
        let index = self.records.binary_search_by_key(&sequence, |record| record.sequence).ok()?;
        Some(&self.records[index])
    }

    fn own(&mut self, kind: Kind, len: usize) {
        self.push(kind, Topic::default(), Source::default(), len, None);
    }

    fn push(&mut self, kind: Kind, topic: Topic, source: Source, len: usize, payload: Option<Vec<u8>>) {
        self.order += 1;
        let (sequence, trace, order) = (self.cursor(), self.trace, self.order);
        self.records.push(Published { sequence, kind, topic, source, trace, order, len, payload });
    }

    /// Bytes that no other event has.
    fn payload(&self, nth: u64, len: usize) -> Vec<u8> {
        let seed = (self.emitted + nth).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..len).map(|at| (seed >> (at % 8 * 8)) as u8 ^ at as u8).collect()
    }

    fn emitted(&mut self, emission: &Emission) {
        let payload = self.payload(0, emission.len);
        self.push(emission.kind, emission.topic, emission.source, emission.len, Some(payload));
        self.emitted += 1;
    }

    /// `false`: the ring is full.
    pub(crate) fn try_emit(&mut self, emission: &Emission) -> bool {
        let payload = self.payload(0, emission.len);
        let origin = Origin::of(emission.source);
        match self.writer.try_emit_bytes(origin, emission.kind, emission.topic, &payload) {
            Ok(sequence) => {
                assert_eq!(sequence.get(), self.cursor());
                self.emitted(emission);
                true
            }
            Err(WriteError::Publish(PublishError::Full { .. })) => false,
            Err(other) => panic!("{other}"),
        }
    }

    /// As many of these as fit into one batch.
    pub(crate) fn fitting<'a>(&self, emissions: &'a [Emission]) -> &'a [Emission] {
        let mut slots = 0;
        let fits = |emission: &&Emission| {
            slots += emission.len.div_ceil(PAYLOAD).max(1);
            slots * PAYLOAD <= self.writer.max_payload()
        };
        &emissions[..emissions.iter().take_while(fits).count()]
    }

    /// `false`: the ring is full.
    pub(crate) fn try_batch(&mut self, emissions: &[Emission]) -> bool {
        let payloads: Vec<_> = emissions
            .iter()
            .enumerate()
            .map(|(nth, emission)| self.payload(nth as u64, emission.len))
            .collect();
        let mut batch = self.writer.batch();
        for (emission, payload) in emissions.iter().zip(&payloads) {
            batch
                .emit_bytes(Origin::of(emission.source), emission.kind, emission.topic, payload)
                .expect("it fits");
        }
        match batch.try_publish() {
            Ok(first) => {
                assert_eq!(first.map(ringbus::Sequence::get), (!emissions.is_empty()).then(|| self.cursor()));
                emissions.iter().for_each(|emission| self.emitted(emission));
                true
            }
            Err(WriteError::Publish(PublishError::Full { .. })) => false,
            Err(other) => panic!("{other}"),
        }
    }

    fn end_transaction(&mut self) {
        if self.writer.transaction().is_some() {
            self.writer.end_transaction(Outcome::Succeeded).expect("there is room");
            self.own(Kind::TRANSACTION_ENDED, 8);
            self.trace = self.block_hash;
        }
    }

    pub(crate) fn next_transaction(&mut self, number: u8) {
        self.end_transaction();
        self.writer.begin_transaction(hash(number)).expect("in a block");
        self.trace = hash(number);
    }

    pub(crate) fn next_block(&mut self, number: u8) {
        self.end_transaction();
        self.writer.end_block().expect("there is room");
        self.own(Kind::BLOCK_ENDED, 40);
        self.height += 1;
        self.writer.begin_block(block(self.height, number)).expect("there is room");
        (self.trace, self.block_hash, self.order) = (hash(number), hash(number), 0);
        self.own(Kind::BLOCK_BEGUN, 32);
    }

    pub(crate) fn close(self) {
        drop(self.writer);
    }

    /// Whether `flags` are right for the record that begins at `sequence`, at least those of blocks and fragments.
    pub(crate) fn check_flags(record: &Published, flags: Flags) {
        assert!(flags.has(Flags::FIRST_FRAGMENT));
        assert_eq!(flags.has(Flags::LAST_FRAGMENT), record.slots() == 1);
        assert_eq!(flags.has(Flags::BEGINS_BLOCK), record.kind == Kind::BLOCK_BEGUN);
        assert_eq!(flags.has(Flags::ENDS_BLOCK), record.kind == Kind::BLOCK_ENDED);
    }
}
