//! What is carried, and how a consumer shows that it has read all of it.

use std::array;

const WORDS: usize = 8;

/// One cache line.
pub(crate) type Event = [u64; WORDS];

/// 2^64 over the golden ratio: its multiples have no pattern.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// What the word in this place is more than the event's number.
const fn distance(place: usize) -> u64 {
    (place as u64 + 1).wrapping_mul(SPREAD)
}

/// An event that is made from a number: no two of its words are the same, nor two events.
#[inline(always)]
pub(crate) fn numbered(number: u64) -> Event {
    array::from_fn(|place| number.wrapping_add(distance(place)))
}

/// What the event was made from.
#[inline(always)]
pub(crate) fn number(event: &Event) -> u64 {
    event[0].wrapping_sub(distance(0))
}

/// How many events, and the sum of each of their words.
///
/// One sum for each word, because additions to a single one would wait for each other, and it would be they that are measured; and sums,
/// because those of all events that were sent are known without sending them again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    sums: [u64; WORDS],
}

impl Tally {
    #[inline(always)]
    pub(crate) fn take(&mut self, event: &Event) {
        self.events += 1;
        for (sum, word) in self.sums.iter_mut().zip(event) {
            *sum = sum.wrapping_add(*word);
        }
    }

    /// Of so many events, whose numbers are `first`, `first + step`, and so on.
    pub(crate) fn of_series(first: u64, step: u64, events: u64) -> Self {
        let steps = (u128::from(events) * u128::from(events.saturating_sub(1)) / 2) as u64;
        let numbers = first.wrapping_mul(events).wrapping_add(step.wrapping_mul(steps));
        let sum = |place| numbers.wrapping_add(events.wrapping_mul(distance(place)));
        Self { events, sums: array::from_fn(sum) }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            *sum = sum.wrapping_add(more);
        }
    }

    /// All sums in one word.
    pub(crate) fn checksum(&self) -> u64 {
        self.sums.iter().fold(self.events, |all, sum| all.rotate_left(7) ^ sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(numbers: impl IntoIterator<Item = u64>) -> Tally {
        let mut tally = Tally::default();
        for number in numbers {
            tally.take(&numbered(number));
        }
        tally
    }

    #[test]
    fn an_event_tells_its_number() {
        for number_of in [0, 1, 65_536, u64::MAX] {
            assert_eq!(number(&numbered(number_of)), number_of);
        }
    }

    #[test]
    fn the_tally_of_a_series_is_that_of_its_events() {
        for (first, step, events) in
            [(0, 1u64, 10_000), (1_000_000, 333, 777), (u64::MAX - 5, 2, 100), (7, 9, 1), (7, 9, 0)]
        {
            let numbers = (0..events).map(|place| step.wrapping_mul(place).wrapping_add(first));
            assert_eq!(Tally::of_series(first, step, events), tally(numbers), "{first}, {step}, {events}");
        }
    }

    #[test]
    fn tallies_add_up() {
        let mut both = tally(0..600);
        both.add(&tally(600..1_000));
        assert_eq!(both, Tally::of_series(0, 1, 1_000));
    }

    #[test]
    fn what_is_lost_or_doubled_shows() {
        let sent = Tally::of_series(0, 1, 1_000);
        let lost = tally((0..1_000).filter(|number| *number != 471));
        let doubled = tally((0..1_000).chain([471]));
        let other = tally((0..1_000).map(|number| if number == 471 { 470 } else { number }));
        for received in [lost, doubled, other] {
            assert_ne!(received.checksum(), sent.checksum());
        }
    }

    #[test]
    fn every_bit_of_an_event_shows() {
        let whole = tally([42]);
        for (word, bit) in (0..WORDS).flat_map(|word| (0..64).map(move |bit| (word, bit))) {
            let mut damaged = numbered(42);
            damaged[word] ^= 1 << bit;
            let mut tally = Tally::default();
            tally.take(&damaged);
            assert_ne!(tally.checksum(), whole.checksum(), "bit {bit} of word {word}");
        }
    }
}
