//! Hello, ring: one producer, one required consumer on its own thread.
//!
//!     cargo run --release --example hello

use std::error::Error;
use std::thread;

use bytemuck::NoUninit;
use ringbus::Ring;

#[derive(Clone, Copy, Debug, NoUninit)]
#[repr(C)]
struct Trade {
    price: u64,
    size: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut producer, ring) = Ring::<Trade>::builder().capacity(1 << 10).build()?;
    let mut positions = ring.required("positions").join()?;

    let counting = thread::spawn(move || {
        let mut position = 0;
        // Ends when the producer has closed the ring and everything published has been read.
        while let Ok(batch) = positions.read() {
            position += batch.iter().map(|(_sequence, trade)| trade.size).sum::<u64>();
            batch.acknowledge(); // the slots may be written again
        }
        position
    });

    for price in 100..1_100 {
        producer.publish(&Trade { price, size: 2 })?;
    }
    producer.close()?;

    let position = counting.join().expect("the consumer's thread does not panic");
    println!("the position is {position}");
    assert_eq!(position, 2_000);
    Ok(())
}
