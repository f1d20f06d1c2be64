//! How long a call to publish takes while others look on, and how late an event comes to a required consumer: a hundred thousand a second.

use std::fs::File;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use ringbus::RequiredConsumer;
use ringbus::wait::BusySpin;

use crate::clock::Clock;
use crate::common::cores::{Side, pin};
use crate::common::spinning_consumer;
use crate::company::Company;
use crate::delays::{COLUMNS, Delays, Quantiles};
use crate::extent::Extent;
use crate::paced;
use crate::receive::Message;
use crate::setting::{Place, Placed, Setting};
use crate::turns::{Cores, Turns, cell};

const PERIOD: Duration = Duration::from_micros(10);
/// Some laps in each run, so that its pages have been touched; and as much as comes in 40 milliseconds, so that a consumer that has to
/// share its core does not hold the producer up.
const CAPACITY: usize = 4_096;

struct Row {
    name: String,
    setting: Setting,
    /// The file is written to its disk ten times a second, as the kernel does it on its own now and then.
    is_synced: bool,
}

fn rows() -> Vec<Row> {
    let alone = |place| Setting::alone(place, CAPACITY);
    let row = |name: &str, setting| Row { name: name.into(), setting, is_synced: false };
    let heap = row("nobody; ring on the heap", alone(Place::Heap));
    let companies =
        Company::ALL.map(|company| row(&company.name(), Setting { company, ..alone(Place::Shm) }));
    let mut rows = vec![
        heap,
        row("nobody; no reports", Setting { reports: false, ..alone(Place::Shm) }),
        row("nobody; ring in a file", alone(Place::File)),
        Row {
            is_synced: true,
            ..row("nobody; ring in a file, written back each 100 ms", alone(Place::File))
        },
    ];
    rows.extend(companies);
    let required: Vec<Row> = rows
        .iter()
        .filter(|row| row.setting.reports && row.setting.place != Place::File)
        .map(|Row { name, setting, .. }| row(name, Setting { is_required: true, ..*setting }))
        .collect();
    rows.extend(required);
    rows
}

pub(crate) fn print(extent: Extent) {
    paced::print_clocks();
    let rows = rows();
    let duration = extent.duration(Duration::from_millis(500));
    let turns = Turns::take(Cores::Two, extent.rounds(9), rows.len(), |what| delays(&rows[what], duration));
    println!("| what takes so long | on the other core | state (rounds) | {COLUMNS} |");
    println!("| --- | --- | --- | ---: | ---: | ---: | ---: |");
    for (what, Row { name, setting, .. }) in rows.iter().enumerate() {
        let measured = if setting.is_required { "until it is read" } else { "the call" };
        let who = if setting.is_required { "the consumer, " } else { "" };
        for state in turns.states() {
            print!("| {measured} | {who}{name} | {} ({}) |", state.name(), turns.rounds(what, state));
            for quantile in 0..4 {
                print!(" {} |", cell(turns.spread(what, state, |delays| delays[quantile]), 0));
            }
            println!();
        }
    }
    println!();
    turns.print_states();
}

/// Of the calls, or, where there is a required consumer, of the events on their way to it.
fn delays(row: &Row, duration: Duration) -> Quantiles {
    let Row { setting, is_synced, .. } = row;
    let Placed { mut producer, ring, path, _directory } = setting.ring::<8>();
    let count = paced::count(PERIOD, duration);
    let company = setting.company.join(path.as_deref());
    let reading = setting.is_required.then(|| {
        let consumer = spinning_consumer(&ring);
        thread::spawn(move || delays_until_read(consumer, count))
    });
    let syncing = is_synced.then(|| {
        let file = File::open(path.as_ref().expect("it is in a file")).expect("everybody may read it");
        let (end, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            pin(Side::Consumer);
            while ended.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                file.sync_data().expect("the disk works");
            }
        });
        (end, thread)
    });
    let calls = paced::publish(&mut producer, &Clock::start(), PERIOD, count);
    drop(producer); // closes the ring, and so ends the others
    if let Some((end, thread)) = syncing {
        drop(end);
        thread.join().expect("the disk works");
    }
    for child in company {
        child.finish::<u64>();
    }
    reading.map_or(calls, |reading| reading.join().expect("the consumer does not panic")).quantiles()
}

fn delays_until_read(mut consumer: RequiredConsumer<Message, BusySpin>, count: u64) -> Delays {
    pin(Side::Consumer);
    let mut delays = Delays::of(count);
    while let Ok(batch) = consumer.read() {
        batch.for_each(|event, sequence, _| delays.record(sequence.get(), paced::late(event)));
    }
    assert_eq!(consumer.position().get(), count);
    delays
}
