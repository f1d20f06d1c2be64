//! What the records of a store look like.

use std::collections::HashMap;

use ringbus::bus::schema::Schema;
use ringbus::bus::{Kind, RecordRef};
use ringbus_store::sqlite::{SqliteError, SqliteReader};

/// The schema of a store, and those layouts of its events that are older.
pub(super) struct Layouts {
    current: Schema,
    older: HashMap<(Kind, u8), Schema>,
}

impl Layouts {
    /// All that is needed for these records.
    pub(super) fn of<'a>(
        store: &SqliteReader,
        records: impl Iterator<Item = RecordRef<'a>>,
    ) -> Result<Self, SqliteError> {
        let current = store.schema()?;
        let mut older = HashMap::new();
        for record in records {
            let layout @ (kind, version) = layout(&record);
            let is_current = current.event(kind).is_some_and(|event| event.version() == version);
            if is_current || older.contains_key(&layout) {
                continue;
            }
            if let Some(event) = store.layout(kind, version)? {
                // (It is alone, so that nothing can be wrong with it; else the current one says that it does not know the layout.)
                older.extend(
                    Schema::new(current.name(), current.version(), [event]).map(|schema| (layout, schema)),
                );
            }
        }
        Ok(Self { current, older })
    }

    /// The one that describes this record, if any does.
    pub(super) fn schema(&self, record: &RecordRef<'_>) -> &Schema {
        self.older.get(&layout(record)).unwrap_or(&self.current)
    }
}

fn layout(record: &RecordRef<'_>) -> (Kind, u8) {
    (record.kind(), record.header().version)
}
