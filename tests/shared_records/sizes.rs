//! Buses of every size of slots: what an observer gets is what a subscription in the core's own process gets.

use ringbus::bus::{Bus, Emit, Filter, Kind, OptionalSubscription, Origin, Outcome, RecordObserver, Topic};
use ringbus::shared::ObserveError;
use ringbus::{End, RecvError};

use crate::{CLOSED, place, quietly, stream};

fn filters() -> [fn() -> Filter; 4] {
    [
        Filter::all,
        || Filter::kinds([Kind::new(1), Kind::new(3)]),
        || Filter::all_but([Kind::new(2)]).of_trace(stream::hash(9)),
        || Filter::all().matching(|record| record.payload().len() > 100),
    ]
}

/// All that both have, and how many records those are.
fn drain<const PAYLOAD: usize>(
    observer: &mut RecordObserver,
    subscription: &mut OptionalSubscription<PAYLOAD>,
) -> usize {
    for records in 0.. {
        match (observer.try_recv(), subscription.try_recv()) {
            (Ok(observed), Ok(received)) => {
                assert_eq!(observed.sequence(), received.sequence(), "slots of {PAYLOAD}");
                assert_eq!(observed.header(), received.header(), "slots of {PAYLOAD}");
                assert_eq!(observed.payload(), received.payload(), "slots of {PAYLOAD}");
            }
            (Err(ObserveError::Empty), Err(RecvError::Empty)) => {
                assert_eq!(observer.tally(), subscription.tally());
                assert_eq!((observer.lag(), subscription.lag()), (0, 0));
                return records;
            }
            (observed, received) => panic!("slots of {PAYLOAD}: {observed:?}, but {received:?}"),
        }
    }
    unreachable!("a ring does not hold so many")
}

fn both_get_the_same<const PAYLOAD: usize>() {
    let (_kept, path) = place();
    let settings = Bus::<PAYLOAD>::builder("sizes").capacity(64).shared(quietly(&path));
    let (mut writer, bus) = settings.build().unwrap();
    let mut readers: Vec<_> = filters()
        .into_iter()
        .map(|filter| {
            let observer = RecordObserver::builder(&path).filter(filter()).attach().unwrap();
            (observer, bus.subscribe("monitor").filter(filter()).optional().join().unwrap(), 0)
        })
        .collect();
    assert_eq!(readers[0].0.file().info().slot_payload, Some(PAYLOAD));
    let lengths =
        [0, 1, 7, 63, 64, 65, PAYLOAD - 1, PAYLOAD, PAYLOAD + 1, 2 * PAYLOAD, 3 * PAYLOAD + 7, 16 * PAYLOAD];
    let mut written = 0;
    for height in 1..=5 {
        writer.begin_block(stream::block(height, 8)).unwrap();
        for (number, len) in (0..).zip(lengths) {
            let payload: Vec<u8> = (0..len).map(|byte| (byte + number + height as usize) as u8).collect();
            if number == 6 {
                writer.begin_transaction(stream::hash(9)).unwrap();
            }
            let kind = Kind::new(1 + (number % 3) as u16);
            writer.emit_bytes(Origin::default(), kind, Topic::default(), &payload).unwrap();
            readers
                .iter_mut()
                .for_each(|(observer, subscription, read)| *read += drain(observer, subscription));
        }
        writer.end_transaction(Outcome::Succeeded).unwrap();
        writer.end_block().unwrap();
        readers.iter_mut().for_each(|(observer, subscription, read)| *read += drain(observer, subscription));
        written += lengths.len() + 3;
    }
    assert!(bus.cursor().get() > 2 * 64, "the ring came round");
    assert_eq!(readers[0].2, written, "all of them, with the bus's own");
    assert!(readers.iter().all(|(.., read)| *read >= 3));
    writer.close().unwrap();
    for (observer, subscription, _) in &mut readers {
        assert_eq!(observer.try_recv().err(), Some(CLOSED));
        assert_eq!(subscription.try_recv().err(), Some(RecvError::Ended(End::Closed)));
    }
}

#[test]
fn both_get_the_same_from_slots_of_every_size() {
    both_get_the_same::<64>();
    both_get_the_same::<128>();
    both_get_the_same::<192>();
    both_get_the_same::<256>();
    both_get_the_same::<320>();
    both_get_the_same::<384>();
    both_get_the_same::<448>();
    both_get_the_same::<512>();
    both_get_the_same::<576>();
    both_get_the_same::<640>();
    both_get_the_same::<704>();
    both_get_the_same::<768>();
    both_get_the_same::<832>();
    both_get_the_same::<896>();
    both_get_the_same::<960>();
    both_get_the_same::<65_472>();
}
