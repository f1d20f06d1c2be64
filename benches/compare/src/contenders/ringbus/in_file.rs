//! ringbus with its ring in a file in memory: a required consumer in this process, or an observer, which has a mapping of its own.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, process};

use ringbus::shared::{ObserveError, Observer};
use ringbus::wait::BusySpin;
use ringbus::{Producer, RecvError, Ring};

use super::{ForRoom, read_one, receive};
use crate::carrier::{Carrier, Delivery, Event, Handler, Lossy, Setting};

pub(in crate::contenders) struct InFile;

/// A new ring, and what `attach` makes of its path. Its files are gone when this returns: the mappings keep the memory.
fn build<E: Event, A>(
    setting: Setting,
    attach: impl FnOnce(&str) -> A,
) -> (Producer<E, ForRoom>, Ring<E>, A) {
    static RINGS: AtomicU64 = AtomicU64::new(0);
    // Relaxed, and no pair: each ring gets a number of its own, that is all.
    let path =
        format!("/dev/shm/ringbus-compare-own-{}-{}", process::id(), RINGS.fetch_add(1, Ordering::Relaxed));
    let builder = Ring::builder().capacity(setting.capacity).wait(setting.wait.into());
    let (producer, ring) = builder.shared(&*path).build().expect("room in /dev/shm");
    let attached = attach(&path);
    for made in [format!("{path}.lock"), path] {
        fs::remove_file(&made).expect("it has just been made");
    }
    (producer, ring, attached)
}

impl Carrier for InFile {
    type Sender<E: Event> = Producer<E, ForRoom>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let (producer, ring, ()) = build(setting, |_| ());
        read_one::<true, E>(setting, &ring, handler);
        producer
    }
}

impl Lossy for InFile {
    type Sender<E: Event> = Producer<E, ForRoom>;

    fn open<E: Event>(
        setting: Setting,
        handler: impl FnMut(Delivery<'_, E>) -> ControlFlow<()> + Send + 'static,
    ) -> Self::Sender<E> {
        let (producer, _ring, mut observer) = build(setting, |path| {
            Observer::<E>::builder(path).wait(BusySpin).attach().expect("the ring has just been built")
        });
        let recv_many = move |events: &mut Vec<E>| {
            observer.recv_many(events).map_err(|error| match error {
                ObserveError::Lagged { missed, resumed_at } => RecvError::Lagged { missed, resumed_at },
                ObserveError::Ended(end) => RecvError::Ended(end),
                error => panic!("it waits, and the buffer has room: {error}"),
            })
        };
        receive(setting.core, recv_many, handler);
        producer
    }
}
