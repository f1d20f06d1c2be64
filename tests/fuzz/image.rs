//! The file of a ring as bytes, to be changed: for the fuzz target, and for tests of the header.

#![allow(dead_code, reason = "each who uses it uses a part of it")]

use std::fs;
use std::path::Path;

/// Where the fields of the header stand: see `src/shared/header.rs`.
pub(crate) mod field {
    pub(crate) const READY: usize = 8;
    pub(crate) const BYTE_ORDER: usize = 16;
    pub(crate) const LAYOUT_VERSION: usize = 24;
    pub(crate) const FILE_BYTES: usize = 32;
    pub(crate) const MIRRORS: usize = 40;
    pub(crate) const REPORT: usize = 48;
    pub(crate) const REPORT_BYTES: usize = 56;
    pub(crate) const SCHEMA: usize = 64;
    pub(crate) const SCHEMA_BYTES: usize = 72;
    pub(crate) const SLOTS: usize = 80;
    pub(crate) const SLOT_BYTES: usize = 88;
    pub(crate) const SLOT_ALIGN: usize = 96;
    pub(crate) const CAPACITY: usize = 104;
    pub(crate) const MAX_BATCH: usize = 112;
    pub(crate) const FIRST_SEQUENCE: usize = 120;
    pub(crate) const SLOT_PAYLOAD: usize = 128;
    pub(crate) const FINGERPRINT: usize = 136;
    pub(crate) const EPOCH: usize = 144;
    pub(crate) const BOOT_ID: usize = 160;
    pub(crate) const PROCESS_ID: usize = 176;
    pub(crate) const PROCESS_STARTED: usize = 184;
    pub(crate) const CREATED_AT: usize = 192;
    pub(crate) const NAME_BYTES: usize = 200;
    pub(crate) const NAME: usize = 208;
    pub(crate) const CHECKSUM: usize = 720;
    pub(crate) const END: usize = 728;
}

/// Where the mirrors are, and what they are.
pub(crate) mod mirror {
    pub(crate) const CURSOR: usize = 4_096;
    pub(crate) const HEARTBEAT: usize = 4_096 + 128;
    pub(crate) const REPORT: usize = 4_096 + 256;
    pub(crate) const END: usize = 4_096 + 384;
}

/// The top bit of the cursor.
pub(crate) const CLOSED: u64 = 1 << 63;

#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
}

impl Image {
    /// The file at `path` as it is now.
    pub(crate) fn of(path: &Path) -> Self {
        Self { bytes: fs::read(path).expect("a file") }
    }

    pub(crate) fn word(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.bytes[at..at + 8].try_into().expect("eight bytes"))
    }

    pub(crate) fn set(&mut self, at: usize, word: u64) {
        self.bytes[at..at + 8].copy_from_slice(&word.to_ne_bytes());
    }

    /// The schema, where the header says that it is, as far as that is in the file.
    fn schema(&self) -> &[u8] {
        let (offset, bytes) = (self.word(field::SCHEMA), self.word(field::SCHEMA_BYTES));
        let range = usize::try_from(offset).ok().zip(usize::try_from(offset.wrapping_add(bytes)).ok());
        range.and_then(|(from, to)| self.bytes.get(from..to)).unwrap_or_default()
    }

    /// Makes the checksum right, whatever else is wrong.
    pub(crate) fn seal(&mut self) {
        let mut header = self.bytes[..field::END].to_vec();
        header[field::READY..field::BYTE_ORDER].fill(0);
        header[field::CHECKSUM..].fill(0);
        let sum = fnv_1a(header.iter().chain(self.schema()));
        self.set(field::CHECKSUM, sum);
    }

    pub(crate) fn write_to(&self, path: &Path) {
        fs::write(path, &self.bytes).expect("there is room");
    }
}

fn fnv_1a<'a>(bytes: impl Iterator<Item = &'a u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
