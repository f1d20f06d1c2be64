//! Writing to a ring's file from outside.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use super::pattern::CAPACITY;
use super::process::Random;

/// Where the mirror of the cursor stands; and in the header, where the schema and the slots begin.
const CURSOR: u64 = 4_096;
const SCHEMA_OFFSET: u64 = 64;
pub(crate) const SLOTS_OFFSET: u64 = 80;

/// Somebody who writes a ring's file, and has no business there.
pub(crate) struct Scribbler {
    file: File,
    slots_offset: u64,
    /// The header, and the schema, as they were; each with its place.
    sound: [(u64, Vec<u8>); 2],
    random: Random,
}

impl Scribbler {
    pub(crate) fn open(path: &Path) -> Self {
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let (schema_offset, slots_offset) = (word(&file, SCHEMA_OFFSET), word(&file, SLOTS_OFFSET));
        let sound = [0..CURSOR, schema_offset..slots_offset].map(|part| {
            let mut bytes = vec![0; (part.end - part.start) as usize];
            file.read_exact_at(&mut bytes, part.start).unwrap();
            (part.start, bytes)
        });
        Self { file, slots_offset, sound, random: Random::new(8) }
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, offset).unwrap();
    }

    fn word(&self, offset: u64, word: u64) {
        self.write(offset, &word.to_ne_bytes());
    }

    pub(crate) fn set_cursor(&self, word: u64) {
        self.word(CURSOR, word);
    }

    /// Writes to `offset` of the slot at `index`.
    pub(crate) fn write_slot(&self, index: usize, slot_bytes: usize, offset: usize, bytes: &[u8]) {
        self.write(self.slots_offset + (index * slot_bytes + offset) as u64, bytes);
    }

    /// Writes something somewhere into the header, the mirrors, the report or the schema.
    pub(crate) fn before_the_slots(&mut self) {
        let cursor = word(&self.file, CURSOR);
        let number = self.random.next();
        let near = number % (2 * CAPACITY as u64);
        match self.random.below(16) {
            0 => self.word(CURSOR, number),
            1 => self.word(CURSOR, cursor.wrapping_add(near)),
            2 => self.word(CURSOR, cursor.wrapping_sub(near)),
            3 => self.word(CURSOR, cursor ^ 1 << 63),
            4 => self.word(CURSOR, [0, u64::MAX, 1 << 63, (1 << 63) - 1][number as usize % 4]),
            5 => self.word(CURSOR + 128 * (number % 6), number),
            6 => self.word((number % self.slots_offset) & !7, number.rotate_left(17)),
            7 => self.garbage(0, self.slots_offset),
            // So that there is something to attach to now and then. (The core sets the cursor right by itself.)
            _ => self.sound.iter().for_each(|(offset, bytes)| self.write(*offset, bytes)),
        }
    }

    /// Writes something somewhere into the slots.
    pub(crate) fn slots(&mut self) {
        let bytes = self.file.metadata().unwrap().len() - self.slots_offset;
        match self.random.below(8) {
            0 => self.garbage(self.slots_offset, bytes),
            _ => {
                let (offset, number) = (self.random.below(bytes) & !7, self.random.next());
                self.word(self.slots_offset + offset, number);
            }
        }
    }

    fn garbage(&mut self, offset: u64, bytes: u64) {
        let garbage: Vec<u8> =
            (0..bytes.div_ceil(8)).flat_map(|_| self.random.next().to_ne_bytes()).collect();
        self.write(offset, &garbage[..bytes as usize]);
    }
}

/// The word at `offset` of a ring's file.
pub(crate) fn word(file: &File, offset: u64) -> u64 {
    let mut word = [0; 8];
    file.read_exact_at(&mut word, offset).unwrap();
    u64::from_ne_bytes(word)
}
