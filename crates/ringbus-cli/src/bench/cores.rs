//! Which cores there are, and which are used.

use std::thread;

use core_affinity::CoreId;

use super::failure::Failure;
use super::placement::{Placement, Waits};

/// A producer and three consumers.
const MOST: usize = 4;

/// The cores that are measured.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    /// Of the producer, then of the consumers. Empty where threads cannot be pinned.
    pub(crate) chosen: Vec<usize>,
    /// How many threads can run at once.
    pub(crate) at_once: usize,
}

impl Cores {
    /// Those that were asked for, or as many as are of use.
    pub(crate) fn choose(asked: &[usize]) -> Result<Self, Failure> {
        // Less than there are cores, where a container has a quota.
        let at_once = thread::available_parallelism().map_or(1, usize::from);
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        let available: Vec<usize> = ids.iter().map(|core| core.id).collect();
        let chosen = choose_from(asked, &available, at_once)?;
        let refused = chosen.iter().copied().find(|core| !can_be_pinned_to(*core));
        match refused {
            Some(core) if !asked.is_empty() => Err(Failure::NoSuchCore { core, available }),
            Some(_) => Ok(Self { chosen: Vec::new(), at_once }),
            None => Ok(Self { chosen, at_once }),
        }
    }

    /// Where so many threads run: each on a core of its own, or, where there are too few, wherever the operating system puts them.
    pub(crate) fn place(&self, threads: usize) -> Placement {
        let cores = self.chosen.get(..threads).unwrap_or_default().to_vec();
        let waits = if threads <= self.at_once && (!cores.is_empty() || self.chosen.is_empty()) {
            Waits::Spinning
        } else {
            Waits::Yielding
        };
        Placement { cores, waits }
    }

    /// What there is to say about a measurement with so many threads.
    pub(crate) fn warning(&self, workload: &str, threads: usize) -> Option<String> {
        let cores = if self.chosen.is_empty() { self.at_once } else { self.chosen.len().min(self.at_once) };
        if threads > cores {
            let noun = if cores == 1 { "core" } else { "cores" };
            Some(format!(
                "{workload} has {threads} threads for {cores} {noun}: they yield to each other, on whatever core they are, and its \
                 figures tell more about the scheduler than about the ring"
            ))
        } else if self.chosen.is_empty() {
            Some(format!(
                "{workload}: the operating system does not let threads be pinned to cores, and may move them"
            ))
        } else {
            None
        }
    }
}

fn choose_from(asked: &[usize], available: &[usize], at_once: usize) -> Result<Vec<usize>, Failure> {
    if asked.is_empty() {
        return Ok(available.iter().copied().take(at_once.min(MOST)).collect());
    }
    if asked.len() > MOST {
        return Err(Failure::TooManyCores { asked: asked.len(), most: MOST });
    }
    for (place, &core) in asked.iter().enumerate() {
        if !available.contains(&core) {
            return Err(Failure::NoSuchCore { core, available: available.to_vec() });
        }
        if asked[..place].contains(&core) {
            return Err(Failure::CoreGivenTwice { core });
        }
    }
    Ok(asked.to_vec())
}

/// Tried on a thread that ends at once: this one, and those it starts later, are not to be pinned by it.
fn can_be_pinned_to(core: usize) -> bool {
    thread::spawn(move || core_affinity::set_for_current(CoreId { id: core })).join().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cores_are_taken_unless_others_are_asked_for() {
        assert_eq!(choose_from(&[], &[0, 2, 4, 6, 8], 16).unwrap(), [0, 2, 4, 6]);
        assert_eq!(choose_from(&[], &[0, 2, 4, 6, 8], 2).unwrap(), [0, 2]);
        assert_eq!(choose_from(&[8, 0], &[0, 2, 4, 6, 8], 16).unwrap(), [8, 0]);
        assert!(choose_from(&[], &[], 1).unwrap().is_empty());
    }

    #[test]
    fn a_bad_choice_is_refused() {
        let said = |asked: &[usize]| choose_from(asked, &[0, 2, 4, 6, 8], 5).unwrap_err().to_string();
        assert_eq!(
            said(&[0, 1]),
            "core 1 cannot be used: this process may run on [0, 2, 4, 6, 8]; choose of these with --cores"
        );
        assert_eq!(said(&[2, 0, 2]), "core 2 is given twice; give each thread a core of its own");
        assert_eq!(
            said(&[0, 2, 4, 6, 8]),
            "5 cores are given, and at most 4 are of use; give the producer's and three consumers'"
        );
    }

    #[test]
    fn threads_without_a_core_each_are_not_pinned_and_yield() {
        let cores = Cores { chosen: vec![3, 5], at_once: 8 };
        assert_eq!(cores.place(2), Placement { cores: vec![3, 5], waits: Waits::Spinning });
        assert_eq!(cores.place(4), Placement { cores: vec![], waits: Waits::Yielding });
        assert_eq!(cores.warning("one-to-one", 2), None);
        let warning = cores.warning("one-to-three", 4).unwrap();
        assert!(warning.starts_with("one-to-three has 4 threads for 2 cores: "), "{warning}");
    }

    #[test]
    fn threads_that_cannot_be_pinned_spin_where_there_are_enough_cores() {
        let cores = Cores { chosen: vec![], at_once: 2 };
        assert_eq!(cores.place(2), Placement { cores: vec![], waits: Waits::Spinning });
        assert_eq!(cores.place(4), Placement { cores: vec![], waits: Waits::Yielding });
        assert!(cores.warning("one-to-one", 2).unwrap().contains("does not let threads be pinned"));
    }

    #[test]
    fn a_quota_of_less_than_the_cores_counts() {
        let cores = Cores { chosen: vec![0, 1], at_once: 1 };
        assert_eq!(cores.place(2).waits, Waits::Yielding);
        assert!(cores.warning("one-to-one", 2).unwrap().contains("2 threads for 1 core:"));
    }
}
