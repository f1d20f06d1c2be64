//! How much an observer gets, and how soon: beside an optional consumer in the ring's own process.

use std::thread;
use std::time::Duration;

use ringbus::Ring;
use ringbus::wait::BusySpin;

use crate::child::{Child, Task};
use crate::clock::Clock;
use crate::common::cores::{Side, pin};
use crate::common::{CAPACITIES, Way};
use crate::delays::{COLUMNS, Quantiles};
use crate::extent::Extent;
use crate::receive::{self, Looks, Message};
use crate::setting::{Place, Placed, Setting};
use crate::turns::{Cores, Turns, cell};
use crate::{paced, rush};

const SETTING: Setting = Setting {
    place: Place::Shm,
    capacity: CAPACITIES[1],
    reports: true,
    is_required: false,
    company: crate::company::Company::Nobody,
};

pub(crate) fn print(extent: Extent) {
    print_received(extent);
    println!();
    print_delays(extent);
}

/// Of a producer that publishes as fast as it can.
struct Received {
    per_microsecond: f64,
    missed_percent: f64,
    published_per_microsecond: f64,
}

fn print_received(extent: Extent) {
    let rows: Vec<(Way, Looks, bool)> = [Way::Single, Way::Batch(64)]
        .into_iter()
        .flat_map(|way| [Looks::Blocking, Looks::Polling].map(|looks| (way, looks)))
        .flat_map(|(way, looks)| [false, true].map(|is_observer| (way, looks, is_observer)))
        .collect();
    let duration = extent.duration(Duration::from_millis(200));
    let turns = Turns::take(Cores::Two, extent.rounds(15), rows.len(), |what| {
        let (way, looks, is_observer) = rows[what];
        received(way, looks, is_observer, duration)
    });
    println!(
        "| the core publishes | who | calls | state (rounds) | received, M events/s | missed, % | published, M events/s |"
    );
    println!("| --- | --- | --- | --- | ---: | ---: | ---: |");
    for (what, (way, looks, is_observer)) in rows.iter().enumerate() {
        let who = if *is_observer { "observer in another process" } else { "optional consumer" };
        let calls = if *looks == Looks::Blocking { "recv_many" } else { "try_recv_many" };
        for state in turns.states() {
            let rounds = turns.rounds(what, state);
            print!("| {} | {who} | `{calls}` | {} ({rounds}) |", way.name(), state.name());
            print!(" {} |", cell(turns.spread(what, state, |received| received.per_microsecond), 1));
            print!(" {} |", cell(turns.spread(what, state, |received| received.missed_percent), 1));
            println!(
                " {} |",
                cell(turns.spread(what, state, |received| received.published_per_microsecond), 1)
            );
        }
    }
    println!();
    turns.print_states();
}

fn received(way: Way, looks: Looks, is_observer: bool, duration: Duration) -> Received {
    let Placed { mut producer, ring, path, _directory } = SETTING.ring::<8>();
    let watching: Box<dyn FnOnce() -> [u64; 3]> = if is_observer {
        let child = Child::start(&Task::Watch(looks), &path.expect("it is in a file"));
        Box::new(move || child.finish().try_into().expect("three numbers"))
    } else {
        let mut consumer = spinning(&ring);
        let watching = thread::spawn(move || {
            pin(Side::Consumer);
            let watched = receive::watch(&mut consumer, looks);
            [watched.delivered, watched.missed, watched.nanoseconds]
        });
        Box::new(move || watching.join().expect("the consumer does not panic"))
    };
    let published = rush::publish(&mut producer, way, SETTING.capacity, duration);
    drop(producer);
    let [delivered, missed, nanoseconds] = watching();
    Received {
        per_microsecond: delivered as f64 * 1e3 / nanoseconds as f64,
        missed_percent: missed as f64 * 100.0 / (delivered + missed) as f64,
        published_per_microsecond: published.events as f64 * 1e3 / published.took.as_nanos() as f64,
    }
}

#[derive(Clone, Copy)]
enum Who {
    Optional,
    Observer { spins: bool },
}

fn print_delays(extent: Extent) {
    paced::print_clocks();
    let periods = [Duration::from_micros(10), Duration::from_micros(1)];
    let all = [
        ("optional consumer, spins", Who::Optional),
        ("observer in another process, spins", Who::Observer { spins: true }),
        ("observer in another process, `BackOff`", Who::Observer { spins: false }),
    ];
    let duration = extent.duration(Duration::from_millis(500));
    let turns = Turns::take(Cores::Two, extent.rounds(9), periods.len() * all.len(), |what| {
        delays(periods[what / all.len()], all[what % all.len()].1, duration)
    });
    println!("| an event each | who | state (rounds) | {COLUMNS} |");
    println!("| --- | --- | --- | ---: | ---: | ---: | ---: |");
    for what in 0..periods.len() * all.len() {
        for state in turns.states() {
            let rounds = turns.rounds(what, state);
            let (period, (who, _)) = (periods[what / all.len()], all[what % all.len()]);
            print!("| {} us | {who} | {} ({rounds}) |", period.as_micros(), state.name());
            for quantile in 0..4 {
                print!(" {} |", cell(turns.spread(what, state, |delays| delays[quantile]), 0));
            }
            println!();
        }
    }
    println!();
    turns.print_states();
}

fn delays(period: Duration, who: Who, duration: Duration) -> Quantiles {
    let Placed { mut producer, ring, path, _directory } = SETTING.ring::<8>();
    let count = paced::count(period, duration);
    let receiving: Box<dyn FnOnce() -> Quantiles> = match who {
        Who::Optional => {
            let mut consumer = spinning(&ring);
            let receiving = thread::spawn(move || {
                pin(Side::Consumer);
                receive::delays(&mut consumer, count).quantiles()
            });
            Box::new(move || receiving.join().expect("the consumer does not panic"))
        }
        Who::Observer { spins } => {
            let child = Child::start(&Task::Delays { count, spins }, &path.expect("it is in a file"));
            Box::new(move || child.finish().try_into().expect("four numbers"))
        }
    };
    paced::publish(&mut producer, &Clock::start(), period, count);
    drop(producer); // closes the ring, and so ends the other
    receiving()
}

fn spinning(ring: &Ring<Message>) -> ringbus::OptionalConsumer<Message, BusySpin> {
    ring.optional("bench").wait(BusySpin).join().expect("it starts at the newest")
}
