//! Events of which only the part in use is written and copied.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ringbus::{ClaimFull, Producer, ReadFrom, RecvError, Ring, Sequence};

const BYTES: usize = 64;
type Event = [u8; BYTES];

fn publish(producer: &mut Producer<Event>, head: &[u8], tail: &[u8]) {
    let mut claim = producer.claim(1).unwrap();
    claim.push_prefix(head, tail).unwrap();
    claim.publish().unwrap();
}

/// Every length of head and tail: the bytes in use come out of both kinds of consumer, the last word is filled up with zeros, and
/// behind it is what was there before.
#[test]
fn writes_and_copies_the_bytes_in_use_and_leaves_the_rest() {
    const OLD: u8 = 0xEE;
    const BUFFER: u8 = 0xDD;
    let (mut producer, ring) = Ring::<Event>::builder().capacity(4).build().unwrap();
    let mut required = ring.required("in place").join().unwrap();
    let mut optional = ring.optional("copies").join().unwrap();
    let bytes: [u8; BYTES] = std::array::from_fn(|at| at as u8 + 1);
    for head in (0..=BYTES).step_by(8) {
        for tail in 0..=BYTES - head {
            // So that the slot holds something.
            for _ in 0..4 {
                producer.publish(&[OLD; BYTES]).unwrap();
            }
            required.read().unwrap().acknowledge();
            while optional.try_recv() != Err(RecvError::Empty) {}

            let len = head + tail;
            publish(&mut producer, &bytes[..head], &bytes[head..len]);
            let mut expected = [OLD; BYTES];
            expected[..len].copy_from_slice(&bytes[..len]);
            expected[len..len.next_multiple_of(8)].fill(0);
            let batch = required.read().unwrap();
            assert_eq!(batch.iter().next().unwrap().1, &expected, "head {head}, tail {tail}");
            batch.acknowledge();

            let mut buffer = [BUFFER; BYTES + 8];
            let sequence = optional.position();
            let used = |seen: &[u8]| {
                assert_eq!(seen, &bytes[..head]);
                len
            };
            assert_eq!(optional.try_recv_prefix(&mut buffer, head, used), Ok((sequence, len)));
            assert_eq!(buffer[..len], bytes[..len], "head {head}, tail {tail}");
            assert!(
                buffer[len.next_multiple_of(8)..].iter().all(|byte| *byte == BUFFER),
                "copied more than is in use"
            );
        }
    }
    required.leave();
}

#[test]
fn what_is_said_to_be_in_use_is_brought_into_the_slot() {
    let (mut producer, ring) = Ring::<Event>::builder().build().unwrap();
    let mut consumer = ring.optional("consumer").join().unwrap();
    let mut buffer = [0; BYTES];
    for (said, len) in [(0, 16), (16, 16), (17, 17), (64, 64), (65, 64), (usize::MAX, 64)] {
        producer.publish(&[7; BYTES]).unwrap();
        let (_, found) = consumer.try_recv_prefix(&mut buffer, 16, |_| said).unwrap();
        assert_eq!(found, len, "{said} bytes were said to be in use");
    }
}

#[test]
fn overruns_and_the_end_are_told_as_by_whole_events() {
    let (mut producer, ring) = Ring::<Event>::builder().capacity(4).max_batch(1).build().unwrap();
    let mut consumer = ring.optional("slow").resume(ReadFrom::Oldest { headroom: 0 }).join().unwrap();
    let mut buffer = [0; BYTES];
    let mut receive = || consumer.try_recv_prefix(&mut buffer, 8, |_| 8);
    assert_eq!(receive(), Err(RecvError::Empty));
    for event in 0..10_u64 {
        publish(&mut producer, &event.to_le_bytes(), &[]);
    }
    assert_eq!(receive(), Err(RecvError::Lagged { missed: 7, resumed_at: Sequence::new(7) }));
    for sequence in 7..10 {
        assert_eq!(receive(), Ok((Sequence::new(sequence), 8)));
    }
    producer.close().unwrap();
    assert!(matches!(receive(), Err(RecvError::Ended(_))));
}

#[test]
fn a_claim_that_is_full_says_so() {
    let (mut producer, _ring) = Ring::<Event>::builder().build().unwrap();
    let mut claim = producer.claim(1).unwrap();
    claim.push_prefix(&[0; 8], &[1]).unwrap();
    assert_eq!(claim.push_prefix(&[0; 8], &[1]), Err(ClaimFull { claimed: 1 }));
    claim.publish().unwrap();
}

#[test]
fn lengths_that_cannot_be_are_refused_before_anything_is_written() {
    let (mut producer, ring) = Ring::<Event>::builder().build().unwrap();
    let mut consumer = ring.optional("consumer").join().unwrap();
    for (head, tail) in [(7, 0), (72, 0), (8, 57), (64, 1)] {
        let mut claim = producer.claim(1).unwrap();
        let pushed = catch_unwind(AssertUnwindSafe(|| claim.push_prefix(&[0; 72][..head], &[0; 72][..tail])));
        assert!(pushed.is_err(), "head {head}, tail {tail}");
        assert!(claim.is_empty());
    }
    producer.publish(&[1; BYTES]).unwrap();
    for (buffer, head) in [(BYTES - 1, 8), (BYTES, 7), (BYTES + 16, 72)] {
        let mut buffer = vec![0; buffer];
        let received = catch_unwind(AssertUnwindSafe(|| consumer.try_recv_prefix(&mut buffer, head, |_| 8)));
        assert!(received.is_err(), "a buffer of {}, head {head}", buffer.len());
    }
    assert_eq!(consumer.recv().unwrap().1, [1; BYTES]);
}
