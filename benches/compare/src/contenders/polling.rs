//! The consumer's thread, for libraries that hand out a receiving end and leave the rest to their users.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::consume;
use crate::carrier::{Event, Handler, Setting};

/// Stays with the sending end, as its last field. When it is dropped, the consumer's thread handles what is left and ends.
pub(super) struct Open {
    over: Arc<AtomicBool>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // Release, for the Acquire in `poll`: who sees this finds all that has been sent.
        self.over.store(true, Ordering::Release);
    }
}

/// [`poll`], where events are received one by one.
pub(super) fn poll_each<E: Event>(
    setting: Setting,
    mut receive: impl FnMut() -> Option<E> + Send + 'static,
    mut handler: impl Handler<E>,
) -> Open {
    poll(setting, move || {
        let Some(event) = receive() else { return ControlFlow::Continue(false) };
        handler(&event)?;
        ControlFlow::Continue(true)
    })
}

/// Calls `look` on a thread of its own, again and again. It handles what it finds, says whether it has found anything, and breaks
/// after the last event that is wanted.
pub(super) fn poll(
    setting: Setting,
    mut look: impl FnMut() -> ControlFlow<(), bool> + Send + 'static,
) -> Open {
    let over = Arc::new(AtomicBool::new(false));
    let open = Open { over: Arc::clone(&over) };
    consume(setting.core, move || {
        let mut last_look = false;
        while let ControlFlow::Continue(found) = look() {
            if !found {
                if last_look {
                    break;
                }
                // Acquire, for the Release in `Open::drop`: the look after this one finds what was sent before the end. Seldom
                // written, so that a fruitless look costs no more for it.
                last_look = over.load(Ordering::Acquire);
                setting.wait.once();
            }
        }
    });
    open
}
