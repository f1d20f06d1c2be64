//! What is asked of one workload, and the verdict.

use crate::state::State;

use super::groups::{Measured, Workload};
use super::measure::Measure;

/// Fewer rounds have no worst one.
const ROUNDS: usize = 3;

/// Of our default configuration.
#[derive(Debug)]
pub(crate) enum Requirement {
    /// The median is at least so many times that of the other; a delay is at most that.
    Times(f64, Measure, Other),
    /// The worst round is at least such a part of the median.
    WorstRound(f64),
    /// The consumer that may be overrun receives at least such a part.
    Received(f64),
    /// It was told exactly what it lost, in every round.
    Counted,
}

#[derive(Debug)]
pub(crate) enum Other {
    BestRival,
    Contender(&'static str),
    /// Ours, in another workload.
    Workload(&'static str),
}

#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Met(String),
    NotMet(String),
    /// There is nothing to judge, for this reason.
    None(&'static str),
}

impl Verdict {
    fn new(met: bool, reached: String) -> Self {
        if met { Self::Met(reached) } else { Self::NotMet(reached) }
    }

    pub(crate) fn met(&self) -> &'static str {
        match self {
            Self::Met(_) => "yes",
            Self::NotMet(_) => "**no**",
            Self::None(_) => "",
        }
    }

    pub(crate) fn reached(&self) -> &str {
        match self {
            Self::Met(reached) | Self::NotMet(reached) => reached,
            Self::None(reason) => reason,
        }
    }
}

impl Requirement {
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Times(factor, measure, other) => {
                let bound = if measure.less_is_better() { "at most" } else { "at least" };
                let other = match other {
                    Other::BestRival => "the best rival",
                    Other::Contender(name) => name,
                    Other::Workload(id) => id,
                };
                let what = match measure {
                    Measure::Rate => String::new(),
                    measure => format!("{}: ", measure.name().split(',').next().unwrap_or_default()),
                };
                format!("{what}{bound} {factor} x {other}")
            }
            Self::WorstRound(part) => format!("worst round: at least {part} x the median"),
            Self::Received(part) => format!("at least {:.0} % received", part * 100.0),
            Self::Counted => "losses counted exactly".to_owned(),
        }
    }

    /// `all` is where other workloads are found.
    pub(crate) fn judge(
        &self,
        workload: &Workload,
        own: &Measured,
        state: State,
        all: &[Workload],
    ) -> Verdict {
        let measure = match self {
            Self::Times(_, measure, _) => *measure,
            Self::WorstRound(_) => workload.measure,
            Self::Received(_) => Measure::Share,
            Self::Counted => Measure::Accounted,
        };
        let Some(spread) = own.spread(state, measure) else { return Verdict::None("not measured") };
        match self {
            Self::Times(factor, _, other) => {
                let Some((other, median)) = other.find(workload, state, measure, all) else {
                    return Verdict::None("nobody to compare with");
                };
                if !own.keeps_up(state) {
                    return Verdict::NotMet(format!("does not keep up, {} does", other.name));
                }
                let ratio = spread.median / median;
                let [value, median] = [spread.median, median].map(|value| measure.show(value));
                let met = if measure.less_is_better() { ratio <= *factor } else { ratio >= *factor };
                Verdict::new(met, format!("{ratio:.3} ({value}; {}: {median})", other.name))
            }
            Self::WorstRound(_) if own.rounds_in(state).count() < ROUNDS => Verdict::None("too few rounds"),
            Self::WorstRound(part) => {
                let reached = spread.min / spread.median;
                let [worst, median] = [spread.min, spread.median].map(|value| measure.show(value));
                Verdict::new(reached >= *part, format!("{reached:.3} ({worst} of {median})"))
            }
            Self::Received(part) => Verdict::new(spread.median >= *part, measure.show(spread.median)),
            Self::Counted => {
                let exact = spread.min == 1.0 && spread.max == 1.0;
                Verdict::new(exact, if exact { "in every round" } else { "not in every round" }.to_owned())
            }
        }
    }
}

impl Other {
    /// And its median.
    fn find<'a>(
        &self,
        workload: &'a Workload<'a>,
        state: State,
        measure: Measure,
        all: &'a [Workload<'a>],
    ) -> Option<(&'a Measured<'a>, f64)> {
        let other = match self {
            Self::BestRival => return workload.best_rival(state, measure),
            Self::Contender(name) => workload.find(name)?,
            Self::Workload(id) => all.iter().find(|workload| workload.id == *id)?.own()?,
        };
        Some((other, other.spread(state, measure)?.median))
    }
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{CHANGED, FAR, NEAR, delays, lossy, rate, record};
    use super::super::targets::targets;
    use super::*;
    use crate::record::Record;

    const SINGLE: &str = "one-to-one/single/65536/64";

    /// The verdicts on this workload's targets, in their order.
    fn verdicts(records: &[Record], id: &str, state: State) -> Vec<Verdict> {
        let workloads = Workload::all(records).expect("known contenders");
        let workload = workloads.iter().find(|workload| workload.id == id).expect("measured");
        let own = workload.own().expect("measured");
        let of_it = targets().into_iter().filter(|target| target.workload == id);
        of_it.map(|target| target.requirement.judge(workload, own, state, &workloads)).collect()
    }

    fn met(verdicts: &[Verdict]) -> Vec<Option<bool>> {
        let met = verdicts.iter().map(|verdict| match verdict {
            Verdict::Met(_) => Some(true),
            Verdict::NotMet(_) => Some(false),
            Verdict::None(_) => None,
        });
        met.collect()
    }

    #[test]
    fn medians_of_one_state_are_compared_with_the_best_rival_and_a_yardstick() {
        let mut records = Vec::new();
        for (ours, far) in [(110.0, 5.0), (120.0, 5.0), (89.0, 3.0)] {
            records.push(record(SINGLE, "ringbus", NEAR, rate(ours)));
            records.push(record(SINGLE, "ringbus", FAR, rate(far)));
        }
        records.push(record(SINGLE, "ringbus", CHANGED, rate(1.0)));
        records.push(record(SINGLE, "rtrb", NEAR, rate(50.0)));
        records.push(record(SINGLE, "disruptor", NEAR, rate(100.0)));
        records.push(record(SINGLE, "rtrb", FAR, rate(4.0)));
        records.push(record(SINGLE, "streaming", NEAR, rate(120.0)));
        let near = verdicts(&records, SINGLE, State::Near);
        assert_eq!(
            near,
            [
                Verdict::NotMet("1.100 (110; disruptor: 100)".into()),
                Verdict::Met("0.917 (110; streaming: 120)".into()),
                Verdict::Met("0.809 (89.0 of 110)".into()),
            ]
        );
        let far = verdicts(&records, SINGLE, State::Far);
        assert_eq!(met(&far), [Some(true), None, Some(false)]);
        assert_eq!(met(&verdicts(&records, SINGLE, State::Unknown)), [None, None, None]);
    }

    #[test]
    fn a_delay_is_to_be_at_most_so_many_times_the_others() {
        let id = "ping-pong/1024/64";
        let records = [
            record(id, "ringbus", NEAR, delays(75, 900, None)),
            record(id, "rtrb", NEAR, delays(100, 100, None)),
            record(id, "line hand-off", NEAR, delays(40, 100, None)),
        ];
        assert_eq!(met(&verdicts(&records, id, State::Near)), [Some(true), Some(false)]);
    }

    #[test]
    fn under_load_only_those_count_who_keep_up() {
        let id = "load/steady/50M/65536/64";
        let at = |name, p50, sent| record(id, name, NEAR, delays(p50, p50, Some((50e6, sent))));
        let nobody_else = [at("ringbus", 300, 50e6), at("rtrb", 200, 20e6)];
        assert_eq!(met(&verdicts(&nobody_else, id, State::Near)), [None, None]);
        let only_another = [at("ringbus", 100, 20e6), at("rtrb", 200, 50e6)];
        let verdict = Verdict::NotMet("does not keep up, rtrb does".into());
        assert_eq!(verdicts(&only_another, id, State::Near)[0], verdict);
    }

    #[test]
    fn losses_are_counted_exactly_in_every_round_or_not_at_all() {
        let id = "optional/65536/64";
        let mut records = vec![
            record(id, "ringbus", NEAR, lossy(1_000, 900, 100)),
            record(id, "ringbus", NEAR, lossy(1_000, 950, 50)),
            record(id, "rtrb", NEAR, lossy(450, 400, 50)),
        ];
        assert_eq!(met(&verdicts(&records, id, State::Near)), [Some(true), Some(true), Some(true)]);
        records.push(record(id, "ringbus", NEAR, lossy(1_000, 900, 99)));
        assert_eq!(met(&verdicts(&records, id, State::Near)), [Some(true), Some(true), Some(false)]);
    }

    #[test]
    fn onlookers_are_compared_with_none() {
        let ids = ["onlookers/0/65536/64", "onlookers/4/65536/64", "onlookers/16/65536/64"];
        let records = [
            record(ids[0], "ringbus", NEAR, rate(100.0)),
            record(ids[1], "ringbus", NEAR, rate(98.0)),
            record(ids[2], "ringbus", NEAR, rate(97.9)),
        ];
        assert_eq!(met(&verdicts(&records, ids[1], State::Near)), [Some(true)]);
        assert_eq!(met(&verdicts(&records, ids[2], State::Near)), [Some(false)]);
    }
}
