//! ringbuf: a queue for one thread on each side, with the caching ends that its `split` gives.
//!
//! Single events go in by `try_push`. Batches are written to `vacant_slices_mut`, in place, and shown by `advance_write_index`:
//! `push_iter` does the same, more slowly. The consumer either takes one event after the other by `try_pop`, or all that is there
//! by `as_slices`, in place, and gives them back by `advance_read_index`: `pop_iter` would store the index for each event,
//! `pop_slice` copy them, and `skip` look at the producer's index once more.

use std::ops::ControlFlow;

use ringbuf::traits::{Consumer as _, Producer as _, Raw as _, Split as _};
use ringbuf::{HeapProd, HeapRb};

use super::polling::{Open, poll, poll_each};
use crate::carrier::{Carrier, Event, Handler, Sender, Setting, Wait};

/// Received by `try_pop`.
pub(super) struct Items;

/// Received by `as_slices`.
pub(super) struct Slices;

pub(super) struct Pushing<E> {
    producer: HeapProd<E>,
    wait: Wait,
    _open: Open,
}

impl<E: Event> Sender<E> for Pushing<E> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        while self.producer.try_push(event).is_err() {
            self.wait.once();
        }
    }

    #[inline(always)]
    fn send_batch(&mut self, mut events: impl ExactSizeIterator<Item = E>) {
        let batch = events.len();
        loop {
            let (first, second) = self.producer.vacant_slices_mut();
            if first.len() + second.len() >= batch {
                let in_first = first.len().min(batch);
                for (slot, event) in first[..in_first].iter_mut().zip(&mut events) {
                    slot.write(event);
                }
                for (slot, event) in second[..batch - in_first].iter_mut().zip(&mut events) {
                    slot.write(event);
                }
                break;
            }
            self.wait.once();
        }
        // SAFETY: so many slots were vacant, and have been written in their order; the slices are gone.
        unsafe { self.producer.advance_write_index(batch) };
    }
}

impl Carrier for Items {
    type Sender<E: Event> = Pushing<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let (producer, mut consumer) = HeapRb::new(setting.capacity).split();
        let open = poll_each(setting, move || consumer.try_pop(), handler);
        Pushing { producer, wait: setting.wait, _open: open }
    }
}

impl Carrier for Slices {
    type Sender<E: Event> = Pushing<E>;

    fn open<E: Event>(setting: Setting, mut handler: impl Handler<E>) -> Self::Sender<E> {
        let (producer, consumer) = HeapRb::new(setting.capacity).split();
        let open = poll(setting, move || {
            let (first, second) = consumer.as_slices();
            let found = first.len() + second.len();
            first.iter().try_for_each(&mut handler)?;
            second.iter().try_for_each(&mut handler)?;
            // SAFETY: so many are there, none needs to be dropped, and the slices are gone.
            unsafe { consumer.advance_read_index(found) };
            ControlFlow::Continue(found > 0)
        });
        Pushing { producer, wait: setting.wait, _open: open }
    }
}
