//! Embedding in a hot loop: a core that matches orders publishes what happened without ever blocking on its observers.
//!
//! It shows the three decisions an embedder takes: build on the core's own thread (so that the memory is near it), publish all
//! events of one order as one claim (so that nobody sees half of what it caused), and say what to do when a required consumer
//! holds the ring up.
//!
//!     cargo run --release --example hot_loop

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use bytemuck::NoUninit;
use ringbus::wait::{SpinHint, Yield};
use ringbus::{End, Producer, PublishError, Ring, WaitStrategy};

#[derive(Clone, Copy, Debug, NoUninit)]
#[repr(C)]
struct Event {
    order: u64,
    kind: Kind,
    padding: [u8; 7],
    amount: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
#[repr(u8)]
enum Kind {
    Accepted = 1,
    Traded = 2,
}

/// How long the core waits for a required consumer before it takes that for a fault.
const PATIENCE: Duration = Duration::from_secs(1);

/// The hot path: everything that one order causes, visible at once.
fn handle_order<W: WaitStrategy>(producer: &mut Producer<Event, W>, order: u64) -> Result<(), PublishError> {
    // Where there is room, which is nearly always, the clock is not read.
    let mut claim = match producer.try_claim(2) {
        Err(PublishError::Full { .. }) => producer.claim_deadline(2, Instant::now() + PATIENCE)?,
        claim => claim?,
    };
    let event = |kind, amount| Event { order, kind, padding: [0; 7], amount };
    claim.push(&event(Kind::Accepted, 0)).expect("two were claimed");
    if order.is_multiple_of(4) {
        claim.push(&event(Kind::Traded, 10)).expect("two were claimed");
    }
    claim.publish()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    const ORDERS: u64 = 1_000_000;
    let (mut producer, ring) =
        Ring::<Event>::builder().name("core").capacity(1 << 14).wait(SpinHint).build()?;

    let mut risk = ring.required("risk").wait(Yield).join()?;
    let watching = thread::spawn(move || {
        let (mut accepted, mut traded) = (0_u64, 0);
        loop {
            match risk.read() {
                Ok(batch) => {
                    batch.for_each(|event, _sequence, _end_of_batch| match event.kind {
                        Kind::Accepted => accepted += 1,
                        Kind::Traded => traded += event.amount,
                    });
                }
                Err(end) => break (accepted, traded, end),
            }
        }
    });

    let start = Instant::now();
    for order in 0..ORDERS {
        handle_order(&mut producer, order)?;
    }
    let events = producer.close()?;
    let took = start.elapsed();

    let (accepted, traded, end) = watching.join().expect("the consumer's thread does not panic");
    println!(
        "{events} events of {ORDERS} orders in {took:?}; risk saw {accepted} accepted and {traded} traded"
    );
    assert_eq!((accepted, traded, end), (ORDERS, ORDERS / 4 * 10, End::Closed));
    Ok(())
}
