//! What is published: events and records that say everything about themselves, so that whoever gets one can check all of it.

use ringbus::bus::{BlockStart, Emit, Hash, Kind, Origin, RecordRef, Topic, Writer};
use ringbus::{Producer, Sequence};

use super::process::Random;

/// The payload of a slot, bytes, and the capacity of the bus.
pub(crate) const PAYLOAD: usize = 64;
pub(crate) const CAPACITY: usize = 256;
/// The kind of the records that have such a payload.
const KIND: Kind = Kind::new(7);
/// The longest payload takes half of a batch.
const LONGEST: u64 = (CAPACITY / 8 * PAYLOAD) as u64;

/// Every bit of the result depends on every bit of `number`.
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// The event with this sequence.
pub(crate) fn event<const WORDS: usize>(sequence: u64) -> [u64; WORDS] {
    std::array::from_fn(|word| mixed(sequence.wrapping_mul(WORDS as u64).wrapping_add(word as u64)))
}

/// Publishes by one of all ways, chosen by chance; or writes into slots and publishes nothing.
pub(crate) fn publish_some<const WORDS: usize>(producer: &mut Producer<[u64; WORDS]>, random: &mut Random) {
    let next = producer.next_sequence().get();
    let count = 1 + random.below(producer.max_batch() as u64);
    match random.below(8) {
        0 => {
            let events: Vec<_> = (next..next + count).map(event).collect();
            assert_eq!(producer.publish_batch(&events), Ok(Sequence::new(next)));
        }
        way @ 1..3 => {
            let mut claim = producer.claim(count as usize).unwrap();
            let pushed = 1 + random.below(count);
            (next..next + pushed).for_each(|sequence| claim.push(&event(sequence)).unwrap());
            if way == 1 {
                assert_eq!(claim.publish(), Ok(Sequence::new(next)));
            }
        }
        _ => assert_eq!(producer.publish(&event(next)), Ok(Sequence::new(next))),
    }
}

/// The payload of the record with this sequence: its length is of chance as well.
pub(crate) fn payload(sequence: u64) -> Vec<u8> {
    let longest = if sequence.is_multiple_of(8) { LONGEST } else { 3 * PAYLOAD as u64 };
    let len = 8 + mixed(!sequence) % (longest - 8);
    let words = (0..len.div_ceil(8)).map(|word| mixed(sequence.wrapping_mul(LONGEST) + word));
    let mut bytes: Vec<u8> = words.flat_map(u64::to_ne_bytes).collect();
    bytes.truncate(len as usize);
    bytes
}

/// How many slots the record with this sequence takes.
pub(crate) fn slots(sequence: u64) -> u64 {
    payload(sequence).len().div_ceil(PAYLOAD) as u64
}

/// Emits a block: records, and batches of them.
pub(crate) fn emit_a_block(writer: &mut Writer<PAYLOAD>, height: u64, random: &mut Random) {
    writer.begin_block(BlockStart { height, time: 0, hash: Hash::new([height as u8; 32]) }).unwrap();
    for _ in 0..random.below(20) {
        let mut next = writer.next_sequence().get();
        if random.below(2) == 0 {
            writer.emit_bytes(Origin::default(), KIND, Topic::default(), &payload(next)).unwrap();
            continue;
        }
        let mut batch = writer.batch();
        while batch.slots() as u64 + slots(next) <= CAPACITY as u64 / 4 {
            batch.emit_bytes(Origin::default(), KIND, Topic::default(), &payload(next)).unwrap();
            next += slots(next);
        }
        batch.publish().unwrap();
    }
    writer.end_block().unwrap();
}

/// Makes sure that it is what was emitted. Returns how many slots it takes.
#[track_caller]
pub(crate) fn check(record: RecordRef<'_>) -> u64 {
    let sequence = record.sequence().get();
    if record.kind() == KIND {
        assert!(record.payload() == payload(sequence), "record {sequence} is not what was emitted");
        slots(sequence)
    } else {
        assert!(record.begins_block() || record.ends_block(), "nobody emitted record {sequence}");
        1
    }
}
