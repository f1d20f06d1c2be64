//! What may travel on a ring.

use bytemuck::NoUninit;

/// The largest alignment of an event, bytes.
pub(crate) const MAX_EVENT_ALIGN: usize = 64;
/// Events are stored as 64-bit words.
pub(crate) const WORD_BYTES: usize = size_of::<u64>();

/// A value that may travel on a ring: fixed layout, no padding, no references.
///
/// Implemented for every type that is `Copy + NoUninit + Send + Sync + 'static`; derive [`bytemuck::NoUninit`] (bytemuck's
/// feature `derive`) and you have it. Enums and `bool` are welcome. Besides, the size must be at least 8 bytes and a
/// multiple of 8, and the alignment at most 64 bytes: a program that builds a ring of anything else does not compile
/// (`cargo check` does not notice; `cargo build` does).
///
/// ```
/// use bytemuck::NoUninit;
///
/// #[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
/// #[repr(C)]
/// struct Trade {
///     market: u32,
///     side: Side,
///     padding: [u8; 3], // said aloud: a type with hidden padding is refused
///     price: u64,
///     size: u64,
/// }
///
/// #[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
/// #[repr(u8)]
/// enum Side {
///     Buy = 1,
///     Sell = 2,
/// }
///
/// let (mut producer, ring) = ringbus::Ring::<Trade>::builder().build()?;
/// # let _ = ring;
/// producer.publish(&Trade { market: 7, side: Side::Sell, padding: [0; 3], price: 101, size: 5 })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Padding bytes are uninitialised, and an optional consumer would read them; the compiler refuses:
///
/// ```compile_fail,E0277
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Padded {
///     small: u8, // seven bytes of padding follow
///     large: u64,
/// }
/// let _ = ringbus::Ring::<Padded>::builder();
/// ```
///
/// So is a type that may not change threads:
///
/// ```compile_fail,E0277
/// #[derive(Clone, Copy)]
/// #[repr(transparent)]
/// struct NotSend(u64, std::marker::PhantomData<*const u8>);
/// // SAFETY: it is a `u64` and nothing else in memory.
/// unsafe impl bytemuck::NoUninit for NotSend {}
/// let _ = ringbus::Ring::<NotSend>::builder();
/// ```
///
/// And a size that is not made of 64-bit words:
///
/// ```compile_fail,E0080
/// let _ = ringbus::Ring::<[u8; 12]>::builder();
/// ```
pub trait Event: Copy + NoUninit + Send + Sync {}

impl<T: Copy + NoUninit + Send + Sync> Event for T {}

/// Stops the compilation of a ring whose events cannot be stored as words.
pub(crate) const fn assert_layout<E: Event>() {
    assert!(
        size_of::<E>() >= WORD_BYTES,
        "ringbus: an event must have at least 8 bytes: add a field or padding"
    );
    assert!(
        size_of::<E>().is_multiple_of(WORD_BYTES),
        "ringbus: the size of an event must be a multiple of 8 bytes: add explicit padding at its end"
    );
    assert!(
        align_of::<E>() <= MAX_EVENT_ALIGN,
        "ringbus: the alignment of an event must be at most 64 bytes"
    );
}
