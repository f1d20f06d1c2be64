//! Older stores and newer programs.

mod common;
#[path = "common/database.rs"]
mod database;

use common::{Block, feed, records, stream};
use database::fed;
use ringbus::Sequence;
use ringbus::bus::schema::{EventType, Field, Schema, StructType, Type};
use ringbus::bus::{Kind, Topic};
use ringbus_store::sqlite::{Sqlite, SqliteProblem, SqliteReader};
use tempfile::tempdir;

fn event(layout: u8, payload: StructType) -> EventType {
    EventType::new(Kind::new(8), Topic::new(0), layout, payload)
}

fn schema(events: impl IntoIterator<Item = EventType>) -> Schema {
    Schema::new("Exchange", 1, events).unwrap()
}

#[test]
fn a_store_keeps_every_layout_that_it_was_written_with() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("store.db");
    let open = |schema: &Schema| Sqlite::builder(stream(), schema).open(&file);
    let payload = |size| StructType::new("Order", size, [Field::new("size", 0, Type::U32)]).unwrap();
    let (first, second, third) = (event(1, payload(4)), event(2, payload(8)), event(3, payload(12)));
    // Kinds 1 to 3, which no schema knows.
    let block =
        Block { is_repeated: false, ends: true, events: vec![(0, 1), (1, 2), (2, 3), (3, 4), (0, 5)] };
    let records = records(&[block.clone(), block], 0);

    feed(&mut fed(open(&schema([first.clone()])).unwrap()), &records[..5], 5);
    feed(&mut fed(open(&schema([second.clone()])).unwrap()), &records[5..], 5);
    // One that knows the first layout under another shape.
    let wrong = schema([event(1, payload(16))]);
    let error = open(&wrong).unwrap_err();
    assert!(matches!(error.problem, SqliteProblem::LayoutChanged(_)));
    assert!(error.to_string().ends_with(
        "event `Order` (kind 8): layout 1 has changed: the payload was 4 bytes, is 16 bytes; give it a new `layout` number"
    ));

    let reader = SqliteReader::open(&file).unwrap();
    assert_eq!(reader.schema().unwrap(), schema([second.clone()]));
    let layout = |version| reader.layout(Kind::new(8), version).unwrap();
    assert_eq!([1, 2, 3].map(layout), [Some(first.clone()), Some(second.clone()), None]);
    assert_eq!(reader.layout(Kind::BLOCK_ENDED, 1).unwrap().as_ref(), Schema::bus().event(Kind::BLOCK_ENDED));
    drop(open(&schema([third.clone()])).unwrap());
    assert_eq!([1, 2, 3].map(layout), [Some(first), Some(second), Some(third)]);

    // What nobody knows is there as it was.
    assert_eq!(common::plain(&reader.events_from(Sequence::new(0), 100).unwrap()), common::plain(&records));
}
