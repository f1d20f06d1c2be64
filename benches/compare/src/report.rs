//! The table.

use crate::contenders;
use crate::measurement::Measurement;
use crate::spread::Spread;

/// Prints what was measured at one ring size; one list for each contender, in the order of [`contenders::ALL`].
pub(crate) fn print(capacity: usize, events: u64, measurements: &[Vec<Measurement>]) {
    let rates: Vec<Spread> = measurements
        .iter()
        .map(|rounds| Spread::of(rounds.iter().map(|measured| measured.events_per_second() / 1e6)))
        .collect();
    let own = rates[0].median;
    println!(
        "\nRing {capacity}, {events} events of {} bytes, one at a time:\n",
        measurements[0][0].event_bytes
    );
    println!("| contender | M events/s, median [min..max] | to {} | disturbed |", contenders::ALL[0].name);
    println!("| --- | --- | --- | --- |");
    for ((contender, rate), rounds) in contenders::ALL.iter().zip(&rates).zip(measurements) {
        let disturbed: Option<Vec<bool>> = rounds.iter().map(Measurement::disturbed).collect();
        let disturbed = disturbed.map_or("n/a".into(), |rounds| {
            format!("{} of {}", rounds.iter().filter(|disturbed| **disturbed).count(), rounds.len())
        });
        println!("| {} | {rate:.1} | {:.2} | {disturbed} |", contender.name, rate.median / own);
    }
}
