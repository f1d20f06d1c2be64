//! What a value can be.

use super::super::fields::MAX_SCALE;
use super::described::Described;
use super::error::SchemaError;
use super::structs::StructType;
use super::{MAX_LEVELS, names};

/// What a field is, and how it lies in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// A `u8`.
    U8,
    /// A `u16`.
    U16,
    /// A `u32`.
    U32,
    /// A `u64`.
    U64,
    /// An `i8`.
    I8,
    /// An `i16`.
    I16,
    /// An `i32`.
    I32,
    /// An `i64`.
    I64,
    /// An `f32`.
    F32,
    /// An `f64`.
    F64,
    /// Bytes that mean nothing to a schema: hashes, keys.
    Bytes {
        /// How many.
        length: u32,
    },
    /// UTF-8 text, with zeroes behind it: [`Text`](crate::bus::Text).
    Text {
        /// The most it can be, bytes.
        length: u32,
    },
    /// A decimal number: [`Fixed`](crate::bus::Fixed).
    Fixed {
        /// How many decimal places it has, at most 18.
        scale: u8,
    },
    /// A [`Timestamp`](crate::bus::Timestamp).
    Timestamp,
    /// A [`Span`](crate::bus::Span).
    Span,
    /// A number with names.
    Enum(EnumType),
    /// Fields of their own.
    Struct(StructType),
    /// Several of one type.
    Array {
        /// The type of each.
        element: Box<Self>,
        /// How many.
        length: u32,
    },
}

impl Type {
    /// What a `T` is.
    ///
    /// # Panics
    ///
    /// If [`T::described`](Described::described) says something of another size than `T` has.
    #[must_use]
    pub fn of<T: Described>() -> Self {
        let described = T::described();
        assert!(
            described.size() == size_of::<T>() as u64,
            "`{}` has {} bytes, but is described as {described:?}, which has {}",
            std::any::type_name::<T>(),
            size_of::<T>(),
            described.size()
        );
        described
    }

    /// How many bytes a value takes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::Fixed { .. } | Self::Timestamp | Self::Span => 8,
            Self::Bytes { length } | Self::Text { length } => u64::from(*length),
            Self::Enum(of) => u64::from(of.width()),
            Self::Struct(of) => u64::from(of.size()),
            Self::Array { element, length } => element.size().saturating_mul(u64::from(*length)),
        }
    }

    /// How deep it nests: 0 for a plain value.
    pub(super) fn levels(&self) -> usize {
        match self {
            Self::Struct(of) => of.levels(),
            Self::Array { element, .. } => 1 + element.levels(),
            _ => 0,
        }
    }

    /// What is wrong with it as the type of a field.
    pub(super) fn check(&self) -> Result<(), SchemaError> {
        if self.levels() > MAX_LEVELS {
            return Err(SchemaError::new(format!(
                "it nests {} deep; the most is {MAX_LEVELS}",
                self.levels()
            )));
        }
        if self.size() == 0 {
            return Err(SchemaError::new("its type has no bytes; expected at least one"));
        }
        match self {
            Self::Fixed { scale } if *scale > MAX_SCALE => {
                Err(SchemaError::new(format!("a scale of {scale} decimal places; the most is {MAX_SCALE}")))
            }
            Self::Array { element, .. } => element.check(),
            _ => Ok(()),
        }
    }
}

/// An unsigned integer some of whose values have names. Others are possible: see [`events!`](crate::events) on open enums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumType {
    name: String,
    width: u8,
    names: Vec<(u64, String)>,
}

impl EnumType {
    /// One of this name, `width` bytes wide, with these names.
    ///
    /// # Errors
    ///
    /// If the width is not 1, 2, 4 or 8; a number does not fit it or has two names; two numbers have one name; there are more than
    /// 65,535 of them; or a name is not an identifier of at most 255 bytes.
    pub fn new(
        name: impl Into<String>,
        width: u8,
        names: impl IntoIterator<Item = (u64, String)>,
    ) -> Result<Self, SchemaError> {
        let mut new = Self { name: name.into(), width, names: names.into_iter().collect() };
        new.names.sort();
        names::check(&new.name)?;
        new.check().map_err(|error| error.within(format_args!("enum `{}`", new.name)))?;
        Ok(new)
    }

    fn check(&self) -> Result<(), SchemaError> {
        if !matches!(self.width, 1 | 2 | 4 | 8) {
            return Err(SchemaError::new(format!("a width of {} bytes; expected 1, 2, 4 or 8", self.width)));
        }
        names::check_count(self.names.len(), "names")?;
        let most = u64::MAX >> (64 - 8 * u32::from(self.width));
        for (number, name) in &self.names {
            names::check(name)?;
            if *number > most {
                return Err(SchemaError::new(format!(
                    "`{name}` is {number}; {} bytes hold at most {most}",
                    self.width
                )));
            }
        }
        if let Some(pair) = self.names.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let [(number, one), (_, other)] = pair else { unreachable!("windows of two") };
            return Err(SchemaError::new(format!(
                "`{one}` and `{other}` are both {number}; expected one name for each"
            )));
        }
        names::check_unique(self.names.iter().map(|(_, name)| name.as_str()))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes a value takes: 1, 2, 4 or 8.
    #[must_use]
    pub fn width(&self) -> u8 {
        self.width
    }

    /// Numbers and their names, by ascending number.
    #[must_use]
    pub fn names(&self) -> &[(u64, String)] {
        &self.names
    }

    /// The name of `number`, if it has one.
    #[must_use]
    pub fn name_of(&self, number: u64) -> Option<&str> {
        let at = self.names.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&self.names[at].1)
    }
}
