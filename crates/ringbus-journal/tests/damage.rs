//! A small journal, cut off at every byte and flipped at every byte: whoever reads it is told, and reads the rest.

mod common;

use common::sample::{SEGMENTS, Sample, expect_all_but, missing, read_over, sample};
use common::{disk_of, open, reader, rest, segment, settings};
use ringbus::Sequence;
use ringbus_journal::{Extent, JournalError, Start};

#[test]
fn whoever_reads_is_told_what_is_damaged_and_reads_the_rest() {
    let sample = sample();
    for (number, first) in SEGMENTS.into_iter().enumerate() {
        let name = segment(first);
        for (what, at, files) in sample.changes(&name) {
            let chunk = sample.chunk(number, at);
            let (read, errors) = read_over(&disk_of(&files), Extent::Durable);
            let missing = missing(&errors, &name, first + 6, 118);
            assert_eq!(errors.len(), 1, "{what}: {errors:?}");
            expect_all_but(&sample, &missing, &read, &what);
            match (&errors[0].0, chunk) {
                (JournalError::Header { .. }, None) => {}
                (JournalError::Damaged(damage), Some(chunk)) => {
                    // What stands before it is read, and of what is behind it nothing is lost if it was not cut off.
                    let offset =
                        sample.chunks[number].iter().find(|(_, first)| *first == chunk).expect("it").0;
                    assert_eq!((damage.first.get(), damage.offset), (chunk, offset as u64), "{what}");
                    let end = if what.contains("cut") { first + 6 } else { chunk + 2 };
                    let next = (end < 118).then_some(Sequence::new(end));
                    assert_eq!(damage.next, next, "{what}");
                }
                other => panic!("{what}: {other:?}"),
            }
            // To the end of the file it was whole, so to the end of the file it is asked for again.
            if let (JournalError::Damaged(_), Some(chunk)) = (&errors[0].0, chunk) {
                let mut reader = reader(&disk_of(&files), Extent::Written);
                reader.seek(Start::Sequence(Sequence::new(chunk))).expect("its segment is there");
                assert!(matches!(reader.next(), Err(JournalError::Damaged(_))), "{what}");
            }
        }
    }
}

#[test]
fn without_the_mark_only_the_last_chunk_can_be_a_torn_end() {
    let sample = sample();
    for (number, first) in SEGMENTS.into_iter().enumerate() {
        let name = segment(first);
        for (what, at, files) in sample.changes(&name) {
            let files = Sample::without_mark(&files);
            let (read, errors) = read_over(&disk_of(&files), Extent::Written);
            let mut missing = missing(&errors, &name, first + 6, 118);
            let chunk = sample.chunk(number, at);
            // Nothing that is left says that it had been durable.
            let may_be_torn = number == 2 && (chunk == Some(116) || chunk.is_some() && what.contains("cut"));
            assert_eq!(errors.is_empty(), may_be_torn, "{what}: {errors:?}");
            if may_be_torn {
                missing.extend(chunk.expect("a chunk")..118);
            }
            expect_all_but(&sample, &missing, &read, &what);
        }
    }
}

#[test]
fn damage_to_what_only_helps_does_no_harm() {
    let sample = sample();
    let helps: Vec<_> = sample
        .files
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| sample.number(name).is_none())
        .collect();
    assert_eq!(
        helps,
        [100, 106, 112]
            .map(common::index)
            .into_iter()
            .chain(["durable", "lock", "reader-store"].map(String::from))
            .collect::<Vec<_>>()
    );
    for name in helps {
        for (what, _, files) in sample.changes(&name) {
            let disk = disk_of(&files);
            assert_eq!(rest(&mut reader(&disk, Extent::Written)).expect("whole"), sample.records, "{what}");
            let durable = rest(&mut reader(&disk, Extent::Durable)).expect("whole");
            assert!(durable.is_empty() && name == "durable" || durable == sample.records, "{what}");
            for number in 50..59 {
                let mut reader = reader(&disk, Extent::Written);
                let trace = common::trace(number - 50);
                reader.only_trace(Some(trace));
                let expected: Vec<_> =
                    sample.records.iter().filter(|record| record.1.trace == trace).cloned().collect();
                assert_eq!(rest(&mut reader).expect("whole"), expected, "{what}");
            }
            let journal = open(&disk, settings()).expect("it is whole");
            assert_eq!((journal.next_sequence().get(), &journal.recovery().cut), (118, &None), "{what}");
        }
    }
}
