//! What a transaction caused, as a tree.

use std::collections::HashMap;
use std::fmt::Write;

use ringbus::bus::{Answer, RecordRef, View};

use crate::events::{Account, Engine, Exchange, Market};
use crate::live::Summary;

/// Of so many lines in a row that differ in their numbers alone, some are left out.
const MOST_ALIKE: usize = 5;

/// What the last of the oracle's transactions caused that led [furthest](crate::consumers::Liquidations::furthest), of
/// those that the audit log remembers whole. `None` if there are none.
///
/// Many lines alike are abridged. Lines are as long as events are.
#[must_use]
pub fn tree(summary: &Summary) -> Option<String> {
    let mut answers = summary.liquidations.furthest().map(|hash| summary.audit.transaction(&hash));
    let answer = answers.find(Answer::is_complete)?;
    let causes = causes(&answer);
    let tree = answer
        .tree()
        .describe(|record| {
            let engine = Engine::new(record.source().get()).name().unwrap_or("bus").to_lowercase();
            format!("{engine}: {}", Exchange::schema().display(record))
        })
        .nest(|earlier, later| causes.get(&later.order()) == Some(&earlier.order()));
    Some(abridged(&tree.to_string()))
}

/// By order numbers: what followed from what.
fn causes(answer: &Answer) -> HashMap<u32, u32> {
    let records: Vec<RecordRef<'_>> = answer.records().collect();
    let cause = |(place, record): (usize, &RecordRef<'_>)| {
        Some((record.order(), cause(&records[..place], record)?.order()))
    };
    records.iter().enumerate().filter_map(cause).collect()
}

/// The last of the kind that an event's trigger says: about the same account, or else in the same market, or else
/// whatever it is about.
fn cause<'a>(earlier: &[RecordRef<'a>], later: &RecordRef<'_>) -> Option<RecordRef<'a>> {
    let kind = u16::from(later.origin().trigger.kind);
    let last = |is_alike: &dyn Fn(&RecordRef<'_>) -> bool| {
        earlier.iter().rev().find(|record| record.kind().get() == kind && is_alike(record)).copied()
    };
    let (account, market) = (Account::of(later), Market::of(later));
    last(&|record| account.is_some() && Account::of(record) == account)
        .or_else(|| last(&|record| market.is_some() && Market::of(record) == market))
        .or_else(|| last(&|_| true))
}

/// The tree with a word in the middle of many lines alike: of what begins the same way, in the same place, one below
/// the other.
fn abridged(tree: &str) -> String {
    let lines: Vec<&str> = tree.lines().collect();
    let mut text = String::new();
    for alike in lines.chunk_by(|one, next| shape(one) == shape(next)) {
        match alike {
            [first, second, left_out @ .., last] if alike.len() > MOST_ALIKE => {
                let (place, _) = shape(first);
                let _ =
                    writeln!(text, "{first}\n{second}\n{place}.. {} more like these\n{last}", left_out.len());
            }
            _ => alike.iter().for_each(|line| _ = writeln!(text, "{line}")),
        }
    }
    text
}

/// Where a line stands in the tree, and what its event is called.
fn shape(line: &str) -> (String, &str) {
    let begin = line.find(|character: char| !"│├└─ ".contains(character)).unwrap_or(line.len());
    let (place, event) = line.split_at(begin);
    let name = event.split_once(": ").map_or("", |(_, event)| event.split(" {").next().unwrap_or_default());
    // The last of them has another corner.
    (place.replace('└', "├"), name)
}

#[cfg(test)]
mod tests {
    use super::abridged;

    #[test]
    fn many_lines_alike_are_abridged_and_others_are_not() {
        let tree = "\
└─ 1: a: Mark { x: 1 }
   ├─ 2: b: Marked { x: 1 }
   ├─ 3: b: Marked { x: 2 }
   ├─ 4: b: Marked { x: 3 }
   │  └─ 5: b: Distressed { x: 3 }
   ├─ 6: b: Marked { x: 4 }
   ├─ 7: b: Marked { x: 5 }
   ├─ 8: b: Marked { x: 6 }
   ├─ 9: b: Marked { x: 7 }
   ├─ 10: b: Marked { x: 8 }
   └─ 11: b: Marked { x: 9 }
complete
";
        let expected = "\
└─ 1: a: Mark { x: 1 }
   ├─ 2: b: Marked { x: 1 }
   ├─ 3: b: Marked { x: 2 }
   ├─ 4: b: Marked { x: 3 }
   │  └─ 5: b: Distressed { x: 3 }
   ├─ 6: b: Marked { x: 4 }
   ├─ 7: b: Marked { x: 5 }
   ├─ .. 3 more like these
   └─ 11: b: Marked { x: 9 }
complete
";
        assert_eq!(abridged(tree), expected);
    }
}
