//! Measurements in turns, and the state that the machine was in at each of them.

use crate::common::spread::Spread;
use crate::state::{State, hand_off_ns};

struct Turn<T> {
    state: State,
    value: T,
}

/// What several measurements gave, each in every round.
pub(crate) struct Turns<T> {
    /// By what was measured, then by round.
    of: Vec<Vec<Turn<T>>>,
    /// Before and after each measurement, if two cores had a part in it.
    hand_offs: Vec<[f64; 2]>,
}

/// How many cores have a part in what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    One,
    Two,
}

impl<T> Turns<T> {
    /// Measures each of `count`, in each of `rounds`.
    pub(crate) fn take(
        cores: Cores,
        rounds: usize,
        count: usize,
        mut measure: impl FnMut(usize) -> T,
    ) -> Self {
        let look = || if cores == Cores::Two { hand_off_ns() } else { None };
        let mut turns = Self { of: (0..count).map(|_| Vec::new()).collect(), hand_offs: Vec::new() };
        let mut before = look();
        for round in 0..rounds {
            for turn in 0..count {
                let what = (round + turn) % count;
                let value = measure(what);
                let after = look();
                let hand_off = before.zip(after).map(|(before, after)| [before, after]);
                turns.hand_offs.extend(hand_off);
                turns.of[what].push(Turn { state: State::of(hand_off), value });
                before = after;
            }
        }
        turns
    }

    /// The states that say something and occurred at any of the measurements.
    pub(crate) fn states(&self) -> Vec<State> {
        let occurred = |state: &State| self.of.iter().flatten().any(|turn| turn.state == *state);
        [State::Near, State::Far, State::Unknown].into_iter().filter(occurred).collect()
    }

    /// Of one measurement, in the rounds of that state, with their number.
    pub(crate) fn spread(&self, what: usize, state: State, value: impl Fn(&T) -> f64) -> Option<Spread> {
        spread(self.of[what].iter().filter(|turn| turn.state == state).map(|turn| value(&turn.value)))
    }

    /// Of one measurement to another, in the rounds where both were in that state.
    pub(crate) fn ratio(
        &self,
        what: usize,
        to: usize,
        state: State,
        value: impl Fn(&T) -> f64,
    ) -> Option<Spread> {
        let both = self.of[what].iter().zip(&self.of[to]);
        let both = both.filter(|(what, to)| what.state == state && to.state == state);
        spread(both.map(|(what, to)| value(&what.value) / value(&to.value)))
    }

    /// In how many rounds a measurement met that state.
    pub(crate) fn rounds(&self, what: usize, state: State) -> usize {
        self.of[what].iter().filter(|turn| turn.state == state).count()
    }

    /// What the hand-off of a line took, and how often.
    pub(crate) fn print_states(&self) {
        let mut lines = Vec::new();
        for state in [State::Near, State::Far, State::Changed] {
            let of_it: Vec<_> =
                self.hand_offs.iter().filter(|both| State::of(Some(**both)) == state).collect();
            if let Some(took) = spread(of_it.iter().flat_map(|both| both.iter().copied())) {
                lines.push(format!("{} ({} times, {took} ns)", state.name(), of_it.len()));
            }
        }
        if !lines.is_empty() {
            println!(
                "States of the machine, by the hand-off of a cache line, one way: {}.",
                lines.join("; ")
            );
        }
    }
}

fn spread(values: impl Iterator<Item = f64>) -> Option<Spread> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| Spread::of(values))
}

/// A cell of a table.
pub(crate) fn cell(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(|| "-".into(), |spread| format!("{spread:.decimals$}"))
}
