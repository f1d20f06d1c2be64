//! A small journal, cut off at every byte and flipped at every byte: whoever opens it to write cuts off nothing that was durable.

mod common;

use common::sample::{SEGMENTS, Sample, expect_all_but, expect_unchanged, missing, read_over, sample};
use common::{disk_of, open, reader, record, rest, segment, settings, write};
use ringbus_journal::{Cut, Extent, JournalError};

#[test]
fn who_opens_it_to_write_cuts_off_nothing_that_was_durable() {
    let sample = sample();
    for (number, first) in SEGMENTS.into_iter().enumerate() {
        for (what, at, with_mark) in sample.changes(&segment(first)) {
            let chunk = sample.chunk(number, at);
            for has_mark in [true, false] {
                let files = if has_mark { with_mark.clone() } else { Sample::without_mark(&with_mark) };
                let disk = disk_of(&files);
                let may_be_torn = !has_mark
                    && number == 2
                    && (chunk == Some(116) || chunk.is_some() && what.contains("cut"));
                match open(&disk, settings()) {
                    Ok(journal) if number < 2 => {
                        // Who reads it is told.
                        assert_eq!(
                            (journal.next_sequence().get(), &journal.recovery().cut),
                            (118, &None),
                            "{what}"
                        );
                        drop(journal);
                        let (read, errors) = read_over(&disk, Extent::Durable);
                        assert_eq!(errors.len(), 1, "{what}");
                        expect_all_but(
                            &sample,
                            &missing(&errors, &segment(first), first + 6, 118),
                            &read,
                            &what,
                        );
                    }
                    Ok(journal) => {
                        assert!(may_be_torn, "{what}");
                        let chunk = chunk.expect("a chunk");
                        assert_eq!(journal.next_sequence().get(), chunk, "{what}");
                        let (length, offset) = (
                            files.iter().find(|(name, _)| *name == segment(112)).expect("it").1.len(),
                            sample.chunks[2].iter().find(|(_, first)| *first == chunk).expect("it").0,
                        );
                        match &journal.recovery().cut {
                            Some(Cut { segment: name, offset: from, bytes, .. }) => {
                                assert_eq!(*name, format!("a simulated disk/{}", segment(112)));
                                assert_eq!(
                                    (*from, *bytes),
                                    (offset as u64, (length - offset) as u64),
                                    "{what}"
                                );
                                assert!(*bytes > 0);
                            }
                            // It was cut off at the end of a chunk.
                            None => assert_eq!(length, offset, "{what}"),
                        }
                        drop(journal);
                        let read = rest(&mut reader(&disk, Extent::Durable)).expect("whole");
                        expect_all_but(&sample, &(chunk..118).collect::<Vec<_>>(), &read, &what);
                    }
                    Err(error) => {
                        assert!(!may_be_torn && number == 2, "{what}: {error}");
                        match (&error, chunk) {
                            (JournalError::Header { .. }, None) => {}
                            (JournalError::Damaged(damage), Some(chunk)) => {
                                assert_eq!(
                                    (damage.first.get(), damage.segment.as_str()),
                                    (chunk, "a simulated disk/00000000000000000112.journal")
                                );
                            }
                            (JournalError::Lost { end, durable }, Some(chunk)) => {
                                // The end of a chunk is no damage of its own.
                                assert_eq!((end.get(), durable.get()), (chunk, 118), "{what}");
                                assert!(sample.chunks[2].iter().any(|(offset, _)| *offset == at));
                            }
                            other => panic!("{what}: {other:?}"),
                        }
                        expect_unchanged(&disk, &files, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn on_request_it_goes_on_after_damage() {
    let sample = sample();
    let (mut went_on, mut refused) = (0, 0);
    for (number, first) in SEGMENTS.into_iter().enumerate() {
        let name = segment(first);
        for (what, at, files) in sample.changes(&name).into_iter().step_by(3) {
            let disk = disk_of(&files);
            let (good, _) = read_over(&disk, Extent::Written);
            let mut journal = match open(&disk, settings().after_damage()) {
                Ok(journal) => journal,
                Err(JournalError::Header { segment, .. }) => {
                    assert_eq!((segment, number), (format!("a simulated disk/{name}"), 2));
                    assert_eq!(sample.chunk(number, at), None);
                    expect_unchanged(&disk, &files, &what);
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{what}: {error}"),
            };
            went_on += 1;
            // Behind everything that had been durable.
            assert_eq!(journal.next_sequence().get(), 118, "{what}");
            let more: Vec<_> = (0..6).map(|number| record(118 + number, number, 9, 20)).collect();
            more.chunks(3).for_each(|batch| _ = write(&mut journal, batch).expect("room"));
            journal.close().expect("room");
            let (read, errors) = read_over(&disk, Extent::Durable);
            assert_eq!(read, [&good[..], &more].concat(), "{what}");
            assert_eq!(errors.len(), 1, "{what}");
            // It does not have to be asked again, because the end is whole now.
            let journal = open(&disk, settings()).expect("the end is whole");
            assert_eq!(journal.next_sequence().get(), 124);
        }
    }
    assert!(went_on > 500 && refused > 50, "{went_on}, {refused}");
}
