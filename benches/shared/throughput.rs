//! How fast the core publishes while others look on.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::common::spread::Spread;
use crate::common::{CAPACITIES, Way};
use crate::company::Company::{self, Nobody};
use crate::extent::Extent;
use crate::rush::nanoseconds_an_event;
use crate::setting::{Place, Placed, Setting};
use crate::turns::{Cores, Turns, cell};

const CAPACITY: usize = CAPACITIES[1];

/// How it publishes, and whether a required consumer reads.
const WAYS: [(Way, bool); 4] =
    [(Way::Single, false), (Way::Batch(64), false), (Way::Single, true), (Way::Batch(64), true)];

pub(crate) fn print(extent: Extent) {
    let shm = Setting::alone(Place::Shm, CAPACITY);
    let mut rows = vec![
        ("nobody; ring on the heap".to_owned(), Setting::alone(Place::Heap, CAPACITY)),
        ("nobody; no reports".to_owned(), Setting { reports: false, ..shm }),
    ];
    rows.extend(Company::ALL.map(|company| (company.name(), Setting { company, ..shm })));

    let duration = extent.duration(Duration::from_millis(200));
    let turns = Turns::take(Cores::Two, extent.rounds(9), rows.len() * WAYS.len(), |what| {
        let (way, is_required) = WAYS[what % WAYS.len()];
        let setting = Setting { is_required, ..rows[what / WAYS.len()].1 };
        1e3 / nanoseconds_an_event::<8>(setting, way, duration)
    });
    let nobody = rows.iter().position(|(name, _)| *name == Nobody.name()).expect("it is one of them");
    for is_required in [false, true] {
        let title = if is_required {
            "A required consumer reads, on the other core too:"
        } else {
            "Nobody is required:"
        };
        println!(
            "{title}\n\n| on the other core | state (rounds) | single, M events/s | to nobody | batch 64 | to nobody |"
        );
        println!("| --- | --- | ---: | ---: | ---: | ---: |");
        let ways: Vec<usize> = (0..WAYS.len()).filter(|way| WAYS[*way].1 == is_required).collect();
        for (row, (name, _)) in rows.iter().enumerate() {
            for state in turns.states() {
                print!("| {name} | {} ({}) |", state.name(), turns.rounds(row * WAYS.len() + ways[0], state));
                for way in &ways {
                    let (what, to) = (row * WAYS.len() + way, nobody * WAYS.len() + way);
                    print!(" {} |", cell(turns.spread(what, state, |rate| *rate), 1));
                    print!(" {} |", cell(turns.ratio(what, to, state, |rate| *rate), 2));
                }
                println!();
            }
        }
        println!();
    }
    turns.print_states();
    print_heartbeat();
}

fn print_heartbeat() {
    const BEATS: u32 = 100_000;
    for place in [Place::Heap, Place::Shm] {
        let Placed { mut producer, .. } = Setting::alone(place, CAPACITY).ring::<8>();
        let spread = Spread::of((0..9).map(|_| {
            let start = Instant::now();
            for _ in 0..BEATS {
                black_box(&mut producer).heartbeat();
            }
            start.elapsed().as_nanos() as f64 / f64::from(BEATS)
        }));
        println!("\nA heartbeat of a ring ({}): {spread:.1} ns.", place.name());
    }
}
