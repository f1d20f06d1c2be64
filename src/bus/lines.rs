//! Memory that is aligned as slots are.

use bytemuck::{Pod, Zeroable};

/// A cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; 64]);

// SAFETY: it is bytes and nothing else in memory.
unsafe impl Zeroable for Line {}
// SAFETY: 64 bytes, aligned to 64: no padding, and any bits will do.
unsafe impl Pod for Line {}

/// Bytes that begin on a cache line, in memory that grows and is used again.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<Line>);

impl Lines {
    /// Makes room for so many bytes, and keeps what is there.
    pub(super) fn reserve(&mut self, bytes: usize) {
        let lines = bytes.div_ceil(size_of::<Line>());
        if self.0.len() < lines {
            self.0.resize(lines.next_power_of_two(), Line([0; 64]));
        }
    }

    #[inline(always)]
    pub(super) fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }

    #[inline(always)]
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}
