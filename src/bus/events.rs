//! The macro that declares a core's events.

/// Declares the events of a core, once: their types, kinds and topics, and with them a [`Schema`](crate::bus::schema::Schema), so
/// that tools can print any event without the core's code.
///
/// ```
/// use ringbus::Sequence;
/// use ringbus::bus::schema::Schema;
/// use ringbus::bus::{Fixed, Header, Payload, RecordRef, View};
///
/// ringbus::events! {
///     /// What the exchange says.
///     pub schema Exchange, version 1;
///
///     /// Which side of the book.
///     pub enum Side: u8 {
///         /// The bids.
///         BUY = 1,
///         /// The asks.
///         SELL = 2,
///     }
///
///     /// Some of it, at a price.
///     #[derive(Eq)]
///     pub struct Level {
///         /// For each.
///         pub price: Fixed<2>,
///         /// How many.
///         pub size: u64,
///     }
///
///     /// Two orders met.
///     #[derive(Eq)]
///     pub event Trade, kind 8, topic 2 {
///         /// What was traded.
///         pub level: Level,
///         /// Where.
///         pub market: u32,
///         /// Who came last.
///         pub side: Side,
///         #[doc(hidden)]
///         pub _padding: [u8; 3],
///     }
///
///     /// A market has stopped.
///     pub event Halted, kind 9 {
///         /// Which.
///         pub market: u32,
///     }
///
///     /// Whatever has a market.
///     pub view Market: u32 {
///         market in [Trade, Halted],
///     }
/// }
///
/// let level = Level { price: Fixed::new(10_125), size: 3 };
/// let trade = Trade { level, market: 7, side: Side::BUY, ..Trade::default() };
///
/// let header = Header { kind: Trade::KIND, version: Trade::VERSION, ..Header::default() };
/// let record = RecordRef::new(Sequence::new(0), &header, bytemuck::bytes_of(&trade));
///
/// // The core and its consumers, which know the types, choose by them:
/// match Exchange::of(&record) {
///     Some(Exchange::Trade(trade)) => assert_eq!(trade.level.size, 3),
///     Some(Exchange::Halted(_)) => unreachable!("it is a trade"),
///     None => {} // of a kind that is not ours
/// }
/// assert_eq!(Market::of(&record), Some(7));
///
/// // Tools that do not know them print them by the schema:
/// let schema = Schema::decode(&Exchange::schema().encode())?;
/// let printed = schema.display(&record).to_string();
/// assert_eq!(printed, "Trade { level: Level { price: 101.25, size: 3 }, market: 7, side: BUY }");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The schema comes first; the rest in any order, with one event at least. What each becomes:
///
/// - `schema Name, version N;`: an enum that has a variant for each event, made of a record by `Name::of` (`None`: a kind that is
///   not declared here, or a length that is not the type's; both are to be passed over); `Name::KINDS`; and `Name::schema()`, which is
///   built at its first call.
/// - `struct Name { .. }`: a `repr(C)` struct, for fields of others. Its `Default` is all zeroes.
/// - `event Name, kind K [, topic T] [, layout V] { .. }`: the same, and a [`Payload`](crate::bus::Payload). The topic is 0
///   unless given, the version of the layout 1; whoever changes the fields of a kind counts it up.
/// - `enum Name: u8 { .. }`: an *open enum*: a number (`u8`, `u16`, `u32` or `u64`) with named constants, that may stand in a `match`.
///   It can have values without a name, because any bits must be valid in a payload, and because another version of the core may know
///   more of them. `new` and `get` convert; `name` tells the name. Its `Default` is 0, named or not.
/// - `view Name: Item { field in [Event, ..], .. }`: a [`View`](crate::bus::View) of that field, which all these events have. Where
///   the field goes by another name, add a line: `taker in [Order]`.
///
/// Fields are what is [`Described`](crate::bus::schema::Described). Visibility, comments and attributes stay as written, but for `cfg`,
/// which is refused: a core's events do not depend on how it is built. `Clone`, `Copy`, `Debug` and `PartialEq` (for enums `Eq`, `Ord`
/// and `Hash` too) are derived; what else is needed can be. Kinds, topics, versions and the numbers of enums are literals.
///
/// # Padding
///
/// A payload has no gaps, which would be bytes that nobody has written. Order the fields by size, largest first, and fill what is left
/// with fields whose names begin with `_`: schemas leave them out, and `..Trade::default()` fills them in.
///
/// # Panics
///
/// `Name::schema()` panics if the declaration is beyond what a schema can say: names of more than 255 bytes, structs and arrays that
/// nest more than 16 deep.
///
/// # Compile errors
///
/// A gap:
///
/// ```compile_fail,E0080
/// ringbus::events! {
///     pub schema Exchange, version 1;
///     pub event Trade, kind 8 { pub market: u32, pub size: u64 }
/// }
/// ```
///
/// Two events of one kind:
///
/// ```compile_fail,E0080
/// ringbus::events! {
///     pub schema Exchange, version 1;
///     pub event Trade, kind 8 { pub market: u32 }
///     pub event Order, kind 8 { pub market: u64 }
/// }
/// ```
///
/// A kind of the bus's own ([`Kind::FIRST_RESERVED`](crate::bus::Kind::FIRST_RESERVED)):
///
/// ```compile_fail,E0080
/// ringbus::events! {
///     pub schema Exchange, version 1;
///     pub event Trade, kind 0xFF00 { pub market: u32 }
/// }
/// ```
///
/// A number with two names:
///
/// ```compile_fail,E0080
/// ringbus::events! {
///     pub schema Exchange, version 1;
///     pub enum Side: u8 { BUY = 1, SELL = 1 }
///     pub event Trade, kind 8 { pub taker: Side }
/// }
/// ```
///
/// A field that is not any bits:
///
/// ```compile_fail,E0277
/// ringbus::events! {
///     pub schema Exchange, version 1;
///     pub event Trade, kind 8 { pub taker_buys: bool }
/// }
/// ```
#[macro_export]
macro_rules! events {
    (
        $(#[$schema_attribute:meta])*
        $schema_visibility:vis schema $schema:ident, version $version:literal;
        $(
            $(#[$attribute:meta])*
            $visibility:vis $item:ident $name:ident $(: $of:ty)?
            $(, kind $kind:literal $(, topic $topic:literal)? $(, layout $layout:literal)?)?
            { $($body:tt)* }
        )*
    ) => {
        $(
            $crate::__events_item! {
                $item
                $(#[$attribute])*
                ($visibility) $name
                [$($of)?]
                [$($kind $(, topic $topic)? $(, layout $layout)?)?]
                { $($body)* }
            }
        )*

        $(#[$schema_attribute])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        $schema_visibility enum $schema<'a> {
            $($(
                #[doc = ::core::concat!("Kind ", ::core::stringify!($kind), ".")]
                $name(&'a $name),
            )?)*
        }

        #[allow(dead_code)]
        impl<'a> $schema<'a> {
            /// The kinds of its events, in the order of their declaration.
            $schema_visibility const KINDS: &'static [$crate::bus::Kind] = &[$($($crate::bus::Kind::new($kind),)?)*];

            /// The event that `record` is: `None`, if its kind is none of these, or its length is not that of the kind.
            #[inline]
            #[must_use]
            $schema_visibility fn of(record: &$crate::bus::RecordRef<'a>) -> ::core::option::Option<Self> {
                match record.kind().get() {
                    $($($kind => record.get::<$name>().map(Self::$name),)?)*
                    _ => ::core::option::Option::None,
                }
            }

            /// What its events look like, as data.
            #[must_use]
            $schema_visibility fn schema() -> &'static $crate::bus::schema::Schema {
                static SCHEMA: ::std::sync::LazyLock<$crate::bus::schema::Schema> = ::std::sync::LazyLock::new(|| {
                    $crate::bus::schema::declare::schema(
                        ::core::stringify!($schema),
                        $version,
                        [$($({
                            const _: u16 = $kind;
                            $crate::bus::schema::EventType::of::<$name>()
                        },)?)*],
                    )
                });
                &SCHEMA
            }
        }

        const _: () = {
            const KINDS: &[u64] = &[$($($kind,)?)*];
            $($(::core::assert!(
                $crate::bus::schema::declare::is_single(KINDS, $kind),
                ::core::concat!("another event of the schema has the kind of `", ::core::stringify!($name), "` too")
            );)?)*
        };
    };
}

/// One item of [`events!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __events_item {
    (
        enum
        $(#[$attribute:meta])*
        ($visibility:vis) $name:ident
        [$of:ty]
        []
        { $($(#[$constant_attribute:meta])* $constant:ident = $number:literal),* $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        $visibility struct $name($of);

        const _: () = {
            $crate::bus::schema::declare::check_number::<$of>();
            // That is its one field, whatever its attributes say.
            let _ = |$name(number): &$name| {
                let _: &$of = number;
            };
            const NUMBERS: &[u64] = &[$($number),*];
            $(::core::assert!(
                $crate::bus::schema::declare::is_single(NUMBERS, $number),
                ::core::concat!(
                    "another constant of `", ::core::stringify!($name), "` has the number of `", ::core::stringify!($constant), "` too"
                )
            );)*
        };

        // SAFETY: it is an integer and nothing else in memory, as checked above.
        unsafe impl $crate::bus::schema::declare::Zeroable for $name {}
        // SAFETY: it is an integer and nothing else in memory, as checked above.
        unsafe impl $crate::bus::schema::declare::Pod for $name {}

        #[allow(dead_code)]
        impl $name {
            $(
                $(#[$constant_attribute])*
                $visibility const $constant: Self = Self($number);
            )*

            /// The one with this number, whether it has a name or not.
            #[inline]
            #[must_use]
            $visibility const fn new(number: $of) -> Self {
                Self(number)
            }

            /// Its number.
            #[inline]
            #[must_use]
            $visibility const fn get(self) -> $of {
                self.0
            }

            /// Its name, if it has one.
            #[must_use]
            $visibility const fn name(self) -> ::core::option::Option<&'static str> {
                match self.0 {
                    $($number => ::core::option::Option::Some($crate::bus::schema::declare::name(::core::stringify!($constant))),)*
                    _ => ::core::option::Option::None,
                }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::bus::schema::declare::write_enum(f, ::core::stringify!($name), self.name(), self.0.into())
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }

        impl $crate::bus::schema::Described for $name {
            fn described() -> $crate::bus::schema::Type {
                $crate::bus::schema::declare::enum_type::<$of>(
                    ::core::stringify!($name),
                    [$(($number, ::core::stringify!($constant))),*],
                )
            }
        }
    };

    (
        struct
        $(#[$attribute:meta])*
        ($visibility:vis) $name:ident
        []
        []
        { $($(#[$field_attribute:meta])* $field_visibility:vis $field:ident: $of:ty),* $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[repr(C)]
        $visibility struct $name {
            $($(#[$field_attribute])* $field_visibility $field: $of,)*
        }

        const _: () = {
            $($crate::bus::schema::declare::check_field::<$of>();)*
            // These are its fields, all of them, whatever its attributes say.
            let _ = |value: &$name| {
                let $name { $($field),* } = value;
                $(let _: &$of = $field;)*
            };
            ::core::assert!(
                ::core::mem::size_of::<$name>() == 0 $(+ ::core::mem::size_of::<$of>())*,
                ::core::concat!(
                    "`", ::core::stringify!($name), "` has gaps between its fields or behind them: ",
                    "order the fields by size, largest first, and fill what is left, like `_padding: [u8; 4]`"
                )
            );
            ::core::assert!(
                ::core::mem::align_of::<$name>() <= 64,
                ::core::concat!("`", ::core::stringify!($name), "` is aligned to more than 64 bytes: payloads are not")
            );
        };

        // SAFETY: all fields can be zero: they are `Pod`, as checked above.
        unsafe impl $crate::bus::schema::declare::Zeroable for $name {}
        // SAFETY: `repr(C)`, every field is `Pod`, and there are no gaps between or behind them, as checked above.
        unsafe impl $crate::bus::schema::declare::Pod for $name {}

        impl ::core::default::Default for $name {
            fn default() -> Self {
                $crate::bus::schema::declare::Zeroable::zeroed()
            }
        }

        impl $crate::bus::schema::Described for $name {
            fn described() -> $crate::bus::schema::Type {
                $crate::bus::schema::declare::struct_type::<Self>(
                    ::core::stringify!($name),
                    [$($crate::bus::schema::declare::field::<$of>(
                        ::core::stringify!($field),
                        ::core::mem::offset_of!($name, $field),
                    )),*],
                )
            }
        }
    };

    (
        event
        $(#[$attribute:meta])*
        ($visibility:vis) $name:ident
        []
        [$kind:literal $(, topic $topic:literal)? $(, layout $layout:literal)?]
        { $($body:tt)* }
    ) => {
        $crate::__events_item! {
            struct
            $(#[$attribute])*
            ($visibility) $name
            []
            []
            { $($body)* }
        }

        const _: () = ::core::assert!(
            $crate::bus::schema::declare::is_free($kind),
            ::core::concat!("the kind of `", ::core::stringify!($name), "` is the bus's own: choose one below 0xFF00")
        );

        impl $crate::bus::Payload for $name {
            const KIND: $crate::bus::Kind = $crate::bus::Kind::new($kind);
            $(const TOPIC: $crate::bus::Topic = $crate::bus::Topic::new($topic);)?
            $(const VERSION: u8 = $layout;)?
        }
    };

    (
        view
        $(#[$attribute:meta])*
        ($visibility:vis) $name:ident
        [$of:ty]
        []
        { $($field:ident in [$($event:ty),* $(,)?]),* $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        $visibility struct $name;

        impl $crate::bus::View for $name {
            type Item = $of;
            const NAME: &'static str = $crate::bus::schema::declare::name(::core::stringify!($name));
            const KINDS: &'static [$crate::bus::Kind] = &[$($(<$event as $crate::bus::Payload>::KIND,)*)*];

            #[inline]
            fn of(record: &$crate::bus::RecordRef<'_>) -> ::core::option::Option<$of> {
                match record.kind() {
                    $($(
                        <$event as $crate::bus::Payload>::KIND => record.get::<$event>().map(|event| event.$field),
                    )*)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    };

    ($item:ident $(#[$attribute:meta])* ($visibility:vis) $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "cannot read `", ::core::stringify!($item), " ", ::core::stringify!($name), "`; expected `enum Name: u8 { NAME = 1 }`, ",
            "`struct Name { field: type }`, `event Name, kind 1 { field: type }` or `view Name: type { field in [Event] }`"
        ));
    };
}
