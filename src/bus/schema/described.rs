//! Types that schemas can describe.

use bytemuck::Pod;

use super::super::fields::{Fixed, Span, Text, Timestamp};
use super::super::hash::Hash;
use super::types::Type;

/// A type that a schema can describe: what fields of payloads are.
///
/// These are: the integers from `u8` to `u64` and `i8` to `i64`, `f32` and `f64`, [`struct@Hash`], [`Text`], [`Fixed`], [`Timestamp`],
/// [`Span`], the enums, structs and events that [`events!`](crate::events) makes, and arrays of all these (those of `u8` are bytes).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of an event",
    label = "expected an integer or a float of fixed size, bytes, `Hash`, `Text`, `Fixed`, `Timestamp`, `Span`, an enum or a \
             struct of `events!`, or an array of these",
    note = "in place of a bool or a Rust enum, declare an enum in `events!`: any bits must be a valid value"
)]
pub trait Described: Pod {
    /// What it is; of the size that it has in memory.
    fn described() -> Type;
}

macro_rules! plain {
    ($($described:ty => $of:ident),+ $(,)?) => {
        $(impl Described for $described {
            fn described() -> Type {
                Type::$of
            }
        })+
    };
}

plain! {
    u8 => U8, u16 => U16, u32 => U32, u64 => U64,
    i8 => I8, i16 => I16, i32 => I32, i64 => I64,
    f32 => F32, f64 => F64,
    Timestamp => Timestamp, Span => Span,
}

impl Described for Hash {
    fn described() -> Type {
        Type::Bytes { length: size_of::<Self>() as u32 }
    }
}

impl<const N: usize> Described for Text<N> {
    fn described() -> Type {
        Type::Text { length: N as u32 }
    }
}

impl<const SCALE: u8> Described for Fixed<SCALE> {
    fn described() -> Type {
        Type::Fixed { scale: Self::SCALE }
    }
}

impl<T: Described, const N: usize> Described for [T; N] {
    fn described() -> Type {
        match Type::of::<T>() {
            Type::U8 => Type::Bytes { length: N as u32 },
            element => Type::Array { element: Box::new(element), length: N as u32 },
        }
    }
}
