//! An optional consumer is overrun, is told exactly what it missed, and goes on.
//!
//!     cargo run --release --example optional

use std::error::Error;

use ringbus::{ReadFrom, RecvError, Ring};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut producer, ring) = Ring::<u64>::builder().capacity(64).max_batch(16).build()?;
    // After an overrun it goes on at the 10 newest events.
    let mut dashboard = ring.optional("dashboard").resume(ReadFrom::NewestMinus(10)).join()?;

    producer.publish(&0)?;
    let (sequence, event) = dashboard.recv()?;
    println!("got event {event} at sequence {sequence}");

    // The producer does not wait for it: 1,000 events go by.
    for event in 1..=1_000 {
        producer.publish(&event)?;
    }
    producer.close()?;

    loop {
        match dashboard.recv() {
            Ok((sequence, event)) => println!("got event {event} at sequence {sequence}"),
            Err(RecvError::Lagged { missed, resumed_at }) => {
                println!("missed {missed} events, goes on at {resumed_at}");
            }
            Err(end) => break println!("{end}"),
        }
    }
    println!("delivered {} + missed {} = published 1,001", dashboard.delivered(), dashboard.missed());
    assert_eq!((dashboard.delivered(), dashboard.missed()), (11, 990));
    Ok(())
}
