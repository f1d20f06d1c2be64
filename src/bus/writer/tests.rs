//! What stands in the slots: headers, fragments, marks, and in how many batches. (What subscribers see: `tests/bus_writer.rs`.)

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::context::MOST_EVENTS;
use super::*;
use crate::bus::kind::{Source, Trigger};
use crate::bus::payload::BlockEnded;
use crate::bus::record::Header;
use crate::bus::{Bus, StreamId};
use crate::required::RequiredConsumer;

const A: Kind = Kind::new(1);
const B: Kind = Kind::new(2);
const NOBODY: Origin = Origin::of(Source::new(0));
const SOMEBODY: Origin = Origin::of(Source::new(3)).because(Trigger { kind: 4, reason: 5 });
const MARKET: Topic = Topic::new(6);

/// What a fragment's, or a whole payload's, place and batch add to its flags.
const ALONE: Flags = Flags::WHOLE.with(Flags::LAST_OF_BATCH);

/// A reader of whole slots.
struct Slots(RequiredConsumer<Record<64>>);

impl Slots {
    /// What was published since the last call, slot by slot.
    fn take(&mut self) -> Vec<Record<64>> {
        let mut records = Vec::new();
        let _ = self.0.poll(|record, _, _| records.push(*record));
        records
    }

    /// Likewise, the headers only.
    fn headers(&mut self) -> Vec<Header> {
        self.take().iter().map(Record::header).collect()
    }

    /// Likewise, kinds and flags.
    fn flags(&mut self) -> Vec<(Kind, Flags)> {
        self.headers().iter().map(|header| (header.kind, header.flags)).collect()
    }
}

/// A bus of 64 slots.
fn bus(max_batch: usize) -> (Writer<64>, Bus<64>, Slots) {
    let (writer, bus) = Bus::<64>::builder("test").capacity(64).max_batch(max_batch).build().unwrap();
    let slots = Slots(bus.shared.ring.required("slots").join().unwrap());
    (writer, bus, slots)
}

/// A bus whose writer is in block 7. What the block's beginning said has been read.
fn bus_in_block(max_batch: usize) -> (Writer<64>, Bus<64>, Slots) {
    let (mut writer, bus, mut slots) = bus(max_batch);
    assert_eq!(writer.begin_block(block(7)), Ok(Sequence::new(0)));
    assert_eq!(slots.take().len(), 1);
    (writer, bus, slots)
}

fn block(height: u64) -> BlockStart {
    BlockStart { height, time: -(height as i64), hash: hash(height as u8) }
}

fn hash(byte: u8) -> Hash {
    Hash::new([byte; 32])
}

/// Bytes of which no two that are near each other are equal.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

fn failed(error: &str) -> Outcome<'_> {
    Outcome::Failed { code: NonZero::new(9).unwrap(), error }
}

#[test]
fn every_field_of_the_header_is_the_contexts_or_the_callers() {
    let (mut writer, _bus, mut slots) = bus_in_block(16);
    writer.begin_transaction(hash(0xee)).unwrap();
    writer.emit_versioned(SOMEBODY, B, MARKET, 8, b"abc").unwrap();
    let records = slots.take();
    assert_eq!(
        records[0].header(),
        Header {
            trace: hash(0xee),
            block_time: -7,
            block_height: 7,
            order: 2,
            kind: B,
            topic: MARKET,
            source: Source::new(3),
            trigger_kind: 4,
            trigger_reason: 5,
            len: 3,
            flags: ALONE,
            version: 8,
        }
    );
    assert_eq!((records.len(), records[0].payload()), (1, &b"abc"[..]));
}

#[test]
fn what_a_block_says_of_itself_is_marked_and_counted() {
    let (mut writer, _bus, mut slots) = bus(16);
    writer.begin_block(block(7)).unwrap();
    writer.emit_bytes(NOBODY, A, MARKET, &bytes(65)).unwrap();
    writer.begin_transaction(hash(1)).unwrap();
    writer.emit_bytes(NOBODY, B, MARKET, b"").unwrap();
    assert_eq!(writer.end_transaction(Outcome::Succeeded), Ok(Sequence::new(4)));
    assert_eq!(writer.end_block(), Ok(Sequence::new(5)));

    let records = slots.take();
    let headers: Vec<_> = records.iter().map(Record::header).collect();
    let said: Vec<_> = headers.iter().map(|h| (h.kind, h.order, h.trace, h.flags)).collect();
    assert_eq!(
        said,
        [
            (Kind::BLOCK_BEGUN, 1, hash(7), ALONE.with(Flags::BEGINS_BLOCK)),
            (A, 2, hash(7), Flags::FIRST_FRAGMENT),
            (A, 2, hash(7), Flags::LAST_FRAGMENT.with(Flags::LAST_OF_BATCH)),
            (B, 3, hash(1), ALONE),
            (Kind::TRANSACTION_ENDED, 4, hash(1), ALONE),
            (Kind::BLOCK_ENDED, 5, hash(7), ALONE.with(Flags::ENDS_BLOCK)),
        ]
    );
    assert!(headers.iter().all(|h| (h.block_height, h.block_time) == (7, -7)));
    assert_eq!(records[0].payload(), bytemuck::bytes_of(&BlockBegun { hash: hash(7) }));
    assert_eq!(records[4].payload(), bytemuck::bytes_of(&TransactionEnded { events: 2, code: 0 }));
    let ended = BlockEnded { hash: hash(7), events: 5, transactions: 1 };
    assert_eq!(records[5].payload(), bytemuck::bytes_of(&ended));
}

#[test]
fn a_long_payload_becomes_fragments_of_one_order_number_in_one_batch() {
    let (mut writer, _bus, mut slots) = bus_in_block(16);
    for (order, len) in (2..).zip([0, 1, 63, 64, 65, 127, 128, 129, 191, 192, 193, 16 * 64 - 1, 16 * 64]) {
        let payload = bytes(len);
        writer.emit_bytes(SOMEBODY, A, MARKET, &payload).unwrap();
        let records = slots.take();
        assert_eq!(records.len(), len.div_ceil(64).max(1), "of {len} bytes");
        let last = records.len() - 1;
        for (at, record) in records.iter().enumerate() {
            let header = record.header();
            let fragment = &payload[at * 64..len.min(at * 64 + 64)];
            assert_eq!((header.order, header.kind, usize::from(header.len)), (order, A, fragment.len()));
            assert_eq!(record.payload(), fragment, "fragment {at} of {len} bytes");
            assert_eq!(header.flags.has(Flags::FIRST_FRAGMENT), at == 0, "fragment {at} of {len} bytes");
            assert_eq!(header.flags.has(Flags::LAST_FRAGMENT), at == last, "fragment {at} of {len} bytes");
            assert_eq!(header.flags.has(Flags::LAST_OF_BATCH), at == last, "fragment {at} of {len} bytes");
        }
    }
}

#[test]
fn a_payload_longer_than_a_batch_is_refused_with_both_numbers() {
    let (mut writer, _bus, mut slots) = bus_in_block(3);
    let too_long = Err(WriteError::PayloadTooLong { len: 193, longest: 192 });
    assert_eq!(writer.max_payload(), 192);
    assert_eq!(writer.emit_bytes(NOBODY, A, MARKET, &bytes(193)), too_long);
    assert_eq!(writer.batch().emit_bytes(NOBODY, A, MARKET, &bytes(193)), too_long);
    assert_eq!(writer.stage_bytes(NOBODY, A, MARKET, &bytes(193)), too_long);
    assert_eq!((writer.next_sequence(), writer.staged()), (Sequence::new(1), 0));
    writer.emit_bytes(NOBODY, A, MARKET, &bytes(192)).unwrap();
    assert_eq!(slots.headers().iter().map(|h| h.order).collect::<Vec<_>>(), [2, 2, 2]);
}

#[test]
fn a_batch_is_marked_at_its_end_alone_and_numbered_when_it_is_published() {
    let (mut writer, _bus, mut slots) = bus_in_block(16);
    let mut dropped = writer.batch();
    dropped.emit_bytes(NOBODY, A, MARKET, b"never said").unwrap();
    drop(dropped);

    let mut batch = writer.batch();
    batch.emit_bytes(NOBODY, A, MARKET, b"one").unwrap();
    batch.emit_bytes(SOMEBODY, B, MARKET, &bytes(130)).unwrap();
    batch.emit_versioned(NOBODY, A, MARKET, 9, b"").unwrap();
    assert_eq!((batch.len(), batch.slots()), (3, 5));
    assert_eq!(slots.take().len(), 0);
    assert_eq!(batch.publish(), Ok(Some(Sequence::new(1))));
    writer.emit_bytes(NOBODY, A, MARKET, b"behind").unwrap();

    let headers = slots.headers();
    let said: Vec<_> = headers.iter().map(|h| (h.kind, h.order, h.len, h.flags, h.version)).collect();
    assert_eq!(
        said,
        [
            (A, 2, 3, Flags::WHOLE, 1),
            (B, 3, 64, Flags::FIRST_FRAGMENT, 1),
            (B, 3, 64, Flags::NONE, 1),
            (B, 3, 2, Flags::LAST_FRAGMENT, 1),
            (A, 4, 0, ALONE, 9),
            (A, 5, 6, ALONE, 1),
        ]
    );
    assert_eq!(headers[1].source, Source::new(3));
}

#[test]
fn an_event_too_much_leaves_a_batch_as_it_was() {
    let (mut writer, _bus, mut slots) = bus_in_block(4);
    let mut batch = writer.batch();
    batch.emit_bytes(NOBODY, A, MARKET, &bytes(192)).unwrap();
    let too_long = Err(WriteError::BatchTooLong { slots: 5, max_batch: 4 });
    assert_eq!(batch.emit_bytes(NOBODY, B, MARKET, &bytes(65)), too_long);
    assert_eq!((batch.len(), batch.slots()), (1, 3));
    batch.emit_bytes(NOBODY, A, MARKET, &bytes(64)).unwrap();
    assert_eq!(batch.emit_bytes(NOBODY, B, MARKET, b""), too_long);
    let reserved = Kind::BLOCK_BEGUN;
    assert_eq!(
        batch.emit_bytes(NOBODY, reserved, MARKET, b""),
        Err(WriteError::ReservedKind { kind: reserved })
    );
    assert_eq!(batch.publish(), Ok(Some(Sequence::new(1))));
    assert_eq!(
        slots.headers().iter().map(|h| (h.kind, h.order)).collect::<Vec<_>>(),
        [(A, 2), (A, 2), (A, 2), (A, 3)]
    );
}

#[test]
#[allow(clippy::forget_non_drop, reason = "whether batches have a `Drop` must make no difference")]
fn an_empty_batch_does_nothing_and_a_leaked_one_leaves_nothing() {
    let (mut writer, _bus, mut slots) = bus_in_block(4);
    assert_eq!(writer.batch().publish(), Ok(None));
    assert_eq!(writer.batch().try_publish(), Ok(None));
    let mut leaked = writer.batch();
    leaked.emit_bytes(NOBODY, A, MARKET, b"leaked").unwrap();
    std::mem::forget(leaked);
    let batch = writer.batch();
    assert!(batch.is_empty());
    assert_eq!(batch.publish(), Ok(None));
    assert_eq!((writer.next_sequence(), slots.take().len()), (Sequence::new(1), 0));
}

#[test]
fn staged_events_follow_the_blocks_beginning_in_its_batch() {
    let (mut writer, _bus, mut slots) = bus(16);
    writer.stage_bytes(SOMEBODY, A, MARKET, b"before").unwrap();
    writer.begin_block(block(1)).unwrap();
    assert_eq!(writer.staged(), 0);
    writer.begin_transaction(hash(0xee)).unwrap();
    writer.stage_bytes(NOBODY, B, MARKET, &bytes(65)).unwrap();
    writer.stage(NOBODY, &Said(5)).unwrap();
    assert_eq!((writer.staged(), writer.next_sequence()), (2, Sequence::new(2)));
    writer.end_transaction(Outcome::Succeeded).unwrap();
    writer.end_block().unwrap();
    slots.take();
    assert_eq!(writer.begin_block(block(2)), Ok(Sequence::new(4)));
    writer.emit_bytes(NOBODY, A, MARKET, b"").unwrap();

    let headers = slots.headers();
    let said: Vec<_> = headers.iter().map(|h| (h.kind, h.order, h.flags)).collect();
    assert_eq!(
        said,
        [
            (Kind::BLOCK_BEGUN, 1, Flags::WHOLE.with(Flags::BEGINS_BLOCK)),
            (B, 2, Flags::FIRST_FRAGMENT),
            (B, 2, Flags::LAST_FRAGMENT),
            (Said::KIND, 3, ALONE),
            (A, 4, ALONE),
        ]
    );
    assert!(headers.iter().all(|h| (h.trace, h.block_height, h.block_time) == (hash(2), 2, -2)));
}

#[test]
fn more_staged_events_than_a_batch_holds_go_into_as_few_batches_as_there_can_be() {
    let (mut writer, _bus, mut slots) = bus(4);
    for len in [0, 64, 128, 65, 1, 256, 3] {
        writer.stage_bytes(NOBODY, A, MARKET, &bytes(len)).unwrap();
    }
    assert_eq!(writer.begin_block(block(1)), Ok(Sequence::new(0)));
    let mut batches = vec![Vec::new()];
    for record in slots.take() {
        let header = record.header();
        batches.last_mut().unwrap().push(header.order);
        if header.flags.has(Flags::LAST_OF_BATCH) {
            batches.push(Vec::new());
        }
    }
    // The beginning and two of a slot; two of two; one of one; one of four; the last.
    assert_eq!(batches, [vec![1, 2, 3], vec![4, 4, 5, 5], vec![6], vec![7; 4], vec![8], vec![]]);
}

#[test]
fn a_failed_transaction_says_so_in_one_batch() {
    let (mut writer, _bus, mut slots) = bus_in_block(16);
    writer.begin_transaction(hash(0xee)).unwrap();
    writer.emit_bytes(NOBODY, A, MARKET, b"").unwrap();
    slots.take();
    assert_eq!(writer.end_transaction(failed("no margin")), Ok(Sequence::new(3)));
    let records = slots.take();
    let said: Vec<_> =
        records.iter().map(Record::header).map(|h| (h.kind, h.order, h.trace, h.flags)).collect();
    assert_eq!(
        said,
        [
            (Kind::TRANSACTION_FAILED, 3, hash(0xee), Flags::WHOLE),
            (Kind::TRANSACTION_ENDED, 4, hash(0xee), ALONE)
        ]
    );
    assert_eq!(records[0].payload(), b"no margin");
    assert_eq!(records[1].payload(), bytemuck::bytes_of(&TransactionEnded { events: 3, code: 9 }));
    writer.emit_bytes(NOBODY, A, MARKET, b"").unwrap();
    assert_eq!(slots.headers()[0].trace, hash(7), "the block's");
}

/// The text of a failed transaction as it is published, and the flags of its last fragment.
fn text_and_end(max_batch: usize, text: &str) -> (String, Flags) {
    let (mut writer, _bus, mut slots) = bus_in_block(max_batch);
    writer.begin_transaction(hash(1)).unwrap();
    writer.end_transaction(failed(text)).unwrap();
    let records = slots.take();
    let (ended, texts) = records.split_last().unwrap();
    assert_eq!((ended.header().kind, ended.header().order), (Kind::TRANSACTION_ENDED, 3));
    let bytes = texts.iter().flat_map(|record| record.payload().to_vec()).collect();
    (String::from_utf8(bytes).unwrap(), texts.last().unwrap().header().flags)
}

#[test]
fn a_long_error_is_cut_at_a_character_so_that_it_and_the_end_fit_into_a_batch() {
    let together = Flags::LAST_FRAGMENT;
    assert_eq!(text_and_end(3, &"x".repeat(128)), ("x".repeat(128), together));
    assert_eq!(text_and_end(3, &"x".repeat(129)), ("x".repeat(128), together));
    // 126 bytes and a character of 3.
    let ends_across = "x".repeat(126) + "€";
    assert_eq!(text_and_end(3, &ends_across), ("x".repeat(126), together));
    assert_eq!(text_and_end(3, ""), (String::new(), Flags::WHOLE));
    // There is no room for both.
    assert_eq!(text_and_end(1, &"x".repeat(65)), ("x".repeat(64), ALONE));
}

#[test]
fn a_block_is_full_when_order_numbers_end_and_what_is_open_can_be_ended() {
    let (mut writer, _bus, mut slots) = bus_in_block(16);
    let full = WriteError::BlockFull { most: MOST_EVENTS };
    writer.begin_transaction(hash(1)).unwrap();
    writer.context.pretend(MOST_EVENTS - 2);
    let mut batch = writer.batch();
    batch.emit_bytes(NOBODY, A, MARKET, b"").unwrap();
    batch.emit_bytes(NOBODY, A, MARKET, b"").unwrap();
    assert_eq!(batch.emit_bytes(NOBODY, A, MARKET, b""), Err(full.clone()));
    drop(batch);
    writer.emit_bytes(NOBODY, A, MARKET, b"").unwrap();
    writer.try_emit_bytes(NOBODY, A, MARKET, b"").unwrap();
    assert_eq!(writer.emit_bytes(NOBODY, A, MARKET, b""), Err(full.clone()));
    writer.end_transaction(failed("the last")).unwrap();
    assert_eq!(writer.begin_transaction(hash(2)), Err(full));
    writer.end_block().unwrap();
    let orders: Vec<_> = slots.headers().iter().map(|h| h.order).collect();
    assert_eq!(orders, [u32::MAX - 4, u32::MAX - 3, u32::MAX - 2, u32::MAX - 1, u32::MAX]);
}

#[test]
fn after_full_the_call_can_be_repeated() {
    let (mut writer, _bus, mut slots) = bus_in_block(4);
    for _ in 0..62 {
        writer.try_emit_bytes(NOBODY, A, MARKET, b"").unwrap();
    }
    // With the block's beginning, which has been read, 63 slots: one was never filled, and one is free again.
    let full = |needed| Err(WriteError::Publish(PublishError::Full { needed }));
    assert_eq!(writer.try_emit_bytes(NOBODY, B, MARKET, &bytes(130)), full(3));
    let mut batch = writer.batch();
    for _ in 0..3 {
        batch.emit_bytes(NOBODY, B, MARKET, b"").unwrap();
    }
    assert_eq!(batch.try_publish().map(drop), full(3).map(drop));
    assert_eq!(slots.take().len(), 62);
    assert_eq!(batch.try_publish(), Ok(Some(Sequence::new(63))));
    assert_eq!((batch.len(), batch.slots(), batch.try_publish()), (0, 0, Ok(None)));
    batch.emit_bytes(NOBODY, A, MARKET, b"").unwrap();
    assert_eq!(batch.publish(), Ok(Some(Sequence::new(66))));
    let said: Vec<_> = slots.headers().iter().map(|h| (h.kind, h.order)).collect();
    assert_eq!(said, [(B, 64), (B, 65), (B, 66), (A, 67)]);
    let filled = (0..).take_while(|_| writer.try_emit(NOBODY, &Said(1)).is_ok()).count();
    assert_eq!((filled, writer.try_emit(NOBODY, &Said(1))), (64, full(1)));
}

#[test]
fn forwarded_records_keep_their_headers_and_get_places_anew() {
    let (writer, _bus, mut slots) = bus(16);
    let mut forwarder = writer.forward_from(&StreamId::new("test")).unwrap();
    let header = Header {
        trace: hash(0xee),
        block_time: 12,
        block_height: 34,
        order: 56,
        kind: Kind::BLOCK_ENDED,
        topic: MARKET,
        source: Source::new(3),
        trigger_kind: 4,
        trigger_reason: 5,
        len: 448,
        flags: Flags::FIRST_FRAGMENT.with(Flags::LAST_OF_BATCH).with(Flags::ENDS_BLOCK),
        version: 9,
    };
    let payload = bytes(65);
    assert_eq!(forwarder.forward(&header, &payload), Ok(Sequence::new(0)));
    let first = Flags::FIRST_FRAGMENT.with(Flags::ENDS_BLOCK);
    let last = Flags::LAST_FRAGMENT.with(Flags::ENDS_BLOCK).with(Flags::LAST_OF_BATCH);
    let records = slots.take();
    let headers: Vec<_> = records.iter().map(Record::header).collect();
    assert_eq!(
        headers,
        [Header { len: 64, flags: first, ..header }, Header { len: 1, flags: last, ..header }]
    );
    assert_eq!([records[0].payload(), records[1].payload()].concat(), payload);

    let begun =
        Header { kind: A, flags: Flags::BEGINS_BLOCK.with(Flags::LAST_OF_BATCH), ..Header::default() };
    let together = [(&begun, &b"a"[..]), (&header, &b"b"[..])];
    assert_eq!(forwarder.forward_batch(together), Ok(Some(Sequence::new(2))));
    assert_eq!(forwarder.forward_batch([]), Ok(None));
    assert_eq!(
        slots.flags(),
        [(A, Flags::WHOLE.with(Flags::BEGINS_BLOCK)), (Kind::BLOCK_ENDED, ALONE.with(Flags::ENDS_BLOCK)),]
    );
    assert_eq!(forwarder.close(), Ok(Sequence::new(4)));
}

#[test]
fn what_cannot_be_forwarded_leaves_nothing_behind() {
    let (writer, _bus, mut slots) = bus(3);
    let mut forwarder = writer.forward_from(&StreamId::new("test")).unwrap();
    let header = Header::default();
    let too_long = WriteError::PayloadTooLong { len: 193, longest: 192 };
    assert_eq!(forwarder.max_payload(), 192);
    assert_eq!(forwarder.forward(&header, &bytes(193)), Err(too_long.clone()));
    assert_eq!(forwarder.forward_batch([(&header, &b""[..]), (&header, &bytes(193))]), Err(too_long));
    let many = [(&header, &b""[..]); 4];
    assert_eq!(forwarder.forward_batch(many), Err(WriteError::BatchTooLong { slots: 4, max_batch: 3 }));
    assert_eq!((forwarder.next_sequence(), slots.take().len()), (Sequence::new(0), 0));
    assert_eq!(forwarder.forward_batch(many.into_iter().take(3)), Ok(Some(Sequence::new(0))));
}

/// Yields more records, or fewer, than its clones do.
struct Unfaithful {
    count: usize,
    of_clone: usize,
}

impl Clone for Unfaithful {
    fn clone(&self) -> Self {
        Self { count: self.of_clone, of_clone: self.of_clone }
    }
}

impl Iterator for Unfaithful {
    type Item = (&'static Header, &'static [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const NOTHING_SPECIAL: &Header = &Header {
            trace: Hash::new([0; 32]),
            block_time: 0,
            block_height: 0,
            order: 0,
            kind: A,
            topic: MARKET,
            source: Source::new(0),
            trigger_kind: 0,
            trigger_reason: 0,
            len: 0,
            flags: Flags::NONE,
            version: 0,
        };
        self.count = self.count.checked_sub(1)?;
        Some((NOTHING_SPECIAL, b""))
    }
}

#[test]
fn an_iterator_that_its_clone_belies_publishes_nothing() {
    let (writer, _bus, mut slots) = bus(3);
    let mut forwarder = writer.forward_from(&StreamId::new("test")).unwrap();
    for count in [1, 3] {
        let unfaithful = Unfaithful { count, of_clone: 2 };
        let panicked = catch_unwind(AssertUnwindSafe(|| forwarder.forward_batch(unfaithful))).is_err();
        assert!(panicked, "{count} records, and 2 of the clone");
        assert_eq!((forwarder.next_sequence(), slots.take().len()), (Sequence::new(0), 0));
    }
    let faithful = Unfaithful { count: 2, of_clone: 2 };
    assert_eq!(forwarder.forward_batch(faithful), Ok(Some(Sequence::new(0))));
}

#[test]
fn nothing_is_forwarded_into_a_block_of_the_writers_own() {
    let (mut writer, _bus, mut slots) = bus(4);
    writer.begin_block(block(7)).unwrap();
    let mut forwarder = writer.forward_from(&StreamId::new("test")).unwrap();
    assert_eq!(forwarder.forward(&Header::default(), b""), Err(WriteError::BlockOpen { height: 7 }));
    assert_eq!(slots.take().len(), 1);
    assert_eq!(forwarder.close(), Err(WriteError::BlockOpen { height: 7 }));
}

/// A typed payload.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
struct Said(u64);

impl Payload for Said {
    const KIND: Kind = Kind::new(77);
    const TOPIC: Topic = Topic::new(78);
    const VERSION: u8 = 79;
}

#[test]
fn a_typed_payload_brings_its_kind_topic_and_version_however_it_is_emitted() {
    let (mut writer, _bus, mut slots) = bus(16);
    writer.stage(SOMEBODY, &Said(1)).unwrap();
    writer.begin_block(block(7)).unwrap();
    writer.emit(SOMEBODY, &Said(2)).unwrap();
    assert_eq!(writer.try_emit(SOMEBODY, &Said(3)), Ok(Sequence::new(3)));
    let mut batch = writer.batch();
    batch.emit(SOMEBODY, &Said(4)).unwrap();
    batch.publish().unwrap();
    let records = slots.take();
    for (record, value) in records[1..].iter().zip(1_u64..) {
        let header = record.header();
        assert_eq!((header.kind, header.topic, header.version), (Said::KIND, Said::TOPIC, Said::VERSION));
        assert_eq!((header.source, header.trigger()), (SOMEBODY.source, SOMEBODY.trigger));
        assert_eq!(record.payload(), value.to_ne_bytes());
    }
    assert_eq!(records.len(), 5);
}
