//! All measurements, in turns.

use super::cores::Cores;
use super::event::Tally;
use super::failure::{Failure, Miscounted};
use super::gaps::Gaps;
use super::latency::{self, Schedule};
use super::machine::Machine;
use super::plan::Plan;
use super::report::{Delivery, Jitter, Latency, Report, Throughput};
use super::throughput::{self, WORKLOADS, Workload};
use super::{hand_off, jitter, report};
use crate::progress;

/// A producer and a consumer.
const PAIR: usize = 2;

pub(crate) fn everything(plan: &Plan, cores: &Cores, rate: u64) -> Result<Report, Failure> {
    let bar = progress::bar("measuring", "measurements", Some(plan.steps()));
    let schedule = Schedule::new(rate, plan.latency);
    let mut throughputs = [const { Vec::new() }; WORKLOADS.len()];
    let mut latencies = Vec::new();
    let mut gaps: Vec<Gaps> = Vec::new();
    let mut hand_offs = Vec::new();
    for _ in 0..plan.rounds {
        hand_offs.push(hand_off::measure(&cores.place(PAIR), plan.hand_off));
        bar.inc(1);
        for (rounds, workload) in throughputs.iter_mut().zip(&WORKLOADS) {
            let placement = cores.place(1 + workload.consumers);
            rounds.push(throughput::measure(workload, &placement, plan.throughput)?);
            bar.inc(1);
        }
        latencies.push(latency::measure(schedule, &cores.place(PAIR))?);
        bar.inc(1);
        let round = jitter::measure(cores, plan.jitter);
        gaps.resize_with(round.len(), Gaps::new);
        gaps.iter_mut().zip(&round).for_each(|(all, some)| all.add(some));
        bar.inc(1);
    }
    bar.finish_and_clear();

    let throughput =
        WORKLOADS.iter().zip(&throughputs).map(|(workload, rounds)| told(workload, rounds, cores));
    let latency = told_latency(schedule, &latencies, cores)?;
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        machine: Machine::with(cores),
        rounds: plan.rounds,
        warnings: warnings(&latency, cores),
        hand_off_nanoseconds: report::spread(&hand_offs, |nanoseconds| *nanoseconds),
        throughput: throughput.collect::<Result<_, _>>()?,
        latency,
        jitter: gaps
            .into_iter()
            .enumerate()
            .map(|(place, gaps)| Jitter::of(cores.chosen.get(place), gaps))
            .collect(),
    })
}

fn told(workload: &Workload, rounds: &[throughput::Measured], cores: &Cores) -> Result<Throughput, Failure> {
    let sent = total(rounds.iter().map(|round| &round.sent));
    let received =
        (0..workload.consumers).map(|place| total(rounds.iter().map(|round| &round.received[place])));
    Ok(Throughput {
        workload: *workload,
        placement: cores.place(1 + workload.consumers),
        events_per_second: report::spread(rounds, |round| round.events_per_second),
        rounds: rounds.iter().map(|round| round.events_per_second).collect(),
        delivery: delivery(workload.name, sent, received.collect())?,
    })
}

fn told_latency(schedule: Schedule, rounds: &[latency::Measured], cores: &Cores) -> Result<Latency, Failure> {
    let sent = total(rounds.iter().map(|round| &round.sent));
    let received = total(rounds.iter().map(|round| &round.received));
    Ok(Latency::of(
        cores.place(PAIR),
        schedule.events_per_second(),
        rounds,
        delivery("latency", sent, vec![received])?,
    ))
}

fn total<'a>(rounds: impl Iterator<Item = &'a Tally>) -> Tally {
    rounds.fold(Tally::default(), |mut total, round| {
        total.add(round);
        total
    })
}

/// If every consumer got what was sent.
fn delivery(workload: &'static str, sent: Tally, received: Vec<Tally>) -> Result<Delivery, Failure> {
    let told = |tally: &Tally| (tally.events, tally.checksum());
    match received.iter().position(|tally| *tally != sent) {
        None => Ok(Delivery::of(&sent, &received)),
        Some(place) => Err(Failure::Miscounted(Box::new(Miscounted {
            workload,
            consumer: place + 1,
            sent: told(&sent),
            received: told(&received[place]),
        }))),
    }
}

fn warnings(latency: &Latency, cores: &Cores) -> Vec<String> {
    let mut warnings = Vec::new();
    if cfg!(debug_assertions) {
        warnings.push("this `ringbus` was not built with --release: its figures are far too low".to_owned());
    }
    warnings.extend(cores.warning("one-to-one", 2));
    warnings.extend(cores.warning("one-to-three", 4));
    if !latency.keeps_up() {
        warnings.push(format!(
            "{:.0} events a second were to be sent for the latency, and {:.0} were: its figures are those of an overload; \
             choose a lower --rate",
            latency.offered_per_second, latency.sent_per_second.median
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_that_got_something_else_is_named() {
        let sent = Tally::of_series(0, 1, 1_000);
        let delivered = delivery("one-to-three", sent, vec![sent; 3]).unwrap();
        assert_eq!((delivered.sent, delivered.received), (1_000, vec![1_000; 3]));

        let other = Tally::of_series(1, 1, 1_000);
        let Err(Failure::Miscounted(miscounted)) = delivery("one-to-three", sent, vec![sent, other, sent])
        else {
            panic!("it got other events");
        };
        assert_eq!((miscounted.consumer, miscounted.sent.0, miscounted.received.0), (2, 1_000, 1_000));
        assert_ne!(miscounted.sent.1, miscounted.received.1);
    }
}
