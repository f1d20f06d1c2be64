//! Each fault is told apart, with the byte offset, the frame, and what to do.

mod common;

use std::io::{self, Read, Write};

use common::{BusEvent, frame, read};
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use recorded::{Fault, ReadError, Reader};

/// Reads a sound frame of file sequence 40 and then `bytes`; the error that those give, and their offset.
fn fault_after_one_sound_frame(bytes: &[u8]) -> (ReadError, u64) {
    let sound = frame(40, &BusEvent::sound().encode_to_vec());
    let (events, error) = read(&[&sound, bytes].concat());
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].file_sequence, 40);
    let error = error.expect("an error");
    assert_eq!((error.offset, error.frame), (sound.len() as u64, 2));
    (error, sound.len() as u64)
}

/// Asserts the whole message, which starts with the frame and its offset.
#[track_caller]
fn assert_message((error, offset): &(ReadError, u64), message: &str) {
    assert_eq!(error.to_string(), format!("frame 2, at byte {offset} of the unpacked stream: {message}"));
}

fn spoilt(spoil: impl FnOnce(&mut BusEvent)) -> (ReadError, u64) {
    let mut event = BusEvent::sound();
    spoil(&mut event);
    fault_after_one_sound_frame(&frame(41, &event.encode_to_vec()))
}

#[test]
fn a_sound_frame_gives_its_fields() {
    let encoded = BusEvent::sound().encode_to_vec();
    let (events, error) = read(&frame(u64::MAX, &encoded));
    assert!(error.is_none());
    let [event] = &events[..] else { panic!("{} events", events.len()) };
    assert_eq!((event.file_sequence, event.height, event.order, event.kind), (u64::MAX, 7, 3, 12));
    assert_eq!((event.block, event.tx_hash), ([0xaa; 32], [0xbb; 32]));
    assert_eq!((event.version, &*event.chain_id), (4, "net-5"));
    assert_eq!(event.encoded, encoded);
    assert!(event.caused_by_transaction());
}

#[test]
fn no_transaction_where_the_hashes_are_equal_in_either_case() {
    let mut event = BusEvent::sound();
    event.tx_hash = "aA".repeat(32);
    let (events, _) = read(&frame(1, &event.encode_to_vec()));
    assert!(!events[0].caused_by_transaction());
}

#[test]
fn a_size_out_of_bounds() {
    for size in [0_u32, 7, (1 << 20) + 1, u32::MAX] {
        // Whether the bytes are there makes no difference.
        for rest in [0, 64] {
            let failed = fault_after_one_sound_frame(&[&size.to_be_bytes()[..], &vec![0; rest]].concat());
            assert!(matches!(failed.0.fault, Fault::Size { found } if found == size), "{failed:?}");
            assert_message(
                &failed,
                &format!(
                    "its size is {size} bytes, expected 8 to 1048576: the stream is damaged from here on, or is \
                     not a recording of events; take a fresh copy"
                ),
            );
        }
    }
}

#[test]
fn the_least_and_the_largest_size_are_in_bounds() {
    // 8 bytes: an empty message, which has no id.
    let (error, _) = fault_after_one_sound_frame(&frame(41, &[]));
    assert!(matches!(error.fault, Fault::Id { .. }), "{error}");
    let (error, _) = fault_after_one_sound_frame(&(1_u32 << 20).to_be_bytes());
    assert!(matches!(error.fault, Fault::Truncated { found: 4, expected: 1_048_580 }), "{error}");
}

#[test]
fn a_truncated_size_word() {
    let failed = fault_after_one_sound_frame(&[0, 0]);
    assert!(matches!(failed.0.fault, Fault::Truncated { found: 2, expected: 4 }), "{failed:?}");
    assert_message(
        &failed,
        "the stream ends after 2 bytes of it, expected 4 for its size word alone: take a whole copy, or use the \
         events before it",
    );
}

#[test]
fn a_truncated_frame() {
    let whole = frame(41, &BusEvent::sound().encode_to_vec());
    let failed = fault_after_one_sound_frame(&whole[..whole.len() - 1]);
    let (found, expected) = (whole.len() as u64 - 1, whole.len() as u64);
    assert!(
        matches!(failed.0.fault, Fault::Truncated { found: f, expected: e } if (f, e) == (found, expected))
    );
    assert_message(
        &failed,
        &format!(
            "the stream ends after {found} bytes of it, expected {expected}: take a whole copy, or use the \
             events before it"
        ),
    );
}

#[test]
fn a_gap_a_repeat_and_a_step_back_in_the_file_sequence() {
    for sequence in [42, 40, 39, 0, u64::MAX] {
        let failed = fault_after_one_sound_frame(&frame(sequence, &BusEvent::sound().encode_to_vec()));
        assert!(
            matches!(failed.0.fault, Fault::Sequence { found, previous: 40 } if found == sequence),
            "{failed:?}"
        );
        assert_message(
            &failed,
            &format!(
                "its file sequence is {sequence}, expected 41: events are missing, repeated or damaged; take a \
                 fresh copy"
            ),
        );
    }
}

#[test]
fn no_file_sequence_follows_the_largest() {
    let encoded = BusEvent::sound().encode_to_vec();
    let (events, error) = read(&[frame(u64::MAX, &encoded), frame(0, &encoded)].concat());
    assert_eq!(events.len(), 1);
    let error = error.unwrap().to_string();
    assert!(
        error.contains("its file sequence is 0, expected no frame after 18446744073709551615, the largest"),
        "{error}"
    );
}

#[test]
fn malformed_protobuf() {
    for message in [
        &[0x0a, 0x7f, b'1'][..],   // a string longer than the message
        &[0x08, 0x01],             // `id` as a number
        &[0x0b, 0x0c],             // `id` as a group
        &[0x00],                   // field 0
        &[0x0a, 0x02, 0xff, 0xff], // `id` not UTF-8
        &[0x80],                   // a key cut short
        &[0xff; 11],               // a number without an end
        &[0xc3, 0x0c],             // a group that stays open
    ] {
        let failed = fault_after_one_sound_frame(&frame(41, message));
        assert!(matches!(failed.0.fault, Fault::Protobuf(_)), "{failed:?}");
        let text = failed.0.to_string();
        let start = format!("frame 2, at byte {} of the unpacked stream: malformed protobuf: ", failed.1);
        assert!(text.starts_with(&start), "{text}");
        assert!(
            text.ends_with(
                "; expected one message `BusEvent`: the frame is damaged, or is of another format; take a fresh copy"
            ),
            "{text}"
        );
    }
}

#[test]
fn groups_nested_deeply_are_refused_and_do_not_exhaust_the_stack() {
    // Field 200 as an open group, over and over.
    let message = [0xc3, 0x0c].repeat(500_000);
    let (error, _) = fault_after_one_sound_frame(&frame(41, &message));
    assert!(matches!(error.fault, Fault::Protobuf(_)), "{error}");
}

#[test]
fn a_malformed_id() {
    for id in ["", "7", "7-", "-3", "7-0", "x-3", "7-x", "+7-3", "7-3-1", "7-4294967296"] {
        let failed = spoilt(|event| event.id = id.to_owned());
        assert!(matches!(&failed.0.fault, Fault::Id { found } if found == id), "{failed:?}");
        assert_message(
            &failed,
            &format!(
                "malformed `id` {id:?}, expected \"HEIGHT-SEQ\" in decimal, SEQ from 1 to 4294967295: the frame \
                 is damaged, or is of another format; take a fresh copy"
            ),
        );
    }
}

#[test]
fn a_malformed_hash_names_its_field() {
    for hash in [String::new(), "AA".repeat(31), "AA".repeat(33), format!("{}xA", "AA".repeat(31))] {
        let block = spoilt(|event| event.block = hash.clone());
        let tx_hash = spoilt(|event| event.tx_hash = hash.clone());
        for (failed, name) in [(block, "block"), (tx_hash, "tx_hash")] {
            assert!(
                matches!(&failed.0.fault, Fault::Hex { field, found } if *field == name && *found == hash),
                "{failed:?}"
            );
            assert_message(
                &failed,
                &format!(
                    "malformed `{name}` {hash:?}, expected a hash of 64 hex digits: the frame is damaged, or is \
                     of another format; take a fresh copy"
                ),
            );
        }
    }
}

#[test]
fn a_kind_that_does_not_fit() {
    for kind in [-1, 65_536, (1 << 32) + 12, i64::MAX, i64::MIN] {
        let failed = spoilt(|event| event.kind = kind);
        assert!(matches!(failed.0.fault, Fault::Kind { found } if found == kind), "{failed:?}");
        assert_message(
            &failed,
            &format!(
                "`type` is {kind}, expected 0 to 65535: the frame is damaged, or is of another format; take a \
                 fresh copy"
            ),
        );
    }
    let mut event = BusEvent::sound();
    event.kind = 65_535;
    assert_eq!(read(&frame(1, &event.encode_to_vec())).0[0].kind, u16::MAX);
}

#[test]
fn a_version_that_does_not_fit() {
    for version in [256, u32::MAX] {
        let failed = spoilt(|event| event.version = version);
        assert!(matches!(failed.0.fault, Fault::Version { found } if found == version), "{failed:?}");
        assert_message(
            &failed,
            &format!(
                "`version` is {version}, expected 0 to 255: the frame is damaged, or is of another format; take a \
                 fresh copy"
            ),
        );
    }
    let mut event = BusEvent::sound();
    event.version = 255;
    assert_eq!(read(&frame(1, &event.encode_to_vec())).0[0].version, u8::MAX);
}

#[test]
fn a_long_wrong_value_is_shown_in_part() {
    let (error, _) = spoilt(|event| event.id = "é".repeat(10_000));
    assert!(matches!(&error.fault, Fault::Id { found } if *found == "é".repeat(80)), "{error}");
}

#[test]
fn an_error_of_the_source() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    let sound = frame(40, &BusEvent::sound().encode_to_vec());
    let mut reader = Reader::new(sound.chain(Broken));
    assert!(reader.next().unwrap().is_ok());
    let error = reader.next().unwrap().unwrap_err();
    assert!(matches!(&error.fault, Fault::Io(cause) if cause.kind() == io::ErrorKind::Other), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "frame 2, at byte {} of the unpacked stream: reading failed: the disk is on fire; expected to read \
             on to the end of the frame: check the disk, and that the copy is whole (a gzip file must be complete)",
            sound.len()
        )
    );
    assert!(reader.next().is_none());

    // The source gives an error inside a frame as well.
    let error = Reader::new(sound[..20].chain(Broken)).next().unwrap().unwrap_err();
    assert_eq!((error.offset, error.frame), (0, 1));
    assert!(matches!(error.fault, Fault::Io(_)), "{error:?}");
}

#[test]
fn a_gzip_file_that_was_cut_is_an_error_even_between_two_frames() {
    let sound = frame(40, &BusEvent::sound().encode_to_vec());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&sound).unwrap();
    encoder.flush().unwrap();
    let whole = encoder.finish().unwrap();
    let path = std::env::temp_dir().join(format!("recorded-{}-cut.gz", std::process::id()));
    // The last 8 bytes are gzip's checksum and length.
    std::fs::write(&path, &whole[..whole.len() - 8]).unwrap();
    let results: Vec<_> = Reader::open(&path).unwrap().take(10).collect();
    std::fs::remove_file(&path).unwrap();
    let [Ok(event), Err(error)] = &results[..] else { panic!("{results:?}") };
    assert_eq!(event.file_sequence, 40);
    assert_eq!((error.offset, error.frame), (sound.len() as u64, 2));
    assert!(
        matches!(&error.fault, Fault::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof),
        "{error:?}"
    );
}

#[test]
fn a_file_that_is_not_there() {
    let path = std::env::temp_dir().join("recorded-no-such-file");
    let error = Reader::open(&path).unwrap_err();
    assert_eq!(error.path, path);
    assert_eq!(error.cause.kind(), io::ErrorKind::NotFound);
    let text = error.to_string();
    assert!(text.starts_with(&format!("cannot open {path:?}: ")), "{text}");
    assert!(
        text.ends_with("expected a readable file of recorded events, plain or gzip: check the path"),
        "{text}"
    );
}
