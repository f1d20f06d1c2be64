//! Producers that wait for their consumers when they are dropped.

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::thread;

/// Is dropped on a thread of its own, so that the dropping thread need not wait. It might be a consumer's, and wait for itself.
pub(super) struct WaitsElsewhere<P: Send + 'static>(ManuallyDrop<P>);

impl<P: Send + 'static> WaitsElsewhere<P> {
    pub(super) fn new(producer: P) -> Self {
        Self(ManuallyDrop::new(producer))
    }
}

impl<P: Send + 'static> Deref for WaitsElsewhere<P> {
    type Target = P;

    #[inline(always)]
    fn deref(&self) -> &P {
        &self.0
    }
}

impl<P: Send + 'static> DerefMut for WaitsElsewhere<P> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut P {
        &mut self.0
    }
}

impl<P: Send + 'static> Drop for WaitsElsewhere<P> {
    fn drop(&mut self) {
        // SAFETY: nobody looks at it after its drop.
        let producer = unsafe { ManuallyDrop::take(&mut self.0) };
        thread::spawn(move || drop(producer));
    }
}
