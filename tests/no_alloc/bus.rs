//! The bus: once each buffer has had what it is to hold, nothing allocates, however payloads are cut and put together.

use std::convert::Infallible;
use std::num::NonZero;
use std::thread;

use ringbus::bus::{
    BlockStart, Bus, Emit, Filter, Hash, Kind, OptionalSubscription, Origin, Outcome, RecordRef,
    RequiredSubscription, Topic, Writer, each_record,
};
use ringbus::{Progress, ReadError, RecvError};

use super::allocations_in;

const BLOCKS: u64 = 2_000;
const LONG: &[u8] = &[7; 300];

fn block(writer: &mut Writer<64>, height: u64) {
    let emit = |bus: &mut dyn Emit, kind, payload: &[u8]| {
        bus.emit_bytes(Origin::default(), Kind::new(kind), Topic::default(), payload).expect("it fits");
    };
    writer.begin_block(BlockStart { height, time: 0, hash: Hash::default() }).expect("no block is open");
    writer.begin_transaction(Hash::new([1; 32])).expect("no transaction is open");
    emit(writer, 1, &LONG[..8]);
    emit(writer, 2, LONG);
    let mut batch = writer.batch();
    emit(&mut batch, 3, &LONG[..65]);
    emit(&mut batch, 1, &LONG[..1]);
    batch.publish().expect("nobody fails");
    writer.stage_bytes(Origin::default(), Kind::new(4), Topic::default(), LONG).expect("it fits");
    let failed = Outcome::Failed {
        code: NonZero::<u32>::MIN,
        error: "an error that takes two slots, because it has a long text, for a test",
    };
    writer.end_transaction(failed).expect("a transaction is open");
    writer.end_block().expect("a block is open");
}

fn read(required: &mut RequiredSubscription<64>, seen: &mut u64) {
    match required.poll(|record| *seen += record.payload().len() as u64) {
        Ok(_) | Err(ReadError::Empty) => {}
        Err(other) => panic!("{other}"),
    }
}

fn receive(optional: &mut OptionalSubscription<64>, seen: &mut u64, lagged: &mut bool) {
    loop {
        match optional.try_recv() {
            Ok(record) => *seen += record.payload().len() as u64,
            Err(RecvError::Lagged { .. }) => *lagged = true,
            Err(RecvError::Empty) => return,
            Err(other) => panic!("{other}"),
        }
    }
}

pub(crate) fn bus() {
    let (mut writer, bus) = Bus::<64>::builder("test").capacity(128).build().expect("good settings");
    let filter =
        || Filter::all_but([Kind::new(1)]).matching(|record: RecordRef<'_>| record.payload().len() > 9);
    let mut required = bus.subscribe("required").filter(filter()).required().join().expect("a free place");
    let mut optional = bus.subscribe("optional").optional().join().expect("it starts at the newest");
    let worker = bus.subscribe("worker").required().join().expect("a free place");
    let progress = worker.progress();
    let ignore = each_record(|_: RecordRef<'_>| Ok::<(), Infallible>(()));
    let worker = worker.into_worker(ignore).spawn().expect("there is a thread");
    let [mut seen, mut received] = [0, 0];
    let mut lagged = false;
    let mut run = |heights: std::ops::Range<u64>| {
        for height in heights {
            block(&mut writer, height);
            read(&mut required, &mut seen);
            // Now and then it is overrun.
            if height % 16 < 8 {
                receive(&mut optional, &mut received, &mut lagged);
            }
            wait_for(&progress, writer.next_sequence().get());
        }
    };
    run(0..32);
    assert_eq!(allocations_in(|| run(32..BLOCKS)), 0, "by a bus");
    assert!(lagged);
    // Of each block its beginning, the long one, the one of two slots, the error; its end; and of all but the first what was staged.
    let a_block = 32 + 300 + 65 + 69 + 40;
    assert_eq!(seen, BLOCKS * a_block + (BLOCKS - 1) * 300);
    required.leave();
    drop(writer);
    worker.join().expect("it does not fail");
}

fn wait_for(progress: &Progress, position: u64) {
    while progress.position().get() < position {
        thread::yield_now();
    }
}
