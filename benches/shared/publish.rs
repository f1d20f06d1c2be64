//! One thread publishes, and nobody listens.

use std::time::Duration;

use crate::common::{CAPACITIES, Way};
use crate::extent::Extent;
use crate::rush::nanoseconds_an_event;
use crate::setting::{Place, Setting};
use crate::state::State;
use crate::turns::{Cores, Turns, cell};

type Measure = fn(Setting, Way, Duration) -> f64;

const SIZES: [(usize, Measure); 4] = [
    (8, nanoseconds_an_event::<1>),
    (32, nanoseconds_an_event::<4>),
    (64, nanoseconds_an_event::<8>),
    (256, nanoseconds_an_event::<32>),
];

const WAYS: [Way; 3] = [Way::Single, Way::Batch(10), Way::Batch(64)];

pub(crate) fn print(extent: Extent) {
    let mut rows = Vec::new();
    for capacity in CAPACITIES {
        for (bytes, measure) in SIZES {
            rows.extend(WAYS.map(|way| (capacity, bytes, way, measure)));
        }
    }
    let places = Place::ALL.len();
    let duration = extent.duration(Duration::from_millis(15));
    let turns = Turns::take(Cores::One, extent.rounds(15), rows.len() * places, |what| {
        let (capacity, _, way, measure) = rows[what / places];
        measure(Setting::alone(Place::ALL[what % places], capacity), way, duration)
    });
    println!("| ring | bytes | way | heap, ns an event | /dev/shm | to heap | file | to heap |");
    println!("| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |");
    for (row, (capacity, bytes, way, _)) in rows.iter().enumerate() {
        print!("| {capacity} | {bytes} | {} |", way.name());
        let (heap, state) = (row * places, State::Unknown);
        print!(" {} |", cell(turns.spread(heap, state, |took| *took), 2));
        for what in heap + 1..heap + places {
            print!(" {} |", cell(turns.spread(what, state, |took| *took), 2));
            print!(" {} |", cell(turns.ratio(what, heap, state, |took| *took), 3));
        }
        println!();
    }
}
