//! What was said, before it has an order number and a place.

use std::ops::Range;

use crate::bus::kind::{Kind, Origin, Topic};
use crate::bus::payload::Payload;
use crate::bus::record::Flags;

/// A record as it was said: what the writer's context does not know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft<'a> {
    pub(super) origin: Origin,
    pub(super) kind: Kind,
    pub(super) topic: Topic,
    pub(super) version: u8,
    /// Whether a block begins or ends with it.
    pub(super) flags: Flags,
    pub(super) payload: &'a [u8],
}

impl<'a> Draft<'a> {
    /// One that no block begins or ends with.
    #[inline(always)]
    pub(super) fn new(origin: Origin, kind: Kind, topic: Topic, version: u8, payload: &'a [u8]) -> Self {
        Self { origin, kind, topic, version, flags: Flags::NONE, payload }
    }

    /// Likewise, of a typed payload.
    #[inline(always)]
    pub(super) fn of<T: Payload>(origin: Origin, payload: &'a T) -> Self {
        const { T::ALIGNMENT };
        Self::new(origin, T::KIND, T::TOPIC, T::VERSION, bytemuck::bytes_of(payload))
    }
}

/// Drafts that wait for being published, in two buffers that are used again and again.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    kept: Vec<Kept>,
    payloads: Vec<u8>,
}

/// A draft whose payload stands in the buffer.
#[derive(Debug)]
struct Kept {
    origin: Origin,
    kind: Kind,
    topic: Topic,
    version: u8,
    payload: Range<usize>,
}

impl Drafts {
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.payloads.clear();
    }

    /// Keeps a copy. No block may begin or end with it.
    #[inline]
    pub(super) fn push(&mut self, draft: &Draft<'_>) {
        let Draft { origin, kind, topic, version, flags, payload } = *draft;
        debug_assert_eq!(flags, Flags::NONE, "blocks begin and end at once");
        let start = self.payloads.len();
        self.payloads.extend_from_slice(payload);
        self.kept.push(Kept { origin, kind, topic, version, payload: start..self.payloads.len() });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Draft<'_>> + Clone {
        self.kept.iter().map(|Kept { origin, kind, topic, version, payload }| {
            Draft::new(*origin, *kind, *topic, *version, &self.payloads[payload.clone()])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_that_are_cleared_do_not_grow() {
        let draft = Draft::new(Origin::default(), Kind::new(1), Topic::new(2), 3, &[4; 100]);
        let mut drafts = Drafts::default();
        drafts.push(&draft);
        let capacities = |drafts: &Drafts| (drafts.kept.capacity(), drafts.payloads.capacity());
        let grown = capacities(&drafts);
        for _ in 0..100 {
            drafts.clear();
            drafts.push(&draft);
            assert_eq!((drafts.len(), capacities(&drafts)), (1, grown));
        }
    }
}
