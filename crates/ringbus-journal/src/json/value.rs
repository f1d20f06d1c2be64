//! The values of payloads as JSON.

use ringbus::bus::schema::Value;
use serde::ser::{Serialize, Serializer};

/// A value that is written as the table in the [module](super) above has it.
pub(super) struct JsonValue<'a>(pub(super) Value<'a>);

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Unsigned(number) => serializer.serialize_u64(*number),
            Value::Signed(number) => serializer.serialize_i64(*number),
            // JSON has no number for the others, which print as strings below.
            Value::F32(number) if number.is_finite() => serializer.serialize_f32(*number),
            Value::F64(number) if number.is_finite() => serializer.serialize_f64(*number),
            Value::Span(span) => serializer.serialize_i64(span.get()),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Enum(value) => match value.name() {
                Some(name) => serializer.serialize_str(name),
                None => serializer.serialize_u64(value.number()),
            },
            Value::Struct(values) => {
                serializer.collect_map(values.clone().map(|(name, value)| (name, Self(value))))
            }
            Value::Array(elements) => serializer.collect_seq(elements.clone().map(Self)),
            other => serializer.collect_str(other),
        }
    }
}
