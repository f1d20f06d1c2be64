//! Structs: fields, and where they lie.

use super::error::SchemaError;
use super::types::Type;
use super::{MAX_LEVELS, names};

/// Fields of fixed layout, with a name. What lies between and behind the fields is padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructType {
    name: String,
    size: u32,
    fields: Vec<Field>,
}

impl StructType {
    /// One of this name and of `size` bytes, with these fields, by ascending offset.
    ///
    /// # Errors
    ///
    /// If fields overlap, are not in ascending order or reach beyond `size`; two have one name; a field's type has no bytes; they nest
    /// more than 16 deep; there are more than 65,535 of them; or a name is not an identifier of at most 255 bytes.
    pub fn new(
        name: impl Into<String>,
        size: u32,
        fields: impl IntoIterator<Item = Field>,
    ) -> Result<Self, SchemaError> {
        let new = Self { name: name.into(), size, fields: fields.into_iter().collect() };
        names::check(&new.name)?;
        new.check().map_err(|error| error.within(format_args!("struct `{}`", new.name)))?;
        Ok(new)
    }

    fn check(&self) -> Result<(), SchemaError> {
        names::check_count(self.fields.len(), "fields")?;
        names::check_unique(self.fields.iter().map(Field::name))?;
        let mut free = 0;
        for field in &self.fields {
            names::check(&field.name)?;
            field
                .check(free, self.size)
                .map_err(|error| error.within(format_args!("field `{}`", field.name)))?;
            free = field.end();
        }
        if self.levels() > MAX_LEVELS {
            return Err(SchemaError::new(format!(
                "it nests {} deep; the most is {MAX_LEVELS}",
                self.levels()
            )));
        }
        Ok(())
    }

    pub(super) fn levels(&self) -> usize {
        1 + self.fields.iter().map(|field| field.of.levels()).max().unwrap_or(0)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Its fields, by ascending offset.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

/// A field of a struct or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    name: String,
    offset: u32,
    of: Type,
}

impl Field {
    /// One of this name and type, `offset` bytes behind the struct's beginning. [`StructType::new`] says whether it can be.
    #[must_use]
    pub fn new(name: impl Into<String>, offset: u32, of: Type) -> Self {
        Self { name: name.into(), offset, of }
    }

    fn check(&self, free: u64, size: u32) -> Result<(), SchemaError> {
        self.of.check()?;
        if u64::from(self.offset) < free {
            let problem =
                format!("it begins at offset {}, where the field before it ends at {free}", self.offset);
            return Err(SchemaError::new(problem));
        }
        if self.end() > u64::from(size) {
            return Err(SchemaError::new(format!(
                "it ends at offset {}, but the struct has {size} bytes",
                self.end()
            )));
        }
        Ok(())
    }

    fn end(&self) -> u64 {
        u64::from(self.offset).saturating_add(self.of.size())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it begins, bytes from the beginning of the struct.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// What it is.
    #[must_use]
    pub fn of(&self) -> &Type {
        &self.of
    }
}
