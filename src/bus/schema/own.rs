//! The bus's own kinds, as a schema.

use std::mem::offset_of;
use std::sync::LazyLock;

use super::super::hash::Hash;
use super::super::kind::{Kind, Topic};
use super::super::payload::{BlockBegun, BlockEnded, Payload, TransactionEnded};
use super::Schema;
use super::event_type::EventType;
use super::structs::{Field, StructType};
use super::types::Type;

pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::sorted("Bus".to_owned(), 1, events()));
    &SCHEMA
}

fn events() -> Vec<EventType> {
    let failed = EventType::text(Kind::TRANSACTION_FAILED, Topic::default(), 1, "TransactionFailed");
    vec![
        event::<BlockBegun>("BlockBegun", [field("hash", offset_of!(BlockBegun, hash), Type::of::<Hash>())]),
        event::<BlockEnded>(
            "BlockEnded",
            [
                field("hash", offset_of!(BlockEnded, hash), Type::of::<Hash>()),
                field("events", offset_of!(BlockEnded, events), Type::U32),
                field("transactions", offset_of!(BlockEnded, transactions), Type::U32),
            ],
        ),
        event::<TransactionEnded>(
            "TransactionEnded",
            [
                field("events", offset_of!(TransactionEnded, events), Type::U32),
                field("code", offset_of!(TransactionEnded, code), Type::U32),
            ],
        ),
        failed.expect("the name is one"),
    ]
}

fn event<T: Payload>(name: &str, fields: impl IntoIterator<Item = Field>) -> EventType {
    let payload =
        StructType::new(name, size_of::<T>() as u32, fields).expect("as the compiler has laid it out");
    EventType::new(T::KIND, T::TOPIC, T::VERSION, payload)
}

fn field(name: &str, offset: usize, of: Type) -> Field {
    Field::new(name, offset as u32, of)
}
