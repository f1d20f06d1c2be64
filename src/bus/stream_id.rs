//! Which stream a bus carries.

use std::fmt;
use std::sync::Arc;

/// The identity of a stream of records, like a chain id: whoever keeps or forwards records refuses those of another stream.
///
/// ```
/// use ringbus::bus::StreamId;
///
/// let expected = StreamId::new("testnet-001");
/// let error = expected.check(&StreamId::new("mainnet")).unwrap_err();
/// assert!(error.to_string().starts_with("records of stream `mainnet` were offered where those of `testnet-001` are expected"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The one with this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes sure that `found` is this stream.
    ///
    /// # Errors
    ///
    /// [`OtherStream`] if it is not.
    pub fn check(&self, found: &Self) -> Result<(), OtherStream> {
        if self == found { Ok(()) } else { Err(OtherStream { expected: self.clone(), found: found.clone() }) }
    }
}

impl From<&str> for StreamId {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamId({self})")
    }
}

/// Records of one stream were offered to somebody who keeps or forwards another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherStream {
    /// The stream that is kept or forwarded.
    pub expected: StreamId,
    /// The stream whose records were offered.
    pub found: StreamId,
}

impl fmt::Display for OtherStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found } = self;
        write!(
            f,
            "records of stream `{found}` were offered where those of `{expected}` are expected; \
             give each stream a bus, a journal, a store of its own"
        )
    }
}

impl std::error::Error for OtherStream {}
