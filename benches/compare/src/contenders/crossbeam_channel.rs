//! crossbeam-channel: a bounded channel, made for many senders and receivers, here with one of each.
//!
//! It has no batches. `try_send` and `try_recv` are what its `send` and `recv` try first, before they spin, yield, and put the
//! thread to sleep.

use crossbeam_channel::bounded;

use super::polling::{Open, poll_each};
use crate::carrier::{Carrier, Event, Handler, Sender, Setting, Wait};

pub(super) struct CrossbeamChannel;

pub(super) struct Sending<E> {
    sender: crossbeam_channel::Sender<E>,
    wait: Wait,
    _open: Open,
}

impl<E: Event> Sender<E> for Sending<E> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        while self.sender.try_send(event).is_err() {
            self.wait.once();
        }
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        events.for_each(|event| self.send(event));
    }
}

impl Carrier for CrossbeamChannel {
    type Sender<E: Event> = Sending<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let (sender, receiver) = bounded(setting.capacity);
        let open = poll_each(setting, move || receiver.try_recv().ok(), handler);
        Sending { sender, wait: setting.wait, _open: open }
    }
}
