//! The first page of the file: what kind of ring it is. Written once, before anybody sees the file, and checked by whoever attaches.
//!
//! ```text
//! offset    bytes   what stands there (numbers are unsigned words of 8 bytes, in the byte order of the machine)
//!      0        8   magic, "RINGBUS" and a zero
//!      8        8   ready: the magic once more, each bit turned over; written last
//!     16        8   byte order: 0x0102030405060708
//!     24        8   layout version: 1
//!     32        8   bytes of the file
//!     40        8   where the mirrors begin
//!     48   8 + 8    where the report begins; its bytes
//!     64   8 + 8    where the schema begins; its bytes (0: it is no bus)
//!     80        8   where the slots begin
//!     88   8 + 8    bytes of a slot; its alignment
//!    104   8 + 8    capacity, slots; max batch, events
//!    120        8   first sequence
//!    128        8   bytes of payload in a slot (0: it is no bus)
//!    136        8   fingerprint of the schema (0: it is no bus)
//!    144       16   epoch: random, other for each ring
//!    160       16   the machine's boot id
//!    176   8 + 8    process id of the producer; when it started, clock ticks since the machine did
//!    192        8   when the ring was made, nanoseconds since the beginning of 1970
//!    200   8 + 512  bytes of the ring's name, and these: UTF-8, zeros behind it
//!    720        8   checksum: FNV-1a, 64 bits, of all before, less `ready`, and of the schema
//! ```

use std::mem::offset_of;

use bytemuck::{Pod, Zeroable};

use super::error::HeaderError;
use super::mirrors::Mirrors;
use super::report;
use super::shape::Shape;
use crate::bus::HEADER_BYTES;
use crate::bus::schema::{Fingerprint, Schema};
use crate::event::{MAX_EVENT_ALIGN, WORD_BYTES};
use crate::region::Mapping;
use crate::sequence::MAX_FIRST_SEQUENCE;
use crate::sync::AtomicU64;

pub(super) const MAGIC: [u8; 8] = *b"RINGBUS\0";
const READY: u64 = !u64::from_ne_bytes(MAGIC);
const BYTE_ORDER: u64 = 0x0102_0304_0506_0708;
pub(super) const LAYOUT_VERSION: u64 = 1;
/// What begins a part of the file.
const PAGE: u64 = 4_096;
/// The longest name, bytes.
pub(super) const NAME_BYTES: usize = 512;

/// The header, as it stands in the file.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Header {
    pub(super) magic: [u8; 8],
    pub(super) ready: u64,
    pub(super) byte_order: u64,
    pub(super) layout_version: u64,
    pub(super) file_bytes: u64,
    pub(super) mirrors_offset: u64,
    pub(super) report_offset: u64,
    pub(super) report_bytes: u64,
    pub(super) schema_offset: u64,
    pub(super) schema_bytes: u64,
    pub(super) slots_offset: u64,
    pub(super) slot_bytes: u64,
    pub(super) slot_align: u64,
    pub(super) capacity: u64,
    pub(super) max_batch: u64,
    pub(super) first_sequence: u64,
    pub(super) slot_payload: u64,
    pub(super) fingerprint: u64,
    pub(super) epoch: [u64; 2],
    pub(super) boot_id: [u8; 16],
    pub(super) process_id: u64,
    pub(super) process_started: u64,
    pub(super) created_at: u64,
    pub(super) name_bytes: u64,
    pub(super) name: [u8; NAME_BYTES],
    pub(super) checksum: u64,
}

const _: () = {
    assert!(offset_of!(Header, magic) == 0);
    assert!(offset_of!(Header, ready) == 8);
    assert!(offset_of!(Header, byte_order) == 16);
    assert!(offset_of!(Header, layout_version) == 24);
    assert!(offset_of!(Header, file_bytes) == 32);
    assert!(offset_of!(Header, mirrors_offset) == 40);
    assert!(offset_of!(Header, report_offset) == 48);
    assert!(offset_of!(Header, schema_offset) == 64);
    assert!(offset_of!(Header, slots_offset) == 80);
    assert!(offset_of!(Header, slot_bytes) == 88);
    assert!(offset_of!(Header, capacity) == 104);
    assert!(offset_of!(Header, first_sequence) == 120);
    assert!(offset_of!(Header, slot_payload) == 128);
    assert!(offset_of!(Header, fingerprint) == 136);
    assert!(offset_of!(Header, epoch) == 144);
    assert!(offset_of!(Header, boot_id) == 160);
    assert!(offset_of!(Header, process_id) == 176);
    assert!(offset_of!(Header, created_at) == 192);
    assert!(offset_of!(Header, name_bytes) == 200);
    assert!(offset_of!(Header, name) == 208);
    assert!(offset_of!(Header, checksum) == 720);
    assert!(size_of::<Header>() == 728 && size_of::<Header>() < PAGE as usize);
};

// SAFETY: all fields can be zero.
unsafe impl Zeroable for Header {}
// SAFETY: `repr(C)`, every field is `Pod`, and the offsets and the size asserted above leave no gap between or behind them.
unsafe impl Pod for Header {}

impl Header {
    /// The header of such a ring, not yet ready and without who and when, and its schema as bytes. `None`: it takes more bytes than can be
    /// counted. Panics if the name is longer than [`NAME_BYTES`].
    pub(super) fn new(shape: &Shape<'_>, bus: Option<(usize, &Schema)>) -> Option<(Self, Vec<u8>)> {
        let page = |offset: u64| offset.checked_next_multiple_of(PAGE);
        let schema = bus.map(|(_, schema)| schema.without_own_kinds());
        let encoded = schema.as_ref().map_or_else(Vec::new, Schema::encode);
        let mut header = Self::zeroed();
        header.magic = MAGIC;
        header.byte_order = BYTE_ORDER;
        header.layout_version = LAYOUT_VERSION;
        header.mirrors_offset = PAGE;
        header.report_offset = 2 * PAGE;
        header.report_bytes = report::bytes(shape.max_required + report::OPTIONAL) as u64;
        header.schema_offset = page(header.report_offset + header.report_bytes)?;
        header.schema_bytes = encoded.len() as u64;
        header.slots_offset = page(header.schema_offset + header.schema_bytes)?;
        header.file_bytes = page(header.slots_offset.checked_add(shape.all_slots_bytes as u64)?)?;
        header.slot_bytes = shape.slot_bytes as u64;
        header.slot_align = shape.slot_align as u64;
        header.capacity = shape.capacity as u64;
        header.max_batch = shape.max_batch as u64;
        header.first_sequence = shape.first_sequence;
        header.slot_payload = bus.map_or(0, |(slot_payload, _)| slot_payload as u64);
        header.fingerprint = schema.map_or(0, |schema| schema.fingerprint().get());
        header.name_bytes = shape.name.len() as u64;
        header.name[..shape.name.len()].copy_from_slice(shape.name.as_bytes());
        Some((header, encoded))
    }

    /// Makes it one that is ready, once all else is filled in.
    pub(super) fn seal(&mut self, schema: &[u8]) {
        self.checksum = self.sum(schema);
        self.ready = READY;
    }

    fn sum(&self, schema: &[u8]) -> u64 {
        let summed = Self { ready: 0, checksum: 0, ..*self };
        Fingerprint::of_bytes(&[bytemuck::bytes_of(&summed), schema].concat()).get()
    }

    /// Whether it begins as the header of a ring does.
    pub(super) fn is_of_a_ring(&self) -> bool {
        self.magic == MAGIC
    }

    /// Makes sure that every field is what it can be, in a file of `file_bytes`; apart from the schema, which is yet to be read.
    pub(super) fn check(&self, file_bytes: u64) -> Result<(), HeaderError> {
        let is = |field, found: u64, expected: u64| {
            if found == expected { Ok(()) } else { Err(HeaderError::new(field, found, expected)) }
        };
        let that = |field, found: u64, holds: bool, expected: &str| {
            if holds { Ok(()) } else { Err(HeaderError::new(field, found, expected)) }
        };
        is("byte order", self.byte_order, BYTE_ORDER)?;
        is("layout version", self.layout_version, LAYOUT_VERSION)?;
        that("ready", self.ready, self.ready == READY, "a ring that has been made to the end")?;
        let size = format!("at most the {file_bytes} bytes that there are");
        that("bytes of the file", self.file_bytes, self.file_bytes <= file_bytes, &size)?;

        is("mirrors", self.mirrors_offset, PAGE)?;
        self.part(
            "report",
            self.report_offset,
            self.report_bytes,
            self.mirrors_offset + size_of::<Mirrors>() as u64,
        )?;
        let is_table = self.report_bytes <= MOST && report::places(self.report_bytes).is_some();
        that("bytes of the report", self.report_bytes, is_table, "a head and whole places, at most 16 MiB")?;
        self.part("schema", self.schema_offset, self.schema_bytes, self.report_offset + self.report_bytes)?;

        let (slot, align) = (self.slot_bytes, self.slot_align);
        let is_slot = slot > 0 && slot.is_multiple_of(WORD_BYTES as u64);
        that("bytes of a slot", slot, is_slot, "a multiple of 8, at least 8")?;
        let is_alignment = align.is_power_of_two() && align <= MAX_EVENT_ALIGN as u64;
        that("alignment of a slot", align, is_alignment, "a power of two of at most 64")?;
        let is_capacity = self.capacity.is_power_of_two() && self.capacity >= 4;
        that("capacity", self.capacity, is_capacity, "a power of two of at least 4")?;
        let is_batch = (1..=self.capacity / 4).contains(&self.max_batch);
        that("max batch", self.max_batch, is_batch, "at least 1 and at most a quarter of the capacity")?;
        let is_first = self.first_sequence <= MAX_FIRST_SEQUENCE;
        that("first sequence", self.first_sequence, is_first, "at most 2^62")?;
        let slots = self.capacity.checked_mul(slot);
        let Some(slots) = slots else {
            return Err(HeaderError::new("capacity", self.capacity, "slots whose bytes can be counted"));
        };
        self.part("slots", self.slots_offset, slots, self.schema_offset + self.schema_bytes)?;

        let is_payload = match self.slot_payload {
            0 => self.schema_bytes == 0,
            payload => {
                payload % 64 == 0
                    && slot.checked_sub(HEADER_BYTES as u64) == Some(payload)
                    && payload < 1 << 16
            }
        };
        that(
            "bytes of payload",
            self.slot_payload,
            is_payload,
            "a slot less its header of 64 bytes; or 0, and no schema",
        )?;
        that("bytes of the schema", self.schema_bytes, self.schema_bytes <= MOST, "at most 16 MiB")?;
        let is_process = u32::try_from(self.process_id).is_ok();
        that("process id", self.process_id, is_process, "a process id")?;
        let name = usize::try_from(self.name_bytes).ok().and_then(|bytes| self.name.get(..bytes));
        let is_name = name.is_some_and(|name| std::str::from_utf8(name).is_ok());
        that("name", self.name_bytes, is_name, "at most 512 bytes of UTF-8")
    }

    /// Makes sure that a part of the file is where it can be: on a page, behind `end_before`, and inside.
    fn part(&self, field: &'static str, offset: u64, bytes: u64, end_before: u64) -> Result<(), HeaderError> {
        let end = offset.checked_add(bytes);
        let is_inside = offset.is_multiple_of(PAGE)
            && offset >= end_before
            && end.is_some_and(|end| end <= self.file_bytes);
        if is_inside {
            Ok(())
        } else {
            let expected = format!(
                "a multiple of {PAGE} from {end_before} on, and {bytes} bytes from there in the file"
            );
            Err(HeaderError::new(field, offset, expected))
        }
    }

    /// Makes sure that this is its schema.
    pub(super) fn check_schema(&self, schema: Option<&Schema>) -> Result<(), HeaderError> {
        let fingerprint = schema.map_or(0, |schema| schema.fingerprint().get());
        if self.fingerprint == fingerprint {
            Ok(())
        } else {
            Err(HeaderError::new("fingerprint", self.fingerprint, fingerprint))
        }
    }

    /// Makes sure that nothing of it, nor of the schema, is other than it was written.
    pub(super) fn check_sum(&self, schema: &[u8]) -> Result<(), HeaderError> {
        let sum = self.sum(schema);
        if self.checksum == sum { Ok(()) } else { Err(HeaderError::new("checksum", self.checksum, sum)) }
    }

    /// The mirrors in the file that it is the header of. (Checked, or made here: else it may panic.)
    pub(super) fn mirrors<'a>(&self, mapping: &'a Mapping) -> &'a Mirrors {
        mapping.mirrors(self.mirrors_offset as usize)
    }

    /// The words of the report in that file. The same.
    pub(super) fn report_words<'a>(&self, mapping: &'a Mapping) -> &'a [AtomicU64] {
        mapping.words(self.report_offset as usize, self.report_bytes as usize / WORD_BYTES)
    }

    /// The ring's name. (Of a header that was checked.)
    pub(super) fn name(&self) -> &str {
        let name = usize::try_from(self.name_bytes).ok().and_then(|bytes| self.name.get(..bytes));
        name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

/// No report and no schema is longer than this: what a broken header can make a reader allocate.
const MOST: u64 = 16 << 20;
