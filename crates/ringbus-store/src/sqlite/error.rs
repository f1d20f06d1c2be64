//! What can be wrong with a store in a file.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use ringbus::Sequence;
use ringbus::bus::OtherStream;
use ringbus::bus::schema::LayoutChanged;

use super::FORMAT;

/// What is wrong with a store, and which one it is.
#[derive(Debug)]
pub struct SqliteError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: SqliteProblem,
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {}: {}", self.path.display(), self.problem)
    }
}

impl Error for SqliteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            SqliteProblem::Sqlite(error) => error.source(),
            _ => None,
        }
    }
}

/// What is wrong with a store.
#[derive(Debug)]
#[non_exhaustive]
pub enum SqliteProblem {
    /// SQLite says so: the disk is full, the file is locked or damaged, a statement of a projection is wrong.
    Sqlite(rusqlite::Error),
    /// It is a database of something else.
    NotAStore {
        /// The `application_id` that was found.
        application_id: i32,
    },
    /// A newer release has made it.
    NewerFormat {
        /// Its format.
        found: i32,
    },
    /// It keeps another stream.
    OtherStream(OtherStream),
    /// A payload has changed, and its layout number has not.
    LayoutChanged(LayoutChanged),
    /// It was made with other projections.
    Projections {
        /// Those that it was made with: name and version.
        found: Vec<(String, u32)>,
        /// Those of this program.
        expected: Vec<(String, u32)>,
    },
    /// A number that SQLite cannot hold: it counts up to 2^63 - 1.
    TooLarge {
        /// What the number is.
        what: &'static str,
        /// The number.
        number: u64,
    },
    /// Somebody else has written to it since this program opened it.
    OtherWriter {
        /// Where this program had left it: the first sequence not in it.
        expected: Option<Sequence>,
        /// Where it is.
        found: Option<Sequence>,
    },
    /// What stands in it cannot be read.
    Damaged {
        /// What.
        what: String,
    },
    /// An earlier call has failed.
    Failed,
}

impl From<rusqlite::Error> for SqliteProblem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<OtherStream> for SqliteProblem {
    fn from(error: OtherStream) -> Self {
        Self::OtherStream(error)
    }
}

impl From<LayoutChanged> for SqliteProblem {
    fn from(error: LayoutChanged) -> Self {
        Self::LayoutChanged(error)
    }
}

impl fmt::Display for SqliteProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "SQLite: {error}"),
            Self::NotAStore { application_id } => write!(
                f,
                "it is a database of something else (application_id {application_id:#010x}); give the store a file of its own"
            ),
            Self::NewerFormat { found } => {
                write!(
                    f,
                    "it has format {found}, this release reads up to {FORMAT}: open it with the release that made it"
                )
            }
            Self::OtherStream(error) => error.fmt(f),
            Self::LayoutChanged(error) => error.fmt(f),
            Self::Projections { found, expected } => write!(
                f,
                "it was made with the projections [{}], this program has [{}]: remove the file, and fill a new one from the journal",
                list(found),
                list(expected)
            ),
            Self::TooLarge { what, number } => {
                write!(f, "{what} {number} is too large for SQLite, which counts up to {}", i64::MAX)
            }
            Self::OtherWriter { expected, found } => write!(
                f,
                "somebody else writes to it: this program had left it at sequence {}, it is at {}; let one program write to a store",
                at(*expected),
                at(*found)
            ),
            Self::Damaged { what } => {
                write!(f, "{what}; restore it from a copy, or remove it and fill a new one from the journal")
            }
            Self::Failed => write!(f, "it has failed before: open it anew, it knows where it stopped"),
        }
    }
}

fn list(projections: &[(String, u32)]) -> String {
    let each: Vec<_> = projections.iter().map(|(name, version)| format!("`{name}` {version}")).collect();
    each.join(", ")
}

fn at(sequence: Option<Sequence>) -> String {
    sequence.map_or("no block".to_owned(), |sequence| sequence.to_string())
}
