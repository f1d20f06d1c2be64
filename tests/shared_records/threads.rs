//! A writer at full speed, and observers that cannot keep up: no record is ever put together of two.

use std::thread;

use ringbus::bus::{Bus, Emit, Filter, Kind, Origin, RecordObserver, RecordRef, Topic, Writer};
use ringbus::shared::ObserveError;

use crate::{CLOSED, OLDEST, place, quietly, stream};

const RECORDS: u64 = 60_000;

/// Of every length up to all that fits; each byte says which record it belongs to.
fn payload(number: u64, into: &mut Vec<u8>) {
    let len = (number * 37 % (8 * 64 + 1)) as usize;
    into.clear();
    into.extend_from_slice(&number.to_le_bytes()[..len.min(8)]);
    into.resize(len, number as u8);
}

fn write(mut writer: Writer<64>) -> u64 {
    writer.begin_block(stream::block(1, 1)).unwrap();
    let mut bytes = Vec::new();
    for number in 0..RECORDS {
        payload(number, &mut bytes);
        let kind = Kind::new(1 + (number % 2) as u16);
        writer.emit_bytes(Origin::default(), kind, Topic::default(), &bytes).unwrap();
    }
    // Dropped, it closes the bus.
    writer.next_sequence().get()
}

/// How many records there were, checked to be whole and in order.
fn read(observer: &mut RecordObserver) -> (u64, u64) {
    let (mut expected, mut records, mut losses, mut next) = (Vec::new(), 0, 0, 0);
    loop {
        match observer.recv() {
            Ok(record) => {
                assert!(record.sequence().get() >= next, "out of order");
                next = record.next_sequence().get();
                records += 1;
                check(&record, &mut expected);
            }
            Err(ObserveError::Lagged { missed, resumed_at }) => {
                assert!(missed > 0 && resumed_at.get() >= next + missed);
                losses += missed;
                next = resumed_at.get();
            }
            Err(CLOSED) => return (records, losses),
            Err(other) => panic!("{other}"),
        }
    }
}

fn check(record: &RecordRef<'_>, expected: &mut Vec<u8>) {
    if record.kind() != Kind::BLOCK_BEGUN {
        // The block's beginning is the first.
        let number = u64::from(record.header().order) - 2;
        payload(number, expected);
        assert_eq!(record.payload(), expected, "of record {number}");
    }
}

#[test]
fn records_are_whole_and_losses_exact_while_the_writer_runs() {
    let (_kept, path) = place();
    let (writer, bus) = Bus::<64>::builder("threads").capacity(32).shared(quietly(&path)).build().unwrap();
    let observe = |filter| {
        let settings = RecordObserver::builder(&path).start(OLDEST).resume(OLDEST).filter(filter);
        settings.attach().unwrap()
    };
    let observers = [observe(Filter::all()), observe(Filter::kinds([Kind::new(2)]))];
    let reading = observers.map(|mut observer| {
        thread::spawn(move || {
            let (records, losses) = read(&mut observer);
            (observer, records, losses)
        })
    });
    let published = write(writer);
    assert_eq!(bus.cursor().get(), published);
    for reading in reading {
        let (observer, records, losses) = reading.join().unwrap();
        let tally = observer.tally();
        assert_eq!((tally.total(), observer.lag()), (published, 0));
        assert_eq!(tally.missed, losses);
        assert!(records <= tally.passed, "{records} records in {} slots", tally.passed);
    }
}
