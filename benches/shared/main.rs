//! What a ring in a file costs beside one in private memory, and what those who look on from other processes cost the core.
//!
//! Each part prints a table:
//!
//! - *publish*: one thread publishes, and nobody listens.
//! - *one-to-one*: a required consumer on the other core reads all of it.
//! - *read*: what is published is read, on one core, by a thread of the ring's process or by an observer in another.
//! - *throughput*: how fast the core publishes while observers look on.
//! - *latency*: how long a call to publish takes meanwhile, and an event on its way to a required consumer.
//! - *observer*: how much an observer gets, and how soon.
//! - *start*: making a ring, and attaching to it.
//!
//! The producer is on the first core of the process. On the second is everybody else: the required consumer, and the observers, which are
//! processes that this program starts of itself. So they share it where there are several, and the consumer loses time to observers that
//! it would not lose where each has a core. *Idlers* show how much: as many processes that spin and do not look at the ring.
//!
//! What is measured takes turns, round by round. Where two cores have a part in it, the hand-off of a cache line is timed before and after
//! each measurement, and the rounds are kept apart by it: see `benches/compare/src/state.rs`. Every event that is read is checked.
//!
//! ```text
//! cargo bench --bench shared                    # all parts: five minutes
//! cargo bench --bench shared -- throughput
//! cargo bench --bench shared -- --quick         # whether everything works: the figures say nothing (also --test)
//! ```

use std::process::ExitCode;

use common::cores;
use common::cores::{Side, pin};

use child::Child;
use extent::Extent;

mod child;
mod company;
mod delays;
mod event;
mod extent;
mod latency;
mod observer;
mod one_to_one;
mod paced;
mod publish;
mod read;
mod receive;
mod rush;
mod setting;
mod start;
mod throughput;
mod turns;

#[allow(dead_code, unused_imports, reason = "`compare` uses more of it, and runs its tests")]
#[path = "../compare/src/clock.rs"]
mod clock;
#[path = "../common/mod.rs"]
mod common;
#[path = "../compare/src/hand_off.rs"]
mod hand_off;
#[allow(unused_imports, reason = "those of its tests, which `compare` runs")]
#[path = "../compare/src/state.rs"]
mod state;

/// Measures a part, and prints what came of it.
type Print = fn(Extent);

const PARTS: [(&str, Print); 7] = [
    ("publish", publish::print),
    ("one-to-one", one_to_one::print),
    ("read", read::print),
    ("throughput", throughput::print),
    ("latency", latency::print),
    ("observer", observer::print),
    ("start", start::print),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if Child::is_meant(&arguments) {
        return child::run(&arguments);
    }
    let extent = Extent::of(&arguments);
    let named: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    if let Some(unknown) = named.iter().find(|name| PARTS.iter().all(|(part, _)| part != *name)) {
        let parts = PARTS.map(|(part, _)| part).join(", ");
        eprintln!("there is no part {unknown}; there are {parts}");
        return ExitCode::from(2);
    }
    pin(Side::Producer);
    for (part, print) in PARTS {
        if named.is_empty() {
            println!("\n## {part}\n");
        } else if !named.iter().any(|name| *name == part) {
            continue;
        }
        print(extent);
    }
    ExitCode::SUCCESS
}
