//! Whom a producer waits for.

use ringbus::stats::{ConsumerKind, ConsumerState};

/// Whether it waits for a consumer of this kind, in this state, that is behind by a ring.
pub(crate) fn holds_the_producer_up(kind: ConsumerKind, state: ConsumerState) -> bool {
    kind == ConsumerKind::Required && state != ConsumerState::Paused
}
