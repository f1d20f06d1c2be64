//! What the expansion of [`events!`](crate::events) calls. Not for others.

use std::fmt;

pub use bytemuck::{Pod, Zeroable};

use super::Schema;
use super::described::Described;
use super::event_type::EventType;
use super::structs::{Field, StructType};
use super::types::{EnumType, Type};
use super::value;
use crate::bus::Kind;

/// What an enum can be stored as.
#[diagnostic::on_unimplemented(
    message = "an enum of `events!` is a `u8`, `u16`, `u32` or `u64`, not `{Self}`"
)]
pub trait Number: Pod + Into<u64> {}

impl Number for u8 {}
impl Number for u16 {}
impl Number for u32 {}
impl Number for u64 {}

/// Stops the compilation unless `T` can be a field.
pub const fn check_field<T: Described>() {
    assert!(size_of::<T>() > 0, "a field has at least one byte");
}

/// Stops the compilation unless `T` can be stored as.
pub const fn check_number<T: Number>() {}

/// Whether `number` stands in `numbers` once.
#[must_use]
pub const fn is_single(numbers: &[u64], number: u64) -> bool {
    let (mut index, mut found) = (0, 0);
    while index < numbers.len() {
        if numbers[index] == number {
            found += 1;
        }
        index += 1;
    }
    found == 1
}

/// Whether a core may use this kind.
#[must_use]
pub const fn is_free(kind: u16) -> bool {
    !Kind::new(kind).is_reserved()
}

/// The name of an identifier: `type` of `r#type`.
#[must_use]
pub const fn name(identifier: &'static str) -> &'static str {
    match identifier.as_bytes() {
        [b'r', b'#', ..] => identifier.split_at(2).1,
        _ => identifier,
    }
}

/// A field of type `T`; none if the name is one of padding.
#[must_use]
pub fn field<T: Described>(identifier: &'static str, offset: usize) -> Option<Field> {
    let is_padding = identifier.starts_with('_');
    (!is_padding).then(|| Field::new(name(identifier), offset as u32, Type::of::<T>()))
}

/// The struct `T`.
#[must_use]
pub fn struct_type<T>(identifier: &'static str, fields: impl IntoIterator<Item = Option<Field>>) -> Type {
    let size = u32::try_from(size_of::<T>()).expect("a payload has less than 4 GiB");
    Type::Struct(expected(StructType::new(name(identifier), size, fields.into_iter().flatten())))
}

/// An enum that is stored as `T`.
#[must_use]
pub fn enum_type<T: Number>(
    identifier: &'static str,
    constants: impl IntoIterator<Item = (T, &'static str)>,
) -> Type {
    let names =
        constants.into_iter().map(|(number, identifier)| (number.into(), name(identifier).to_owned()));
    Type::Enum(expected(EnumType::new(name(identifier), size_of::<T>() as u8, names)))
}

/// All events of a declaration.
#[must_use]
pub fn schema(identifier: &'static str, version: u32, events: impl IntoIterator<Item = EventType>) -> Schema {
    expected(Schema::new(name(identifier), version, events))
}

/// What is wrong with a declaration that compiles: names of more than 255 bytes, structs in structs more than 16 deep.
fn expected<T>(result: Result<T, super::SchemaError>) -> T {
    result.unwrap_or_else(|error| panic!("ringbus::events!: {error}"))
}

/// An enum's value by name.
///
/// # Errors
///
/// The writer's.
pub fn write_enum(
    f: &mut fmt::Formatter<'_>,
    identifier: &'static str,
    name_of: Option<&'static str>,
    number: u64,
) -> fmt::Result {
    value::write_enum(f, name(identifier), name_of, number)
}
