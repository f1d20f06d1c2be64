//! Reading what is published, on one core: nothing has to come from another one.

use std::time::{Duration, Instant};

use ringbus::wait::BusySpin;
use ringbus::{ReadFrom, RequiredConsumer};

use crate::child::{Child, Task};
use crate::common::{CAPACITIES, checksum, spinning_consumer};
use crate::event::sum_of;
use crate::extent::Extent;
use crate::receive::{self, Message};
use crate::rush;
use crate::setting::{Place, Placed, Setting};
use crate::state::State;
use crate::turns::{Cores, Turns, cell};

const CAPACITY: usize = CAPACITIES[1];
/// Half of what the ring holds: nobody is overrun.
const LAP: u64 = CAPACITY as u64 / 2;
/// Not counting the first, in which an observer maps the pages.
const LAPS: u32 = 20;

#[derive(Clone, Copy)]
enum Who {
    Required,
    Optional { many: bool },
    Observer { many: bool },
}

const ROWS: [(&str, Who); 5] = [
    ("required consumer", Who::Required),
    ("optional consumer, `try_recv`", Who::Optional { many: false }),
    ("optional consumer, `try_recv_many`", Who::Optional { many: true }),
    ("observer in another process, `try_recv`", Who::Observer { many: false }),
    ("observer in another process, `try_recv_many`", Who::Observer { many: true }),
];

/// What an observer is compared with: the optional consumer that does the same, on the heap.
const COMPARED_WITH: [usize; ROWS.len()] = [0, 1, 2, 1, 2];

pub(crate) fn print(extent: Extent) {
    let places = Place::ALL.len();
    let turns = Turns::take(Cores::One, extent.rounds(15), ROWS.len() * places, |what| {
        let (who, place) = (ROWS[what / places].1, Place::ALL[what % places]);
        let is_there = place != Place::Heap || !matches!(who, Who::Observer { .. });
        is_there.then(|| nanoseconds_an_event(place, who))
    });
    println!("| who reads | heap, ns an event | /dev/shm | to heap | file | to heap |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let value = |took: &Option<f64>| took.unwrap_or(f64::NAN);
    for (row, (name, who)) in ROWS.iter().enumerate() {
        let state = State::Unknown;
        let heap = turns.spread(row * places, state, value);
        let heap = heap.filter(|_| !matches!(who, Who::Observer { .. }));
        print!("| {name} | {} |", cell(heap, 2));
        for place in 1..places {
            let what = row * places + place;
            print!(" {} |", cell(turns.spread(what, state, value), 2));
            print!(" {} |", cell(turns.ratio(what, COMPARED_WITH[row] * places, state, value), 3));
        }
        println!();
    }
}

fn nanoseconds_an_event(place: Place, who: Who) -> f64 {
    let Placed { mut producer, ring, path, _directory } = Setting::alone(place, CAPACITY).ring::<8>();
    let mut read: Box<dyn FnMut() -> Duration> = match who {
        Who::Required => {
            let mut consumer = spinning_consumer(&ring);
            Box::new(move || read_in_place(&mut consumer))
        }
        Who::Optional { many } => {
            let consumer = ring.optional("bench").start(ReadFrom::Newest).wait(BusySpin).join();
            let mut consumer = consumer.expect("it starts at the newest");
            Box::new(move || whole_lap(receive::read(&mut consumer, many)))
        }
        Who::Observer { many } => {
            let mut child = Child::start(&Task::Read { many }, &path.expect("the ring is in a file"));
            Box::new(move || {
                let answer: [u64; 2] = child.once_more().try_into().expect("two numbers");
                whole_lap((Duration::from_nanos(answer[0]), answer[1]))
            })
        }
    };
    let mut lap = || {
        rush::repeat(&mut producer, &mut [[0; 8]; 64], LAP as usize);
        read()
    };
    // The second lap is the first on the other half of the ring.
    for _ in 0..2 {
        lap();
    }
    let took: Duration = (0..LAPS).map(|_| lap()).sum();
    took.as_nanos() as f64 / f64::from(LAPS) / LAP as f64
}

fn whole_lap((took, events): (Duration, u64)) -> Duration {
    assert_eq!(events, LAP);
    took
}

fn read_in_place(consumer: &mut RequiredConsumer<Message, BusySpin>) -> Duration {
    let first = consumer.position().get();
    let mut sum = 0u64;
    let began = Instant::now();
    while let Ok(batch) = consumer.try_read() {
        batch.for_each(|event, _, _| sum = sum.wrapping_add(checksum(event)));
    }
    let took = began.elapsed();
    assert_eq!(sum, sum_of::<8>(first, first + LAP));
    took
}
