//! What a bus says about its subscriptions: see [`crate::diagnostics`].

use super::account::Tally;
use super::registry::SubscriptionId;
use super::stream_id::StreamId;
use crate::diagnostics::say;
use crate::sequence::Sequence;
use crate::stats::ConsumerKind;

/// Which subscription it is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) stream: &'a StreamId,
    pub(super) id: SubscriptionId,
    pub(super) name: &'a str,
}

impl About<'_> {
    pub(super) fn subscribed(self, kind: ConsumerKind, joined_at: Sequence) {
        let Self { stream, id, name } = self;
        let (stream, id, kind, joined_at) =
            (stream.as_str(), id.get(), format_args!("{kind}"), joined_at.get());
        say!(INFO, stream = stream, id = id, name = name, kind = kind, joined_at = joined_at; "subscribed");
    }

    pub(super) fn unsubscribed(self, tally: Tally) {
        let Self { stream, id, name } = self;
        let Tally { passed, filtered_out, let_pass, missed } = tally;
        let (stream, id) = (stream.as_str(), id.get());
        say!(
            INFO,
            stream = stream,
            id = id,
            name = name,
            passed = passed,
            filtered_out = filtered_out,
            let_pass = let_pass,
            missed = missed;
            "unsubscribed"
        );
    }

    pub(super) fn paused(self) {
        let Self { stream, id, name } = self;
        let (stream, id) = (stream.as_str(), id.get());
        say!(INFO, stream = stream, id = id, name = name; "paused");
    }

    pub(super) fn resumed(self, let_pass: u64) {
        let Self { stream, id, name } = self;
        let (stream, id) = (stream.as_str(), id.get());
        say!(INFO, stream = stream, id = id, name = name, let_pass = let_pass; "resumed");
    }

    #[cold]
    pub(super) fn lagged(self, missed: u64, resumed_at: Sequence) {
        let Self { stream, id, name } = self;
        let (stream, id, resumed_at) = (stream.as_str(), id.get(), resumed_at.get());
        say!(WARN, stream = stream, id = id, name = name, missed = missed, resumed_at = resumed_at; "lagged");
    }
}

/// The writer's first block waits until there are so many subscriptions.
pub(super) fn writer_waits(stream: &StreamId, subscriptions: usize) {
    let stream = stream.as_str();
    say!(INFO, stream = stream, subscriptions = subscriptions; "writer waits for subscriptions");
}

/// It waits no more: so many are there, or there is nothing to wait for.
pub(super) fn writer_goes_on(stream: &StreamId, subscriptions: usize, there: usize) {
    let stream = stream.as_str();
    say!(INFO, stream = stream, subscriptions = subscriptions, there = there; "writer waits no more");
}
