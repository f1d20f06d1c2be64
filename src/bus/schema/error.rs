//! What can be wrong with a schema, or with a payload that is read by one.

use std::fmt;

use super::super::kind::Kind;

/// A schema that contradicts itself, or bytes that are not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    /// From the outside in; each ends in a colon and a space.
    place: String,
    problem: String,
}

impl SchemaError {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { place: String::new(), problem: problem.into() }
    }

    /// The same, and in what it was found.
    pub(super) fn within(self, place: impl fmt::Display) -> Self {
        Self { place: format!("{place}: {}", self.place), ..self }
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place, self.problem)
    }
}

impl std::error::Error for SchemaError {}

/// A payload whose length does not fit the kind: it was written by another version of the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadError {
    pub(super) event: String,
    pub(super) kind: Kind,
    pub(super) expected: usize,
    pub(super) found: usize,
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, kind, expected, found } = self;
        write!(
            f,
            "`{event}` (kind {kind}) has {expected} bytes, not {found}: use the schema of the core that wrote it"
        )
    }
}

impl std::error::Error for PayloadError {}
