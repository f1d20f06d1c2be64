//! The consumers on a bus that the test drives by hand.

use std::time::Duration;

use exchange::consumers::{Auditor, BlockByBlock, BlockStore, Monitor};
use exchange::events::{BalanceChanged, BlockClosed, MarkPriceMoved, PositionChanged};
use exchange::{Checksum, Core, Money, OrderFlow, Settings};
use ringbus::ReadFrom;
use ringbus::bus::{
    BlockStart, Bus, Damage, Driver, Emit, Hash, Origin, Outcome, Payload, RecordRef, WriteError, Writer,
};
use ringbus::testing::{Recorded, Recorder};
use ringbus::worker::{Done, WorkerError};

/// A block: how it starts, and what the core says in it.
type Block = (BlockStart, Vec<Recorded>);

/// So many blocks, of ten transactions each.
fn blocks(count: usize) -> (Core, Vec<Block>) {
    let settings = Settings::default();
    let mut core = Core::new(&settings).unwrap();
    let mut flow = OrderFlow::new(3, &settings).unwrap();
    let mut blocks = Vec::new();
    for _ in 0..count {
        let start = core.begin_block();
        let mut said = Recorder::new();
        for transaction in flow.by_ref().take(10) {
            core.execute(&transaction, &mut said).unwrap();
        }
        core.end_block(&mut said).unwrap();
        blocks.push((start, said.take()));
    }
    (core, blocks)
}

/// Writes what was said, as if one transaction had caused it all.
fn write(writer: &mut Writer<64>, (start, said): &Block) -> Result<(), WriteError> {
    writer.begin_block(*start)?;
    writer.begin_transaction(Hash::new([7; 32]))?;
    for Recorded { origin, kind, topic, version, payload, .. } in said {
        writer.emit_versioned(*origin, *kind, *topic, *version, payload)?;
    }
    writer.end_transaction(Outcome::Succeeded)?;
    Ok(())
}

/// What a block store makes of these blocks, of which the last one may have no end.
fn store(blocks: &[Block], ends: bool) -> Result<Done<Driver<BlockByBlock, 64>>, WorkerError> {
    let (mut writer, bus) = Bus::<64>::builder("exchange").capacity(1_024).build().unwrap();
    let store = BlockStore::new(&Settings::default()).unwrap().block_by_block();
    let store = bus.subscribe("block store").required().spawn(store).unwrap();
    for (place, block) in blocks.iter().enumerate() {
        // It may have failed at one before.
        if write(&mut writer, block).is_err() || (place + 1 == blocks.len() && !ends) {
            break;
        }
        if writer.end_block().is_err() {
            break;
        }
    }
    drop(writer);
    store.join()
}

fn committed(done: Done<Driver<BlockByBlock, 64>>) -> BlockStore {
    done.handler.into_subscriber().into_commit()
}

#[test]
fn the_store_has_what_the_core_has_after_the_last_whole_block() {
    let (core, blocks) = blocks(30);
    let store = committed(store(&blocks, true).unwrap());
    assert!(store.agrees_with(&core));
    assert_eq!((store.blocks(), store.dropped()), (30, None));
    let last = store.last().unwrap();
    // The bus says where the block and its one transaction end, and where the block begins.
    assert_eq!((last.events as usize, last.transactions), (blocks[29].1.len() + 3, 1));
}

#[test]
fn an_unfinished_block_is_dropped_and_said_to_be() {
    let (core, _) = blocks(30);
    let (longer, blocks) = blocks(31);
    let store = committed(store(&blocks, false).unwrap());
    assert!(store.agrees_with(&core) && !store.agrees_with(&longer));
    assert_eq!(store.last().unwrap().height, 30);
    let dropped = store.dropped().unwrap();
    assert_eq!((dropped.height, dropped.damage), (31, Damage::EndUnseen));
}

/// The block with another end, which says what is true of it as it is, but for what `lie` changes.
fn closed(block: &Block, lie: impl Fn(&mut BlockClosed)) -> Block {
    let (start, said) = block;
    let [said @ .., end] = &said[..] else { panic!("{block:?}") };
    let mut checksum = Checksum::default();
    for Recorded { origin, kind, topic, payload, .. } in said {
        checksum.add(*origin, *kind, *topic, payload);
    }
    let mut closed: BlockClosed = end.get().unwrap();
    closed.checksum = checksum.value();
    lie(&mut closed);
    let mut bus = Recorder::new();
    bus.emit(Origin::default(), &closed).unwrap();
    (*start, [said, bus.events()].concat())
}

/// The block with its last event of this type changed.
fn changed<T: Payload>(block: &Block, change: impl Fn(&mut T)) -> Block {
    let (start, mut said) = block.clone();
    let event = said.iter_mut().rev().find(|event| event.kind == T::KIND).unwrap();
    let mut payload: T = event.get().unwrap();
    change(&mut payload);
    event.payload = bytemuck::bytes_of(&payload).to_vec();
    (start, said)
}

#[test]
fn the_store_fails_at_a_block_that_is_not_what_the_core_says() {
    let (_, blocks) = blocks(3);
    let [first, second, third] = &blocks[..] else { panic!("{}", blocks.len()) };
    let without = |(start, said): &Block, place: usize| {
        let mut said = said.clone();
        said.remove(place);
        (*start, said)
    };
    let end = second.1.len() - 1;
    let unit = |money: &mut Money| *money = Money::new(money.mantissa() + 1);
    let honest = |block: &Block| closed(block, |_| {});
    let more_money = changed::<BalanceChanged>(second, |event| unit(&mut event.balance));
    let another_position = changed::<PositionChanged>(second, |event| event.net += 1);
    for (broken, height, message) in [
        (vec![first.clone(), third.clone()], 3, "expected block 2, got block 3"),
        (vec![first.clone(), first.clone()], 1, "expected block 2, got block 1"),
        (vec![first.clone(), without(second, end)], 2, "block 2 ended, and the core did not close it"),
        (vec![first.clone(), without(second, 1)], 2, "block 2 has the checksum "),
        (vec![first.clone(), more_money.clone()], 2, "block 2 has the checksum "),
        (vec![first.clone(), honest(&more_money)], 2, "after block 2 the store has balances of "),
        (
            vec![first.clone(), closed(&more_money, |closed| unit(&mut closed.balances))],
            2,
            "after block 2 the store has deposits of ",
        ),
        (
            vec![first.clone(), closed(second, |closed| unit(&mut closed.costs))],
            2,
            "after block 2 the store has costs of ",
        ),
        (
            vec![first.clone(), closed(second, |closed| unit(&mut closed.pool))],
            2,
            "after block 2 the store has an insurance pool of ",
        ),
        (vec![first.clone(), honest(&another_position)], 2, "after block 2 the positions in market "),
    ] {
        let error = store(&broken, true).unwrap_err();
        assert!(error.message.starts_with(message), "block {height}: {error}, expected {message}");
        let advice = "; look for what writes between the core and the bus, and start again";
        assert!(error.message.ends_with(advice), "{error}");
    }
    assert_eq!(committed(store(&[first.clone(), honest(second), third.clone()], true).unwrap()).blocks(), 3);
}

#[test]
fn a_monitor_is_told_how_much_it_missed_and_does_not_sleep_after_the_end() {
    let (_, blocks) = blocks(30);
    let (mut writer, bus) = Bus::<64>::builder("exchange").capacity(256).max_batch(1).build().unwrap();
    let monitor =
        bus.subscribe("monitor").optional().resume(ReadFrom::Oldest { headroom: 0 }).join().unwrap();
    for block in &blocks {
        write(&mut writer, block).unwrap();
        writer.end_block().unwrap();
    }
    let published = writer.close().unwrap().get();
    // It would take a day for each record.
    let monitor = monitor.into_worker(Monitor::new(Duration::from_hours(24), bus.clone()));
    let done = monitor.spawn().unwrap().join().unwrap();
    let missed = published - 255;
    assert_eq!((done.stats.delivered, done.stats.missed), (255, missed));
    let monitor = done.handler.into_subscriber();
    assert_eq!((monitor.records(), monitor.missed()), (255, missed));
    assert_eq!((monitor.gaps(), monitor.largest_gap()), (1, missed));
}

#[test]
fn the_auditor_keeps_all_that_the_oracle_caused_and_nothing_else() {
    let settings = Settings::default();
    let (mut core, mut flow) = (Core::new(&settings).unwrap(), OrderFlow::new(1, &settings).unwrap());
    // Nobody reads along, so there is room for all.
    let (mut writer, bus) = Bus::<64>::builder("exchange").capacity(1 << 13).build().unwrap();
    let log = Auditor::new(1 << 20);
    let audit = log.audit();
    let worker = bus.subscribe("audit").filter(Auditor::filter()).required().spawn(log).unwrap();
    let mut everything = bus.subscribe("all").required().join().unwrap();
    let mut marks = Vec::new();
    for _ in 0..3 {
        writer.begin_block(core.begin_block()).unwrap();
        for transaction in flow.by_ref().take(150) {
            writer.begin_transaction(transaction.hash()).unwrap();
            let verdict = core.execute(&transaction, &mut writer).unwrap();
            writer.end_transaction(verdict.outcome()).unwrap();
            if transaction.id.is_multiple_of(100) {
                marks.push(transaction.hash());
            }
        }
        core.end_block(&mut writer).unwrap();
        writer.end_block().unwrap();
    }
    writer.close().unwrap();
    let liquidations = *worker.join().unwrap().handler.subscriber().liquidations();
    assert_eq!((marks.len(), liquidations.marks), (4, 4));
    let mut expected = vec![Vec::new(); 4];
    let keep = |record: RecordRef<'_>| (record.order(), record.kind(), record.payload().to_vec());
    everything
        .poll(|record| {
            if let Some(mark) = marks.iter().position(|mark| *mark == record.trace()) {
                expected[mark].push(keep(record));
            }
        })
        .unwrap();
    for (mark, expected) in marks.iter().zip(&expected) {
        let answer = audit.transaction(mark);
        assert!(answer.is_complete(), "{:?}", answer.coverage());
        assert_eq!(answer.records().map(keep).collect::<Vec<_>>(), *expected);
        assert_eq!(expected[0].1, MarkPriceMoved::KIND);
    }
    assert_eq!(audit.extent().records, expected.iter().map(Vec::len).sum::<usize>());
    assert_eq!(liquidations.furthest().last(), Some(marks[3]));
    everything.leave();
}
