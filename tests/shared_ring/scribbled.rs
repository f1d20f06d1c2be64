//! Files that somebody writes who should not: whoever looks on says so, and goes on where it can.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use ringbus::shared::{Liveness, ObserveError, Observer, RingFile};
use ringbus::{End, ReadFrom};

use crate::common::{at, publish_up_to};
use crate::image::{CLOSED, Image, mirror};
use crate::{Place, lagged, sixteen};

const DAMAGED: ObserveError = ObserveError::Ended(End::Damaged);

/// A copy of the file of a ring with 20 events, of which the last 12 can be read; nobody holds it.
fn twenty() -> (Place, std::path::PathBuf) {
    let place = Place::new();
    let (mut producer, _ring) = sixteen(&place);
    publish_up_to(&mut producer, 20);
    let copy = place.at("copy");
    Image::of(&place.path()).write_to(&copy);
    (place, copy)
}

fn scribble(path: &Path, at: usize, word: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(&word.to_ne_bytes(), at as u64).unwrap();
}

fn observer(path: &Path) -> Observer<u64> {
    Observer::<u64>::builder(path)
        .start(ReadFrom::Sequence(at(8)))
        .resume(ReadFrom::Oldest { headroom: 0 })
        .attach()
        .unwrap()
}

#[test]
fn a_cursor_that_has_gone_back_is_noticed() {
    let (_kept, path) = twenty();
    for cursor in [0, 1, 5, 8, 9] {
        scribble(&path, mirror::CURSOR, 20);
        let mut one_by_one = observer(&path);
        let mut many = observer(&path);
        let mut buffer = Vec::with_capacity(2);
        assert_eq!(one_by_one.recv(), Ok((at(8), 8)));
        assert_eq!(one_by_one.recv(), Ok((at(9), 9)));
        assert_eq!(many.recv_many(&mut buffer).map(|received| received.count), Ok(2));
        scribble(&path, mirror::CURSOR, cursor);
        buffer.clear();
        for _ in 0..3 {
            assert_eq!(one_by_one.try_recv(), Err(DAMAGED), "{cursor}");
            assert_eq!(one_by_one.try_recv_many(&mut buffer), Err(DAMAGED), "{cursor}");
            assert_eq!(many.try_recv(), Err(DAMAGED), "{cursor}");
            assert_eq!(many.try_recv_many(&mut buffer), Err(DAMAGED), "{cursor}");
        }
        assert_eq!((one_by_one.lag(), one_by_one.position(), one_by_one.missed()), (0, at(10), 0));
        assert!(buffer.is_empty());
    }
}

/// Between where it stands and what it has seen: nothing is wrong with what it gets.
#[test]
fn a_cursor_that_has_gone_back_a_little_stops_nobody() {
    let (_kept, path) = twenty();
    let mut observer = observer(&path);
    assert_eq!(observer.recv(), Ok((at(8), 8)));
    scribble(&path, mirror::CURSOR, 11);
    let mut buffer = Vec::with_capacity(16);
    assert_eq!(observer.try_recv_many(&mut buffer).map(|received| received.count), Ok(2));
    assert_eq!(buffer, [9, 10]);
    assert_eq!((observer.try_recv(), observer.lag()), (Err(ObserveError::Empty), 0));
    scribble(&path, mirror::CURSOR, 20);
    assert_eq!(observer.try_recv(), Ok((at(11), 11)));
}

#[test]
fn a_cursor_beyond_all_is_an_overrun() {
    let (_kept, path) = twenty();
    let mut observer = observer(&path);
    assert_eq!(observer.recv(), Ok((at(8), 8)));
    let last = CLOSED - 1;
    scribble(&path, mirror::CURSOR, last);
    assert_eq!(observer.try_recv(), Err(lagged(last - 12 - 9, last - 12)));
    let mut buffer = Vec::with_capacity(16);
    assert_eq!(observer.recv_many(&mut buffer).map(|received| received.count), Ok(12));
    assert_eq!((observer.position(), observer.lag()), (at(last), 0));
    assert_eq!((observer.delivered(), observer.missed()), (13, last - 21));
    scribble(&path, mirror::CURSOR, 20);
    assert_eq!(observer.try_recv(), Err(DAMAGED));
    assert_eq!((observer.position(), observer.lag()), (at(last), 0));
}

#[test]
fn an_end_that_makes_no_sense_is_one() {
    let (_kept, path) = twenty();
    scribble(&path, mirror::CURSOR, 20 | CLOSED);
    for end in [0, 5, u64::MAX] {
        scribble(&path, mirror::END, end);
        let mut observer = Observer::<u64>::attach(&path).unwrap();
        assert_eq!(observer.recv(), Err(DAMAGED), "{end}");
        let liveness = RingFile::open(&path).unwrap().liveness(std::time::Duration::ZERO);
        assert_eq!(liveness, Liveness::Closed(End::Damaged), "{end}");
    }
    // A failure of which everything is nonsense.
    scribble(&path, mirror::END, 3);
    for word in 1..48 {
        scribble(&path, mirror::END + word * 8, u64::MAX);
    }
    let mut observer = Observer::<u64>::attach(&path).unwrap();
    match observer.recv() {
        Err(ObserveError::Ended(End::Poisoned(failure))) => {
            assert_eq!(failure.position, at(u64::MAX));
            assert_eq!((&*failure.consumer, &failure.message), (&*"\u{fffd}".repeat(64), &None));
        }
        other => panic!("{other:?}"),
    }
}

/// A report is numbers, and whatever they are something is told.
#[test]
fn a_report_of_nonsense_is_read_as_far_as_there_is_one() {
    let (_kept, path) = twenty();
    let image = Image::of(&path);
    let (begin, bytes) =
        (image.word(crate::image::field::REPORT), image.word(crate::image::field::REPORT_BYTES));
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&vec![0xff; bytes as usize], begin).unwrap();
    let look = RingFile::open(&path).unwrap();
    for (generation, is_told) in [(0, false), (1, false), (2, true), (u64::MAX, false), (u64::MAX - 1, true)]
    {
        scribble(&path, mirror::REPORT, generation);
        let report = look.report();
        assert_eq!(report.is_some(), is_told, "{generation}");
        if let Some(report) = report {
            assert_eq!(report.consumers.len() as u64, (bytes - 64) / 256);
            assert_eq!((report.age, report.left_out), (std::time::Duration::ZERO, u64::MAX));
            assert!(!format!("{report:?}").is_empty());
        }
    }
}
