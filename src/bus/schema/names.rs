//! What names may be, and how many of them.

use std::collections::HashSet;

use super::error::SchemaError;

/// A name is an identifier, at most 255 bytes long: its length is one byte.
pub(super) fn check(name: &str) -> Result<(), SchemaError> {
    // Not stricter than Rust, whose identifiers may be in any script.
    let is_identifier = !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|character| {
            let is_mark = character.is_ascii_punctuation() && character != '_';
            !(is_mark || character.is_whitespace() || character.is_control())
        });
    if name.is_empty() || name.len() > usize::from(u8::MAX) || !is_identifier {
        let problem =
            format!("`{}` is not a name; expected an identifier of at most 255 bytes", name.escape_debug());
        return Err(SchemaError::new(problem));
    }
    Ok(())
}

/// No name twice.
pub(super) fn check_unique<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), SchemaError> {
    let mut seen = HashSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(SchemaError::new(format!("there are two `{name}`; expected different names"))),
        None => Ok(()),
    }
}

/// Counts are two bytes.
pub(super) fn check_count(count: usize, of: &str) -> Result<(), SchemaError> {
    if count > usize::from(u16::MAX) {
        return Err(SchemaError::new(format!("{count} {of}; the most is {}", u16::MAX)));
    }
    Ok(())
}
