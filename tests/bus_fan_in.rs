//! Fan-in: fair, in order within each subscription, acknowledged after the handler, and ended when all have ended.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use common::{Announce, at, panic_quietly};
use ringbus::End;
use ringbus::bus::{
    AllEnded, BlockStart, Bus, Emit, FanIn, Filter, Hash, Kind, Lagged, Origin, RecordRef,
    RequiredSubscription, Topic, Writer,
};
use ringbus::wait::WaitStrategy;

const NUMBER: Kind = Kind::new(1);

/// A bus of so many slots, with a block open, and a required subscription to its numbers.
fn bus(name: &str, capacity: usize) -> (Writer<64>, Bus<64>, RequiredSubscription<64>) {
    let (mut writer, bus) = Bus::<64>::builder(name).capacity(capacity).build().unwrap();
    writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) }).unwrap();
    let numbers = bus.subscribe(name).filter(Filter::kinds([NUMBER])).required().join().unwrap();
    (writer, bus, numbers)
}

fn say(writer: &mut Writer<64>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        writer.emit_bytes(Origin::default(), NUMBER, Topic::default(), &number.to_le_bytes()).unwrap();
    }
}

fn number(record: RecordRef<'_>) -> u64 {
    u64::from_le_bytes(record.payload().try_into().unwrap())
}

/// Which subscriptions one round served, in order, and with what.
fn round(fan_in: &mut FanIn<RequiredSubscription<64>>) -> Vec<(usize, u64)> {
    let mut served = Vec::new();
    let count = fan_in.poll(|which, record| served.push((which, number(record)))).unwrap();
    assert_eq!(count, served.len());
    served
}

fn positions(fan_in: &FanIn<RequiredSubscription<64>>) -> Vec<u64> {
    fan_in.subscriptions().iter().map(|subscription| subscription.position().get()).collect()
}

fn leave(fan_in: FanIn<RequiredSubscription<64>, impl WaitStrategy>) {
    for subscription in fan_in.into_subscriptions() {
        subscription.leave();
    }
}

#[test]
fn each_gets_its_turn_and_no_more() {
    let (mut busy, _bus, busy_numbers) = bus("busy", 64);
    let (mut calm, _bus, calm_numbers) = bus("calm", 64);
    let (_silent, _bus, silent_numbers) = bus("silent", 64);
    let mut fan_in = FanIn::new(vec![busy_numbers, calm_numbers, silent_numbers]).at_most(4);
    say(&mut busy, 0..10);
    say(&mut calm, 0..3);

    assert_eq!(round(&mut fan_in), [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2)]);
    assert_eq!(positions(&fan_in), [5, 4, 1], "what was handled is acknowledged, and only that");
    // Behind the one that was served last: the silent one, then the busy one.
    say(&mut calm, 3..4);
    assert_eq!(round(&mut fan_in), [(0, 4), (0, 5), (0, 6), (0, 7), (1, 3)]);
    assert_eq!(round(&mut fan_in), [(0, 8), (0, 9)]);
    // Now the calm one is first.
    say(&mut busy, 10..12);
    say(&mut calm, 4..5);
    assert_eq!(round(&mut fan_in), [(1, 4), (0, 10), (0, 11)]);
    assert_eq!(round(&mut fan_in), []);
    leave(fan_in);
}

/// One that always has more than its turn takes does not keep the others waiting.
#[test]
fn a_flood_starves_nobody() {
    let (mut flood, _bus, flood_numbers) = bus("flood", 1_024);
    let (mut drop_by_drop, _bus, drops) = bus("drops", 64);
    let mut fan_in = FanIn::new(vec![flood_numbers, drops]).at_most(8);
    let mut counts = [0, 0];
    for turn in 0..50 {
        say(&mut flood, 0..16);
        say(&mut drop_by_drop, turn..turn + 1);
        for (which, _) in round(&mut fan_in) {
            counts[which] += 1;
        }
        assert_eq!(counts, [8 * (turn + 1), turn + 1]);
    }
    leave(fan_in);
}

#[test]
fn all_of_each_comes_in_its_order() {
    const COUNT: u64 = 20_000;
    let mut subscriptions = Vec::new();
    let mut cores = Vec::new();
    for name in ["one", "two", "three"] {
        let (mut writer, _, subscription) = bus(name, 64);
        subscriptions.push(subscription);
        cores.push(thread::spawn(move || say(&mut writer, 0..COUNT)));
    }
    let mut fan_in = FanIn::new(subscriptions);
    let mut next = [0; 3];
    let all_ended = loop {
        let read = fan_in.read(|which, record| {
            assert_eq!(number(record), next[which]);
            assert_eq!(record.sequence(), at(next[which] + 1), "the block's beginning was before");
            next[which] += 1;
        });
        match read {
            Ok(count) => assert!((1..=3 * 64).contains(&count), "{count}"),
            Err(all_ended) => break all_ended,
        }
    };
    assert_eq!(next, [COUNT; 3]);
    let ended: Vec<_> = all_ended.ends.iter().map(|(name, end)| (&**name, end)).collect();
    assert_eq!(ended, [("one", &End::Closed), ("two", &End::Closed), ("three", &End::Closed)]);
    for subscription in fan_in.subscriptions() {
        assert_eq!((subscription.tally().passed, subscription.lag()), (COUNT, 0));
    }
    cores.into_iter().for_each(|core| core.join().unwrap());
}

#[test]
fn the_records_of_a_turn_that_panics_come_again() {
    let (mut writer, _bus, numbers) = bus("core", 64);
    let (mut other, _bus, other_numbers) = bus("other", 64);
    let mut fan_in = FanIn::new(vec![numbers, other_numbers]);
    say(&mut writer, 0..3);
    say(&mut other, 0..1);
    let stumble = |_: usize, record: RecordRef<'_>| {
        if number(record) == 2 {
            panic_quietly();
        }
    };
    catch_unwind(AssertUnwindSafe(|| fan_in.poll(stumble))).unwrap_err();
    assert_eq!(positions(&fan_in), [1, 1]);
    assert_eq!(round(&mut fan_in), [(0, 0), (0, 1), (0, 2), (1, 0)]);
    leave(fan_in);
}

#[test]
fn it_ends_with_the_last_and_says_how_each_did() {
    let (closed, _bus, closed_numbers) = bus("closed", 64);
    let (mut stopped, stopped_bus, stopped_numbers) = bus("stopped", 64);
    let mut fan_in = FanIn::new(vec![closed_numbers, stopped_numbers]);
    closed.close().unwrap_err(); // its block is open; it is closed all the same
    say(&mut stopped, 0..1);
    assert_eq!(round(&mut fan_in), [(1, 0)]);
    assert_eq!((fan_in.end(0), fan_in.end(1), fan_in.end(2)), (Some(&End::Closed), None, None));
    assert_eq!(round(&mut fan_in), []);

    say(&mut stopped, 1..2);
    stopped_bus.stop();
    assert_eq!(round(&mut fan_in), [(1, 1)], "what was published before is read");
    let all_ended = fan_in.read(|_, _| unreachable!()).unwrap_err();
    assert_eq!(all_ended.ends, [("closed".into(), End::Closed), ("stopped".into(), End::Stopped)]);
    assert_eq!(
        all_ended.to_string(),
        "all 2 subscriptions have ended: `closed`: the ring is closed: the producer has finished; `stopped`: the ring was stopped: \
         whoever runs it has asked all to end"
    );
    assert_eq!(fan_in.poll(|_, _| unreachable!()), Err(all_ended));
}

#[test]
fn waiting_ends_with_a_record_of_any_or_at_the_deadline() {
    let (_silent, _bus, silent_numbers) = bus("silent", 64);
    let (mut writer, _bus, numbers) = bus("core", 64);
    let (announce, waiting) = Announce::new();
    let mut fan_in = FanIn::new(vec![silent_numbers, numbers]).wait(announce);
    let core = thread::spawn(move || {
        waiting.has_begun();
        say(&mut writer, 7..8);
        writer
    });
    let mut seen = Vec::new();
    assert_eq!(fan_in.read(|which, record| seen.push((which, number(record)))), Ok(1));
    assert_eq!(seen, [(1, 7)]);
    let _writer = core.join().unwrap();
    assert_eq!(fan_in.read_deadline(Instant::now(), |_, _| unreachable!()), Ok(0));
    leave(fan_in);
}

/// Records that pass no filter are acknowledged, and are nobody's turn.
#[test]
fn what_does_not_pass_is_acknowledged() {
    let (mut writer, _bus, numbers) = bus("core", 64);
    let mut fan_in = FanIn::new(vec![numbers]);
    for _ in 0..5 {
        writer.emit_bytes(Origin::default(), Kind::new(9), Topic::default(), b"not a number").unwrap();
    }
    assert_eq!(round(&mut fan_in), []);
    assert_eq!(positions(&fan_in), [6]);
    assert_eq!(fan_in.subscriptions()[0].tally().filtered_out, 5);
    leave(fan_in);
}

#[test]
fn optional_ones_tell_what_they_lost_in_its_place() {
    let (mut fast, bus, numbers) = bus("fast", 16);
    numbers.leave();
    let (mut slow, slow_bus, slow_numbers) = self::bus("slow", 16);
    slow_numbers.leave();
    let subscribe = |bus: &Bus<64>| bus.subscribe("monitor").optional().join().unwrap();
    let mut fan_in = FanIn::new(vec![subscribe(&bus), subscribe(&slow_bus)]);
    say(&mut fast, 0..40);
    say(&mut slow, 0..2);
    let mut seen = Vec::new();
    let mut take = |which: usize, item: Result<RecordRef<'_>, Lagged>| seen.push((which, item.map(number)));
    let count = fan_in.poll(&mut take).unwrap();
    // 40 numbers, of which the last 12 (capacity less max batch) are readable; it goes on with a headroom of 2.
    let (_, lost) = seen[0];
    let lost = lost.unwrap_err();
    assert_eq!((lost.missed, lost.resumed_at), (30, at(31)));
    let fast: Vec<_> = (30..40).map(|number| (0, Ok(number))).collect();
    assert_eq!(seen[1..11], fast);
    assert_eq!(seen[11..], [(1, Ok(0)), (1, Ok(1))]);
    assert_eq!(count, 13);
    let tally = fan_in.subscriptions()[0].tally();
    assert_eq!((tally.passed, tally.missed), (10, 30));
}

#[test]
fn nothing_to_read_is_over_at_once() {
    let mut fan_in = FanIn::<RequiredSubscription<64>>::new(Vec::new());
    let all_ended: AllEnded = fan_in.read(|_, _| unreachable!()).unwrap_err();
    assert_eq!(all_ended.ends, []);
    assert_eq!(all_ended.to_string(), "all 0 subscriptions have ended");
}

#[test]
#[should_panic(expected = "a fan-in that may take 0 records in a turn would take none")]
fn a_turn_takes_one_at_least() {
    drop(FanIn::<RequiredSubscription<64>>::new(Vec::new()).at_most(0));
}
