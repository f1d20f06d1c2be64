//! Which states the machine was in.

use crate::record::Record;
use crate::spread::Spread;
use crate::state::State;

/// How many measurements were in each state, and what the hand-off of a cache line took in them.
pub(crate) fn line(records: &[Record]) -> String {
    let mut states = Vec::new();
    for state in [State::Near, State::Far, State::Changed, State::Unknown] {
        let in_it: Vec<&Record> =
            records.iter().filter(|record| State::of(record.hand_off_ns) == state).collect();
        if in_it.is_empty() {
            continue;
        }
        let hand_offs: Vec<f64> = in_it.iter().filter_map(|record| record.hand_off_ns).flatten().collect();
        let took =
            if hand_offs.is_empty() { String::new() } else { format!(", {:.0} ns", Spread::of(hand_offs)) };
        states.push(format!("{} ({} times{took})", state.name(), in_it.len()));
    }
    format!(
        "States of the machine, by the hand-off of a cache line, one way, before and after each measurement: {}.\n",
        states.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{CHANGED, NEAR, rate, record};
    use super::*;

    #[test]
    fn each_state_that_occurred_is_told() {
        let records = [NEAR, NEAR, CHANGED, None].map(|at| record("one", "rtrb", at, rate(1.0)));
        let expected = "near (2 times, 85 [80..90] ns); changed (1 times, 1040 [80..2000] ns); \
                        unknown (1 times).\n";
        assert!(line(&records).ends_with(expected), "{}", line(&records));
    }
}
