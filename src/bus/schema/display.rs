//! Records, printed without the code that they were declared in.

use std::fmt;

use super::super::record_ref::RecordRef;
use super::event_type::EventType;
use super::value::write_hex;

/// A record that prints as its schema says. Made by [`Schema::display`](super::Schema::display).
#[derive(Clone, Copy, Debug)]
pub struct DisplayRecord<'a> {
    of: Option<&'a EventType>,
    record: RecordRef<'a>,
}

impl<'a> DisplayRecord<'a> {
    pub(super) fn new(of: Option<&'a EventType>, record: RecordRef<'a>) -> Self {
        Self { of, record }
    }
}

impl fmt::Display for DisplayRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (payload, version) = (self.record.payload(), self.record.header().version);
        let Some(of) = self.of else {
            write!(f, "kind {}", self.record.kind())?;
            return write_bytes(f, payload);
        };
        if of.version() != version {
            write!(f, "{} of layout {version} (the schema has {})", of.name(), of.version())?;
            return write_bytes(f, payload);
        }
        match of.values(payload) {
            Ok(values) => values.fmt(f),
            Err(error) => {
                write!(f, "{} of another length (the schema has {} bytes)", of.name(), error.expected)?;
                write_bytes(f, payload)
            }
        }
    }
}

/// The number of bytes, and the first of them.
fn write_bytes(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    const SHOWN: usize = 32;
    write!(f, ", {} bytes: ", bytes.len())?;
    write_hex(f, &bytes[..bytes.len().min(SHOWN)])?;
    if bytes.len() > SHOWN { f.write_str("..") } else { Ok(()) }
}
