//! A bus that starts when so many have subscribed.

use std::sync::Arc;

use super::registry::Registry;
use crate::ring::Core;

/// What the writer passes before it begins its first block. Once open, it stays so.
#[derive(Debug)]
pub(super) struct StartGate {
    closed: Option<Closed>,
}

#[derive(Debug)]
struct Closed {
    registry: Arc<Registry>,
    core: Arc<Core>,
    subscriptions: usize,
}

impl StartGate {
    /// Opens when there are so many subscriptions.
    pub(super) fn new(registry: Arc<Registry>, core: Arc<Core>, subscriptions: usize) -> Self {
        Self { closed: Some(Closed { registry, core, subscriptions }) }
    }

    /// Waits until it opens, or there is nothing to wait for any more: then publishing says why.
    pub(super) fn wait(&mut self) {
        if let Some(Closed { registry, core, subscriptions }) = self.closed.take() {
            // Without a `Bus` nobody can subscribe any more: the gate alone keeps the registry then.
            let is_over = || core.attention.is_raised() || Arc::strong_count(&registry) == 1;
            registry.wait_for(subscriptions, is_over);
        }
    }
}
