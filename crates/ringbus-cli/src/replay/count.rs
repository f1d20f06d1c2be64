//! A consumer that counts what comes by.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Write};

use ringbus::bus::schema::{EventType, Schema};
use ringbus::bus::{Kind, RecordRef, Subscriber};

use crate::progress::grouped;

/// Counts records, and their bytes, by kind.
#[derive(Debug, Default)]
pub(super) struct Count {
    kinds: BTreeMap<Kind, (u64, u64)>,
}

impl Subscriber for Count {
    type Error = Infallible;

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), Infallible> {
        let (records, bytes) = self.kinds.entry(record.kind()).or_default();
        *records += 1;
        *bytes += record.payload().len() as u64;
        Ok(())
    }
}

impl Count {
    pub(super) fn records(&self) -> u64 {
        self.kinds.values().map(|(records, _)| records).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.kinds.values().map(|(_, bytes)| bytes).sum()
    }

    /// The most frequent first, with the names that the schema has for them.
    pub(super) fn print_kinds(&self, schema: &Schema) -> io::Result<()> {
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(kind, (records, _))| (u64::MAX - records, **kind));
        let mut out = io::stdout().lock();
        writeln!(out, "{:>6}  {:<24} {:>14} {:>18}", "kind", "event", "records", "bytes")?;
        for (kind, (records, bytes)) in kinds {
            let name = schema.event(*kind).map_or("", EventType::name);
            writeln!(out, "{kind:>6}  {name:<24} {:>14} {:>18}", grouped(*records), grouped(*bytes))?;
        }
        Ok(())
    }
}
