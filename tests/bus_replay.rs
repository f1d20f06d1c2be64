//! The replay example, on generated events, and on the recorded ones where `RINGBUS_RECORDED_EVENTS` names their file.

#[path = "../examples/replay/check.rs"]
mod check;
#[path = "../examples/replay/counter.rs"]
mod counter;
#[path = "../examples/replay/event.rs"]
mod event;
#[path = "../examples/replay/monitor.rs"]
mod monitor;
#[path = "../examples/replay/play.rs"]
mod play;
#[path = "../examples/replay/scan.rs"]
mod scan;
#[path = "../examples/replay/tally.rs"]
mod tally;

use std::collections::HashSet;
use std::time::Duration;

use recorded::{Generator, Reader, RecordedEvent};
use ringbus::bus::{Cause, Hash, StreamId};

use check::Check;
use play::{PAYLOAD, Played, Settings, play};
use scan::{Emission, Scan};

/// Of a file that ends in the middle of a block.
fn generate(seed: u64, blocks: u64) -> Vec<RecordedEvent> {
    Generator::new(recorded::Settings { seed, blocks, unfinished_last_block: true }).collect()
}

/// A ring that goes round many times, and a monitor that is overrun.
fn settings() -> Settings {
    Settings {
        stream: StreamId::new("generated-0"),
        capacity: 64,
        blocks_a_second: None,
        rest: Duration::from_micros(500),
    }
}

/// The sound events of `original`, played.
fn played(original: &[RecordedEvent]) -> Played {
    play(original, &settings(), |_| {}).expect("there is nothing wrong with them")
}

/// Compares what was played with `events`.
fn check(events: &[RecordedEvent], played: &Played) -> Result<(), String> {
    Check { events, scan: &Scan::of(events), played }.all()
}

#[test]
fn what_comes_out_is_what_went_in() {
    for seed in 1..4 {
        let events = generate(seed, 300);
        let mut told = Vec::new();
        let played = play(&events, &settings(), |count| told.push(count)).unwrap();
        assert_eq!(check(&events, &played), Ok(()));

        assert_eq!(told, (1..=events.len() as u64 / 256).map(|tick| tick * 256).collect::<Vec<_>>());
        assert_eq!((played.counted.events, played.counted.blocks.len()), (events.len() as u64, 300));
        assert_eq!(played.counted.repeated().collect::<Vec<_>>(), [1]);
        assert_eq!(played.counted.unfinished().collect::<Vec<_>>(), [300]);
        let kinds: HashSet<u16> = events.iter().map(|event| event.kind).collect();
        assert_eq!(played.counted.kinds.len(), kinds.len());
        // The generator's longest message, in block 1.
        let longest = events.iter().position(|event| event.encoded.len() == 4_000).unwrap();
        let taken = played.sequences[longest + 1].get() - played.sequences[longest].get();
        assert_eq!(taken, 4_000_u64.div_ceil(PAYLOAD as u64));
    }
}

#[test]
fn the_audit_log_tells_both_first_blocks_apart_and_puts_scattered_transactions_together() {
    let events = generate(1, 2_000);
    let played = played(&events);
    let audit = &played.audit;

    let answer = audit.block(1);
    assert_eq!(answer.blocks().map(|block| block.records().len()).collect::<Vec<_>>(), [253, 5]);
    let hashes: Vec<_> = answer.blocks().map(|block| *block.hash().unwrap().bytes()).collect();
    assert_eq!(hashes, [events[0].block, events[253].block]);
    let causes: Vec<_> = audit.cause_at(1, 1).into_iter().map(|(_, cause)| cause).collect();
    assert_eq!(causes, hashes.iter().map(|hash| Cause::Block(Hash::new(*hash))).collect::<Vec<_>>());
    assert_eq!(audit.cause_at(1, 6).len(), 1, "the second emission has five events");

    let scan = Scan::of(&events);
    let scattered =
        scan.transactions.values().filter(|places| places[places.len() - 1] - places[0] >= places.len());
    assert!(scattered.count() > 10);
    assert_eq!(check(&events, &played), Ok(()));
}

#[test]
fn another_streams_event_is_refused() {
    let mut events = generate(1, 3);
    events[200].chain_id = "mainnet".to_owned();
    let error = play(&events, &settings(), |_| unreachable!("nothing is played")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the event with file sequence 201: records of stream `mainnet` were offered where those of `generated-0` are expected; \
         give each stream a bus, a journal, a store of its own"
    );
}

#[test]
fn an_event_that_is_too_long_for_the_ring_is_refused() {
    let events = generate(1, 1);
    let error = play(&events, &Settings { capacity: 16, ..settings() }, |_| {}).unwrap_err().to_string();
    let expected = format!(
        "the event with file sequence 252: a payload of 4000 bytes is longer than {} bytes, the most that one batch can carry; ",
        4 * PAYLOAD
    );
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_pace_changes_nothing_that_is_played() {
    let events = generate(5, 20);
    let paced = play(&events, &Settings { blocks_a_second: Some(1_000), ..settings() }, |_| {}).unwrap();
    // The 21st emission is not due before.
    assert!(paced.took >= Duration::from_millis(20), "{:?}", paced.took);
    assert_eq!(check(&events, &paced), Ok(()));
    assert_eq!(paced.counted, played(&events).counted);
    assert_eq!(paced.watched.name, "slow monitor");
}

#[test]
fn a_file_may_begin_in_the_middle_of_a_block_or_be_empty() {
    let events = generate(2, 20);
    // In the first block, just before the second, in a block with transactions, at the very last event.
    for first in [100, 252, 261, events.len() - 1] {
        let tail = &events[first..];
        assert_eq!(check(tail, &played(tail)), Ok(()), "from {first} on");
    }
    // Neither the beginning nor the end of their block.
    let middle = &events[260..264];
    assert!(middle.iter().any(RecordedEvent::caused_by_transaction));
    assert_eq!(check(middle, &played(middle)), Ok(()));

    let nothing = played(&[]);
    assert_eq!(check(&[], &nothing), Ok(()));
    assert_eq!(nothing.end.get(), 0);
}

/// What the check says of a file in which something is other than what was played.
#[track_caller]
fn told(played: &Played, original: &[RecordedEvent], change: impl FnOnce(&mut Vec<RecordedEvent>)) -> String {
    let mut events = original.to_vec();
    change(&mut events);
    check(&events, played).expect_err("it is not what was played")
}

#[test]
fn every_difference_is_found() {
    let events = generate(3, 60);
    let played = played(&events);
    let caused = events.iter().position(RecordedEvent::caused_by_transaction).unwrap();
    let told = |change: &dyn Fn(&mut Vec<RecordedEvent>)| told(&played, &events, change);
    let counter = "the counter got ";

    for difference in [
        told(&|events| events[caused].encoded[100] ^= 1),
        told(&|events| events[caused].order += 1),
        told(&|events| events[caused].height += 1),
        told(&|events| events[caused].kind += 1),
        told(&|events| events[caused].version += 1),
        told(&|events| events[caused].tx_hash = [7; 32]),
        told(&|events| events.swap(caused, caused + 1)),
        told(&|events| events.truncate(events.len() - 1)),
        told(&|events| events.push(events[0].clone())),
    ] {
        assert!(difference.starts_with(counter), "{difference}");
    }

    // The envelope's block is on no record. Of an event whose trace is not its block, the file says that a transaction caused it.
    let difference = told(&|events| events[3].block = [7; 32]);
    assert!(difference.starts_with("asked about transaction "), "{difference}");
}

#[test]
fn answers_that_differ_from_the_scan_are_found() {
    let events = generate(3, 60);
    let played = played(&events);
    let block = |scan: &mut Scan, height, emission: usize, change: fn(&mut Emission)| {
        change(&mut scan.blocks.get_mut(&height).unwrap()[emission]);
    };
    type Change<'a> = &'a dyn Fn(&mut Scan);
    let changes: [(Change<'_>, &str, &str); 6] = [
        (
            &|scan| assert!(scan.blocks.get_mut(&1).unwrap().pop().is_some()),
            "the audit log has 2 blocks of height 1, expected 1",
            "",
        ),
        (
            &|scan| block(scan, 1, 1, |emission| emission.hash = [7; 32]),
            "the audit log has block 1 with hash ",
            ", expected block 1 with hash Some(Hash(0707",
        ),
        (
            &|scan| block(scan, 1, 0, |emission| emission.places.end -= 1),
            "asked about block 1, the audit log says event 253 of block 1 (",
            "; the file has no more",
        ),
        (
            &|scan| block(scan, 1, 1, |emission| emission.ends = false),
            "asked about block 1, ",
            "its answer is complete; expected it not to be complete",
        ),
        (
            &|scan| block(scan, 2, 0, |emission| emission.begins = false),
            "asked about transaction ",
            "its answer is complete; expected it not to be complete",
        ),
        (
            &|scan| scan.transactions.values_mut().for_each(|places| places.truncate(places.len() - 1)),
            "asked about transaction ",
            "; the file has no more",
        ),
    ];
    for (change, begin, contents) in changes {
        let mut scan = Scan::of(&events);
        change(&mut scan);
        let difference = Check { events: &events, scan: &scan, played: &played }.all().unwrap_err();
        assert!(difference.starts_with(begin) && difference.contains(contents), "{difference}");
    }
}

#[test]
fn wrong_causes_are_found() {
    let events = generate(3, 60);
    let scan = Scan::of(&events);
    let caused = events.iter().position(RecordedEvent::caused_by_transaction).unwrap();
    // Where the next event begins, which has another cause: another block, a transaction, another transaction.
    for place in [252, caused - 1, caused] {
        let mut played = played(&events);
        played.sequences[place] = played.sequences[place + 1];
        let difference = Check { events: &events, scan: &scan, played: &played }.causes().unwrap_err();
        let trace = |place: usize| Hash::new(events[place].tx_hash).to_string();
        assert!(difference.contains(&trace(place)) && difference.contains(&trace(place + 1)), "{difference}");
    }
    let mut played = played(&events);
    played.sequences[events.len() - 1] = played.end;
    let difference = Check { events: &events, scan: &scan, played: &played }.causes().unwrap_err();
    assert!(difference.starts_with("the audit log has no event with sequence "), "{difference}");
}

#[test]
fn wrong_answers_of_the_audit_log_are_found() {
    let events = generate(3, 60);
    let other = {
        let mut events = events.clone();
        let caused = events.iter().position(RecordedEvent::caused_by_transaction).unwrap();
        events[caused].encoded[100] ^= 1;
        events
    };
    let (mut one, two) = (played(&events), played(&other));
    one.audit = two.audit;
    let difference = check(&events, &one).unwrap_err();
    assert!(difference.starts_with("asked about transaction "), "{difference}");
    assert!(
        difference.contains("the audit log says event 3 of block 2 (")
            && difference.contains("; the file has ")
    );

    let mut elsewhere = played(&events);
    elsewhere.sequences[10] += 1;
    let difference = check(&events, &elsewhere).unwrap_err();
    assert!(difference.starts_with("asked about block 1, "), "{difference}");

    let mut shorter = played(&events);
    shorter.audit = played(&events[..events.len() - 1]).audit;
    let difference = check(&events, &shorter).unwrap_err();
    assert!(difference.starts_with("the audit log has "), "{difference}");
}

#[test]
fn wrong_numbers_of_the_monitor_and_of_required_consumers_are_found() {
    let events = generate(4, 40);
    type Change = fn(&mut Played);
    let changes: [(Change, &str); 8] = [
        (|played| played.watched.got[0].1 ^= 1, "the monitor got at sequence "),
        (|played| assert!(played.watched.got.pop().is_some()), "the monitor was told "),
        (|played| played.watched.got.swap(0, 1), "the monitor got events out of order"),
        (
            |played| played.watched.got.insert(0, played.watched.got[0]),
            "the monitor got events out of order, or twice",
        ),
        (|played| played.watched.tally.missed += 1, "the monitor was told "),
        (|played| played.watched.lag = 1, "the monitor was told "),
        (|played| played.watched.missed.push(0..1), "the monitor got "),
        (|played| played.required[1].delivered -= 1, "the counter got "),
    ];
    for (change, expected) in changes {
        let mut played = played(&events);
        change(&mut played);
        let difference = check(&events, &played).unwrap_err();
        assert!(difference.starts_with(expected), "{difference}");
    }
}

#[test]
fn the_recorded_file_on_the_bus() {
    let Some(path) = std::env::var_os("RINGBUS_RECORDED_EVENTS").filter(|path| !path.is_empty()) else {
        eprintln!("passed without a check: RINGBUS_RECORDED_EVENTS does not name the recorded file");
        return;
    };
    let reader = Reader::open(path).unwrap_or_else(|error| panic!("{error}"));
    let events: Vec<_> = reader.map(|event| event.unwrap_or_else(|error| panic!("{error}"))).collect();
    let settings = Settings { stream: StreamId::new("testnet-001"), ..settings() };
    let played = play(&events, &settings, |_| {}).unwrap();
    let scan = Scan::of(&events);
    assert_eq!(Check { events: &events, scan: &scan, played: &played }.all(), Ok(()));

    let counted = &played.counted;
    assert_eq!((counted.events, counted.kinds.len(), counted.bytes), (31_837, 44, 9_186_641));
    assert_eq!((counted.blocks.len(), counted.blocks[&1].events), (5_002, 258));
    assert_eq!((counted.blocks[&1].begun, counted.blocks[&1].ended), (2, 2));
    assert_eq!(counted.repeated().collect::<Vec<_>>(), [1]);
    assert_eq!(counted.unfinished().collect::<Vec<_>>(), [5_002]);
    assert_eq!((scan.transactions.len(), scan.caused()), (315, 2_181));
    let answers = scan.transactions.keys().map(|hash| played.audit.transaction(&Hash::new(*hash)));
    let lengths: Vec<usize> =
        answers.map(|answer| if answer.is_complete() { answer.len() } else { 0 }).collect();
    assert_eq!((lengths.len(), lengths.iter().sum::<usize>(), lengths.iter().max()), (315, 2_181, Some(&40)));
    assert_eq!(
        played.audit.block(1).blocks().map(|block| block.records().len()).collect::<Vec<_>>(),
        [253, 5]
    );
    assert_eq!(played.end.get(), 38_698);
}
