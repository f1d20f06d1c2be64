//! What `events!` declares, and what schemas say of it: layouts, encoding, fingerprints, and records printed without their code.

// Whoever declares events need not allow unsafe code.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use proptest::prelude::*;
use ringbus::Sequence;
use ringbus::bus::schema::{EnumType, EventType, Field, Schema, StructType, Type, Value};
use ringbus::bus::{
    Fixed, Hash, Header, Kind, Payload, RecordRef, Span, Text, TextError, Timestamp, Topic, TransactionEnded,
    View,
};

ringbus::events! {
    /// What the exchange of this test says.
    schema Exchange, version 3;

    /// Which side of the book.
    enum Side: u8 { BUY = 1, SELL = 2 }

    /// Why it was done.
    enum Reason: u16 {
        NONE = 0,
        LIQUIDATED = 300,
        #[allow(non_upper_case_globals)]
        r#final = 0xFFFF,
    }

    /// Whatever has a market.
    view Market: u32 { market in [Trade, Order], venue in [Halted] }

    /// Some of it, at a price.
    struct Level { price: Fixed<2>, size: u64 }

    /// One of everything.
    event Trade, kind 8, topic 2, layout 4 {
        hash: Hash,
        time: Timestamp,
        took: Span,
        levels: [Level; 2],
        change: i64,
        rate: f64,
        r#type: u64,
        market: u32,
        weight: f32,
        drift: i32,
        reason: Reason,
        small: i16,
        flags: u16,
        side: Side,
        tiny: i8,
        count: u8,
        tag: [u8; 2],
        symbol: Text<8>,
        _padding: [u8; 9],
    }

    /// Somebody wants something.
    event Order, kind 9 { market: u32, side: Side, _padding: [u8; 3] }

    /// A market has stopped.
    event Halted, kind 3, layout 2 { venue: u32, sides: [Side; 4] }

    /// Nothing but a header.
    #[derive(Eq)]
    event Beat, kind 1 {}
}

fn trade() -> Trade {
    Trade {
        hash: Hash::new([0xAB; 32]),
        time: Timestamp::new(1_700_000_000_123_456_789),
        took: Span::new(-2_500),
        levels: [
            Level { price: Fixed::new(10_125), size: 3 },
            Level { price: Fixed::new(-1), size: u64::MAX },
        ],
        change: i64::MIN,
        rate: 0.1,
        r#type: 7,
        market: 3,
        weight: 0.1,
        drift: -70_000,
        reason: Reason::LIQUIDATED,
        small: -300,
        flags: 65_535,
        side: Side::BUY,
        tiny: -128,
        count: 255,
        tag: [0x0A, 0xF0],
        symbol: Text::new("a\"\u{e9}b").unwrap(),
        ..Trade::default()
    }
}

const PRINTED_TRADE: &str = "Trade { \
    hash: abababababababababababababababababababababababababababababababab, \
    time: 2023-11-14T22:13:20.123456789Z, took: -0.000002500s, \
    levels: [Level { price: 101.25, size: 3 }, Level { price: -0.01, size: 18446744073709551615 }], \
    change: -9223372036854775808, rate: 0.1, type: 7, market: 3, weight: 0.1, drift: -70000, \
    reason: LIQUIDATED, small: -300, flags: 65535, side: BUY, tiny: -128, count: 255, tag: 0af0, \
    symbol: \"a\\\"\u{e9}b\" }";

fn header(kind: Kind, version: u8) -> Header {
    Header { kind, version, ..Header::default() }
}

fn header_of<T: Payload>() -> Header {
    header(T::KIND, T::VERSION)
}

fn record<'a>(header: &'a Header, payload: &'a [u8]) -> RecordRef<'a> {
    RecordRef::new(Sequence::new(0), header, payload)
}

fn printed(schema: &Schema, header: &Header, payload: &[u8]) -> String {
    schema.display(&record(header, payload)).to_string()
}

// What the macro declares.

#[test]
fn payloads_have_the_declared_kinds_topics_and_versions() {
    assert_eq!((Trade::KIND, Trade::TOPIC, Trade::VERSION), (Kind::new(8), Topic::new(2), 4));
    assert_eq!((Order::KIND, Order::TOPIC, Order::VERSION), (Kind::new(9), Topic::new(0), 1));
    assert_eq!((Halted::KIND, Halted::TOPIC, Halted::VERSION), (Kind::new(3), Topic::new(0), 2));
    assert_eq!(Exchange::KINDS, [8, 9, 3, 1].map(Kind::new));
}

#[test]
fn a_schema_has_names_offsets_and_sizes_and_no_padding() {
    let schema = Exchange::schema();
    assert_eq!((schema.name(), schema.version()), ("Exchange", 3));
    let kinds: Vec<_> =
        schema.events().iter().map(|event| (event.kind().get(), event.name(), event.size())).collect();
    assert_eq!(
        kinds,
        [(1, "Beat", Some(0)), (3, "Halted", Some(8)), (8, "Trade", Some(144)), (9, "Order", Some(8))]
    );

    let trade = schema.event(Kind::new(8)).unwrap();
    assert_eq!((trade.topic(), trade.version()), (Topic::new(2), 4));
    let fields: Vec<_> =
        trade.fields().iter().map(|field| (field.name(), field.offset(), field.of().size())).collect();
    assert_eq!(
        fields,
        [
            ("hash", 0, 32),
            ("time", 32, 8),
            ("took", 40, 8),
            ("levels", 48, 32),
            ("change", 80, 8),
            ("rate", 88, 8),
            ("type", 96, 8),
            ("market", 104, 4),
            ("weight", 108, 4),
            ("drift", 112, 4),
            ("reason", 116, 2),
            ("small", 118, 2),
            ("flags", 120, 2),
            ("side", 122, 1),
            ("tiny", 123, 1),
            ("count", 124, 1),
            ("tag", 125, 2),
            ("symbol", 127, 8),
        ]
    );
    let Type::Array { element, length: 2 } = trade.fields()[3].of() else {
        panic!("{:?}", trade.fields()[3])
    };
    let Type::Struct(level) = &**element else { panic!("{element:?}") };
    assert_eq!((level.name(), level.size()), ("Level", 16));
    assert_eq!(level.fields()[0], Field::new("price", 0, Type::Fixed { scale: 2 }));
    let Type::Enum(reason) = trade.fields()[10].of() else { panic!("{:?}", trade.fields()[10]) };
    assert_eq!((reason.name(), reason.width()), ("Reason", 2));
    let names = [(0, "NONE"), (300, "LIQUIDATED"), (65_535, "final")];
    assert_eq!(reason.names(), names.map(|(number, name)| (number, name.to_owned())));
    assert_eq!((reason.name_of(300), reason.name_of(1)), (Some("LIQUIDATED"), None));
}

#[test]
fn open_enums_hold_any_number_and_know_the_named_ones() {
    let describe = |side: Side| match side {
        Side::BUY => "buys",
        Side::SELL => "sells",
        _ => "does something else",
    };
    assert_eq!([1, 2, 9].map(|number| describe(Side::new(number))), ["buys", "sells", "does something else"]);
    assert_eq!([Side::BUY.name(), Side::new(9).name()], [Some("BUY"), None]);
    assert_eq!([Reason::r#final.name(), Reason::new(2).name()], [Some("final"), None]);
    assert_eq!((Side::SELL.get(), Side::default().get()), (2, 0));
    assert_eq!(format!("{} {} {:?}", Side::SELL, Side::new(9), Side::new(0)), "SELL Side(9) Side(0)");
    assert_eq!(format!("[{:>5}]", Side::BUY), "[  BUY]");
}

#[test]
fn a_match_over_types_passes_over_what_it_does_not_know() {
    let trade = trade();
    let order = Order { market: 5, side: Side::SELL, ..Order::default() };
    let of = |header: &Header, payload: &[u8]| match Exchange::of(&record(header, payload)) {
        Some(Exchange::Trade(trade)) => format!("trade on {}", trade.market),
        Some(Exchange::Order(order)) => format!("order on {}", order.market),
        Some(Exchange::Halted(halted)) => format!("{} halted", halted.venue),
        Some(Exchange::Beat(Beat {})) => "beat".to_owned(),
        None => "nothing".to_owned(),
    };
    let (trade, order) = (bytemuck::bytes_of(&trade), bytemuck::bytes_of(&order));
    assert_eq!(of(&header_of::<Trade>(), trade), "trade on 3");
    assert_eq!(of(&header_of::<Order>(), order), "order on 5");
    assert_eq!(of(&header_of::<Halted>(), order), "5 halted");
    assert_eq!(of(&header_of::<Beat>(), &[]), "beat");
    assert_eq!(of(&header_of::<Trade>(), order), "nothing");
    assert_eq!(of(&header_of::<Order>(), &order[..7]), "nothing");
    assert_eq!(of(&header(Kind::new(77), 1), order), "nothing");
    assert_eq!(of(&header(Kind::BLOCK_BEGUN, 1), &[0; 32]), "nothing");
}

#[test]
fn a_view_finds_its_field_in_all_kinds_that_have_it() {
    let trade = trade();
    let halted = Halted { venue: 6, ..Halted::default() };
    assert_eq!(Market::NAME, "Market");
    assert_eq!(Market::KINDS, [Trade::KIND, Order::KIND, Halted::KIND]);
    assert_eq!(Market::of(&record(&header_of::<Trade>(), bytemuck::bytes_of(&trade))), Some(3));
    assert_eq!(Market::of(&record(&header_of::<Halted>(), bytemuck::bytes_of(&halted))), Some(6));
    assert_eq!(Market::of(&record(&header_of::<Trade>(), bytemuck::bytes_of(&halted))), None);
    assert_eq!(Market::of(&record(&header_of::<Beat>(), &[])), None);
}

// Records, printed.

#[test]
fn every_type_prints_as_it_is_and_the_decoded_schema_prints_the_same() {
    let decoded = Schema::decode(&Exchange::schema().encode()).unwrap();
    let trade = trade();
    for schema in [Exchange::schema(), &decoded] {
        assert_eq!(printed(schema, &header_of::<Trade>(), bytemuck::bytes_of(&trade)), PRINTED_TRADE);
        assert_eq!(printed(schema, &header_of::<Beat>(), &[]), "Beat");
        let halted = [2, 0, 0, 0, 1, 2, 9, 0];
        let expected = "Halted { venue: 2, sides: [BUY, SELL, Side(9), Side(0)] }";
        assert_eq!(printed(schema, &header_of::<Halted>(), &halted), expected);
    }
}

#[test]
fn values_are_read_wherever_the_payload_lies() {
    let trade = trade();
    let mut shifted = vec![0];
    shifted.extend(bytemuck::bytes_of(&trade));
    let event = Exchange::schema().event(Trade::KIND).unwrap();
    let values: HashMap<_, _> = event.values(&shifted[1..]).unwrap().collect();
    assert_eq!(values.len(), 18);
    assert!(matches!(values["change"], Value::Signed(i64::MIN)));
    assert!(matches!(values["flags"], Value::Unsigned(65_535)));
    assert!(matches!(values["tag"], Value::Bytes([0x0A, 0xF0])));
    assert!(matches!(values["symbol"], Value::Text("a\"\u{e9}b")));
    assert!(matches!(values["took"], Value::Span(took) if took.get() == -2_500));
    let Value::Enum(side) = &values["side"] else { panic!("{:?}", values["side"]) };
    assert_eq!((side.of().name(), side.name(), side.number()), ("Side", Some("BUY"), 1));
    let Value::Array(levels) = &values["levels"] else { panic!("{:?}", values["levels"]) };
    let mantissas = levels.clone().map(|level| {
        let Value::Struct(mut level) = level else { panic!("{level:?}") };
        assert_eq!(level.name(), "Level");
        let Some(("price", Value::Fixed { mantissa, scale: 2 })) = level.next() else { panic!("{level:?}") };
        mantissa
    });
    assert_eq!(mantissas.collect::<Vec<_>>(), [10_125, -1]);
}

#[test]
fn what_cannot_be_read_says_why_and_shows_the_bytes() {
    let schema = Exchange::schema();
    let of = |kind, version, payload: &[u8]| printed(schema, &header(Kind::new(kind), version), payload);
    assert_eq!(of(77, 1, &[10, 11]), "kind 77, 2 bytes: 0a0b");
    assert_eq!(of(77, 1, &[7; 33]), format!("kind 77, 33 bytes: {}..", "07".repeat(32)));
    assert_eq!(of(9, 1, &[1; 3]), "Order of another length (the schema has 8 bytes), 3 bytes: 010101");
    assert_eq!(of(9, 2, &[1; 8]), "Order of layout 2 (the schema has 1), 8 bytes: 0101010101010101");

    let error = schema.event(Order::KIND).unwrap().values(&[1; 3]).unwrap_err();
    let message = "`Order` (kind 9) has 8 bytes, not 3: use the schema of the core that wrote it";
    assert_eq!(error.to_string(), message);
}

#[test]
fn every_schema_knows_the_kinds_of_the_bus() {
    let schema = Exchange::schema();
    let ended = TransactionEnded { events: 4, code: 9 };
    let payload = bytemuck::bytes_of(&ended);
    let text = printed(schema, &header_of::<TransactionEnded>(), payload);
    assert_eq!(text, "TransactionEnded { events: 4, code: 9 }");

    let of = |kind, payload: &[u8]| printed(schema, &header(kind, 1), payload);
    let hash = "01".repeat(32);
    assert_eq!(of(Kind::BLOCK_BEGUN, &[1; 32]), format!("BlockBegun {{ hash: {hash} }}"));
    let ended = [[1; 32].as_slice(), &[5, 0, 0, 0, 2, 0, 0, 0]].concat();
    assert_eq!(
        of(Kind::BLOCK_ENDED, &ended),
        format!("BlockEnded {{ hash: {hash}, events: 5, transactions: 2 }}")
    );
    let failed = of(Kind::TRANSACTION_FAILED, b"no \"margin\" left");
    assert_eq!(failed, r#"TransactionFailed { text: "no \"margin\" left" }"#);
    assert_eq!(of(Kind::TRANSACTION_FAILED, b""), "TransactionFailed { text: \"\" }");
    assert_eq!(of(Kind::TRANSACTION_FAILED, &[b'a', 0xFF]), "TransactionFailed { text: 61ff }");
    assert_eq!(of(Kind::FIRST_RESERVED, &[1]), "kind 65280, 1 bytes: 01");

    assert_eq!(Schema::bus().events().len(), 4);
    assert!(schema.events().iter().all(|event| !event.kind().is_reserved()));
    assert_eq!(schema.event(Kind::TRANSACTION_FAILED).unwrap().size(), None);
}

// Field types.

#[test]
fn text_holds_what_fits_and_cuts_between_characters() {
    assert_eq!(Text::<4>::new("abcd").unwrap(), "abcd");
    assert_eq!(Text::<4>::new("abcde"), Err(TextError::TooLong { bytes: 5, most: 4 }));
    assert_eq!(Text::<4>::new("a\0b"), Err(TextError::Zero { at: 1 }));
    assert_eq!(Text::<4>::new("").unwrap(), Text::default());
    assert_eq!(Text::<4>::new("ab").unwrap().bytes(), b"ab\0\0");
    for (text, cut) in
        [("abcde", "abcd"), ("ab\0cd", "ab"), ("abc\u{e9}", "abc"), ("\u{1F600}x", "\u{1F600}")]
    {
        assert_eq!(Text::<4>::truncated(text), cut);
    }
    assert_eq!(Text::<3>::truncated("\u{1F600}"), "");

    let foreign = |bytes: [u8; 4]| bytemuck::cast::<_, Text<4>>(bytes);
    assert_eq!(foreign([b'a', 0, b'b', 0]), "a");
    assert_eq!(foreign([b'a', 0xC3, b'b', 0]), "a");
    assert_eq!(foreign([b'a', b'b', 0xF0, 0x9F]), "ab");
    assert_eq!(foreign([0xFF; 4]), "");
    assert_eq!(
        format!("{:>4}|{:?}", Text::<8>::new("a\n").unwrap(), Text::<8>::new("a\n").unwrap()),
        "  a\n|\"a\\n\""
    );
    assert_eq!(
        TextError::TooLong { bytes: 5, most: 4 }.to_string(),
        "a text of 5 bytes in a field for at most 4: shorten it, or use `Text::truncated`"
    );
}

#[test]
fn fixed_point_numbers_print_all_their_places() {
    assert_eq!(Fixed::<2>::new(0).to_string(), "0.00");
    assert_eq!(Fixed::<2>::new(-7).to_string(), "-0.07");
    assert_eq!(Fixed::<0>::new(-7).to_string(), "-7");
    assert_eq!(Fixed::<3>::new(1_000).to_string(), "1.000");
    assert_eq!(Fixed::<18>::new(i64::MIN).to_string(), "-9.223372036854775808");
    assert_eq!(format!("[{:>8}] {:?}", Fixed::<1>::new(-15), Fixed::<1>::new(15)), "[    -1.5] 1.5");
    assert!(Fixed::<2>::new(-1) < Fixed::<2>::new(1));
}

#[test]
fn times_at_the_ends_of_what_64_bits_hold() {
    for (nanoseconds, text) in [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
        (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        (951_868_799_999_999_999, "2000-02-29T23:59:59.999999999Z"),
    ] {
        assert_eq!(Timestamp::new(nanoseconds).to_string(), text);
    }
    assert_eq!(Span::new(i64::MIN).to_string(), "-9223372036.854775808s");
    assert_eq!(Span::new(1).to_string(), "0.000000001s");
}

/// Against a calendar that turns its pages one by one.
#[test]
fn every_day_of_four_centuries_has_its_date() {
    let (mut year, mut month, mut day) = (1800, 1, 1);
    for days in -62_091_i64..=84_005 {
        let time = Timestamp::new(days * 86_400_000_000_000);
        assert_eq!(time.to_string(), format!("{year:04}-{month:02}-{day:02}T00:00:00.000000000Z"));
        let is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i32::from(is_leap_year),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    assert_eq!((year, month, day), (2200, 1, 1));
}

// Encoding.

/// A schema that says a little of everything, in parts that can be changed one by one.
#[derive(Clone)]
struct Parts {
    schema: &'static str,
    version: u32,
    event: &'static str,
    kind: u16,
    topic: u16,
    layout: u8,
    size: u32,
    field: &'static str,
    offset: u32,
    scale: u8,
    names: [(u64, &'static str); 2],
}

const SMALL: Parts = Parts {
    schema: "S",
    version: 1,
    event: "E",
    kind: 8,
    topic: 2,
    layout: 1,
    size: 16,
    field: "p",
    offset: 0,
    scale: 2,
    names: [(1, "B"), (2, "A")],
};

impl Parts {
    fn schema(self) -> Schema {
        let names = self.names.map(|(number, name)| (number, name.to_owned()));
        let side = Type::Enum(EnumType::new("N", 1, names).unwrap());
        let price = Type::Fixed { scale: self.scale };
        let fields = [Field::new(self.field, self.offset, price), Field::new("s", 12, side)];
        let payload = StructType::new(self.event, self.size, fields).unwrap();
        let event = EventType::new(Kind::new(self.kind), Topic::new(self.topic), self.layout, payload);
        Schema::new(self.schema, self.version, [event]).unwrap()
    }
}

#[rustfmt::skip]
const SMALL_ENCODED: &[u8] = &[
    b'R', b'B', b'S', b'C', b'H', b'E', b'M', b'A', 1, 0, 1, b'S', 1, 0, 0, 0, 1, 0,
    8, 0, 2, 0, 1, 0, 1, b'E', 16, 0, 0, 0, 2, 0,
    1, b'p', 0, 0, 0, 0, 13, 2,
    1, b's', 12, 0, 0, 0, 15, 1, b'N', 1, 2, 0,
    1, 0, 0, 0, 0, 0, 0, 0, 1, b'B',
    2, 0, 0, 0, 0, 0, 0, 0, 1, b'A',
];

#[test]
fn the_encoding_and_the_fingerprint_stay_what_they_are() {
    let schema = SMALL.schema();
    assert_eq!(schema.encode(), SMALL_ENCODED);
    assert_eq!(Schema::decode(SMALL_ENCODED).unwrap(), schema);
    assert_eq!(schema.fingerprint().to_string(), "4edc6285411a8295");
}

#[test]
fn a_fingerprint_tells_every_change_but_that_of_the_schemas_name() {
    let small = SMALL.schema().fingerprint();
    assert_eq!(Parts { schema: "Other", ..SMALL }.schema().fingerprint(), small);
    let changed = [
        Parts { version: 2, ..SMALL },
        Parts { event: "F", ..SMALL },
        Parts { kind: 9, ..SMALL },
        Parts { topic: 3, ..SMALL },
        Parts { layout: 2, ..SMALL },
        Parts { size: 24, ..SMALL },
        Parts { field: "q", ..SMALL },
        Parts { offset: 4, ..SMALL },
        Parts { scale: 3, ..SMALL },
        Parts { names: [(1, "C"), (2, "A")], ..SMALL },
        Parts { names: [(1, "B"), (3, "A")], ..SMALL },
        Parts { names: [(1, "A"), (2, "B")], ..SMALL },
    ];
    let fingerprints: Vec<_> = changed.into_iter().map(|parts| parts.schema().fingerprint()).collect();
    for (index, fingerprint) in fingerprints.iter().enumerate() {
        assert_ne!(*fingerprint, small, "change {index}");
        assert!(!fingerprints[..index].contains(fingerprint), "change {index}");
    }

    let of = |of: Type| {
        let payload = StructType::new("E", 8, [Field::new("f", 0, of)]).unwrap();
        Schema::new("S", 1, [EventType::new(Kind::new(1), Topic::new(0), 1, payload)]).unwrap().fingerprint()
    };
    let element = Box::new(Type::U8);
    let types = [
        Type::U8,
        Type::U16,
        Type::U32,
        Type::U64,
        Type::I8,
        Type::I16,
        Type::I32,
        Type::I64,
        Type::F32,
        Type::F64,
        Type::Timestamp,
        Type::Span,
        Type::Fixed { scale: 0 },
        Type::Bytes { length: 8 },
        Type::Bytes { length: 4 },
        Type::Text { length: 8 },
        Type::Array { element, length: 8 },
        Type::Enum(EnumType::new("N", 8, []).unwrap()),
        Type::Enum(EnumType::new("M", 8, []).unwrap()),
        Type::Enum(EnumType::new("N", 4, []).unwrap()),
        Type::Struct(StructType::new("N", 8, []).unwrap()),
    ];
    let mut fingerprints: Vec<_> = types.clone().map(of).to_vec();
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), types.len());
}

#[test]
fn a_schema_does_not_depend_on_the_order_of_its_declaration() {
    let event = |kind: u16, name: &str| EventType::text(Kind::new(kind), Topic::new(0), 1, name).unwrap();
    let one = Schema::new("S", 1, [event(1, "A"), event(2, "B")]).unwrap();
    let other = Schema::new("S", 1, [event(2, "B"), event(1, "A")]).unwrap();
    assert_eq!(one, other);
    assert_eq!(one.fingerprint(), other.fingerprint());
}

#[test]
fn schemas_come_back_from_their_encoding() {
    let schema = Exchange::schema();
    assert_eq!(Schema::decode(&schema.encode()).unwrap(), *schema);

    let note = EventType::text(Kind::new(5), Topic::new(1), 2, "Note").unwrap();
    let with_text = Schema::new("Notes", 7, [note]).unwrap();
    let decoded = Schema::decode(&with_text.encode()).unwrap();
    assert_eq!(decoded, with_text);
    assert_eq!(printed(&decoded, &header(Kind::new(5), 2), b"hello"), "Note { text: \"hello\" }");
}

#[test]
fn no_part_of_an_encoding_is_a_schema() {
    let encoded = Exchange::schema().encode();
    for length in 0..encoded.len() {
        let error = Schema::decode(&encoded[..length]).unwrap_err().to_string();
        assert!(error.ends_with("are left: it is cut off"), "{length}: {error}");
    }
    let longer = [encoded.as_slice(), &[0, 0]].concat();
    let message = format!("the schema ends at byte {}, but there are 2 bytes behind it", encoded.len());
    assert_eq!(Schema::decode(&longer).unwrap_err().to_string(), message);
}

/// Whatever the bytes: an error that says something; or a schema that has no other encoding, and can be used.
fn decode_any(bytes: &[u8]) {
    match Schema::decode(bytes) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(schema) => {
            assert_eq!(schema.encode(), bytes);
            for event in schema.events() {
                let payload = vec![0xA5; event.size().unwrap_or(9).min(10_000) as usize];
                assert!(!printed(&schema, &header(event.kind(), event.version()), &payload).is_empty());
            }
        }
    }
}

#[test]
fn any_byte_may_be_another() {
    for encoded in [SMALL_ENCODED, &Exchange::schema().encode()] {
        let mut bytes = encoded.to_vec();
        for at in 0..bytes.len() {
            for flipped in 1..=255 {
                bytes[at] ^= flipped;
                decode_any(&bytes);
                bytes[at] ^= flipped;
            }
        }
        assert_eq!(bytes, encoded);
    }
}

proptest! {
    #[test]
    fn any_bytes_may_be_others(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = Exchange::schema().encode();
        for (index, byte) in changes {
            *index.get_mut(&mut bytes) = byte;
        }
        decode_any(&bytes);
    }

    #[test]
    fn any_bytes_may_be_given(bytes in prop::collection::vec(prop_oneof![0..20_u8, any::<u8>()], 0..200)) {
        decode_any(&bytes);
        decode_any(&[b"RBSCHEMA\x01\0\x01S\0\0\0\0".as_slice(), &bytes].concat());
    }

    #[test]
    fn any_payload_prints(payload in prop::collection::vec(any::<u8>(), 144)) {
        let text = printed(Exchange::schema(), &header_of::<Trade>(), &payload);
        prop_assert!(text.starts_with("Trade { hash: ") && text.ends_with(" }"), "{}", text);
    }

    #[test]
    fn text_is_the_longest_beginning_that_fits(text in "[a-c\u{e9}\u{1F600}\0]{0,12}") {
        let cut = Text::<9>::truncated(&text);
        let mut expected = String::new();
        for character in text.chars().take_while(|character| *character != '\0') {
            if expected.len() + character.len_utf8() > 9 {
                break;
            }
            expected.push(character);
        }
        prop_assert_eq!(cut.as_str(), &expected);
        prop_assert_eq!(Text::<9>::new(&text).is_ok(), expected == text);
    }
}

// Errors.

fn struct_of(size: u32, fields: impl IntoIterator<Item = (&'static str, u32, Type)>) -> String {
    let fields = fields.into_iter().map(|(name, offset, of)| Field::new(name, offset, of));
    StructType::new("L", size, fields).unwrap_err().to_string()
}

#[test]
fn structs_that_contradict_themselves_are_refused() {
    let overlapping = struct_of(8, [("a", 0, Type::U32), ("b", 2, Type::U16)]);
    assert_eq!(
        overlapping,
        "struct `L`: field `b`: it begins at offset 2, where the field before it ends at 4"
    );
    let descending = struct_of(8, [("a", 4, Type::U32), ("b", 0, Type::U16)]);
    assert_eq!(
        descending,
        "struct `L`: field `b`: it begins at offset 0, where the field before it ends at 8"
    );
    let outside = struct_of(8, [("a", 6, Type::U32)]);
    assert_eq!(outside, "struct `L`: field `a`: it ends at offset 10, but the struct has 8 bytes");
    let huge = Type::Array {
        element: Box::new(Type::Array { element: Box::new(Type::F64), length: u32::MAX }),
        length: u32::MAX,
    };
    let outside = struct_of(8, [("a", 6, huge)]);
    assert_eq!(
        outside,
        format!("struct `L`: field `a`: it ends at offset {}, but the struct has 8 bytes", u64::MAX)
    );
    let twice = struct_of(8, [("a", 0, Type::U32), ("a", 4, Type::U16)]);
    assert_eq!(twice, "struct `L`: there are two `a`; expected different names");
    let empty = struct_of(8, [("a", 0, Type::Text { length: 0 })]);
    assert_eq!(empty, "struct `L`: field `a`: its type has no bytes; expected at least one");
    let scale = struct_of(8, [("a", 0, Type::Fixed { scale: 19 })]);
    assert_eq!(scale, "struct `L`: field `a`: a scale of 19 decimal places; the most is 18");
    let in_array = Type::Array { element: Box::new(Type::Fixed { scale: 19 }), length: 1 };
    assert_eq!(struct_of(8, [("a", 0, in_array)]), scale);
    let name = struct_of(8, [("a\n", 0, Type::U8)]);
    assert_eq!(name, "struct `L`: `a\\n` is not a name; expected an identifier of at most 255 bytes");
}

#[test]
fn names_are_identifiers() {
    let is_name = |name: &str| EventType::text(Kind::new(1), Topic::new(0), 1, name).is_ok();
    let longest = "n".repeat(255);
    for name in ["a", "_", "a1", "Trade_2", "prix_\u{e9}", &longest] {
        assert!(is_name(name), "{name}");
    }
    let longer = "n".repeat(256);
    for name in ["", "1a", "a b", "a-b", "a\0", "r#type", "\u{85}", &longer] {
        assert!(!is_name(name), "{name}");
    }
}

#[test]
fn enums_that_contradict_themselves_are_refused() {
    let of = |width, names: &[(u64, &str)]| {
        let names = names.iter().map(|(number, name)| (*number, (*name).to_owned()));
        EnumType::new("N", width, names).map_err(|error| error.to_string())
    };
    assert_eq!(of(3, &[]).unwrap_err(), "enum `N`: a width of 3 bytes; expected 1, 2, 4 or 8");
    assert_eq!(of(1, &[(256, "A")]).unwrap_err(), "enum `N`: `A` is 256; 1 bytes hold at most 255");
    let both = "enum `N`: `A` and `B` are both 1; expected one name for each";
    assert_eq!(of(1, &[(1, "A"), (1, "B")]).unwrap_err(), both);
    assert_eq!(
        of(1, &[(1, "A"), (2, "A")]).unwrap_err(),
        "enum `N`: there are two `A`; expected different names"
    );
    assert_eq!(of(8, &[(u64::MAX, "A")]).unwrap().name_of(u64::MAX), Some("A"));
    let unsorted = of(1, &[(3, "C"), (1, "A"), (2, "B")]).unwrap();
    assert_eq!([0, 1, 2, 3].map(|number| unsorted.name_of(number)), [None, Some("A"), Some("B"), Some("C")]);
}

#[test]
fn lists_have_at_most_65535_entries() {
    let enum_of = |count| EnumType::new("N", 8, (0..count).map(|number| (number, format!("n{number}"))));
    assert_eq!(enum_of(65_535).unwrap().names().len(), 65_535);
    assert_eq!(enum_of(65_536).unwrap_err().to_string(), "enum `N`: 65536 names; the most is 65535");
    let struct_of =
        |count| StructType::new("L", count, (0..count).map(|at| Field::new(format!("f{at}"), at, Type::U8)));
    assert_eq!(struct_of(65_535).unwrap().fields().len(), 65_535);
    assert_eq!(struct_of(65_536).unwrap_err().to_string(), "struct `L`: 65536 fields; the most is 65535");
}

#[test]
fn schemas_that_contradict_themselves_are_refused() {
    let event = |kind: u16, name: &str| EventType::text(Kind::new(kind), Topic::new(0), 1, name).unwrap();
    let of = |events: [EventType; 2]| Schema::new("S", 1, events).unwrap_err().to_string();
    let kinds = of([event(7, "A"), event(7, "B")]);
    assert_eq!(kinds, "schema `S`: events `A` and `B` both have kind 7; expected a kind for each");
    let names = of([event(7, "A"), event(8, "A")]);
    assert_eq!(names, "schema `S`: there are two `A`; expected different names");
    let reserved = of([event(7, "A"), event(0xFF00, "B")]);
    assert_eq!(reserved, "schema `S`: event `B` has kind 65280; those from 65280 on are the bus's own");
}

#[test]
fn what_is_no_schema_is_refused_and_says_where() {
    let changed = |at: usize, byte: u8| {
        let mut bytes = SMALL_ENCODED.to_vec();
        bytes[at] = byte;
        Schema::decode(&bytes).unwrap_err().to_string()
    };
    assert_eq!(
        changed(0, b'X'),
        "up to byte 8: these bytes are no schema; expected `RBSCHEMA` at their beginning"
    );
    assert_eq!(
        changed(8, 2),
        "up to byte 10: format 2; this release reads 1: read it with the one that wrote it"
    );
    assert_eq!(changed(23, 2), "up to byte 24: event 0: its payload is 2; expected 0, a struct, or 1, text");
    assert_eq!(
        changed(38, 77),
        "up to byte 39: event 0: struct `E`: field `p`: type 77; expected one from 1 to 18"
    );
    assert_eq!(
        changed(33, 0xFF),
        "up to byte 34: event 0: struct `E`: the field's name: invalid utf-8 sequence of 1 bytes from index 0"
    );
    assert_eq!(
        changed(52, 3),
        "up to byte 72: event 0: struct `E`: field `s`: enum `N`: numbers: 2 comes after 3; expected ascending ones"
    );
    assert_eq!(
        changed(52, 2),
        "up to byte 72: event 0: struct `E`: field `s`: enum `N`: `A` and `B` are both 2; expected one name for each"
    );
}

#[test]
fn nesting_has_a_limit_that_decoding_finds_before_the_stack_does() {
    let nested = |levels: usize| {
        let innermost = StructType::new("L", 1, [Field::new("f", 0, Type::U8)]).unwrap();
        (1..levels).try_fold(innermost, |within, _| {
            StructType::new("L", 1, [Field::new("f", 0, Type::Struct(within))])
        })
    };
    let deepest = EventType::new(Kind::new(1), Topic::new(0), 1, nested(16).unwrap());
    let schema = Schema::new("S", 1, [deepest]).unwrap();
    assert_eq!(Schema::decode(&schema.encode()).unwrap(), schema);
    let error = nested(17).unwrap_err().to_string();
    assert_eq!(error, "struct `L`: it nests 17 deep; the most is 16");

    let mut bytes =
        b"RBSCHEMA\x01\0\x01S\0\0\0\0\x01\0\x01\0\0\0\x01\0\x01E\x10\0\0\0\x01\0\x01f\0\0\0\0".to_vec();
    bytes.extend([17, 1, 0, 0, 0].repeat(1_000_000));
    let error = Schema::decode(&bytes).unwrap_err().to_string();
    assert!(error.ends_with("field `f`: it nests more than 16 deep"), "{error}");
}
