//! Making a ring, and attaching to it.

use std::time::Instant;

use ringbus::shared::{Observer, RingFile};

use crate::extent::Extent;
use crate::receive::Message;
use crate::rush;
use crate::setting::{Place, Placed, Setting};
use crate::state::State;
use crate::turns::{Cores, Turns, cell};

/// 64 MiB.
const CAPACITY: usize = 1 << 20;

/// In milliseconds; what there is not is not a number.
struct Start {
    build: f64,
    first_lap: f64,
    second_lap: f64,
    open: f64,
    attach: f64,
    drop: f64,
}

type Step = (&'static str, fn(&Start) -> f64);

const STEPS: [Step; 6] = [
    ("to build the ring", |start| start.build),
    ("to publish the first lap", |start| start.first_lap),
    ("to publish the second", |start| start.second_lap),
    ("to open its file (`RingFile`)", |start| start.open),
    ("to attach an observer", |start| start.attach),
    ("to drop the ring", |start| start.drop),
];

pub(crate) fn print(extent: Extent) {
    let turns =
        Turns::take(Cores::One, extent.rounds(11), Place::ALL.len(), |place| start(Place::ALL[place]));
    println!("| ms | {} |", Place::ALL.map(Place::name).join(" | "));
    println!("| --- | ---: | ---: | ---: |");
    for (name, step) in STEPS {
        print!("| {name} |");
        for place in 0..Place::ALL.len() {
            let spread = turns.spread(place, State::Unknown, step).filter(|spread| spread.median.is_finite());
            print!(" {} |", cell(spread, 3));
        }
        println!();
    }
}

fn start(place: Place) -> Start {
    let (build, placed) = timed(|| Setting::alone(place, CAPACITY).ring::<8>());
    let Placed { mut producer, ring, path, _directory } = placed;
    let (first_lap, ()) = timed(|| rush::repeat(&mut producer, &mut [[0; 8]], CAPACITY));
    let (second_lap, ()) = timed(|| rush::repeat(&mut producer, &mut [[0; 8]], CAPACITY));
    let (mut open, mut attach) = (f64::NAN, f64::NAN);
    if let Some(path) = path {
        let opened;
        (open, opened) = timed(|| RingFile::open(&path).expect("there is a ring"));
        assert_eq!(opened.cursor().get(), 2 * CAPACITY as u64);
        let attached;
        (attach, attached) = timed(|| Observer::<Message>::attach(&path).expect("there is a ring"));
        assert_eq!(attached.position(), opened.cursor());
    }
    let (drop, ()) = timed(|| {
        drop(producer);
        drop(ring);
    });
    Start { build, first_lap, second_lap, open, attach, drop }
}

/// Milliseconds.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64() * 1e3, result)
}
