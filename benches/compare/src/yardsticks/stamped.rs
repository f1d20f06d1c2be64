//! A ring with a stamp in each slot, and nothing else: the two sides share no position.
//!
//! A slot whose stamp is a sequence is free for the event of that sequence; with one more it holds that event. Each side looks at the
//! stamp of the slot where it goes on. A ring is never given back: there is one in a process, or two.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::carrier::{Carrier, Event, Handler, Sender, Setting, Wait};
use crate::contenders::consume;

#[repr(C)]
struct Slot<E> {
    event: UnsafeCell<E>,
    stamp: AtomicU64,
}

// SAFETY: an event is written by the producer alone, while its slot's stamp says that it is free, and read by the consumer alone,
// while it says that it is full; each turns the stamp when it is done.
unsafe impl<E: Event> Sync for Slot<E> {}

/// One side of a ring.
#[derive(Clone, Copy)]
struct Side<E: 'static> {
    slots: &'static [Slot<E>],
    closed: &'static AtomicBool,
    wait: Wait,
    next: u64,
}

impl<E: Event> Side<E> {
    fn new(setting: Setting) -> Self {
        let Setting { capacity, wait, .. } = setting;
        assert!(capacity.is_power_of_two(), "a capacity of {capacity} is no power of two");
        let free = |sequence| Slot { event: UnsafeCell::new(E::zeroed()), stamp: AtomicU64::new(sequence) };
        let slots = (0..capacity as u64).map(free).collect();
        Self { slots: Vec::leak(slots), closed: Box::leak(Box::default()), wait, next: 0 }
    }

    #[inline(always)]
    fn slot(&self) -> &'static Slot<E> {
        let place = self.next as usize & (self.slots.len() - 1);
        // SAFETY: the number of slots is a power of two, so that this is less.
        unsafe { self.slots.get_unchecked(place) }
    }
}

pub(crate) struct Stamped;

pub(crate) struct StampedSender<E: 'static>(Side<E>);

impl Carrier for Stamped {
    type Sender<E: Event> = StampedSender<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let side = Side::new(setting);
        consume(setting.core, move || read(side, handler));
        StampedSender(side)
    }
}

fn read<E: Event>(mut side: Side<E>, mut handler: impl Handler<E>) {
    let laps_on = side.slots.len() as u64;
    loop {
        let slot = side.slot();
        // Acquire: pairs with the Release of `send`, whose event is seen.
        while slot.stamp.load(Ordering::Acquire) != side.next + 1 {
            // Acquire: pairs with the Release of `drop`; what was sent before is seen at the next look.
            if side.closed.load(Ordering::Acquire) && slot.stamp.load(Ordering::Acquire) != side.next + 1 {
                return;
            }
            side.wait.once();
        }
        // SAFETY: the stamp says that the slot is full, so that it is this side's until the stamp is turned.
        let event = unsafe { &*slot.event.get() };
        let flow = handler(event);
        // Release: pairs with the Acquire of `send`: it is written again after it has been read.
        slot.stamp.store(side.next + laps_on, Ordering::Release);
        side.next += 1;
        if flow.is_break() {
            return;
        }
    }
}

impl<E: Event> Sender<E> for StampedSender<E> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        let Self(side) = self;
        let slot = side.slot();
        // Acquire: pairs with the Release of `read`: the event of the lap before has been read.
        while slot.stamp.load(Ordering::Acquire) != side.next {
            side.wait.once();
        }
        // SAFETY: the stamp says that the slot is free, so that it is this side's until the stamp is turned.
        unsafe { slot.event.get().write(event) };
        // Release: pairs with the Acquire of `read`, which sees the event.
        slot.stamp.store(side.next + 1, Ordering::Release);
        side.next += 1;
    }

    /// One by one: each slot has a stamp to be turned.
    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        for event in events {
            self.send(event);
        }
    }
}

impl<E> Drop for StampedSender<E> {
    fn drop(&mut self) {
        // Release: pairs with the Acquire of `read`, which sees all that was sent.
        self.0.closed.store(true, Ordering::Release);
    }
}
