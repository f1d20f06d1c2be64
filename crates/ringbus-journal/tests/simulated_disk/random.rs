//! Random writes, and what random crashes leave of them.

use proptest::prelude::*;
use ringbus_journal::testing::{Crash, SimulatedDisk};

use super::{append, named};

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Overwrite(usize, usize),
    Truncate(usize),
    Sync,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..2_000_usize).prop_map(Step::Append),
        1 => (0..4_000_usize, 1..1_000_usize).prop_map(|(offset, count)| Step::Overwrite(offset, count)),
        1 => (0..4_000_usize).prop_map(Step::Truncate),
        2 => Just(Step::Sync),
    ]
}

proptest! {
    /// Whatever is done to a file, each crash leaves in each place a byte that stood there at the last sync or was written since, or, where
    /// the file was shorter at some time since, anything; and what nothing was done to since the last sync is as it was.
    #[test]
    fn crashes_leave_nothing_but_what_was_written(steps in prop::collection::vec(step(), 1..12), seed in any::<u64>()) {
        let disk = SimulatedDisk::new();
        let mut file = named(&disk, "a");
        let mut content: Vec<u8> = Vec::new();
        // For the bytes that were there at the last sync: what may stand there, and whether it was ever cut off.
        let mut synced = content.clone();
        let (mut shortest, mut longest) = (0, 0);
        let mut written: Vec<Vec<u8>> = Vec::new();
        let mut next: u8 = 0;
        for step in steps {
            next += 1;
            match step {
                Step::Append(count) => {
                    append(&mut file, &vec![next; count]);
                    content.extend(vec![next; count]);
                    written.push([vec![0; content.len() - count], vec![next; count]].concat());
                }
                Step::Overwrite(offset, count) => {
                    prop_assert_eq!(file.write_at(&vec![next; count], offset as u64).expect("room"), count);
                    content.resize(content.len().max(offset + count), 0);
                    content[offset..offset + count].fill(next);
                    written.push([vec![0; offset], vec![next; count]].concat());
                }
                Step::Truncate(size) => {
                    file.truncate(size as u64).expect("another size");
                    content.resize(size, 0);
                }
                Step::Sync => {
                    file.sync().expect("synced");
                    synced.clone_from(&content);
                    (shortest, longest) = (content.len(), content.len());
                    written.clear();
                }
            }
            shortest = shortest.min(content.len());
            longest = longest.max(content.len());
        }
        prop_assert_eq!(disk.file("a"), Some(content.clone()));
        prop_assert_eq!(disk.crash(Crash::keep_everything()).file("a"), Some(content));
        prop_assert_eq!(disk.crash(Crash::keep_nothing()).file("a"), Some(synced.clone()));
        for crash in [Crash::random(seed), Crash::reordered(seed)] {
            let after = disk.crash(crash).file("a").expect("the file");
            prop_assert!(after.len() >= shortest && after.len() <= longest, "{} bytes", after.len());
            for (at, byte) in after.iter().enumerate().take(shortest) {
                let explained = *byte == synced[at]
                    || written.iter().any(|bytes| bytes.get(at).is_some_and(|written| written == byte && *written != 0));
                prop_assert!(explained, "{byte} at {at}");
            }
        }
        prop_assert_eq!(disk.crash(Crash::random(seed)).file("a"), disk.crash(Crash::random(seed)).file("a"));
    }
}
