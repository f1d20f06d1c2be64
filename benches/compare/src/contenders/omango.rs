//! omango: its bounded queue for one thread on each side.
//!
//! It has no batches. `try_send` and `try_recv` find their slot by its stamp alone; `send` and `recv` do the same, and put the
//! thread to sleep where these return.

use omango::queue::spsc;

use super::polling::{Open, poll_each};
use crate::carrier::{Carrier, Event, Handler, Sender, Setting, Wait};

pub(super) struct Omango;

pub(super) struct Sending<E> {
    sender: spsc::BSender<E>,
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

impl Carrier for Omango {
    type Sender<E: Event> = Sending<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let capacity = u32::try_from(setting.capacity).expect("rings are smaller than that");
        let (sender, receiver) = spsc::bounded(capacity);
        let open = poll_each(setting, move || receiver.try_recv().ok(), handler);
        Sending { sender, wait: setting.wait, _open: open }
    }
}
