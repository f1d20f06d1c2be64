//! Whether a newer schema can go on with what an older one has written.

use ringbus::bus::schema::{EnumType, EventType, Field, LayoutChanged, Schema, StructType, Type};
use ringbus::bus::{Kind, Topic};

fn field(name: &str, offset: u32, of: Type) -> Field {
    Field::new(name, offset, of)
}

fn side(names: &[(u64, &str)]) -> Type {
    let names = names.iter().map(|(number, name)| (*number, (*name).to_owned()));
    Type::Enum(EnumType::new("Side", 1, names).unwrap())
}

fn fields(name: &str, size: u32, fields: Vec<Field>) -> StructType {
    StructType::new(name, size, fields).unwrap()
}

/// The fields of an order: a side, a size, levels.
fn order() -> Vec<Field> {
    vec![
        field("side", 0, side(&[(1, "BUY"), (2, "SELL")])),
        field("size", 4, Type::U32),
        field("levels", 8, Type::Array { element: Box::new(Type::Struct(level(Type::U64))), length: 2 }),
        field("best", 24, Type::Struct(level(Type::U64))),
    ]
}

fn level(price: Type) -> StructType {
    fields("Level", 8, vec![field("price", 0, price)])
}

fn event(layout: u8, payload: StructType) -> EventType {
    EventType::new(Kind::new(8), Topic::new(0), layout, payload)
}

fn schema(events: impl IntoIterator<Item = EventType>) -> Schema {
    Schema::new("Exchange", 1, events).unwrap()
}

fn orders(change: impl FnOnce(&mut Vec<Field>)) -> Schema {
    let mut changed = order();
    change(&mut changed);
    schema([event(1, fields("Order", 40, changed))])
}

/// What is refused of a changed order.
fn refused(change: impl FnOnce(&mut Vec<Field>)) -> String {
    let error: LayoutChanged = orders(|_| {}).check_growth(&orders(change)).unwrap_err();
    assert_eq!((error.event.as_str(), error.kind, error.layout), ("Order", Kind::new(8), 1));
    assert_eq!(
        error.to_string(),
        format!(
            "event `Order` (kind 8): layout 1 has changed: {}; give it a new `layout` number",
            error.change
        )
    );
    error.change
}

#[test]
fn what_does_not_change_a_payload_is_fine() {
    let before = orders(|_| {});
    assert_eq!(before.check_growth(&before), Ok(()));
    // More names.
    let more = orders(|order| order[0] = field("side", 0, side(&[(1, "BUY"), (2, "SELL"), (3, "CROSS")])));
    assert_eq!(before.check_growth(&more), Ok(()));
    // Another kind; a kind that is gone; a new layout; an older one.
    let other =
        EventType::new(Kind::new(9), Topic::new(0), 1, fields("Trade", 4, vec![field("size", 0, Type::U32)]));
    assert_eq!(before.check_growth(&schema([other])), Ok(()));
    let smaller = |layout| schema([event(layout, fields("Order", 4, vec![field("size", 0, Type::U32)]))]);
    assert_eq!(before.check_growth(&smaller(2)), Ok(()));
    assert_eq!(smaller(2).check_growth(&before), Ok(()));
    // Its topic.
    let topic = EventType::new(Kind::new(8), Topic::new(5), 1, fields("Order", 40, order()));
    assert_eq!(before.check_growth(&schema([topic])), Ok(()));
}

#[test]
fn whatever_changes_a_payload_is_named() {
    assert_eq!(
        refused(|order| order[1] = field("size", 4, Type::I32)),
        "field `size` was u32 at 4, is i32 at 4"
    );
    assert_eq!(
        refused(|order| order[1] = field("size", 2, Type::U32)),
        "field `size` was u32 at 4, is u32 at 2"
    );
    assert_eq!(
        refused(|order| order[1] = field("count", 4, Type::U32)),
        "field `size` was u32 at 4, is gone"
    );
    assert_eq!(
        refused(|order| order.insert(1, field("market", 1, Type::Bytes { length: 2 }))),
        "field `market` is new, [u8; 2] at 1"
    );
    assert_eq!(
        refused(|order| order[0] = field("side", 0, side(&[(1, "SELL"), (2, "BUY")]))),
        "1 in field `side` was `BUY`, is `SELL`"
    );
    assert_eq!(
        refused(|order| order[0] = field("side", 0, side(&[(1, "BUY")]))),
        "2 in field `side` was `SELL`, has no name"
    );
    assert_eq!(
        refused(|order| order[0] = field("side", 0, Type::U8)),
        "field `side` was `Side` (u8) at 0, is u8 at 0"
    );
    let of_fixed =
        Type::Array { element: Box::new(Type::Struct(level(Type::Fixed { scale: 4 }))), length: 2 };
    assert_eq!(
        refused(|order| order[2] = field("levels", 8, of_fixed)),
        "field `levels[].price` was u64 at 0, is Fixed<4> at 0"
    );
    let one = Type::Array { element: Box::new(Type::Struct(level(Type::U64))), length: 1 };
    assert_eq!(
        refused(|order| order[2] = field("levels", 8, one)),
        "field `levels` was [`Level` (8 bytes); 2] at 8, is [`Level` (8 bytes); 1] at 8"
    );
    let longer = fields("Level", 16, vec![field("price", 0, Type::U64)]);
    assert_eq!(
        refused(|order| order[3] = field("best", 24, Type::Struct(longer))),
        "field `best` was 8 bytes, is 16 bytes"
    );
    assert_eq!(
        refused(|order| order[3] = field("best", 24, Type::Text { length: 8 })),
        "field `best` was `Level` (8 bytes) at 24, is Text<8> at 24"
    );
}

#[test]
fn another_event_under_the_same_kind_is_named() {
    let change = |new: EventType| orders(|_| {}).check_growth(&schema([new])).unwrap_err().change;
    assert_eq!(change(event(1, fields("Quote", 40, order()))), "it was named `Order`, is named `Quote`");
    assert_eq!(change(event(1, fields("Order", 48, order()))), "the payload was 40 bytes, is 48 bytes");
    let text = |name| EventType::text(Kind::new(8), Topic::new(0), 1, name).unwrap();
    assert!(change(text("Order")).ends_with(", is gone"));
    let (old, new) = (schema([text("Order")]), schema([event(1, fields("Order", 4, vec![]))]));
    assert_eq!(old.check_growth(&new).unwrap_err().change, "the payload was text, is 4 bytes");
}

#[test]
fn the_buss_own_kinds_can_be_left_out_to_be_kept() {
    let kept = Schema::bus().without_own_kinds();
    assert_eq!((kept.name(), kept.version(), kept.events().len()), ("Bus", 1, 0));
    assert_eq!(Schema::decode(&kept.encode()), Ok(kept));
    assert!(Schema::decode(&Schema::bus().encode()).is_err());
    let orders = orders(|_| {});
    assert_eq!(orders.without_own_kinds(), orders);
}
