//! Two versions of the ring, `before` and `now`, called in turn by one thread: see `run` beside this file.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The same program for one version.
macro_rules! program {
    ($name:ident) => {
        mod $name {
            use super::*;
            use ::$name::wait::BusySpin;
            use ::$name::{Producer, Ring};

            type Event = [u64; 8];

            fn ring() -> (Producer<Event, BusySpin>, Ring<Event>) {
                Ring::builder().capacity(CAPACITY).wait(BusySpin).build().expect("a good capacity")
            }

            #[inline(never)]
            pub fn publish() -> Duration {
                let (mut producer, _ring) = ring();
                time(EVENTS, |number| {
                    producer.publish(&[number; 8]).expect("nobody fails");
                    1
                })
            }

            #[inline(never)]
            pub fn publish_batch<const LEN: usize>() -> Duration {
                let (mut producer, _ring) = ring();
                let events = black_box(vec![[7; 8]; LEN]);
                // An event's share, and not the batch's.
                time(EVENTS, |_| {
                    producer.publish_batch(black_box(&events)).expect("nobody fails");
                    LEN as u64
                })
            }

            #[inline(never)]
            pub fn poll_each<const LEN: u64>() -> Duration {
                let (mut producer, ring) = ring();
                let mut consumer = ring.required("consumer").wait(BusySpin).join().expect("a place");
                let mut sum = 0;
                let took = time(EVENTS, |number| {
                    for event in number..number + LEN {
                        producer.publish(&[event; 8]).expect("nobody fails");
                    }
                    consumer.poll(|event, _, _| sum ^= event[0] ^ event[7]).expect("there are some") as u64
                });
                black_box(sum);
                consumer.leave();
                took
            }

            #[inline(never)]
            pub fn receive_each<const LEN: u64>() -> Duration {
                let (mut producer, ring) = ring();
                let mut consumer = ring.optional("consumer").wait(BusySpin).join().expect("starts now");
                let mut sum = 0;
                let took = time(EVENTS, |number| {
                    for event in number..number + LEN {
                        producer.publish(&[event; 8]).expect("nobody fails");
                    }
                    for _ in 0..LEN {
                        sum ^= consumer.try_recv().expect("it keeps up").1[0];
                    }
                    LEN
                });
                black_box(sum);
                took
            }

            pub const ALL: [(&str, fn() -> Duration); 6] = [
                ("publish, nobody listens", publish),
                ("publish in batches of 10", publish_batch::<10>),
                ("publish in batches of 64", publish_batch::<64>),
                ("publish, and poll each event", poll_each::<1>),
                ("publish 64, and poll them", poll_each::<64>),
                ("publish 64, and `try_recv` each (optional)", receive_each::<64>),
            ];
        }
    };
}

program!(before);
program!(now);

const CAPACITY: usize = 1_024;
const EVENTS: u64 = 20_000_000;
const ROUNDS: usize = 15;

/// How long `step` takes until it has done `events`; it is told how many are done, and says how many more.
#[inline(always)]
fn time(events: u64, mut step: impl FnMut(u64) -> u64) -> Duration {
    let start = Instant::now();
    let mut done = 0;
    while done < events {
        done += step(done);
    }
    start.elapsed()
}

/// Median and extremes, nanoseconds an event.
fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let each = |time: Duration| time.as_nanos() as f64 / EVENTS as f64;
    format!("{:.2} [{:.2}..{:.2}]", each(times[ROUNDS / 2]), each(times[0]), each(times[ROUNDS - 1]))
}

fn main() {
    println!(
        "One thread, 64-byte events, ring of {CAPACITY}; ns an event, median [min..max] of {ROUNDS} rounds\n"
    );
    println!("| what | before | now |\n| --- | --- | --- |");
    let mut times = vec![[Vec::new(), Vec::new()]; now::ALL.len()];
    for _ in 0..ROUNDS {
        for ((times, (_, before)), (_, now)) in times.iter_mut().zip(before::ALL).zip(now::ALL) {
            times[0].push(before());
            times[1].push(now());
        }
    }
    for ((what, _), [before, now]) in now::ALL.iter().zip(&mut times) {
        println!("| {what} | {} | {} |", spread(before), spread(now));
    }
}
