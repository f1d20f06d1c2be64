//! A schema from bytes, which may be any. The [module](super#the-encoding) describes them.

use super::super::kind::{Kind, Topic};
use super::Schema;
use super::encode::{ARRAY, BYTES, ENUM, FIXED, FORMAT, MAGIC, PLAIN, STRUCT, STRUCT_BODY, TEXT, TEXT_BODY};
use super::error::SchemaError;
use super::event_type::EventType;
use super::structs::{Field, StructType};
use super::types::{EnumType, Type};
use super::{MAX_LEVELS, names};

pub(super) fn schema(bytes: &[u8]) -> Result<Schema, SchemaError> {
    let mut reader = Reader { bytes, at: 0 };
    let decoded = reader.schema().map_err(|error| error.within(format_args!("up to byte {}", reader.at)))?;
    let behind = bytes.len() - reader.at;
    if behind > 0 {
        let problem =
            format!("the schema ends at byte {}, but there are {behind} bytes behind it", reader.at);
        return Err(SchemaError::new(problem));
    }
    Ok(decoded)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn schema(&mut self) -> Result<Schema, SchemaError> {
        let magic = self.take(MAGIC.len(), "the magic")?;
        if magic != MAGIC {
            return Err(SchemaError::new(
                "these bytes are no schema; expected `RBSCHEMA` at their beginning",
            ));
        }
        let format = self.u16("the format")?;
        if format != FORMAT {
            let problem =
                format!("format {format}; this release reads {FORMAT}: read it with the one that wrote it");
            return Err(SchemaError::new(problem));
        }
        let name = self.name("the schema's name")?;
        let version = self.u32("the schema's version")?;
        let events = self.list("the number of events", |reader, index| {
            reader.event_type().map_err(|error| error.within(format_args!("event {index}")))
        })?;
        expect_ascending(events.iter().map(|event| u64::from(event.kind().get())), "kinds")?;
        Schema::new(name, version, events)
    }

    fn event_type(&mut self) -> Result<EventType, SchemaError> {
        let kind = Kind::new(self.u16("its kind")?);
        let topic = Topic::new(self.u16("its topic")?);
        let version = self.u8("its layout's version")?;
        match self.u8("what its payload is")? {
            STRUCT_BODY => Ok(EventType::new(kind, topic, version, self.struct_type(0)?)),
            TEXT_BODY => EventType::text(kind, topic, version, self.name("its name")?),
            other => {
                Err(SchemaError::new(format!("its payload is {other}; expected 0, a struct, or 1, text")))
            }
        }
    }

    fn struct_type(&mut self, level: usize) -> Result<StructType, SchemaError> {
        let name = self.name("the struct's name")?;
        let size = self.u32("the struct's size")?;
        let fields = self
            .list("the number of fields", |reader, _| reader.field(level + 1))
            .map_err(|error| error.within(format_args!("struct `{name}`")))?;
        StructType::new(name, size, fields)
    }

    fn field(&mut self, level: usize) -> Result<Field, SchemaError> {
        let name = self.name("the field's name")?;
        let offset = self.u32("the field's offset")?;
        let of = self.value_type(level).map_err(|error| error.within(format_args!("field `{name}`")))?;
        Ok(Field::new(name, offset, of))
    }

    /// `level`: how many structs and arrays it is in. It bounds the recursion.
    fn value_type(&mut self, level: usize) -> Result<Type, SchemaError> {
        if level > MAX_LEVELS {
            return Err(SchemaError::new(format!("it nests more than {MAX_LEVELS} deep")));
        }
        let code = self.u8("the type")?;
        if let Some((_, plain)) = PLAIN.iter().find(|(of, _)| *of == code) {
            return Ok(plain.clone());
        }
        match code {
            BYTES => Ok(Type::Bytes { length: self.u32("the number of bytes")? }),
            TEXT => Ok(Type::Text { length: self.u32("the length of the text")? }),
            FIXED => Ok(Type::Fixed { scale: self.u8("the scale")? }),
            ENUM => Ok(Type::Enum(self.enum_type()?)),
            STRUCT => Ok(Type::Struct(self.struct_type(level)?)),
            ARRAY => {
                let length = self.u32("the array's length")?;
                Ok(Type::Array { element: Box::new(self.value_type(level + 1)?), length })
            }
            other => Err(SchemaError::new(format!("type {other}; expected one from 1 to 18"))),
        }
    }

    fn enum_type(&mut self) -> Result<EnumType, SchemaError> {
        let name = self.name("the enum's name")?;
        let width = self.u8("the enum's width")?;
        let names = self
            .list("the number of names", |reader, _| {
                Ok((reader.u64("the number")?, reader.name("its name")?))
            })
            .map_err(|error| error.within(format_args!("enum `{name}`")))?;
        expect_ascending(names.iter().map(|(number, _)| *number), "numbers")
            .map_err(|error| error.within(format_args!("enum `{name}`")))?;
        EnumType::new(name, width, names)
    }

    /// As many as the count before them says. Nothing is allocated on its word alone.
    fn list<T>(
        &mut self,
        what: &str,
        mut each: impl FnMut(&mut Self, u16) -> Result<T, SchemaError>,
    ) -> Result<Vec<T>, SchemaError> {
        let count = self.u16(what)?;
        let mut list = Vec::new();
        for index in 0..count {
            list.push(each(self, index)?);
        }
        Ok(list)
    }

    fn name(&mut self, what: &str) -> Result<String, SchemaError> {
        let length = self.u8(what)?;
        let bytes = self.take(usize::from(length), what)?;
        let name = str::from_utf8(bytes).map_err(|error| SchemaError::new(format!("{what}: {error}")))?;
        names::check(name).map_err(|error| error.within(what))?;
        Ok(name.to_owned())
    }

    fn u8(&mut self, what: &str) -> Result<u8, SchemaError> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    fn u16(&mut self, what: &str) -> Result<u16, SchemaError> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    fn u32(&mut self, what: &str) -> Result<u32, SchemaError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64, SchemaError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], SchemaError> {
        let bytes = self.take(N, what)?;
        Ok(bytes.try_into().expect("N bytes were taken"))
    }

    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], SchemaError> {
        let left = &self.bytes[self.at..];
        let Some((taken, _)) = left.split_at_checked(count) else {
            let problem = format!("{what} takes {count} bytes, but {} are left: it is cut off", left.len());
            return Err(SchemaError::new(problem));
        };
        self.at += count;
        Ok(taken)
    }
}

/// So that one schema has one encoding. Two that are equal are refused where they are put together.
fn expect_ascending(numbers: impl Iterator<Item = u64> + Clone, what: &str) -> Result<(), SchemaError> {
    let next = numbers.clone().skip(1);
    match numbers.zip(next).find(|(number, next)| number > next) {
        Some((number, next)) => {
            Err(SchemaError::new(format!("{what}: {next} comes after {number}; expected ascending ones")))
        }
        None => Ok(()),
    }
}
