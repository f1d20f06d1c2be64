//! What a segment says about itself before its first chunk.

use bytemuck::{Pod, Zeroable};
use ringbus::bus::StreamId;
use ringbus::bus::schema::Schema;

use super::MAX_SEQUENCE;
use crate::error::HeaderError;

const MAGIC: [u8; 8] = *b"RBJOURNL";
const FORMAT: u16 = 1;
/// Reads as another number where the bytes of a number stand in another order.
const BYTE_ORDER: u16 = 0x0102;

/// The bytes before the stream's name.
pub(crate) const LEAST_HEADER_BYTES: usize = size_of::<Fixed>();

/// Longer ones are not read: it bounds what is allocated on the word of a damaged file.
const MOST_HEADER_BYTES: u32 = 16 << 20;

/// Behind it come the stream's name and the encoded schema, and zeroes up to a multiple of 64.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Fixed {
    magic: [u8; 8],
    format: u16,
    byte_order: u16,
    /// Of the whole header, in which this is 0.
    checksum: u32,
    header_bytes: u32,
    slot_payload: u32,
    first: u64,
    salt: u64,
    /// Nanoseconds since the beginning of 1970.
    created: i64,
    stream_bytes: u32,
    schema_bytes: u32,
    reserved: u64,
}

const _: () = assert!(size_of::<Fixed>() == 64);

/// What a segment says about itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileHeader {
    /// The stream whose records it has.
    pub(crate) stream: StreamId,
    pub(crate) schema: Schema,
    /// How many bytes of payload a slot of the ring holds: how many sequences a record takes follows from it.
    pub(crate) slot_payload: u32,
    /// The sequence of the first record.
    pub(crate) first: u64,
    /// A random number that all chunks of the file have: bytes of a file that lay here before are not taken for them.
    pub(crate) salt: u64,
    /// When it was made, nanoseconds since the beginning of 1970.
    pub(crate) created: i64,
}

impl FileHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let schema = self.schema.encode();
        let stream = self.stream.as_str().as_bytes();
        let header_bytes = (LEAST_HEADER_BYTES + stream.len() + schema.len()).next_multiple_of(64);
        let mut fixed = Fixed {
            magic: MAGIC,
            format: FORMAT,
            byte_order: BYTE_ORDER,
            checksum: 0,
            header_bytes: header_bytes as u32,
            slot_payload: self.slot_payload,
            first: self.first,
            salt: self.salt,
            created: self.created,
            stream_bytes: stream.len() as u32,
            schema_bytes: schema.len() as u32,
            reserved: 0,
        };
        let mut bytes = Vec::with_capacity(header_bytes);
        bytes.extend_from_slice(bytemuck::bytes_of(&fixed));
        bytes.extend_from_slice(stream);
        bytes.extend_from_slice(&schema);
        bytes.resize(header_bytes, 0);
        fixed.checksum = crc32c::crc32c(&bytes);
        bytes[..LEAST_HEADER_BYTES].copy_from_slice(bytemuck::bytes_of(&fixed));
        bytes
    }

    /// How long the header is whose first [`LEAST_HEADER_BYTES`] these are.
    pub(crate) fn length(first_bytes: &[u8]) -> Result<usize, HeaderError> {
        let fixed = first_bytes.get(..LEAST_HEADER_BYTES).ok_or(HeaderError::Short)?;
        let fixed: Fixed = bytemuck::pod_read_unaligned(fixed);
        if fixed.magic != MAGIC {
            return Err(HeaderError::Magic);
        }
        if fixed.byte_order != BYTE_ORDER {
            let is_swapped = fixed.byte_order.swap_bytes() == BYTE_ORDER;
            return Err(if is_swapped { HeaderError::ByteOrder } else { HeaderError::Checksum });
        }
        if fixed.format != FORMAT {
            return Err(HeaderError::Format { found: fixed.format, known: FORMAT });
        }
        if fixed.header_bytes < LEAST_HEADER_BYTES as u32 || fixed.header_bytes > MOST_HEADER_BYTES {
            return Err(HeaderError::Checksum);
        }
        Ok(fixed.header_bytes as usize)
    }

    /// The header that `bytes` begin with, and its length.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, usize), HeaderError> {
        let length = Self::length(bytes)?;
        let header = bytes.get(..length).ok_or(HeaderError::Short)?;
        let mut fixed: Fixed = bytemuck::pod_read_unaligned(&header[..LEAST_HEADER_BYTES]);
        let checksum = std::mem::take(&mut fixed.checksum);
        let (_, behind) = header.split_at(LEAST_HEADER_BYTES);
        if crc32c::crc32c_append(crc32c::crc32c(bytemuck::bytes_of(&fixed)), behind) != checksum {
            return Err(HeaderError::Checksum);
        }
        // From here on only a program that writes other headers than this one can be the reason.
        let (stream, behind) =
            behind.split_at_checked(fixed.stream_bytes as usize).ok_or(HeaderError::Checksum)?;
        let schema = behind.get(..fixed.schema_bytes as usize).ok_or(HeaderError::Checksum)?;
        let stream = std::str::from_utf8(stream).map_err(|_| HeaderError::Checksum)?;
        let schema = Schema::decode(schema).map_err(|error| HeaderError::Schema(error.to_string()))?;
        if fixed.slot_payload == 0 || fixed.first > MAX_SEQUENCE {
            return Err(HeaderError::Checksum);
        }
        let header = Self {
            stream: StreamId::new(stream),
            schema,
            slot_payload: fixed.slot_payload,
            first: fixed.first,
            salt: fixed.salt,
            created: fixed.created,
        };
        Ok((header, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> FileHeader {
        FileHeader {
            stream: StreamId::new("testnet"),
            schema: Schema::new("Exchange", 3, []).expect("it is one"),
            slot_payload: 192,
            first: 41,
            salt: 0x1234_5678_9abc_def0,
            created: -5,
        }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let mut bytes = header().encode();
        let length = bytes.len();
        assert_eq!(length % 64, 0);
        bytes.extend_from_slice(b"chunks");
        assert_eq!(FileHeader::decode(&bytes), Ok((header(), length)));
    }

    #[test]
    fn no_byte_can_be_cut_off_or_changed() {
        let bytes = header().encode();
        for length in 0..bytes.len() {
            assert_eq!(FileHeader::decode(&bytes[..length]), Err(HeaderError::Short), "{length}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            for flip in [1, 0x80, 0xff] {
                changed[at] = bytes[at] ^ flip;
                assert!(FileHeader::decode(&changed).is_err(), "byte {at} ^ {flip}");
            }
        }
    }

    #[test]
    fn other_formats_and_byte_orders_are_named() {
        let mut bytes = header().encode();
        bytes[8] ^= 2;
        assert_eq!(FileHeader::decode(&bytes), Err(HeaderError::Format { found: FORMAT ^ 2, known: FORMAT }));
        let mut bytes = header().encode();
        bytes.swap(10, 11);
        assert_eq!(FileHeader::decode(&bytes), Err(HeaderError::ByteOrder));
    }
}
