//! The rounds of each workload, by contender and by the state that the machine was in.

use crate::Outcome;
use crate::contenders::{self, Kind};
use crate::record::Record;
use crate::spread::Spread;
use crate::state::State;

use super::measure::Measure;

/// A thread that waited for a core for a greater part of the time was disturbed.
const DISTURBED: f64 = 0.02;

/// Who sends a smaller part of the events that were to be sent did not keep up.
const KEPT_UP: f64 = 0.95;

/// The states whose figures count; a round during which it changed is of no state.
const STATES: [State; 3] = [State::Near, State::Far, State::Unknown];

/// All rounds of a contender in a workload.
#[derive(Debug)]
pub(crate) struct Measured<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: Kind,
    pub(crate) rounds: Vec<&'a Record>,
}

impl<'a> Measured<'a> {
    pub(crate) fn rounds_in(&self, state: State) -> impl Iterator<Item = &'a Record> {
        self.rounds.iter().copied().filter(move |record| State::of(record.hand_off_ns) == state)
    }

    /// `None`: no round was in this state.
    pub(crate) fn spread(&self, state: State, measure: Measure) -> Option<Spread> {
        let values: Vec<f64> =
            self.rounds_in(state).filter_map(|record| measure.of(&record.figures)).collect();
        (!values.is_empty()).then(|| Spread::of(values))
    }

    /// How many rounds saw the state change.
    pub(crate) fn changed(&self) -> usize {
        self.rounds.iter().filter(|record| State::of(record.hand_off_ns) == State::Changed).count()
    }

    /// Whether it sent what it was to send; so does who was not told how much.
    pub(crate) fn keeps_up(&self, state: State) -> bool {
        self.spread(state, Measure::Sent).is_none_or(|sent| sent.median >= KEPT_UP)
    }
}

/// How many of these rounds were disturbed. `None`: the kernel did not tell.
pub(crate) fn disturbed<'a>(rounds: impl Iterator<Item = &'a Record>) -> Option<usize> {
    rounds
        .map(|record| Some(usize::from(record.core_wait_seconds? > DISTURBED * record.seconds)))
        .sum::<Option<usize>>()
}

/// All contenders of a workload: our own first, then its settings, the rivals and the yardsticks, of each kind the best first.
#[derive(Debug)]
pub(crate) struct Workload<'a> {
    pub(crate) id: &'a str,
    /// By which the contenders are ranked.
    pub(crate) measure: Measure,
    pub(crate) contenders: Vec<Measured<'a>>,
}

impl<'a> Workload<'a> {
    /// In the order in which they were measured first.
    pub(crate) fn all(records: &'a [Record]) -> Outcome<Vec<Self>> {
        let mut workloads: Vec<Self> = Vec::new();
        for record in records {
            let place =
                workloads.iter().position(|workload| workload.id == record.workload).unwrap_or_else(|| {
                    let measure = Measure::that_ranks(&record.figures);
                    workloads.push(Self { id: &record.workload, measure, contenders: Vec::new() });
                    workloads.len() - 1
                });
            workloads[place].add(record)?;
        }
        for workload in &mut workloads {
            workload.rank();
        }
        Ok(workloads)
    }

    fn add(&mut self, record: &'a Record) -> Outcome<()> {
        let name = record.contender.as_str();
        if let Some(measured) = self.contenders.iter_mut().find(|measured| measured.name == name) {
            measured.rounds.push(record);
            return Ok(());
        }
        let kind = contenders::find(name)?.kind;
        self.contenders.push(Measured { name, kind, rounds: vec![record] });
        Ok(())
    }

    /// By the first state; who has no round in it comes last.
    fn rank(&mut self) {
        let (measure, states) = (self.measure, self.states());
        let rank = |measured: &Measured| {
            let spread = states.first().and_then(|state| measured.spread(*state, measure));
            spread.map_or(f64::NEG_INFINITY, |spread| goodness(measure, spread.median))
        };
        self.contenders
            .sort_by(|one, other| one.kind.cmp(&other.kind).then(rank(other).total_cmp(&rank(one))));
    }

    /// Those that any round was in.
    pub(crate) fn states(&self) -> Vec<State> {
        let rounds = || self.contenders.iter().flat_map(|measured| &measured.rounds);
        let occurs = |state: &State| rounds().any(|record| State::of(record.hand_off_ns) == *state);
        STATES.into_iter().filter(occurs).collect()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Measured<'a>> {
        self.contenders.iter().find(|measured| measured.name == name)
    }

    /// Ours, in its default configuration.
    pub(crate) fn own(&self) -> Option<&Measured<'a>> {
        self.contenders.iter().find(|measured| measured.kind == Kind::Own)
    }

    /// Who of the rivals that keep up has the best median, and that.
    pub(crate) fn best_rival(&self, state: State, measure: Measure) -> Option<(&Measured<'a>, f64)> {
        self.contenders
            .iter()
            .filter(|measured| measured.kind == Kind::Rival && measured.keeps_up(state))
            .filter_map(|measured| Some((measured, measured.spread(state, measure)?.median)))
            .max_by(|(_, one), (_, other)| goodness(measure, *one).total_cmp(&goodness(measure, *other)))
    }
}

/// The states that any of these workloads was measured in.
pub(crate) fn states<'a>(workloads: impl IntoIterator<Item = &'a Workload<'a>>) -> Vec<State> {
    let found: Vec<State> = workloads.into_iter().flat_map(Workload::states).collect();
    STATES.into_iter().filter(|state| found.contains(state)).collect()
}

/// Greater is better.
fn goodness(measure: Measure, value: f64) -> f64 {
    if measure.less_is_better() { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{CHANGED, FAR, NEAR, delays, rate, record};
    use super::*;

    fn median(workload: &Workload, name: &str, state: State) -> Option<f64> {
        Some(workload.find(name)?.spread(state, Measure::Rate)?.median / 1e6)
    }

    #[test]
    fn rounds_count_in_their_state_and_in_none_if_it_changed() {
        let hand_offs = [NEAR, FAR, NEAR, CHANGED, None, NEAR];
        let rates = [100.0, 5.0, 120.0, 50.0, 70.0, 300.0];
        let records: Vec<Record> = hand_offs
            .into_iter()
            .zip(rates)
            .map(|(at, value)| record("one", "rtrb", at, rate(value)))
            .collect();
        let workloads = Workload::all(&records).expect("known contenders");
        let [workload] = &workloads[..] else { panic!("one workload") };
        let medians = STATES.map(|state| median(workload, "rtrb", state));
        assert_eq!(medians, [Some(120.0), Some(5.0), Some(70.0)]);
        assert_eq!(workload.find("rtrb").expect("measured").changed(), 1);
        assert_eq!(workload.states(), STATES);
    }

    #[test]
    fn the_median_of_an_even_number_of_rounds_is_between_the_middle_ones() {
        let records = [40.0, 10.0, 20.0, 30.0].map(|value| record("one", "rtrb", NEAR, rate(value)));
        let workloads = Workload::all(&records).expect("known contenders");
        assert_eq!(median(&workloads[0], "rtrb", State::Near), Some(25.0));
        assert_eq!(median(&workloads[0], "rtrb", State::Far), None);
    }

    #[test]
    fn ours_come_first_then_settings_rivals_and_yardsticks_the_best_first() {
        let names = ["streaming", "rtrb", "disruptor", "ringbus, unpaced", "ringbus"]
            .into_iter()
            .zip([9.0, 2.0, 3.0, 8.0, 1.0]);
        let fast: Vec<Record> =
            names.clone().map(|(name, value)| record("fast", name, NEAR, rate(value))).collect();
        let soon: Vec<Record> =
            names.map(|(name, value)| record("soon", name, NEAR, delays(value as u64, 9, None))).collect();
        let order = |records: &[Record]| -> Vec<String> {
            let workloads = Workload::all(records).expect("known contenders");
            workloads[0].contenders.iter().map(|measured| measured.name.to_owned()).collect()
        };
        assert_eq!(order(&fast), ["ringbus", "ringbus, unpaced", "disruptor", "rtrb", "streaming"]);
        assert_eq!(order(&soon), ["ringbus", "ringbus, unpaced", "rtrb", "disruptor", "streaming"]);
    }

    #[test]
    fn the_best_rival_is_neither_ours_nor_a_yardstick_and_keeps_up() {
        let offered = |sent| Some((10e6, sent));
        let records = [
            record("load", "ringbus", NEAR, delays(1, 1, offered(10e6))),
            record("load", "stamped ring", NEAR, delays(2, 2, offered(10e6))),
            record("load", "rtrb", NEAR, delays(3, 3, offered(9.4e6))),
            record("load", "disruptor", NEAR, delays(5, 4, offered(9.5e6))),
            record("load", "crossbeam-channel", NEAR, delays(4, 5, offered(10e6))),
        ];
        let workloads = Workload::all(&records).expect("known contenders");
        let best = |measure| {
            workloads[0].best_rival(State::Near, measure).map(|(measured, median)| (measured.name, median))
        };
        assert_eq!(best(Measure::P50), Some(("crossbeam-channel", 4.0)));
        assert_eq!(best(Measure::P99), Some(("disruptor", 4.0)));
        assert!(workloads[0].best_rival(State::Far, Measure::P50).is_none());
    }

    #[test]
    fn a_round_is_disturbed_if_a_thread_waited_for_a_core_for_a_fiftieth_of_it() {
        let waited =
            |seconds| Record { core_wait_seconds: seconds, ..record("one", "rtrb", NEAR, rate(1.0)) };
        let told = [Some(0.02), Some(0.021), Some(0.5)].map(waited);
        let untold = [Some(0.5), None].map(waited);
        assert_eq!(disturbed(told.iter()), Some(2));
        assert_eq!(disturbed(untold.iter()), None);
    }

    #[test]
    fn a_contender_of_another_version_is_an_error() {
        let records = [record("one", "nobody", NEAR, rate(1.0))];
        let error = Workload::all(&records).expect_err("no such contender");
        assert!(error.to_string().contains("nobody"), "{error}");
    }
}
