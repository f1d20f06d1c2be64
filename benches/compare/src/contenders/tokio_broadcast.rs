//! tokio: its broadcast channel, whose receivers are overrun rather than waited for.
//!
//! `try_recv` from a thread of our own: no runtime and no wake-ups stand between the two sides.

use std::ops::ControlFlow;

use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::broadcast::{self, channel};

use super::polling::{Open, poll};
use crate::carrier::{Delivery, Event, Lossy, Sender, Setting};

pub(super) struct TokioBroadcast;

pub(super) struct Sending<E> {
    sender: broadcast::Sender<E>,
    _open: Open,
}

impl<E: Event> Sender<E> for Sending<E> {
    #[inline(always)]
    fn send(&mut self, event: E) {
        // It fails once the receiver has gone: then there is nobody to send to, which a producer that waits for nobody ignores.
        let _ = self.sender.send(event);
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        events.for_each(|event| self.send(event));
    }
}

impl Lossy for TokioBroadcast {
    type Sender<E: Event> = Sending<E>;

    fn open<E: Event>(
        setting: Setting,
        mut handler: impl FnMut(Delivery<'_, E>) -> ControlFlow<()> + Send + 'static,
    ) -> Self::Sender<E> {
        let (sender, mut receiver) = channel(setting.capacity);
        let open = poll(setting, move || {
            match receiver.try_recv() {
                Ok(event) => handler(Delivery::Event(&event))?,
                Err(TryRecvError::Lagged(missed)) => handler(Delivery::Missed(missed))?,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return ControlFlow::Continue(false),
            }
            ControlFlow::Continue(true)
        });
        Sending { sender, _open: open }
    }
}
