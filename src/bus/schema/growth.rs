//! Whether a newer program can go on with what an older one has written.

use std::error::Error;
use std::fmt;

use super::super::kind::Kind;
use super::Schema;
use super::event_type::EventType;
use super::structs::Field;
use super::types::Type;

impl Schema {
    /// Whether a program whose events are those of `newer` can read, and go on with, what was written with this schema.
    ///
    /// It can, unless a kind that both know has another payload under the same layout number: then its records of before and of now
    /// could not be told apart. New kinds, kinds that are gone, and new layouts (with a new number) are fine, and so are new names in
    /// an enum.
    ///
    /// ```
    /// mod before {
    ///     ringbus::events! {
    ///         pub schema Exchange, version 1;
    ///         pub event Trade, kind 8 { pub price: u32, pub size: u32 }
    ///     }
    /// }
    /// mod now {
    ///     ringbus::events! {
    ///         pub schema Exchange, version 2;
    ///         pub event Trade, kind 8 { pub price: u64, pub size: u64 }
    ///     }
    /// }
    ///
    /// let refused = before::Exchange::schema().check_growth(now::Exchange::schema()).unwrap_err();
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "event `Trade` (kind 8): layout 1 has changed: field `price` was u32 at 0, is u64 at 0; give it a new `layout` number"
    /// );
    /// ```
    ///
    /// # Errors
    ///
    /// [`LayoutChanged`], of the first such kind.
    pub fn check_growth(&self, newer: &Self) -> Result<(), LayoutChanged> {
        newer.events().iter().try_for_each(|event| match self.event(event.kind()) {
            Some(known) => known.check_growth(event),
            None => Ok(()),
        })
    }
}

impl EventType {
    /// The same for two descriptions of one kind. Those of two layouts are always fine.
    ///
    /// # Errors
    ///
    /// [`LayoutChanged`].
    pub fn check_growth(&self, newer: &Self) -> Result<(), LayoutChanged> {
        if self.version() != newer.version() {
            return Ok(());
        }
        match event_change(self, newer) {
            None => Ok(()),
            Some(change) => Err(LayoutChanged {
                event: self.name().to_owned(),
                kind: self.kind(),
                layout: self.version(),
                change,
            }),
        }
    }
}

/// The payload of a kind is another one, under the same layout number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutChanged {
    /// The event's name, as it was written before.
    pub event: String,
    /// Its kind.
    pub kind: Kind,
    /// The layout.
    pub layout: u8,
    /// What is different: the first difference.
    pub change: String,
}

impl fmt::Display for LayoutChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, kind, layout, change } = self;
        write!(
            f,
            "event `{event}` (kind {kind}): layout {layout} has changed: {change}; give it a new `layout` number"
        )
    }
}

impl Error for LayoutChanged {}

fn event_change(old: &EventType, new: &EventType) -> Option<String> {
    if old.name() != new.name() {
        return Some(format!("it was named `{}`, is named `{}`", old.name(), new.name()));
    }
    fields_change("", old.fields(), new.fields())
        .or_else(|| size_change("the payload", old.size(), new.size()))
}

fn size_change(what: &str, old: Option<u32>, new: Option<u32>) -> Option<String> {
    let said = |size: Option<u32>| size.map_or("text".to_owned(), |size| format!("{size} bytes"));
    (old != new).then(|| format!("{what} was {}, is {}", said(old), said(new)))
}

/// `path`: what the fields are in, with a dot behind it.
fn fields_change(path: &str, old: &[Field], new: &[Field]) -> Option<String> {
    let of_old = old.iter().find_map(|field| {
        let name = format!("{path}{}", field.name());
        match new.iter().find(|other| other.name() == field.name()) {
            Some(other) => type_change(&name, (field.of(), field.offset()), (other.of(), other.offset())),
            None => Some(format!("field `{name}` was {}, is gone", place(field.of(), field.offset()))),
        }
    });
    of_old.or_else(|| {
        let is_new = |field: &&Field| old.iter().all(|other| other.name() != field.name());
        let field = new.iter().find(is_new)?;
        Some(format!("field `{path}{}` is new, {}", field.name(), place(field.of(), field.offset())))
    })
}

fn type_change(name: &str, old: (&Type, u32), new: (&Type, u32)) -> Option<String> {
    match (old, new) {
        ((Type::Struct(a), at), (Type::Struct(b), also_at)) if at == also_at => {
            fields_change(&format!("{name}."), a.fields(), b.fields())
                .or_else(|| size_change(&format!("field `{name}`"), Some(a.size()), Some(b.size())))
        }
        (
            (Type::Array { element: a, length }, at),
            (Type::Array { element: b, length: same_length }, also_at),
        ) if at == also_at && length == same_length => type_change(&format!("{name}[]"), (a, at), (b, at)),
        ((Type::Enum(a), at), (Type::Enum(b), also_at)) if at == also_at && a.width() == b.width() => {
            a.names().iter().find_map(|(number, was)| match b.name_of(*number) {
                Some(is) if is == was => None,
                Some(is) => Some(format!("{number} in field `{name}` was `{was}`, is `{is}`")),
                None => Some(format!("{number} in field `{name}` was `{was}`, has no name")),
            })
        }
        _ if old == new => None,
        _ => Some(format!("field `{name}` was {}, is {}", place(old.0, old.1), place(new.0, new.1))),
    }
}

fn place(of: &Type, offset: u32) -> String {
    format!("{} at {offset}", type_name(of))
}

fn type_name(of: &Type) -> String {
    match of {
        Type::Bytes { length } => format!("[u8; {length}]"),
        Type::Text { length } => format!("Text<{length}>"),
        Type::Fixed { scale } => format!("Fixed<{scale}>"),
        Type::Enum(of) => format!("`{}` (u{})", of.name(), 8 * u32::from(of.width())),
        Type::Struct(of) => format!("`{}` ({} bytes)", of.name(), of.size()),
        Type::Array { element, length } => format!("[{}; {length}]", type_name(element)),
        Type::Timestamp | Type::Span => format!("{of:?}"),
        // As in Rust.
        plain => format!("{plain:?}").to_lowercase(),
    }
}
