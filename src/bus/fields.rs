//! What the fields of a payload can be besides plain integers, floats and bytes.

mod fixed;
mod text;
mod time;

pub use fixed::Fixed;
pub(super) use fixed::{MAX_SCALE, write_fixed};
pub(super) use text::until_zero;
pub use text::{Text, TextError};
pub use time::{Span, Timestamp};
