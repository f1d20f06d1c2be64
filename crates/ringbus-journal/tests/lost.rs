//! What the end of a journal does not have any more, or another file has in its place.

mod common;

use common::sample::{Files, expect_all_but, read_over, sample};
use common::{disk_of, end_of, files, open, record, records_of, segment, segments, settings, write};
use ringbus::Sequence;
use ringbus_journal::testing::SimulatedDisk;
use ringbus_journal::{Damage, Extent, JournalError};

#[test]
fn a_block_that_cannot_be_found_is_told_and_not_guessed() {
    // The end of the last block stands in the first of three segments.
    let records = records_of(0, 9, |_| 10);
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, settings().segment_records(3)).expect("a new journal");
    records[..9].chunks(1).for_each(|batch| _ = write(&mut journal, batch).expect("room"));
    drop(journal);
    assert_eq!(segments(&disk), [0, 3, 6].map(segment));
    let whole = files(&disk);
    let journal = open(&disk, settings()).expect("whole");
    let block = journal.recovery().last_block.expect("record 4 ends it");
    assert_eq!((block.height, block.time, block.next.get(), block.hash), (0, 0, 5, common::trace(2)));
    assert_eq!(journal.recovery().unfinished, Some(Sequence::new(5)));
    // Record 5, and with it all that the segment in the middle has behind record 4.
    let mut damaged = whole.clone();
    let bytes = &mut damaged.iter_mut().find(|(name, _)| *name == segment(3)).expect("it").1;
    *bytes.last_mut().expect("bytes") ^= 1;
    let disk = disk_of(&damaged);
    match open(&disk, settings()) {
        Err(JournalError::Damaged(damage)) => {
            assert_eq!((damage.first.get(), damage.next), (5, Some(Sequence::new(6))));
        }
        other => panic!("{other:?}"),
    }
    for (name, bytes) in &damaged {
        assert_eq!(disk.file(name).as_ref(), Some(bytes));
    }
    let journal = open(&disk, settings().after_damage()).expect("as it was asked to");
    assert_eq!(journal.recovery().last_block.map(|block| block.next.get()), Some(5));
    // A whole segment that is not there.
    let missing: Files = whole.into_iter().filter(|(name, _)| *name != segment(3)).collect();
    let disk = disk_of(&missing);
    assert!(
        matches!(open(&disk, settings()), Err(JournalError::Damaged(Damage { first, .. })) if first.get() == 3)
    );
    let (read, errors) = read_over(&disk, Extent::Durable);
    assert_eq!(read.iter().map(|record| record.0).collect::<Vec<_>>(), [0, 1, 2, 6, 7, 8]);
    assert!(
        matches!(&errors[..], [(JournalError::Damaged(damage), Some(6))] if (damage.first.get(), damage.next) == (3, Some(Sequence::new(6))))
    );
}

#[test]
fn what_is_gone_though_it_was_durable_is_told() {
    let sample = sample();
    // The last segment was removed, and so were all.
    for left in [2, 0] {
        let files: Files = sample
            .files
            .iter()
            .filter(|(name, _)| sample.number(name).is_none_or(|number| number < left))
            .cloned()
            .collect();
        let disk = disk_of(&files);
        let end = if left == 0 { 0 } else { 112 };
        let error = open(&disk, settings()).expect_err("it is gone");
        let text = error.to_string();
        assert!(
            matches!(error, JournalError::Lost { end: found, durable } if (found.get(), durable.get()) == (end, 118)),
            "{text}"
        );
        assert!(
            text.contains(&format!("ends at sequence {end}, but had been durable up to 118"))
                && text.contains("`after_damage`"),
            "{text}"
        );
        let mut journal = open(&disk, settings().after_damage()).expect("as it was asked to");
        assert_eq!(journal.next_sequence().get(), 118);
        let more = [record(118, 0, 9, 20)];
        write(&mut journal, &more).expect("room");
        let (read, errors) = read_over(&disk, Extent::Durable);
        assert_eq!(read, [&sample.records[..left * 6], &more].concat());
        assert_eq!(errors.len(), usize::from(left > 0));
    }
}

#[test]
fn a_segment_under_another_ones_name_is_not_read_as_that() {
    let sample = sample();
    let mut files = sample.files.clone();
    let other = files.iter().find(|(name, _)| *name == segment(100)).expect("it").1.clone();
    files.iter_mut().find(|(name, _)| *name == segment(106)).expect("it").1 = other;
    let (read, errors) = read_over(&disk_of(&files), Extent::Durable);
    expect_all_but(&sample, &(106..112).collect::<Vec<_>>(), &read, "renamed");
    assert!(matches!(&errors[..], [(JournalError::Header { .. }, Some(112))]));
    // Files that overlap: nothing comes twice.
    let disk = disk_of(&sample.files);
    let overlapping = SimulatedDisk::new();
    let mut journal = open(&overlapping, settings()).expect("a new journal");
    write(&mut journal, &records_of(109, 9, |number| 10 + (number as usize + 9) % 5)).expect("room");
    disk.put(&segment(109), overlapping.file(&segment(109)).expect("it"));
    let (read, _) = read_over(&disk, Extent::Written);
    assert!(read.is_sorted_by(|one, next| end_of(one) <= next.0), "{read:?}");
    assert_eq!(read.first().map(|record| record.0), Some(100));
}
