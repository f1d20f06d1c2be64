//! Two who start at one path, and those who observe it meanwhile.

use std::path::Path;
use std::time::{Duration, Instant};

use ringbus::shared::{Liveness, ObserveError, Observer, RingFile};
use ringbus::{End, Sequence};

use super::pattern::event;
use super::process::{Process, directory, soon};

const RACES: u64 = 100;
type Event = [u64; 8];

/// Two processes that are ready to start a ring.
fn two(path: &Path) -> [Process; 2] {
    let mut starters = [(); 2].map(|()| Process::play("starter", path, &[]));
    starters.iter_mut().for_each(|starter| drop(starter.expect("ready")));
    starters
}

/// Lets both start at once. Returns who has won, and whom the other was told to be the one.
#[track_caller]
fn race(starters: &mut [Process; 2]) -> (usize, u64) {
    let moment = soon();
    starters.iter_mut().for_each(|starter| starter.tell(format!("start {moment} 0")));
    let answers = starters.each_mut().map(|starter| starter.says().expect("it is there"));
    let winner = answers.iter().position(|answer| answer[0] == "started").expect("one wins");
    let loser = &answers[1 - winner];
    assert_eq!(loser[0], "refused", "both have won");
    (winner, loser[1].parse().expect("a process"))
}

#[test]
fn one_of_two_starters_wins() {
    let directory = directory();
    let path = directory.path().join("ring");
    let mut starters = two(&path);
    let mut wins = [0; 2];
    let mut epochs = Vec::new();
    for _ in 0..RACES {
        let (winner, told) = race(&mut starters);
        wins[winner] += 1;
        let id = starters[winner].id();
        assert_eq!(told, u64::from(id), "the other is told of somebody else");
        let file = RingFile::open(&path).unwrap();
        assert_eq!((file.info().process_id, file.liveness(Duration::ZERO)), (id, Liveness::Alive));
        assert!(!epochs.contains(&file.info().epoch));
        epochs.push(file.info().epoch);
        starters[winner].tell("close");
        starters[winner].expect("closed");
    }
    println!("{RACES} races: {wins:?} won");
    starters.iter_mut().for_each(|starter| assert!(starter.end().success()));
}

/// Reads until nothing is there.
#[track_caller]
fn take(observer: &mut Observer<Event>, from: u64, to: u64) {
    for sequence in from..to {
        assert_eq!(observer.recv(), Ok((Sequence::new(sequence), event(sequence))));
    }
    assert_eq!(observer.try_recv(), Err(ObserveError::Empty));
}

#[test]
fn when_the_winner_is_killed_the_other_starts_and_observers_go_on_or_stay() {
    let directory = directory();
    let path = directory.path().join("ring");
    for _ in 0..10 {
        let mut starters = two(&path);
        let (winner, _) = race(&mut starters);
        let [mut one, mut other] = starters;
        if winner == 1 {
            std::mem::swap(&mut one, &mut other);
        }
        let old = RingFile::open(&path).unwrap();
        let mut staying = Observer::<Event>::attach(&path).unwrap();
        let mut following = Observer::<Event>::builder(&path).attach_following().unwrap();
        one.tell("publish 100");
        assert_eq!(one.expect("published"), [100]);
        take(&mut following, 0, 100);
        one.kill();
        assert_eq!((old.liveness(Duration::ZERO), old.is_replaced()), (Liveness::Dead, false));
        assert_eq!(following.recv(), Err(ObserveError::Ended(End::ProducerDied)));
        // There is no other ring yet.
        let a_moment = Instant::now() + Duration::from_millis(1);
        assert_eq!(following.try_recv(), Err(ObserveError::Empty));
        assert_eq!(following.recv_deadline(a_moment), Err(ObserveError::Empty));

        other.tell("start 0 100");
        other.expect("started");
        let new = RingFile::open(&path).unwrap();
        assert_ne!(new.info().epoch, old.info().epoch);
        assert_eq!((new.liveness(Duration::ZERO), new.info().process_id), (Liveness::Alive, other.id()));
        assert_eq!((old.liveness(Duration::ZERO), old.is_replaced()), (Liveness::Dead, true));
        other.tell("publish 50");
        other.expect("published");
        assert_eq!(following.recv(), Err(ObserveError::Restarted { resumed_at: Sequence::new(100) }));
        assert_eq!(following.file().info().epoch, new.info().epoch);
        take(&mut following, 100, 150);
        assert_eq!((following.delivered(), following.missed()), (150, 0));
        // Who does not follow has the old file, and what was in it.
        for sequence in 0..100 {
            assert_eq!(staying.recv(), Ok((Sequence::new(sequence), event(sequence))));
        }
        assert_eq!(staying.recv(), Err(ObserveError::Ended(End::ProducerDied)));
        assert_eq!((staying.file().info().epoch, staying.file().cursor().get()), (old.info().epoch, 100));

        other.kill();
        assert_eq!(following.recv(), Err(ObserveError::Ended(End::ProducerDied)));
    }
}

/// There is always a ring at the path, and it is always a whole one.
#[test]
fn who_attaches_while_cores_come_and_go_finds_a_ring() {
    const RESTARTS: usize = 100;
    let directory = directory();
    let path = directory.path().join("ring");
    let mut restarter = Process::play("restarter", &path, &[]);
    restarter.expect("restarts");
    let mut following = Observer::<Event>::builder(&path).attach_following().unwrap();
    let (mut ends, mut restarts, mut epochs) = (0, 0, vec![following.file().info().epoch]);
    while restarts < RESTARTS {
        match following.recv() {
            Ok(received) => assert_eq!(received, (Sequence::new(0), event(0))),
            Err(ObserveError::Ended(end)) => {
                assert_eq!((end, ends), (End::Closed, restarts), "each end is told once");
                ends += 1;
            }
            Err(ObserveError::Restarted { .. }) => {
                restarts += 1;
                assert_eq!(restarts, ends);
                epochs.push(following.file().info().epoch);
            }
            Err(other) => panic!("{other}"),
        }
        let file = RingFile::open(&path).expect("there is always a ring");
        assert!(file.cursor().get() <= 1 && file.liveness(Duration::from_secs(60)) != Liveness::Dead);
        let now = Observer::<Event>::attach(&path).expect("there is always a ring");
        assert!(now.position().get() <= 1);
    }
    assert!(!restarter.kill().success());
    epochs.sort_by_key(ToString::to_string);
    epochs.dedup();
    assert_eq!(epochs.len(), RESTARTS + 1, "each of them is another ring");
}
