//! What the double keeps and refuses, and what its assertions say.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytemuck::{Pod, Zeroable};

use super::{Recorded, Recorder};
use crate::bus::{Emit, Kind, Origin, Payload, Source, Topic, Trigger, WriteError};
use crate::error::PublishError;

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Trade {
    price: u32,
    size: u32,
}

impl Payload for Trade {
    const KIND: Kind = Kind::new(8);
    const TOPIC: Topic = Topic::new(2);
    const VERSION: u8 = 3;
}

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Order {
    size: u64,
}

impl Payload for Order {
    const KIND: Kind = Kind::new(5);
}

const ORIGIN: Origin = Origin::of(Source::new(1)).because(Trigger { kind: 6, reason: 7 });
const TRADES: [Trade; 2] = [Trade { price: 101, size: 5 }, Trade { price: 102, size: 1 }];

/// A trade, an order, a trade.
fn recorder() -> Recorder {
    let mut recorder = Recorder::new();
    recorder.emit(ORIGIN, &TRADES[0]).unwrap();
    recorder.emit(ORIGIN, &Order { size: 5 }).unwrap();
    recorder.emit(ORIGIN, &TRADES[1]).unwrap();
    recorder
}

/// What an assertion that should fail says.
#[track_caller]
fn message(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion should have failed");
    *panic.downcast::<String>().unwrap()
}

#[test]
fn everything_is_kept_in_order_with_all_that_was_said_of_it() {
    let mut recorder = recorder();
    assert_eq!(recorder.kinds(), [8, 5, 8].map(Kind::new));
    assert_eq!(recorder.all::<Trade>(), TRADES);
    assert_eq!(recorder.all::<Order>(), [Order { size: 5 }]);
    assert_eq!(
        recorder.events()[2],
        Recorded {
            origin: ORIGIN,
            kind: Trade::KIND,
            topic: Trade::TOPIC,
            version: 3,
            payload: bytemuck::bytes_of(&TRADES[1]).to_vec()
        }
    );
    assert_eq!(recorder.take().len(), 3);
    assert_eq!(recorder.events(), []);
    recorder.emit(ORIGIN, &TRADES[0]).unwrap();
    recorder.clear();
    assert_eq!(recorder.kinds(), []);
}

#[test]
fn it_refuses_what_a_writer_refuses() {
    let mut recorder = Recorder::new().with_max_payload(8);
    let kind = Kind::BLOCK_BEGUN;
    assert_eq!(recorder.emit_bytes(ORIGIN, kind, Topic::new(0), b""), Err(WriteError::ReservedKind { kind }));
    assert_eq!(
        recorder.emit_bytes(ORIGIN, Trade::KIND, Topic::new(0), &[0; 9]),
        Err(WriteError::PayloadTooLong { len: 9, longest: 8 })
    );
    recorder.emit(ORIGIN, &TRADES[0]).unwrap();
    assert_eq!(recorder.kinds(), [Trade::KIND]);
}

#[test]
fn events_fail_as_told_and_are_not_kept() {
    let mut recorder = Recorder::new();
    let full = WriteError::Publish(PublishError::Full { needed: 1 });
    recorder.fail_next(WriteError::OutsideBlock);
    recorder.fail_next(full.clone());
    assert_eq!(recorder.emit(ORIGIN, &TRADES[0]), Err(WriteError::OutsideBlock));
    assert_eq!(recorder.emit(ORIGIN, &TRADES[0]), Err(full));
    assert_eq!(recorder.emit(ORIGIN, &TRADES[1]), Ok(()));
    assert_eq!(recorder.all::<Trade>(), [TRADES[1]]);
}

#[test]
fn assertions_that_hold_say_nothing() {
    let recorder = recorder();
    recorder.assert_kinds(&[8, 5, 8].map(Kind::new));
    recorder.assert_emitted(&TRADES);
    recorder.assert_emitted(&[Order { size: 5 }]);
    Recorder::default().assert_nothing_of::<Trade>();
    Recorder::default().assert_emitted::<Trade>(&[]);
    Recorder::default().assert_kinds(&[]);
}

#[test]
fn events_that_differ_are_shown_side_by_side() {
    let wanted = [TRADES[0], Trade { price: 103, size: 1 }, TRADES[0]];
    assert_eq!(
        message(|| recorder().assert_emitted(&wanted)),
        "the events of kind 8 (ringbus::testing::tests::Trade) are not as expected:\n    \
             0: Trade { price: 101, size: 5 }\n  \
           - 1: Trade { price: 103, size: 1 }\n  \
           + 1: Trade { price: 102, size: 1 }\n  \
           - 2: Trade { price: 101, size: 5 }\n  \
           (- expected, + emitted)\n\
         all that was emitted, by kind: [8, 5, 8]"
    );
    // Fewer are wrong too.
    assert!(
        message(|| recorder().assert_emitted(&TRADES[..1]))
            .contains("  + 1: Trade { price: 102, size: 1 }\n")
    );
    assert!(message(|| recorder().assert_emitted::<Trade>(&[])).contains("  expected: nothing\n"));
}

#[test]
fn an_event_of_the_kind_and_another_length_is_not_passed_over() {
    let mut recorder = Recorder::new();
    recorder.emit_bytes(ORIGIN, Trade::KIND, Topic::new(2), &[0xab, 1]).unwrap();
    assert_eq!(recorder.all::<Trade>(), []);
    let said = message(|| recorder.assert_emitted::<Trade>(&[]));
    assert!(
        said.contains(
            "  + 0: not of this type, which has 8 bytes: kind 8, topic 2, version 1, source 1, trigger 6/7, 2 bytes: ab01\n"
        ),
        "{said}"
    );
    assert!(message(|| recorder.assert_nothing_of::<Trade>()).contains("+ 0: not of this type"));
}

#[test]
fn kinds_that_differ_are_shown_side_by_side() {
    assert_eq!(
        message(|| recorder().assert_kinds(&[Kind::new(8), Kind::new(6)])),
        "the kinds of what was emitted are not as expected:\n    \
             0: kind 8\n  \
           - 1: kind 6\n  \
           + 1: kind 5\n  \
           + 2: kind 8\n  \
           (- expected, + emitted)"
    );
}

#[test]
fn events_that_should_not_be_are_shown() {
    assert_eq!(
        message(|| recorder().assert_nothing_of::<Order>()),
        "there should be no events of kind 5 (ringbus::testing::tests::Order):\n  \
           expected: nothing\n  \
           + 0: Order { size: 5 }\n  \
           (- expected, + emitted)\n\
         all that was emitted, by kind: [8, 5, 8]"
    );
}
