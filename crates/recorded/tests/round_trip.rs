//! What is written reads back: plain, gzip, gzip of several members, and in small reads.

mod common;

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use common::{framed, generate, read};
use flate2::Compression;
use flate2::write::GzEncoder;
use recorded::{MAX_FRAME_BYTES, Reader, RecordedEvent, write_framed};

/// A file that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("recorded-{}-{name}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn open(name: &str, bytes: &[u8]) -> Vec<RecordedEvent> {
    let file = Scratch::new(name, bytes);
    Reader::open(&file.0).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn frames_are_laid_out_as_described() {
    let events = generate(1, 1);
    let bytes = framed(&events[..2]);
    let length = events[0].encoded.len();
    assert_eq!(bytes[..4], u32::try_from(8 + length).unwrap().to_be_bytes());
    assert_eq!(bytes[4..12], [0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(bytes[12..12 + length], events[0].encoded);
    assert_eq!(bytes[12 + length + 4..12 + length + 12], [0, 0, 0, 0, 0, 0, 0, 2]);
    assert_eq!(bytes.len(), 24 + length + events[1].encoded.len());
}

#[test]
fn plain_and_gzip_read_back_equal() {
    let events = generate(2, 200);
    assert!(events.len() > 1_000);
    let bytes = framed(&events);
    assert_eq!(read(&bytes).0, events);
    assert_eq!(open("plain", &bytes), events);
    assert_eq!(open("gzip", &gzip(&bytes)), events);
}

#[test]
fn gzip_members_are_read_as_one_stream_wherever_they_are_cut() {
    let events = generate(2, 5);
    let bytes = framed(&events);
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    assert_eq!(open("members", &[gzip(head), gzip(tail)].concat()), events);
}

#[test]
fn a_source_may_give_a_byte_at_a_time_and_be_interrupted() {
    struct Trickle<'a>(&'a [u8], bool);
    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }
    let events = generate(2, 3);
    let bytes = framed(&events);
    let read: Vec<_> = Reader::new(Trickle(&bytes, false)).collect::<Result<_, _>>().unwrap();
    assert_eq!(read, events);
}

#[test]
fn an_empty_stream_holds_no_events() {
    assert_eq!(open("empty", &[]), []);
    assert_eq!(open("empty-gzip", &gzip(&[])), []);
    assert_eq!(framed(&[]), []);
}

#[test]
fn the_first_file_sequence_may_be_any() {
    let events = generate(2, 3);
    let tail = &events[100..];
    assert_eq!(tail[0].file_sequence, 101);
    assert_eq!(read(&framed(tail)).0, tail);
}

#[test]
fn a_frame_of_the_largest_size_is_written_and_a_larger_one_refused() {
    let mut events = generate(1, 1);
    events.truncate(2);
    let room = MAX_FRAME_BYTES - 8 - events[1].encoded.len();
    // One more field, 15, of bytes: its key, a length of three bytes, and the rest.
    let filler = room - 4;
    let length = [filler & 127 | 128, filler >> 7 & 127 | 128, filler >> 14].map(|byte| byte as u8);
    events[1].encoded.push(15 << 3 | 2);
    events[1].encoded.extend(length);
    events[1].encoded.resize(MAX_FRAME_BYTES - 8, 0);
    assert_eq!(read(&framed(&events)).0, events);

    events[1].encoded.push(0);
    let mut written = Vec::new();
    let error = write_framed(&mut written, &events).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        "the event with file sequence 2 needs a frame of 1048577 bytes, expected at most 1048576: \
         shorten its `encoded`"
    );
    assert_eq!(written, framed(&events[..1]));
}
