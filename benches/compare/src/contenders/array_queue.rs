//! crossbeam-queue: its `ArrayQueue`, a bounded queue made for many threads, here with one on each side.
//!
//! `push` and `pop` are all that it has, event by event. As a ring that may be overrun, `force_push` throws the oldest event away
//! where there is no room: the producer is told of each, the consumer of none.

use std::ops::ControlFlow;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use super::polling::{Open, poll_each};
use crate::carrier::{Carrier, Delivery, Event, Handler, Lossy, Sender, Setting, Wait};

pub(super) struct CrossbeamQueue;

pub(super) struct Pushing<E> {
    queue: Arc<ArrayQueue<E>>,
    wait: Wait,
    _open: Open,
}

impl<E: Event> Sender<E> for Pushing<E> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        while self.queue.push(event).is_err() {
            self.wait.once();
        }
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        events.for_each(|event| self.send(event));
    }
}

impl Carrier for CrossbeamQueue {
    type Sender<E: Event> = Pushing<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let (queue, open) = start(setting, handler);
        Pushing { queue, wait: setting.wait, _open: open }
    }
}

pub(super) struct Forcing<E> {
    queue: Arc<ArrayQueue<E>>,
    _open: Open,
}

impl<E: Event> Sender<E> for Forcing<E> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        self.queue.force_push(event);
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        events.for_each(|event| self.send(event));
    }
}

impl Lossy for CrossbeamQueue {
    type Sender<E: Event> = Forcing<E>;

    fn open<E: Event>(
        setting: Setting,
        mut handler: impl FnMut(Delivery<'_, E>) -> ControlFlow<()> + Send + 'static,
    ) -> Self::Sender<E> {
        let (queue, open) = start(setting, move |event: &E| handler(Delivery::Event(event)));
        Forcing { queue, _open: open }
    }
}

fn start<E: Event>(setting: Setting, handler: impl Handler<E>) -> (Arc<ArrayQueue<E>>, Open) {
    let queue = Arc::new(ArrayQueue::new(setting.capacity));
    let receiving = Arc::clone(&queue);
    let open = poll_each(setting, move || receiving.pop(), handler);
    (queue, open)
}
