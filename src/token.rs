//! What keeps the methods of sealed traits inside this crate.

/// An argument that nobody else can make. A sealed trait alone keeps others from implementing it; its methods could still be
/// called through a bound or a trait object, and some of them hand out permissions.
#[derive(Clone, Copy, Debug)]
pub struct Token(());

impl Token {
    pub(crate) const CRATE: Self = Self(());
}
