//! A required consumer on the other core.

use std::time::Duration;

use crate::common::{CAPACITIES, Way};
use crate::extent::Extent;
use crate::rush::nanoseconds_an_event;
use crate::setting::{Place, Setting};
use crate::turns::{Cores, Turns, cell};

const WAYS: [Way; 3] = [Way::Single, Way::Batch(10), Way::Batch(64)];

pub(crate) fn print(extent: Extent) {
    let rows: Vec<_> = CAPACITIES.iter().flat_map(|capacity| WAYS.map(|way| (*capacity, way))).collect();
    let places = Place::ALL.len();
    let duration = extent.duration(Duration::from_millis(50));
    let turns = Turns::take(Cores::Two, extent.rounds(21), rows.len() * places, |what| {
        let (capacity, way) = rows[what / places];
        let setting = Setting { is_required: true, ..Setting::alone(Place::ALL[what % places], capacity) };
        nanoseconds_an_event::<8>(setting, way, duration)
    });
    println!("| ring | way | state (rounds) | heap, ns an event | /dev/shm | to heap | file | to heap |");
    println!("| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |");
    for (row, (capacity, way)) in rows.iter().enumerate() {
        let heap = row * places;
        for state in turns.states() {
            print!("| {capacity} | {} | {} ({}) |", way.name(), state.name(), turns.rounds(heap, state));
            print!(" {} |", cell(turns.spread(heap, state, |took| *took), 2));
            for what in heap + 1..heap + places {
                print!(" {} |", cell(turns.spread(what, state, |took| *took), 2));
                print!(" {} |", cell(turns.ratio(what, heap, state, |took| *took), 2));
            }
            println!();
        }
    }
    println!();
    turns.print_states();
}
