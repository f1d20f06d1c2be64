//! A schema as bytes. The [module](super#the-encoding) describes them.

use super::Schema;
use super::event_type::{Body, EventType};
use super::structs::{Field, StructType};
use super::types::{EnumType, Type};

pub(super) const MAGIC: [u8; 8] = *b"RBSCHEMA";
pub(super) const FORMAT: u16 = 1;

pub(super) const STRUCT_BODY: u8 = 0;
pub(super) const TEXT_BODY: u8 = 1;

/// The types that their code says everything about.
pub(super) const PLAIN: [(u8, Type); 12] = [
    (1, Type::U8),
    (2, Type::U16),
    (3, Type::U32),
    (4, Type::U64),
    (5, Type::I8),
    (6, Type::I16),
    (7, Type::I32),
    (8, Type::I64),
    (9, Type::F32),
    (10, Type::F64),
    (14, Type::Timestamp),
    (18, Type::Span),
];
pub(super) const BYTES: u8 = 11;
pub(super) const TEXT: u8 = 12;
pub(super) const FIXED: u8 = 13;
pub(super) const ENUM: u8 = 15;
pub(super) const STRUCT: u8 = 16;
pub(super) const ARRAY: u8 = 17;

/// All of it.
pub(super) fn schema(schema: &Schema) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(MAGIC);
    out.extend(FORMAT.to_le_bytes());
    name(&mut out, schema.name());
    out.extend(contents(schema));
    out
}

/// What stands behind the name.
pub(super) fn contents(schema: &Schema) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(schema.version().to_le_bytes());
    count(&mut out, schema.events().len());
    for event in schema.events() {
        event_type(&mut out, event);
    }
    out
}

fn event_type(out: &mut Vec<u8>, event: &EventType) {
    out.extend(event.kind().get().to_le_bytes());
    out.extend(event.topic().get().to_le_bytes());
    out.push(event.version());
    match &event.body {
        Body::Struct(payload) => {
            out.push(STRUCT_BODY);
            struct_type(out, payload);
        }
        Body::Text(of) => {
            out.push(TEXT_BODY);
            name(out, of);
        }
    }
}

fn struct_type(out: &mut Vec<u8>, of: &StructType) {
    name(out, of.name());
    out.extend(of.size().to_le_bytes());
    count(out, of.fields().len());
    for field in of.fields() {
        field_type(out, field);
    }
}

fn field_type(out: &mut Vec<u8>, field: &Field) {
    name(out, field.name());
    out.extend(field.offset().to_le_bytes());
    value_type(out, field.of());
}

fn value_type(out: &mut Vec<u8>, of: &Type) {
    match of {
        Type::Bytes { length } => {
            out.push(BYTES);
            out.extend(length.to_le_bytes());
        }
        Type::Text { length } => {
            out.push(TEXT);
            out.extend(length.to_le_bytes());
        }
        Type::Fixed { scale } => out.extend([FIXED, *scale]),
        Type::Enum(of) => enum_type(out, of),
        Type::Struct(of) => {
            out.push(STRUCT);
            struct_type(out, of);
        }
        Type::Array { element, length } => {
            out.push(ARRAY);
            out.extend(length.to_le_bytes());
            value_type(out, element);
        }
        plain => {
            let code = PLAIN.iter().find(|(_, of)| of == plain).map(|(code, _)| *code);
            out.push(code.expect("what is not above is plain"));
        }
    }
}

fn enum_type(out: &mut Vec<u8>, of: &EnumType) {
    out.push(ENUM);
    name(out, of.name());
    out.push(of.width());
    count(out, of.names().len());
    for (number, of) in of.names() {
        out.extend(number.to_le_bytes());
        name(out, of);
    }
}

fn name(out: &mut Vec<u8>, name: &str) {
    out.push(u8::try_from(name.len()).expect("checked when it was made"));
    out.extend(name.as_bytes());
}

fn count(out: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).expect("checked when it was made");
    out.extend(count.to_le_bytes());
}
