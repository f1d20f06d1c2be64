//! The values in a payload, read by its type.

use std::{fmt, slice};

use bytemuck::AnyBitPattern;

use super::super::fields::{Span, Timestamp, until_zero, write_fixed};
use super::structs::{Field, StructType};
use super::types::{EnumType, Type};

/// A value out of a payload.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// An unsigned integer of any width.
    Unsigned(u64),
    /// A signed integer of any width.
    Signed(i64),
    /// An `f32`.
    F32(f32),
    /// An `f64`.
    F64(f64),
    /// Bytes that mean nothing to the schema; or a text that is not UTF-8, all of its field.
    Bytes(&'a [u8]),
    /// Text, without the zeroes behind it.
    Text(&'a str),
    /// A decimal number: `mantissa` times 10 to the power of `-scale`.
    Fixed {
        /// How many of its smallest steps it is.
        mantissa: i64,
        /// How many decimal places it has.
        scale: u8,
    },
    /// A point in time.
    Timestamp(Timestamp),
    /// A span of time.
    Span(Span),
    /// A number that may have a name.
    Enum(EnumValue<'a>),
    /// Values with names.
    Struct(Values<'a>),
    /// Values of one type.
    Array(Elements<'a>),
}

impl<'a> Value<'a> {
    /// Reads what `bytes` begin with. There are enough of them.
    fn read(of: &'a Type, bytes: &'a [u8]) -> Self {
        let bytes = &bytes[..of.size() as usize];
        match of {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => Self::Unsigned(unsigned(bytes)),
            Type::I8 => Self::Signed(plain::<i8>(bytes).into()),
            Type::I16 => Self::Signed(plain::<i16>(bytes).into()),
            Type::I32 => Self::Signed(plain::<i32>(bytes).into()),
            Type::I64 => Self::Signed(plain(bytes)),
            Type::F32 => Self::F32(plain(bytes)),
            Type::F64 => Self::F64(plain(bytes)),
            Type::Bytes { .. } => Self::Bytes(bytes),
            Type::Text { .. } => text(until_zero(bytes), bytes),
            Type::Fixed { scale } => Self::Fixed { mantissa: plain(bytes), scale: *scale },
            Type::Timestamp => Self::Timestamp(plain(bytes)),
            Type::Span => Self::Span(plain(bytes)),
            Type::Enum(of) => Self::Enum(EnumValue { of, number: unsigned(bytes) }),
            Type::Struct(of) => Self::Struct(Values::fields(of, bytes)),
            Type::Array { element, .. } => Self::Array(Elements { of: element, bytes }),
        }
    }
}

/// They may lie anywhere.
fn plain<T: AnyBitPattern>(bytes: &[u8]) -> T {
    bytemuck::pod_read_unaligned(bytes)
}

fn unsigned(bytes: &[u8]) -> u64 {
    match bytes.len() {
        1 => plain::<u8>(bytes).into(),
        2 => plain::<u16>(bytes).into(),
        4 => plain::<u32>(bytes).into(),
        _ => plain(bytes),
    }
}

fn text<'a>(text: &'a [u8], field: &'a [u8]) -> Value<'a> {
    str::from_utf8(text).map_or(Value::Bytes(field), Value::Text)
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => number.fmt(f),
            Self::Signed(number) => number.fmt(f),
            Self::F32(number) => fmt::Debug::fmt(number, f),
            Self::F64(number) => fmt::Debug::fmt(number, f),
            Self::Bytes(bytes) => write_hex(f, bytes),
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Fixed { mantissa, scale } => write_fixed(f, *mantissa, *scale),
            Self::Timestamp(time) => time.fmt(f),
            Self::Span(span) => span.fmt(f),
            Self::Enum(value) => value.fmt(f),
            Self::Struct(values) => values.fmt(f),
            Self::Array(elements) => elements.fmt(f),
        }
    }
}

pub(super) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// A number that may have a name.
#[derive(Clone, Copy, Debug)]
pub struct EnumValue<'a> {
    of: &'a EnumType,
    number: u64,
}

impl<'a> EnumValue<'a> {
    /// The number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its name. `None`: the schema has none for it; the core that wrote it may have known more.
    #[must_use]
    pub fn name(&self) -> Option<&'a str> {
        self.of.name_of(self.number)
    }

    /// The enum.
    #[must_use]
    pub fn of(&self) -> &'a EnumType {
        self.of
    }
}

impl fmt::Display for EnumValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_enum(f, self.of.name(), self.name(), self.number)
    }
}

/// `BUY`, or `Side(9)` where the number has no name.
pub(super) fn write_enum(
    f: &mut fmt::Formatter<'_>,
    of: &str,
    name: Option<&str>,
    number: u64,
) -> fmt::Result {
    match name {
        Some(name) => f.pad(name),
        None => write!(f, "{of}({number})"),
    }
}

/// The values of a struct or a payload, with their names, in the order in which they lie.
///
/// It prints all that it has not handed out yet: `Trade { market: 3, side: BUY }`.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    name: &'a str,
    /// Of a payload that is text.
    text: Option<&'a [u8]>,
    fields: slice::Iter<'a, Field>,
    bytes: &'a [u8],
}

impl<'a> Values<'a> {
    /// `bytes` are as many as `of` has.
    pub(super) fn fields(of: &'a StructType, bytes: &'a [u8]) -> Self {
        Self { name: of.name(), text: None, fields: of.fields().iter(), bytes }
    }

    pub(super) fn text(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, text: Some(bytes), fields: [].iter(), bytes }
    }

    /// The name of the struct or event.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(bytes) = self.text.take() {
            return Some(("text", text(bytes, bytes)));
        }
        let field = self.fields.next()?;
        Some((field.name(), Value::read(field.of(), &self.bytes[field.offset() as usize..])))
    }
}

impl fmt::Display for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        let mut opening = " { ";
        for (name, value) in self.clone() {
            write!(f, "{opening}{name}: {value}")?;
            opening = ", ";
        }
        if opening == ", " { f.write_str(" }") } else { Ok(()) }
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    of: &'a Type,
    /// Of those that are left.
    bytes: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let (element, left) = self.bytes.split_at_checked(self.of.size() as usize)?;
        self.bytes = left;
        Some(Value::read(self.of, element))
    }
}

impl fmt::Display for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, value) in self.clone().enumerate() {
            let between = if index == 0 { "" } else { ", " };
            write!(f, "{between}{value}")?;
        }
        f.write_str("]")
    }
}
