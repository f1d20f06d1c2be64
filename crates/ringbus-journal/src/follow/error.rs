//! What a follower can end by.

use std::fmt;

use crate::error::JournalError;

/// What a subscriber that follows a journal has ended by.
#[derive(Debug)]
#[non_exhaustive]
pub enum FollowError {
    /// The journal could not be read on.
    Journal(JournalError),
    /// The subscriber has failed, and this is what it said.
    Subscriber {
        /// Its error's text.
        message: String,
    },
}

impl FollowError {
    pub(crate) fn subscriber(error: impl fmt::Display) -> Self {
        Self::Subscriber { message: error.to_string() }
    }
}

impl fmt::Display for FollowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Subscriber { message } => f.write_str(message),
        }
    }
}

impl std::error::Error for FollowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Journal(error) => Some(error),
            Self::Subscriber { .. } => None,
        }
    }
}

impl From<JournalError> for FollowError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}
