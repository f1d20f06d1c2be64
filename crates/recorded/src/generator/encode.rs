//! Encoding a generated event as the message that a recording would hold.

use fastrand::Rng;
use prost::{Message, encode_length_delimiter, length_delimiter_len};

use crate::RecordedEvent;
use crate::envelope::Envelope;
use crate::hex;

/// Protobuf's wire type of strings, bytes and nested messages.
const LENGTH_DELIMITED: usize = 2;

/// A payload: any nested message would do.
#[derive(Clone, PartialEq, Message)]
struct Payload {
    #[prost(bytes = "vec", tag = "1")]
    filler: Vec<u8>,
}

/// The message for `event`, which has no `encoded` yet: `bytes` long, or as near below as its length words allow,
/// or as short as can be where the fields alone take more.
pub(super) fn encode(event: &RecordedEvent, bytes: usize, rng: &mut Rng) -> Vec<u8> {
    let mut encoded = Envelope {
        id: format!("{}-{}", event.height, event.order),
        block: hex::encode(&event.block),
        kind: event.kind.into(),
        version: event.version.into(),
        chain_id: event.chain_id.clone(),
        tx_hash: hex::encode(&event.tx_hash),
    }
    .encode_to_vec();

    append_varint((100 + usize::from(event.kind)) << 3 | LENGTH_DELIMITED, &mut encoded);
    // Inside the payload, field 1 takes a byte for its key and then its length, as the payload itself does.
    let payload_bytes = content_bytes(bytes.saturating_sub(encoded.len()));
    let filler_bytes = content_bytes(payload_bytes.saturating_sub(1));
    let mut payload = Payload { filler: vec![0; filler_bytes] };
    rng.fill(&mut payload.filler);
    append_varint(payload.encoded_len(), &mut encoded);
    payload.encode(&mut encoded).expect("a Vec takes any number of bytes");
    encoded
}

/// Appends what protobuf calls a varint, of which a length is one.
fn append_varint(value: usize, buffer: &mut Vec<u8>) {
    encode_length_delimiter(value, buffer).expect("a Vec takes any number of bytes");
}

/// The most bytes that fit in `room` together with their length.
fn content_bytes(room: usize) -> usize {
    (0..room).rev().find(|&bytes| length_delimiter_len(bytes) + bytes <= room).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_and_its_length_fill_the_room() {
        let expected =
            [(0, 0), (1, 0), (2, 1), (128, 127), (129, 127), (130, 128), (131, 129), (4_000, 3_998)];
        for (room, bytes) in expected {
            assert_eq!(content_bytes(room), bytes, "room {room}");
        }
    }

    #[test]
    fn the_message_has_the_asked_length_and_the_payload_field_of_its_kind() {
        let event = RecordedEvent {
            file_sequence: 1,
            height: 3,
            order: 4,
            block: [1; 32],
            tx_hash: [2; 32],
            kind: 12,
            version: 1,
            chain_id: "generated-0".to_owned(),
            encoded: Vec::new(),
        };
        let message = encode(&event, 400, &mut Rng::with_seed(1));
        assert_eq!(message.len(), 400);
        // The fields every event has take 154 bytes; then key 112 << 3 | 2 as a varint, and the payload's length.
        assert_eq!(message[154..158], [0x82, 0x07, 0xf2, 0x01], "{:?}", &message[150..160]);
        let payload = Payload::decode(&message[158..]).unwrap();
        assert_eq!(payload.filler.len(), 400 - 158 - 3);

        let shortest = encode(&event, 0, &mut Rng::with_seed(1));
        assert_eq!(shortest.len(), 157);
        assert_eq!(shortest[..154], message[..154]);
    }
}
