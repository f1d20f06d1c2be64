//! From a recording onto a bus.

use ringbus::bus::{Flags, Hash, Header, Kind};

use crate::event::RecordedEvent;
use crate::kind;

impl RecordedEvent {
    /// The header of the record that says what this event says; the record's payload is [`encoded`](Self::encoded).
    ///
    /// The trace is `tx_hash`. Blocks begin and end with the kinds that recordings have for it, which are marked by flags here.
    /// The envelope says nothing about the block's time, the topic, who emitted the event and why: these are 0. So is `len`, which
    /// the bus sets when it cuts the payload into slots.
    ///
    /// ```
    /// use recorded::{Generator, Settings};
    ///
    /// let first = Generator::new(Settings::default()).next().expect("there is one block at least");
    /// let header = first.header();
    /// assert_eq!((header.block_height, header.order), (1, 1));
    /// assert!(header.flags.has(ringbus::bus::Flags::BEGINS_BLOCK));
    /// ```
    #[must_use]
    pub fn header(&self) -> Header {
        Header {
            trace: Hash::new(self.tx_hash),
            block_height: self.height,
            order: self.order,
            kind: Kind::new(self.kind),
            version: self.version,
            flags: match self.kind {
                kind::BEGIN_BLOCK => Flags::BEGINS_BLOCK,
                kind::END_BLOCK => Flags::ENDS_BLOCK,
                _ => Flags::NONE,
            },
            ..Header::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_the_envelope_says_and_nothing_else() {
        let event = RecordedEvent {
            file_sequence: 9,
            height: 7,
            order: 3,
            block: [1; 32],
            tx_hash: [2; 32],
            kind: 12,
            version: 4,
            chain_id: "net-5".to_owned(),
            encoded: vec![5; 6],
        };
        let expected = Header {
            trace: Hash::new([2; 32]),
            block_height: 7,
            order: 3,
            kind: Kind::new(12),
            version: 4,
            ..Header::default()
        };
        assert_eq!(event.header(), expected);
        for (kind, flags) in [(kind::BEGIN_BLOCK, Flags::BEGINS_BLOCK), (kind::END_BLOCK, Flags::ENDS_BLOCK)]
        {
            let header = RecordedEvent { kind, ..event.clone() }.header();
            assert_eq!(header, Header { kind: Kind::new(kind), flags, ..expected });
        }
    }
}
