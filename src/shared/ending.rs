//! How a stream ended, in words, for those in other processes.

use std::sync::Arc;

use super::mirrors::END_WORDS;
use super::text;
use crate::error::{End, Failure, FailureCause};
use crate::sequence::Sequence;
use crate::sync::{AtomicU64, Relaxed};

/// Words: the end, what a consumer died of, its position, bytes of its name, bytes of the message (more than there is room for: none).
const HEAD: usize = 8;
const NAME: usize = 8;
const NO_MESSAGE: u64 = u64::MAX;

/// For the producer, before it closes the mirror of the cursor, whose Release store carries it.
pub(crate) fn write(end: &End, to: &[AtomicU64; END_WORDS]) {
    let mut words = [0; END_WORDS];
    let (head, texts) = words.split_at_mut(HEAD);
    let (name, message) = texts.split_at_mut(NAME);
    head[0] = match end {
        End::Closed => 1,
        End::ProducerFailed => 2,
        End::Poisoned(_) => 3,
        End::Stopped => 4,
        End::UpstreamLeft { .. } | End::UpstreamFailed(_) | End::ProducerDied | End::Damaged => {
            unreachable!("ends a consumer or an observer, not the stream")
        }
    };
    if let End::Poisoned(failure) = end {
        head[1] = match failure.cause {
            FailureCause::Panicked => 1,
            FailureCause::Abandoned => 2,
            FailureCause::Failed => 3,
        };
        head[2] = failure.position.get();
        head[3] = text::write(&failure.consumer, name);
        head[4] = failure.message.as_ref().map_or(NO_MESSAGE, |said| text::write(said, message));
    }
    // Relaxed: the store that closes the cursor orders them.
    to.iter().zip(words).for_each(|(to, word)| to.store(word, Relaxed));
}

/// For whoever has seen the cursor closed (Relaxed: that look ordered this one).
pub(crate) fn read(from: &[AtomicU64; END_WORDS]) -> End {
    let words = std::array::from_fn::<u64, END_WORDS, _>(|word| from[word].load(Relaxed));
    let (head, texts) = words.split_at(HEAD);
    let (name, message) = texts.split_at(NAME);
    match head[0] {
        1 => End::Closed,
        2 => End::ProducerFailed,
        3 => End::Poisoned(Arc::new(Failure {
            consumer: text::read(head[3], name).into(),
            cause: match head[1] {
                1 => FailureCause::Panicked,
                2 => FailureCause::Abandoned,
                _ => FailureCause::Failed,
            },
            position: Sequence::new(head[2]),
            message: (head[4] != NO_MESSAGE).then(|| text::read(head[4], message).into()),
        })),
        4 => End::Stopped,
        _ => End::Damaged,
    }
}
