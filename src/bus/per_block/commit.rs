//! Where a block's values go.

use std::fmt;

use super::super::record::Header;
use super::damaged::Damaged;

/// To whom a [`PerBlock`](super::PerBlock) hands a block's values when the block has ended. A closure is one, whose parameters'
/// types are written out: `|block: &Header, values: &mut Vec<Trade>| ..`. A store that wants to know of damaged blocks implements
/// it:
///
/// ```
/// use ringbus::bus::{Commit, Damaged, Header};
///
/// #[derive(Default)]
/// struct Table {
///     rows: Vec<(u64, u32)>,
///     is_patchy: bool,
/// }
///
/// impl Commit<u32> for Table {
///     type Error = std::io::Error;
///
///     fn commit(&mut self, block: &Header, values: &mut Vec<u32>) -> Result<(), Self::Error> {
///         self.rows.extend(values.drain(..).map(|value| (block.block_height, value)));
///         Ok(())
///     }
///
///     fn damaged(&mut self, _block: &Damaged) -> Result<(), Self::Error> {
///         self.is_patchy = true;
///         Ok(())
///     }
/// }
/// ```
pub trait Commit<T>: Send + 'static {
    /// What can go wrong. Its text is what others get to see.
    type Error: fmt::Display;

    /// A block has ended, and these are its values; `block` is the header of its last record. What is left in `values` is dropped
    /// afterwards; their memory is used again for the next block.
    ///
    /// # Errors
    ///
    /// Ends the subscription. The last record of the block does not count as handled.
    fn commit(&mut self, block: &Header, values: &mut Vec<T>) -> Result<(), Self::Error>;

    /// A block is damaged. Unless told to [commit damaged blocks](super::PerBlock::commit_damaged), its values are dropped and it
    /// is not committed. Told once a block, when it is noticed.
    ///
    /// # Errors
    ///
    /// Ends the subscription: for a store that would rather have no blocks than some.
    fn damaged(&mut self, block: &Damaged) -> Result<(), Self::Error> {
        let _ = block;
        Ok(())
    }
}

impl<T, Error, F> Commit<T> for F
where
    F: FnMut(&Header, &mut Vec<T>) -> Result<(), Error> + Send + 'static,
    Error: fmt::Display,
{
    type Error = Error;

    fn commit(&mut self, block: &Header, values: &mut Vec<T>) -> Result<(), Error> {
        self(block, values)
    }
}
