//! What has grown or shrunk since it was recorded.

use std::fmt;

use crate::record::Record;

/// Changes below either are noise of the code's layout: a loop moved, a register was spilt.
const MOST_GROWTH_PERCENT: f64 = 2.0;
const MOST_GROWTH: f64 = 0.5;

const HOW_TO_RECORD: &str = "benches/instructions/run --record";

pub(crate) struct Comparison {
    /// By what else than what is recorded these counts were made: they cannot be held against it.
    made_by_others: Vec<String>,
    grown: Vec<String>,
    shrunk: Vec<String>,
    /// Loops that stand on one side only.
    unmatched: Vec<String>,
}

/// `all`: every loop was counted, so that a recorded one that is missing is gone.
pub(crate) fn of(now: &Record, recorded: &Record, all: bool) -> Comparison {
    let mut comparison = Comparison {
        made_by_others: Vec::new(),
        grown: Vec::new(),
        shrunk: Vec::new(),
        unmatched: Vec::new(),
    };
    for (now, recorded) in [(&now.rustc, &recorded.rustc), (&now.architecture, &recorded.architecture)] {
        if now != recorded {
            comparison.made_by_others.push(format!("{now}, and the record by {recorded}"));
        }
    }
    for (name, count) in &now.loops {
        let Some(before) = recorded.loops.get(name) else {
            comparison.unmatched.push(format!("`{name}` is not recorded"));
            continue;
        };
        let (before, count) = (before.instructions, count.instructions);
        let change = format!("`{name}`: {count:.2} instructions per event, {before:.2} recorded");
        let threshold = MOST_GROWTH.max(before * MOST_GROWTH_PERCENT / 100.0);
        if count - before > threshold {
            comparison.grown.push(change);
        } else if before - count > threshold {
            comparison.shrunk.push(change);
        }
    }
    if all {
        let gone = recorded.loops.keys().filter(|name| !now.loops.contains_key(*name));
        comparison
            .unmatched
            .extend(gone.map(|name| format!("`{name}` is recorded, and there is no such loop")));
    }
    comparison
}

impl Comparison {
    pub(crate) fn fails(&self) -> bool {
        self.made_by_others.is_empty() && !(self.grown.is_empty() && self.unmatched.is_empty())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { made_by_others, grown, shrunk, unmatched } = self;
        for other in made_by_others {
            writeln!(f, "These counts were made by {other}: nothing is held against it.")?;
        }
        for change in grown {
            writeln!(f, "grown: {change}")?;
        }
        for change in shrunk {
            writeln!(f, "shrunk: {change}")?;
        }
        for change in unmatched {
            writeln!(f, "{change}")?;
        }
        if grown.is_empty() && shrunk.is_empty() && unmatched.is_empty() {
            return writeln!(
                f,
                "No count is more than {MOST_GROWTH} instructions and {MOST_GROWTH_PERCENT} % from the recorded one."
            );
        }
        if !grown.is_empty() {
            writeln!(
                f,
                "Find out why (benches/instructions/run --assembly); if it is worth it, say so, and record anew."
            )?;
        }
        writeln!(f, "To record these counts: {HOW_TO_RECORD}")
    }
}
