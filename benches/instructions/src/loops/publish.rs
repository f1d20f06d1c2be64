//! Publishing, with nobody to wait for.

use std::hint::black_box;

use crate::event::{Words, discard, make};
use crate::loops::{Counted, EVENTS, Loop, Producer, ring};

const OPEN: &str = "nobody closes the ring";

pub(super) fn all() -> Vec<Loop> {
    vec![
        single::<1>(),
        single::<4>(),
        single::<8>().listed(),
        single::<32>(),
        Loop::new(
            "single publish by a producer in a struct, 64 bytes",
            core_publishes(),
            events_made::<8>(1),
        ),
        batch::<8>(10),
        batch::<1>(64),
        batch::<4>(64),
        batch::<8>(64).listed(),
        batch::<32>(64),
        claim::<8>(10),
        claim::<8>(64).listed(),
    ]
}

fn single<const W: usize>() -> Loop {
    let subject =
        Counted::new("instructions::loops::publish::publish_single", || publish_single(ring::<W>().0));
    Loop::new(format!("single publish, {} bytes", W * 8), subject, events_made::<W>(1))
}

#[inline(never)]
fn publish_single<const W: usize>(mut producer: Producer<W>) -> u64 {
    for number in 0..EVENTS {
        producer.publish(&make(number)).expect(OPEN);
    }
    EVENTS
}

/// A core that is given its producer.
struct Core<'bus> {
    events: u64,
    producer: &'bus mut Producer<8>,
}

fn core_publishes() -> Counted {
    Counted::new("instructions::loops::publish::publish_by_core", || {
        publish_by_core(&mut Core { events: 0, producer: &mut ring().0 })
    })
}

#[inline(never)]
fn publish_by_core(core: &mut Core<'_>) -> u64 {
    for number in 0..EVENTS {
        core.producer.publish(&make(number)).expect(OPEN);
        core.events += 1;
    }
    core.events
}

fn batch<const W: usize>(len: u64) -> Loop {
    let events = move || (0..len).map(make::<W>).collect::<Vec<_>>();
    let subject = Counted::new("instructions::loops::publish::publish_batches", move || {
        publish_batches(ring().0, &events())
    });
    let harness =
        Counted::new("instructions::loops::publish::batches_passed", move || batches_passed(&events()));
    Loop::new(format!("publish_batch of {len}, {} bytes", W * 8), subject, harness)
}

#[inline(never)]
fn publish_batches<const W: usize>(mut producer: Producer<W>, events: &[Words<W>]) -> u64 {
    let batches = EVENTS / events.len() as u64;
    for _ in 0..batches {
        producer.publish_batch(black_box(events)).expect(OPEN);
    }
    batches * events.len() as u64
}

#[inline(never)]
fn batches_passed<const W: usize>(events: &[Words<W>]) -> u64 {
    let batches = EVENTS / events.len() as u64;
    for _ in 0..batches {
        black_box(events);
    }
    batches * events.len() as u64
}

fn claim<const W: usize>(len: u64) -> Loop {
    let subject = Counted::new("instructions::loops::publish::publish_claims", move || {
        publish_claims(ring::<W>().0, len)
    });
    Loop::new(format!("claim, push and publish of {len}, {} bytes", W * 8), subject, events_made::<W>(len))
}

#[inline(never)]
fn publish_claims<const W: usize>(mut producer: Producer<W>, len: u64) -> u64 {
    let batches = EVENTS / len;
    for batch in 0..batches {
        let mut claim = producer.claim(len as usize).expect(OPEN);
        for number in 0..len {
            claim.push(&make(batch + number)).expect("as many were claimed");
        }
        claim.publish().expect(OPEN);
    }
    batches * len
}

/// In batches of 1 there is one loop, as in single publishing.
fn events_made<const W: usize>(len: u64) -> Counted {
    if len == 1 {
        Counted::new("instructions::loops::publish::make_singly", make_singly::<W>)
    } else {
        Counted::new("instructions::loops::publish::make_batches", move || make_batches::<W>(len))
    }
}

#[inline(never)]
fn make_singly<const W: usize>() -> u64 {
    for number in 0..EVENTS {
        discard(&make::<W>(number));
    }
    EVENTS
}

#[inline(never)]
fn make_batches<const W: usize>(len: u64) -> u64 {
    let batches = EVENTS / len;
    for batch in 0..batches {
        for number in 0..len {
            discard(&make::<W>(batch + number));
        }
    }
    batches * len
}
