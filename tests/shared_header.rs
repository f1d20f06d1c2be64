//! The header of a ring's file: cut off anywhere, with any bit turned over, or with numbers that somebody thought of, it attaches nobody
//! to what is not there, and says which field is wrong.

#[path = "fuzz/image.rs"]
mod image;

use std::fs;
use std::path::PathBuf;

use image::{Image, field, mirror};
use ringbus::Ring;
use ringbus::bus::{BlockStart, Bus, Hash, RecordObserver};
use ringbus::shared::{AttachError, Info, Observer, RingFile, Shared};
use tempfile::TempDir;

/// Files to be looked at, and none of them held by anybody.
struct Bench {
    directory: TempDir,
    image: Image,
}

impl Bench {
    /// A bus of 32 slots of 256 bytes.
    fn bus() -> Self {
        Self::of(|shared| {
            let (mut writer, bus) =
                Bus::<192>::builder("testnet").capacity(32).shared(shared).build().unwrap();
            writer.begin_block(BlockStart { height: 7, time: 1, hash: Hash::new([3; 32]) }).unwrap();
            Box::new((writer, bus))
        })
    }

    /// A ring of 16 events of 8 bytes.
    fn ring() -> Self {
        Self::of(|shared| {
            let (mut producer, ring) =
                Ring::<u64>::builder().name("orders").capacity(16).shared(shared).build().unwrap();
            producer.publish_batch(&[1, 2, 3]).unwrap();
            Box::new((producer, ring))
        })
    }

    fn of(build: impl FnOnce(Shared) -> Box<dyn std::any::Any>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("live");
        let kept = build(Shared::at(&path).report_every(None));
        let image = Image::of(&path);
        drop(kept);
        Self { directory, image }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("copy")
    }

    /// What all who could attach are told; whoever does not read events first.
    fn open(&self, image: &Image) -> Result<Info, AttachError> {
        image.write_to(&self.path());
        self.open_again()
    }

    fn open_again(&self) -> Result<Info, AttachError> {
        let opened = RingFile::open(self.path()).map(|file| file.info().clone());
        for other in [
            Observer::<u64>::attach(self.path()).map(|observer| observer.file()),
            RecordObserver::attach(self.path()).map(|observer| observer.file()),
        ] {
            match (&opened, other) {
                (Ok(info), Ok(file)) => assert_eq!(file.info().epoch, info.epoch),
                (Ok(_), Err(AttachError::OtherEvents { .. } | AttachError::NotABus { .. })) => {}
                (Err(error), other) => assert_eq!(other.err().as_ref(), Some(error)),
                (Ok(_), Err(other)) => panic!("who looks on attaches, who reads does not: {other}"),
            }
        }
        opened
    }

    /// The field that is named when `image` is opened.
    #[track_caller]
    fn field(&self, image: &Image) -> &'static str {
        named(self.open(image))
    }
}

#[track_caller]
fn named(opened: Result<Info, AttachError>) -> &'static str {
    match opened {
        Err(AttachError::Header { error, .. }) => {
            assert!(error.to_string().contains(&format!("the field `{}` is ", error.field())), "{error}");
            error.field()
        }
        Err(AttachError::NotARing { found, .. }) => found,
        Err(AttachError::Schema { .. }) => "the schema",
        Err(other) => panic!("{other}"),
        Ok(info) => panic!("attached: {info:?}"),
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    for bench in [Bench::bus(), Bench::ring()] {
        let whole = bench.image.bytes.len();
        assert_eq!(whole as u64, bench.image.word(field::FILE_BYTES));
        let places = [
            (field::MIRRORS, None),
            (field::REPORT, Some(field::REPORT_BYTES)),
            (field::SCHEMA, Some(field::SCHEMA_BYTES)),
            (field::SLOTS, None),
        ];
        let borders = places.iter().flat_map(|(offset, bytes)| {
            let begin = bench.image.word(*offset) as usize;
            [begin, begin + bytes.map_or(0, |bytes| bench.image.word(bytes) as usize)]
        });
        let around = borders.chain([whole / 2, whole]).flat_map(|at| [at - 1, at, at + 1]);
        for len in (0..=field::END + 1).chain(around).filter(|len| *len < whole) {
            let cut = Image { bytes: bench.image.bytes[..len].to_vec() };
            let expected = if len < field::END { "too short a file" } else { "bytes of the file" };
            assert_eq!(bench.field(&cut), expected, "{len} of {whole} bytes");
        }
        // One that is longer has all that it needs.
        for more in [0, 1, 4_096] {
            let mut longer = bench.image.clone();
            longer.bytes.resize(whole + more, 0xff);
            assert_eq!(bench.open(&longer).unwrap().file_bytes, whole as u64);
        }
    }
}

/// From where to where, and which fields may be named when a bit there is turned over; the checksum always.
const NAMED: [(usize, usize, &[&str]); 18] = [
    (0, field::READY, &["a file that does not begin as a ring's does"]),
    (field::READY, field::BYTE_ORDER, &["ready"]),
    (field::BYTE_ORDER, field::LAYOUT_VERSION, &["byte order"]),
    (field::LAYOUT_VERSION, field::FILE_BYTES, &["layout version"]),
    (field::FILE_BYTES, field::MIRRORS, &["bytes of the file", "report", "schema", "slots"]),
    (field::MIRRORS, field::REPORT, &["mirrors"]),
    (field::REPORT, field::REPORT_BYTES, &["report", "schema"]),
    (field::REPORT_BYTES, field::SCHEMA, &["report", "bytes of the report", "schema"]),
    (field::SCHEMA, field::SCHEMA_BYTES, &["schema", "slots"]),
    (field::SCHEMA_BYTES, field::SLOTS, &["schema", "slots", "bytes of payload"]),
    (field::SLOTS, field::SLOT_BYTES, &["slots"]),
    (field::SLOT_BYTES, field::SLOT_ALIGN, &["bytes of a slot", "capacity", "slots", "bytes of payload"]),
    (field::SLOT_ALIGN, field::CAPACITY, &["alignment of a slot"]),
    (field::CAPACITY, field::MAX_BATCH, &["capacity", "max batch", "slots"]),
    (field::MAX_BATCH, field::FIRST_SEQUENCE, &["max batch"]),
    (field::FIRST_SEQUENCE, field::SLOT_PAYLOAD, &["first sequence"]),
    (field::SLOT_PAYLOAD, field::FINGERPRINT, &["bytes of payload"]),
    (field::FINGERPRINT, field::END, &["fingerprint", "process id", "name", "checksum"]),
];

#[test]
fn every_bit_of_the_header_counts() {
    for bench in [Bench::bus(), Bench::ring()] {
        for (from, to, fields) in NAMED {
            for bit in from * 8..to * 8 {
                let mut turned = bench.image.clone();
                turned.bytes[bit / 8] ^= 1 << (bit % 8);
                let named = bench.field(&turned);
                assert!(named == "checksum" || fields.contains(&named), "bit {bit}: {named}");
            }
        }
    }
}

#[test]
fn every_bit_of_the_schema_counts() {
    let bench = Bench::bus();
    let from = bench.image.word(field::SCHEMA) as usize;
    let to = from + bench.image.word(field::SCHEMA_BYTES) as usize;
    assert!(to > from);
    for bit in from * 8..to * 8 {
        let mut turned = bench.image.clone();
        turned.bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(bench.field(&turned), "checksum", "bit {bit}");
    }
}

/// What changes while the ring runs, and what nobody reads.
#[test]
fn what_is_neither_header_nor_schema_does_not() {
    let bench = Bench::bus();
    let whole = bench.open(&bench.image).unwrap();
    let behind_schema =
        bench.image.word(field::SCHEMA) as usize + bench.image.word(field::SCHEMA_BYTES) as usize;
    let parts = [
        field::END,
        mirror::CURSOR - 1,
        mirror::CURSOR,
        mirror::HEARTBEAT,
        mirror::REPORT,
        mirror::END,
        bench.image.word(field::REPORT) as usize,
        behind_schema,
        bench.image.word(field::SLOTS) as usize,
        bench.image.bytes.len() - 1,
    ];
    for at in parts {
        let mut turned = bench.image.clone();
        turned.bytes[at] ^= 0x55;
        let info = bench.open(&turned).unwrap();
        assert_eq!(
            (info.epoch, &info.name, info.capacity),
            (whole.epoch, &whole.name, whole.capacity),
            "{at}"
        );
    }
}

/// A field, a number that it cannot be, and the field that is named.
type Hostile = (usize, u64, &'static str);

const PAGE: u64 = 4_096;
/// The last page that has an address.
const LAST_PAGE: u64 = u64::MAX - (PAGE - 1);

const HOSTILE: [Hostile; 60] = [
    (field::READY, 0, "ready"),
    (field::READY, u64::from_ne_bytes(*b"RINGBUS\0"), "ready"),
    (field::BYTE_ORDER, 0x0807_0605_0403_0201, "byte order"),
    (field::LAYOUT_VERSION, 0, "layout version"),
    (field::LAYOUT_VERSION, 2, "layout version"),
    (field::FILE_BYTES, 0, "report"),
    (field::FILE_BYTES, 2 * PAGE, "report"),
    (field::FILE_BYTES, u64::MAX, "bytes of the file"),
    (field::MIRRORS, 0, "mirrors"),
    (field::MIRRORS, 2 * PAGE, "mirrors"),
    (field::MIRRORS, LAST_PAGE, "mirrors"),
    (field::REPORT, 0, "report"),
    (field::REPORT, PAGE, "report"),
    (field::REPORT, 2 * PAGE + 8, "report"),
    (field::REPORT, LAST_PAGE, "report"),
    (field::REPORT_BYTES, 0, "bytes of the report"),
    (field::REPORT_BYTES, 63, "bytes of the report"),
    (field::REPORT_BYTES, 64 + 8, "bytes of the report"),
    (field::REPORT_BYTES, u64::MAX, "report"),
    (field::REPORT_BYTES, u64::MAX - 2 * PAGE + 1, "report"),
    (field::SCHEMA, 0, "schema"),
    (field::SCHEMA, 2 * PAGE, "schema"),
    (field::SCHEMA, LAST_PAGE, "schema"),
    (field::SCHEMA_BYTES, u64::MAX, "schema"),
    (field::SCHEMA_BYTES, 1 << 40, "schema"),
    (field::SLOTS, 0, "slots"),
    (field::SLOTS, 2 * PAGE, "slots"),
    (field::SLOTS, LAST_PAGE, "slots"),
    (field::SLOT_BYTES, 0, "bytes of a slot"),
    (field::SLOT_BYTES, 4, "bytes of a slot"),
    (field::SLOT_BYTES, 257, "bytes of a slot"),
    (field::SLOT_BYTES, u64::MAX, "bytes of a slot"),
    (field::SLOT_BYTES, u64::MAX - 7, "capacity"),
    (field::SLOT_BYTES, 1 << 59, "capacity"),
    (field::SLOT_BYTES, 1 << 58, "slots"),
    (field::SLOT_BYTES, 64, "bytes of payload"),
    (field::SLOT_BYTES, 56, "bytes of payload"),
    (field::SLOT_ALIGN, 0, "alignment of a slot"),
    (field::SLOT_ALIGN, 3, "alignment of a slot"),
    (field::SLOT_ALIGN, 128, "alignment of a slot"),
    (field::SLOT_ALIGN, 1 << 63, "alignment of a slot"),
    (field::CAPACITY, 0, "capacity"),
    (field::CAPACITY, 2, "capacity"),
    (field::CAPACITY, 33, "capacity"),
    (field::CAPACITY, u64::MAX, "capacity"),
    (field::CAPACITY, 1 << 63, "capacity"),
    (field::CAPACITY, 1 << 56, "capacity"),
    (field::CAPACITY, 1 << 55, "slots"),
    (field::CAPACITY, 4, "max batch"),
    (field::MAX_BATCH, 0, "max batch"),
    (field::MAX_BATCH, 9, "max batch"),
    (field::MAX_BATCH, u64::MAX, "max batch"),
    (field::FIRST_SEQUENCE, (1 << 62) + 1, "first sequence"),
    (field::FIRST_SEQUENCE, u64::MAX, "first sequence"),
    (field::SLOT_PAYLOAD, 0, "bytes of payload"),
    (field::SLOT_PAYLOAD, 128, "bytes of payload"),
    (field::SLOT_PAYLOAD, u64::MAX - 63, "bytes of payload"),
    (field::NAME_BYTES, 513, "name"),
    (field::NAME_BYTES, u64::MAX, "name"),
    (field::FINGERPRINT, 0, "fingerprint"),
];

#[test]
fn hostile_numbers_under_a_right_checksum_are_refused_by_name() {
    let bench = Bench::bus();
    for (at, number, expected) in HOSTILE {
        let mut hostile = bench.image.clone();
        hostile.set(at, number);
        hostile.seal();
        assert_eq!(bench.field(&hostile), expected, "{number:#x} at {at}");
    }
    // The checksum is computed as it should be.
    let mut whole = bench.image.clone();
    whole.seal();
    assert_eq!(whole.bytes, bench.image.bytes);
}

/// They would show records as what they are not.
#[test]
fn numbers_that_do_not_fit_each_other_are_refused_by_name() {
    let bench = Bench::bus();
    let refused = |edits: &[(usize, u64)], expected| {
        let mut hostile = bench.image.clone();
        edits.iter().for_each(|(at, number)| hostile.set(*at, *number));
        hostile.seal();
        assert_eq!(bench.field(&hostile), expected, "{edits:x?}");
    };
    // A payload longer than a header can say, in slots that would hold it.
    refused(&[(field::CAPACITY, 4), (field::MAX_BATCH, 1), (field::SLOT_BYTES, 65_536 + 64)], "slots");
    // One that is no bus has no schema.
    refused(&[(field::SLOT_PAYLOAD, 0), (field::SCHEMA_BYTES, 8)], "bytes of payload");
    // A bus has one.
    refused(&[(field::SCHEMA_BYTES, 0)], "the schema");
    // The report and the schema at one place.
    let report = bench.image.word(field::REPORT);
    refused(&[(field::SCHEMA, report), (field::REPORT_BYTES, 64)], "schema");
    // Of a process that there cannot be.
    refused(&[(field::PROCESS_ID, 1 << 32)], "process id");
    // A name that is no text.
    refused(&[(field::NAME_BYTES, 3), (field::NAME, u64::from_ne_bytes([0xff; 8]))], "name");
    // A schema that is none.
    let schema = bench.image.word(field::SCHEMA) as usize;
    refused(&[(schema, u64::MAX)], "the schema");
}

/// Larger than any reader can be made to allocate, in a file that has a place for it but takes no room.
#[test]
fn a_schema_or_a_report_beyond_reason_is_refused() {
    let bench = Bench::bus();
    let huge: u64 = 1 << 40;
    for (at, bytes, expected) in [
        (field::SCHEMA_BYTES, huge, "bytes of the schema"),
        (field::REPORT_BYTES, 64 + (huge / 256) * 256, "bytes of the report"),
    ] {
        let mut hostile = bench.image.clone();
        hostile.set(at, bytes);
        if at == field::REPORT_BYTES {
            let behind_report = (2 * PAGE + bytes).next_multiple_of(PAGE);
            hostile.set(field::SCHEMA, behind_report);
            hostile.set(field::SLOTS, behind_report + PAGE);
        } else {
            let behind_schema = (hostile.word(field::SCHEMA) + bytes).next_multiple_of(PAGE);
            hostile.set(field::SLOTS, behind_schema);
        }
        hostile.set(field::FILE_BYTES, 2 * huge);
        hostile.seal();
        hostile.write_to(&bench.path());
        let file = fs::File::options().write(true).open(bench.path()).unwrap();
        file.set_len(2 * huge).unwrap();
        assert_eq!(named(bench.open_again()), expected);
    }
}
