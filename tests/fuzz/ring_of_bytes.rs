//! The file of a ring that is changed as bytes say, and what must hold of those who look on whatever they say: for the fuzz target, and for
//! `tests/shared_fuzz.rs`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use ringbus::bus::{BlockStart, Bus, Emit, Filter, Hash, Kind, Origin, RecordObserver, Topic};
use ringbus::shared::{ObserveError, Observer, RingFile, Shared};
use ringbus::{End, ReadFrom, Ring, Sequence};
use tempfile::TempDir;

use crate::image::{CLOSED, Image, field, mirror};

ringbus::events! {
    /// Of one event.
    schema Small, version 1;

    /// Numbers.
    event Fill, kind 1 {
        /// How many.
        size: u32,
        /// Of what.
        market: u32,
        /// For how much.
        price: i64,
    }
}

/// How often each who looks on is asked. A file of that many changed bytes is read to its end long before.
const CALLS: usize = 150;

/// Changes the file of a ring, attaches to it and reads it in all ways: nothing panics, everything ends, and nothing comes out of order.
///
/// The first byte says which ring, and whether the checksum is made right again after the changes, so that what it stands before is reached
/// too. Of the others, 12 make a change each; the last of these is made once more while the file is read.
pub(crate) fn check(bytes: &[u8]) {
    thread_local! {
        static PLACE: TempDir = tempfile::tempdir().expect("there is room");
    }
    let Some((flags, edits)) = bytes.split_first() else { return };
    let samples = samples();
    let mut image = samples[usize::from(flags >> 1) % samples.len()].clone();
    let edits: Vec<_> = edits.chunks_exact(12).map(Edit::of).collect();
    edits.iter().for_each(|edit| edit.apply(&mut image));
    if flags & 1 != 0 && image.bytes.len() >= field::END {
        image.seal();
    }
    let number = edits.last().map_or(0, |edit| edit.number);
    PLACE.with(|place| {
        let path = place.path().join("ring");
        image.write_to(&path);
        look(&path, image.bytes.len() as u64);
        for start in [ReadFrom::Oldest { headroom: 0 }, ReadFrom::NewestMinus(number), from(number)] {
            watch::<1>(&path, &image, start, number);
            watch::<16>(&path, &image, start, number);
            watch_records(&path, &image, start, number);
        }
    });
}

fn from(number: u64) -> ReadFrom {
    ReadFrom::Sequence(Sequence::new(number))
}

/// A ring of numbers, an open bus, one that has ended in a bad way.
fn samples() -> &'static [Image] {
    static SAMPLES: OnceLock<Vec<Image>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let place = tempfile::tempdir().expect("there is room");
        vec![
            numbers(&place.path().join("numbers")),
            bus(&place.path().join("open"), false),
            bus(&place.path().join("ended"), true),
        ]
    })
}

/// Few consumers have a place, lest the report is most of the file.
fn numbers(path: &Path) -> Image {
    let shared = Shared::at(path).report_every(Some(Duration::from_secs(3_600)));
    let settings = Ring::<u64>::builder().name("numbers").capacity(8).max_batch(2).max_required(2);
    let (mut producer, ring) = settings.shared(shared).build().expect("there is room");
    let _monitor = ring.optional("monitor").join().expect("it starts");
    (0..20_u64).for_each(|number| assert!(producer.publish(&number).is_ok()));
    producer.heartbeat();
    // With the last report.
    drop(producer);
    Image::of(path)
}

fn bus(path: &Path, ends: bool) -> Image {
    let shared = Shared::at(path).report_every(None);
    let settings = Bus::<64>::builder("testnet").capacity(32).max_required(2).schema(Small::schema());
    let (mut writer, bus) = settings.shared(shared).build().expect("there is room");
    let audit = bus.subscribe("audit").required().join().expect("a free place");
    writer.begin_block(BlockStart { height: 7, time: 3, hash: Hash::new([1; 32]) }).expect("there is room");
    for number in 0..6 {
        writer.emit(Origin::default(), &Fill { size: number, market: 2, price: -1 }).expect("there is room");
    }
    writer.emit_bytes(Origin::default(), Kind::new(2), Topic::default(), &[5; 150]).expect("there is room");
    if ends {
        drop(audit);
        writer.end_block().expect_err("a subscription has failed");
    } else {
        audit.leave();
    }
    Image::of(path)
}

/// A change: what, where, and a number.
#[derive(Clone, Copy)]
struct Edit {
    what: u8,
    place: usize,
    number: u64,
}

impl Edit {
    fn of(bytes: &[u8]) -> Self {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[4..12]);
        let place = usize::from(bytes[1]) | usize::from(bytes[2]) << 8 | usize::from(bytes[3]) << 16;
        Self { what: bytes[0], place, number: u64::from_le_bytes(word) }
    }

    fn apply(self, image: &mut Image) {
        let Self { what, place, number } = self;
        let len = image.bytes.len();
        if len < mirror::END + 400 {
            return;
        }
        let in_header = place % (field::END / 8) * 8;
        let in_report = (image.word(field::REPORT) as usize).saturating_add(place % 2_048 * 8);
        let slot = image.word(field::SLOT_BYTES).saturating_mul(place as u64 % 32);
        let slot = image.word(field::SLOTS).saturating_add(slot) as usize;
        let first = image.word(field::FIRST_SEQUENCE);
        let (at, word) = match what % 12 {
            0 => (in_header, number),
            // Near what it is.
            1 => (in_header, image.word(in_header).wrapping_add_signed(i64::from(number as i8))),
            2 => (in_header, image.word(in_header).wrapping_add_signed(i64::from(number as i8) * 4_096)),
            3 => (mirror::CURSOR, number),
            4 => (mirror::CURSOR, first.wrapping_add(number % 64) | number & CLOSED),
            5 => (mirror::HEARTBEAT + place % 64 * 8, number),
            6 => (in_report, number),
            // What ends the header of a record: source, trigger, length, flags, version.
            7 => (slot.saturating_add(56), number),
            8 => (slot.saturating_add(place % 16 * 8), number),
            9 => (place % (len - 8), number),
            10 => return image.bytes.truncate(place % len),
            _ => return image.bytes.resize(len + place % 65_536, number as u8),
        };
        if at <= len - 8 {
            image.set(at, word);
        }
    }
}

/// What there is to know without reading events.
fn look(path: &Path, len: u64) {
    let Ok(file) = RingFile::open(path) else { return };
    let info = file.info();
    assert!(info.file_bytes <= len && (info.capacity * info.slot_bytes) as u64 <= len);
    _ = (format!("{info:?} {file:?}"), file.liveness(Duration::ZERO).to_string(), file.heartbeat_age());
    if let Some(report) = file.report() {
        assert!(report.consumers.len() as u64 * 256 <= len);
        _ = format!("{report:?}");
    }
    assert!(!file.is_replaced());
}

/// Who may change the file does, while it is read: the cursor alone, which everything hangs on.
fn scribble(path: &Path, number: u64) {
    let file = File::options().write(true).open(path).expect("it is ours");
    file.write_all_at(&number.to_ne_bytes(), mirror::CURSOR as u64).expect("it is there already");
}

fn watch<const WORDS: usize>(path: &Path, image: &Image, start: ReadFrom, number: u64) {
    let settings = Observer::<[u64; WORDS]>::builder(path).start(start).resume(from(number));
    let Ok(mut observer) = settings.attach() else { return };
    let (mut next, mut delivered) = (observer.position().get(), 0);
    let mut buffer = Vec::with_capacity(5);
    for call in 0..CALLS {
        if call == CALLS / 3 {
            scribble(path, number);
        }
        if call == CALLS / 2 {
            _ = observer.skip_to(from(number / 2));
            next = observer.position().get();
        }
        buffer.clear();
        let answer = match call % 3 {
            0 => observer
                .try_recv_many(&mut buffer)
                .map(|received| (received.first.get(), received.count as u64)),
            _ => observer.try_recv().map(|(sequence, _)| (sequence.get(), 1)),
        };
        match answer {
            Ok((first, count)) => {
                assert!(first >= next && count > 0);
                next = first + count;
                delivered += count;
            }
            Err(ObserveError::Lagged { resumed_at, .. }) => {
                assert!(resumed_at.get() > next);
                next = resumed_at.get();
            }
            Err(error) => assert!(matches!(error, ObserveError::Empty | ObserveError::Ended(_)), "{error}"),
        }
        assert_eq!((observer.position().get(), observer.delivered()), (next, delivered));
        assert!(observer.lag() <= u64::MAX - next, "{observer:?}");
    }
    scribble(path, image.word(mirror::CURSOR));
}

fn watch_records(path: &Path, image: &Image, start: ReadFrom, number: u64) {
    let filter = if number.is_multiple_of(3) { Filter::kinds([Kind::new(1)]) } else { Filter::all() };
    let Ok(mut observer) = RecordObserver::builder(path).start(start).filter(filter).attach() else { return };
    let file = observer.file();
    let info = file.info();
    let most = info.max_batch * info.slot_payload.expect("it is a bus");
    let attached_at = observer.position().get();
    let mut next = attached_at;
    for call in 0..CALLS {
        if call == CALLS / 3 {
            scribble(path, number);
        }
        match observer.try_recv() {
            Ok(record) => {
                assert!(record.sequence().get() >= next);
                next = record.sequence().get() + 1;
                assert!(record.payload().len() <= most, "{} bytes of payload", record.payload().len());
                _ = info.schema.as_ref().expect("it is a bus").display(&record).to_string();
            }
            Err(ObserveError::Lagged { resumed_at, .. }) => {
                assert!(resumed_at.get() >= next);
                next = resumed_at.get();
            }
            Err(ObserveError::Empty | ObserveError::Ended(End::Damaged | End::ProducerDied)) => {}
            Err(ObserveError::Ended(end)) => _ = end.to_string(),
            Err(other) => panic!("{other}"),
        }
        let accounted = observer.tally().total();
        assert_eq!(observer.position().get(), attached_at + accounted, "{observer:?}");
    }
    scribble(path, image.word(mirror::CURSOR));
}
