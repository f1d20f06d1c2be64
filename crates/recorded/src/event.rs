//! One event, with the fields that every event has.

use prost::Message;

use crate::envelope::Envelope;
use crate::error::{Fault, excerpt};
use crate::hex;

/// One recorded event.
///
/// Height and order are not a key: block 1 is emitted twice. `file_sequence` is one, within a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Place in the stream: one more than that of the event before.
    pub file_sequence: u64,
    /// Height of the block, 1 for the first.
    pub height: u64,
    /// Place within the block, counted from 1.
    pub order: u32,
    /// The block's hash.
    pub block: [u8; 32],
    /// The hash of the transaction that caused the event; the block's hash where none did.
    pub tx_hash: [u8; 32],
    /// The kind of event; see [`kind`](crate::kind) and [`kind_name`](crate::kind_name).
    pub kind: u16,
    /// The version of the event's layout: 1 in all recordings so far.
    pub version: u8,
    /// The name of the network that the stream comes from.
    pub chain_id: String,
    /// The whole protobuf message `BusEvent`, the fields above included.
    pub encoded: Vec<u8>,
}

impl RecordedEvent {
    /// Whether a transaction caused the event: whether `tx_hash` differs from `block`.
    #[must_use]
    pub fn caused_by_transaction(&self) -> bool {
        self.tx_hash != self.block
    }

    /// Takes the fields out of the message.
    pub(crate) fn from_encoded(file_sequence: u64, encoded: Vec<u8>) -> Result<Self, Fault> {
        let envelope = Envelope::decode(&encoded[..]).map_err(Fault::Protobuf)?;
        let (height, order) =
            parse_id(&envelope.id).ok_or_else(|| Fault::Id { found: excerpt(&envelope.id) })?;
        Ok(Self {
            file_sequence,
            height,
            order,
            block: parse_hash("block", &envelope.block)?,
            tx_hash: parse_hash("tx_hash", &envelope.tx_hash)?,
            kind: u16::try_from(envelope.kind).map_err(|_| Fault::Kind { found: envelope.kind })?,
            version: u8::try_from(envelope.version)
                .map_err(|_| Fault::Version { found: envelope.version })?,
            chain_id: envelope.chain_id,
            encoded,
        })
    }
}

fn parse_hash(field: &'static str, text: &str) -> Result<[u8; 32], Fault> {
    hex::decode(text).ok_or_else(|| Fault::Hex { field, found: excerpt(text) })
}

/// Height and order of `"HEIGHT-SEQ"`: two decimal numbers without a sign, the second not 0.
fn parse_id(id: &str) -> Option<(u64, u32)> {
    let (height, order) = id.split_once('-')?;
    let unsigned = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !unsigned(height) || !unsigned(order) {
        return None;
    }
    let order = order.parse().ok().filter(|&order| order > 0)?;
    Some((height.parse().ok()?, order))
}

#[cfg(test)]
mod tests {
    use super::parse_id;

    #[test]
    fn an_id_is_two_unsigned_numbers_the_second_from_one() {
        assert_eq!(parse_id("1-1"), Some((1, 1)));
        assert_eq!(parse_id("5002-26"), Some((5002, 26)));
        assert_eq!(parse_id("18446744073709551615-4294967295"), Some((u64::MAX, u32::MAX)));
        for id in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "1-0",
            "+1-1",
            "1-+1",
            "1--1",
            "1-1-1",
            " 1-1",
            "1-1 ",
            "1_1",
            "a-1",
            "1-a",
            "18446744073709551616-1",
            "1-4294967296",
        ] {
            assert_eq!(parse_id(id), None, "{id:?}");
        }
    }
}
