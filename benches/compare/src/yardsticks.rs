//! Not libraries: what the machine can do, measured beside them.

mod hand_off;
mod stamped;
mod streaming;

pub(crate) use hand_off::HandOff;
pub(crate) use stamped::Stamped;
pub(crate) use streaming::{Streaming, StreamingOnOneCore};
