//! rtrb: a bounded queue for one thread on each side.
//!
//! Single events go in by `push`. Batches go in by `write_chunk_uninit`: one look for room and one store of the index for the
//! whole batch, which is written in place by `as_mut_slices`; `fill_from_iter` does the same, more slowly. The consumer either
//! takes one item after the other by `pop`, or all that is there by `read_chunk`, in place.

use std::ops::ControlFlow;

use rtrb::{Producer, RingBuffer};

use super::polling::{Open, poll, poll_each};
use crate::carrier::{Carrier, Event, Handler, Sender, Setting, Wait};

/// Received by `pop`.
pub(super) struct Items;

/// Received by `read_chunk`.
pub(super) struct Chunks;

pub(super) struct Pushing<E> {
    producer: Producer<E>,
    wait: Wait,
    _open: Open,
}

impl<E: Event> Sender<E> for Pushing<E> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        while self.producer.push(event).is_err() {
            self.wait.once();
        }
    }

    #[inline(always)]
    fn send_batch(&mut self, mut events: impl ExactSizeIterator<Item = E>) {
        loop {
            if let Ok(mut chunk) = self.producer.write_chunk_uninit(events.len()) {
                let (first, second) = chunk.as_mut_slices();
                for (slot, event) in first.iter_mut().zip(&mut events) {
                    slot.write(event);
                }
                for (slot, event) in second.iter_mut().zip(&mut events) {
                    slot.write(event);
                }
                // SAFETY: the chunk has as many slots as there are events, and each has just been written.
                unsafe { chunk.commit_all() };
                return;
            }
            self.wait.once();
        }
    }
}

impl Carrier for Items {
    type Sender<E: Event> = Pushing<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let (producer, mut consumer) = RingBuffer::new(setting.capacity);
        let open = poll_each(setting, move || consumer.pop().ok(), handler);
        Pushing { producer, wait: setting.wait, _open: open }
    }
}

impl Carrier for Chunks {
    type Sender<E: Event> = Pushing<E>;

    fn open<E: Event>(setting: Setting, mut handler: impl Handler<E>) -> Self::Sender<E> {
        let (producer, mut consumer) = RingBuffer::new(setting.capacity);
        let open = poll(setting, move || {
            let chunk = consumer.read_chunk(consumer.slots()).expect("as many as there are");
            let (first, second) = chunk.as_slices();
            first.iter().try_for_each(&mut handler)?;
            second.iter().try_for_each(&mut handler)?;
            let found = !chunk.is_empty();
            chunk.commit_all();
            ControlFlow::Continue(found)
        });
        Pushing { producer, wait: setting.wait, _open: open }
    }
}
