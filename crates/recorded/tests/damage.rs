//! Streams cut or changed at any byte: never a panic, never a wrong end.

mod common;

use std::io::Write;

use common::{framed, generate, read};
use flate2::Compression;
use flate2::write::GzEncoder;
use recorded::{Fault, Reader, RecordedEvent};

/// Six frames, of two transactions and of none, about 2 kB.
fn small() -> (Vec<RecordedEvent>, Vec<u8>) {
    let events = generate(11, 2)[258..264].to_vec();
    let bytes = framed(&events);
    (events, bytes)
}

/// Where each frame starts, and the end.
fn boundaries(events: &[RecordedEvent]) -> Vec<usize> {
    let mut boundaries = vec![0];
    for event in events {
        boundaries.push(boundaries[boundaries.len() - 1] + 12 + event.encoded.len());
    }
    boundaries
}

#[test]
fn a_stream_cut_anywhere_ends_cleanly_only_between_frames() {
    let (events, bytes) = small();
    let boundaries = boundaries(&events);
    assert_eq!(boundaries[6], bytes.len());
    let mut clean = 0;
    for length in 0..=bytes.len() {
        let whole = boundaries.iter().filter(|&&boundary| boundary <= length).count() - 1;
        let (read, error) = read(&bytes[..length]);
        assert_eq!(read, events[..whole], "cut to {length} bytes");
        match error {
            None => {
                assert_eq!(boundaries[whole], length, "cut to {length} bytes");
                clean += 1;
            }
            Some(error) => {
                assert_ne!(boundaries[whole], length, "cut to {length} bytes");
                assert_eq!((error.offset, error.frame), (boundaries[whole] as u64, whole as u64 + 1));
                let inside = length - boundaries[whole];
                let needed = if inside < 4 { 4 } else { boundaries[whole + 1] - boundaries[whole] };
                assert!(
                    matches!(error.fault, Fault::Truncated { found, expected }
                        if (found, expected) == (inside as u64, needed as u64)),
                    "cut to {length} bytes: {error}"
                );
            }
        }
    }
    assert_eq!(clean, 7);
}

#[test]
fn a_gzip_file_cut_anywhere_is_an_error() {
    let (events, bytes) = small();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&bytes).unwrap();
    let packed = encoder.finish().unwrap();
    let path = std::env::temp_dir().join(format!("recorded-{}-cut-anywhere.gz", std::process::id()));
    for length in 1..packed.len() {
        std::fs::write(&path, &packed[..length]).unwrap();
        let results: Vec<_> = Reader::open(&path).unwrap().take(10).collect();
        let [before @ .., Err(error)] = &results[..] else { panic!("cut to {length} bytes: {results:?}") };
        // A single byte is too little to tell gzip by.
        let expected = if length == 1 { "after 1 bytes" } else { "must be complete" };
        assert!(error.to_string().contains(expected), "cut to {length} bytes: {error}");
        assert!(before.len() <= events.len());
        for (result, event) in before.iter().zip(&events) {
            assert_eq!(result.as_ref().unwrap(), event, "cut to {length} bytes");
        }
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_flipped_bit_anywhere_never_panics_and_spoils_no_earlier_frame() {
    let (events, bytes) = small();
    let boundaries = boundaries(&events);
    let (mut errors, mut unseen) = (0, 0);
    for place in 0..bytes.len() {
        let frame = boundaries.iter().filter(|&&boundary| boundary <= place).count() - 1;
        let in_header = place - boundaries[frame] < 12;
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let (read, error) = read(&damaged);
            assert!(read.len() >= frame, "byte {place}, bit {bit}");
            assert_eq!(read[..frame], events[..frame], "byte {place}, bit {bit}");
            match error {
                Some(error) => {
                    assert!(error.offset >= boundaries[frame] as u64, "byte {place}, bit {bit}: {error}");
                    assert_eq!(error.frame, read.len() as u64 + 1);
                    errors += 1;
                }
                None => {
                    // Only the message can change unseen: the frame after tells of a wrong size or sequence.
                    assert!(!in_header, "byte {place}, bit {bit}");
                    assert_eq!(read.len(), events.len());
                    assert_ne!(read, events);
                    assert_eq!(read[frame + 1..], events[frame + 1..]);
                    unseen += 1;
                }
            }
        }
    }
    assert_eq!(errors + unseen, bytes.len() * 8);
    assert!(errors > 12 * 6 * 8, "{errors} flips were errors, fewer than there are bits in headers");
    assert!(unseen > 0, "the messages' payloads are not checked");
}

#[test]
fn random_bytes_never_panic() {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut decoded = 0;
    for _ in 0..2_000 {
        // A frame that is sound but for its message, so that the message's decoding is reached.
        let mut message = vec![0; rng.usize(0..200)];
        rng.fill(&mut message);
        let (read, error) = read(&common::frame(1, &message));
        assert!(read.is_empty() && error.is_some(), "{message:?}");
        decoded += usize::from(error.is_some_and(|error| !matches!(error.fault, Fault::Protobuf(_))));

        // And bytes without any frame.
        assert!(Reader::new(&message[..]).count() <= message.len() / 12 + 1);
    }
    assert!(decoded > 0, "no random message decoded");
}
