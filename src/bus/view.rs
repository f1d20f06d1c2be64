//! Views: what payloads of several kinds have in common.

use super::kind::Kind;
use super::record_ref::RecordRef;

/// Something that records of several kinds have: a market, a party. Whoever asks for it need not name the kinds, and need not be
/// changed when one is added.
///
/// [`events!`](crate::events) makes views of one field each. By hand one can compute its item:
///
/// ```
/// use ringbus::bus::{Kind, Payload, RecordRef, View};
///
/// ringbus::events! {
///     /// What the exchange says.
///     pub schema Exchange, version 1;
///
///     /// Two orders met.
///     pub event Trade, kind 8 {
///         /// For each.
///         pub price: u64,
///         /// How many.
///         pub size: u64,
///     }
/// }
///
/// /// What changed hands, in money.
/// struct Turnover;
///
/// impl View for Turnover {
///     type Item = u64;
///     const NAME: &'static str = "turnover";
///     const KINDS: &'static [Kind] = &[Trade::KIND];
///
///     fn of(record: &RecordRef<'_>) -> Option<u64> {
///         record.get::<Trade>().map(|trade| trade.price * trade.size)
///     }
/// }
/// ```
pub trait View {
    /// What it finds in a record.
    type Item;

    /// Its name, for those who print.
    const NAME: &'static str;

    /// The kinds of the records that have it. [`of`](Self::of) finds nothing in others, so that filters need to ask for these only.
    const KINDS: &'static [Kind];

    /// What `record` has of it: `None` if the record is of another kind, or its length does not fit the kind.
    fn of(record: &RecordRef<'_>) -> Option<Self::Item>;
}
