//! What the library says about itself, through `tracing`, behind the feature of that name. Without it, these functions do nothing.
//!
//! All of it is said where things happen once or seldom: never by who publishes or reads.

use crate::error::{End, Failure};
use crate::worker::WorkerError;

/// Says something at a level: first the fields, then the words.
#[cfg(feature = "tracing")]
macro_rules! say {
    ($level:ident, $($field:ident = $value:expr),* ; $words:literal) => {{
        tracing::event!(target: "ringbus", tracing::Level::$level, $($field = $value,)* $words);
    }};
}

#[cfg(not(feature = "tracing"))]
macro_rules! say {
    ($level:ident, $($field:ident = $value:expr),* ; $words:literal) => {{
        $(let _ = $value;)*
    }};
}

#[cfg(not(loom))]
pub(crate) use say;

/// The stream has ended, at this sequence.
pub(crate) fn ended(stream: &str, sequence: u64, end: &End) {
    let why = format_args!("{end}");
    match end {
        End::Closed => say!(INFO, stream = stream, sequence = sequence; "closed"),
        End::Stopped => {
            say!(WARN, stream = stream, sequence = sequence; "stopped");
        }
        _ => say!(ERROR, stream = stream, sequence = sequence, why = why; "ended by a failure"),
    }
}

/// All were asked to stop.
pub(crate) fn stop_asked(stream: &str) {
    say!(WARN, stream = stream; "all are asked to stop");
}

/// A required consumer has failed: the stream will end with the next publish.
pub(crate) fn failed(stream: &str, failure: &Failure) {
    let (name, sequence) = (&*failure.consumer, failure.position.get());
    let why = format_args!("{failure}");
    say!(ERROR, stream = stream, name = name, sequence = sequence, why = why; "required consumer failed");
}

/// A worker's handler returned an error or panicked.
pub(crate) fn worker_failed(stream: &str, error: &WorkerError) {
    let (name, sequence) = (&*error.consumer, error.sequence.get());
    let why = format_args!("{error}");
    say!(ERROR, stream = stream, name = name, sequence = sequence, why = why; "worker failed");
}

/// A worker is to pause after its batch.
pub(crate) fn pause_asked(stream: &str, name: &str) {
    say!(INFO, stream = stream, name = name; "worker is asked to pause");
}
