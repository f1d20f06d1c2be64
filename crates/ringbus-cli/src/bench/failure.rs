//! Why nothing, or nothing that can be trusted, was measured.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use ringbus::{BuildError, JoinError, ProgressError, PublishError};

#[derive(Debug)]
pub(crate) enum Failure {
    /// Or it is not for this process.
    NoSuchCore {
        core: usize,
        available: Vec<usize>,
    },
    CoreGivenTwice {
        core: usize,
    },
    TooManyCores {
        asked: usize,
        most: usize,
    },
    Build(BuildError),
    Join(JoinError),
    Publish(PublishError),
    Progress(ProgressError),
    /// A consumer got something else than was sent.
    Miscounted(Box<Miscounted>),
    /// Of an earlier run, and not to be replaced.
    Exists {
        path: PathBuf,
    },
    File {
        path: PathBuf,
        doing: &'static str,
        error: io::Error,
    },
    /// The histograms or the plot could not be made.
    Picture {
        what: &'static str,
        error: Box<dyn Error + Send + Sync>,
    },
}

/// What was sent, and what one consumer got.
#[derive(Debug)]
pub(crate) struct Miscounted {
    pub(crate) workload: &'static str,
    pub(crate) consumer: usize,
    /// Events, and their checksum.
    pub(crate) sent: (u64, u64),
    pub(crate) received: (u64, u64),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCore { core, available } => {
                write!(
                    f,
                    "core {core} cannot be used: this process may run on {available:?}; choose of these with --cores"
                )
            }
            Self::CoreGivenTwice { core } => {
                write!(f, "core {core} is given twice; give each thread a core of its own")
            }
            Self::TooManyCores { asked, most } => {
                write!(
                    f,
                    "{asked} cores are given, and at most {most} are of use; give the producer's and three consumers'"
                )
            }
            Self::Build(error) => error.fmt(f),
            Self::Join(error) => error.fmt(f),
            Self::Publish(error) => error.fmt(f),
            Self::Progress(error) => error.fmt(f),
            Self::Miscounted(miscounted) => {
                let Miscounted { workload, consumer, sent, received } = &**miscounted;
                write!(
                    f,
                    "{workload}: consumer {consumer} got {} events with the checksum {:016x}, and {} with {:016x} were sent; \
                     either the memory of this machine is broken, or ringbus is: please report it",
                    received.0, received.1, sent.0, sent.1
                )
            }
            Self::Exists { path } => write!(
                f,
                "{} is there already, from an earlier run; choose another directory, or replace it with --force",
                path.display()
            ),
            Self::File { path, doing, error } => write!(f, "{}: {doing}: {error}", path.display()),
            Self::Picture { what, error } => write!(f, "{what}: {error}; please report it"),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            Self::Join(error) => Some(error),
            Self::Publish(error) => Some(error),
            Self::Progress(error) => Some(error),
            Self::File { error, .. } => Some(error),
            Self::Picture { error, .. } => Some(&**error),
            _ => None,
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        Self::Join(error)
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        Self::Publish(error)
    }
}

impl From<ProgressError> for Failure {
    fn from(error: ProgressError) -> Self {
        Self::Progress(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_checksum_is_said_with_what_was_expected() {
        let miscounted =
            Miscounted { workload: "one-to-one", consumer: 1, sent: (1_000, 0xabc), received: (999, 0xdef) };
        assert_eq!(
            Failure::Miscounted(Box::new(miscounted)).to_string(),
            "one-to-one: consumer 1 got 999 events with the checksum 0000000000000def, and 1000 with 0000000000000abc were sent; \
             either the memory of this machine is broken, or ringbus is: please report it"
        );
    }
}
