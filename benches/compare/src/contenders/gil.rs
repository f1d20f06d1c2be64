//! gil: its queue for one thread on each side, "the fastest queue variant".
//!
//! Single events go in by `try_send`, which looks for room at once, where `send` pauses first. Batches go in by `write_buffer`
//! and `commit`, which its documentation names for maximum performance; it offers the room up to the end of the buffer, so that a
//! batch may be sent in two parts. The consumer either takes one event after the other by `try_recv`, or all that is there by
//! `read_guard`, in place.

use std::num::NonZero;
use std::ops::ControlFlow;

use gil::spsc::{self, channel};

use super::polling::{Open, poll, poll_each};
use crate::carrier::{Carrier, Event, Handler, Sender, Setting, Wait};

/// Received by `try_recv`.
pub(super) struct Items;

/// Received by `read_guard`.
pub(super) struct Batches;

pub(super) struct Sending<E> {
    sender: spsc::Sender<E>,
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
    fn send_batch(&mut self, mut events: impl ExactSizeIterator<Item = E>) {
        let mut left = events.len();
        while left > 0 {
            let room = self.sender.write_buffer();
            let part = room.len().min(left);
            if part == 0 {
                self.wait.once();
                continue;
            }
            for (slot, event) in room[..part].iter_mut().zip(&mut events) {
                slot.write(event);
            }
            // SAFETY: the buffer has at least `part` slots, and the first `part` have just been written.
            unsafe { self.sender.commit(part) };
            left -= part;
        }
    }
}

impl Carrier for Items {
    type Sender<E: Event> = Sending<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let (sender, mut receiver) = channel(slots(setting));
        let open = poll_each(setting, move || receiver.try_recv(), handler);
        Sending { sender, wait: setting.wait, _open: open }
    }
}

impl Carrier for Batches {
    type Sender<E: Event> = Sending<E>;

    fn open<E: Event>(setting: Setting, mut handler: impl Handler<E>) -> Self::Sender<E> {
        let (sender, mut receiver) = channel(slots(setting));
        let open = poll(setting, move || {
            let mut guard = receiver.read_guard();
            let found = guard.len();
            guard.as_slice().iter().try_for_each(&mut handler)?;
            guard.advance(found);
            ControlFlow::Continue(found > 0)
        });
        Sending { sender, wait: setting.wait, _open: open }
    }
}

fn slots(setting: Setting) -> NonZero<usize> {
    NonZero::new(setting.capacity).expect("a ring has slots")
}
