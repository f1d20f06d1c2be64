//! Records as JSON: exact lines, and whatever bytes are given, valid lines that say what the bytes say.

use std::io::{self, Write};

use bytemuck::pod_read_unaligned;
use proptest::prelude::*;
use ringbus::Sequence;
use ringbus::bus::schema::{EventType, Field, Schema, Type};
use ringbus::bus::{
    Fixed, Flags, Hash, Header, Kind, Payload, RecordRef, Source, Span, Text, Timestamp, Topic,
    TransactionEnded,
};
use ringbus_journal::json::write_record;
use serde_json::Value;

ringbus::events! {
    /// What the exchange of this test says.
    schema Exchange, version 3;

    /// Which side of the book.
    enum Side: u8 { BUY = 1, SELL = 2 }

    /// Why it was done.
    enum Reason: u64 { LIQUIDATED = 300 }

    /// Some of it, at a price.
    struct Level { price: Fixed<2>, side: Side, _padding: [u8; 7] }

    /// One of everything.
    event Trade, kind 8, topic 2, layout 4 {
        hash: Hash,
        time: Timestamp,
        took: Span,
        levels: [Level; 2],
        grid: [[u16; 2]; 2],
        change: i64,
        rate: f64,
        r#type: u64,
        reason: Reason,
        exact: Fixed<18>,
        whole: Fixed<0>,
        market: u32,
        weight: f32,
        drift: i32,
        small: i16,
        flags: u16,
        größe: [f32; 2],
        side: Side,
        tiny: i8,
        count: u8,
        tag: [u8; 2],
        symbol: Text<8>,
        _padding: [u8; 11],
    }

    /// Somebody wants something.
    event Order, kind 9 { market: u32, side: Side, _padding: [u8; 3] }

    /// Nothing but a header.
    event Beat, kind 1 {}
}

fn trade() -> Trade {
    let level = |mantissa, side| Level { price: Fixed::new(mantissa), side, ..Level::default() };
    Trade {
        hash: Hash::new([0xAB; 32]),
        time: Timestamp::new(1_700_000_000_123_456_789),
        took: Span::new(-2_500),
        levels: [level(10_125, Side::BUY), level(-1, Side::new(9))],
        grid: [[1, 2], [3, 65_535]],
        change: i64::MIN,
        rate: 0.1,
        r#type: u64::MAX,
        reason: Reason::LIQUIDATED,
        exact: Fixed::new(i64::MAX),
        whole: Fixed::new(-7),
        market: 3,
        weight: 0.1,
        drift: -70_000,
        small: -300,
        flags: 65_535,
        größe: [f32::NAN, f32::NEG_INFINITY],
        side: Side::SELL,
        tiny: -128,
        count: 255,
        tag: [0x0A, 0xF0],
        symbol: Text::new("a\"\u{e9}\n").unwrap(),
        ..Trade::default()
    }
}

fn header_of<T: Payload>() -> Header {
    Header { kind: T::KIND, topic: T::TOPIC, version: T::VERSION, ..Header::default() }
}

/// As the exchange's schema has it. Checks that it is one line.
fn line(header: &Header, payload: &[u8]) -> String {
    let mut line = Vec::new();
    let record = RecordRef::new(Sequence::new(40), header, payload);
    write_record(&mut line, Exchange::schema(), &record).unwrap();
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(line.pop(), Some(b'\n'));
    String::from_utf8(line).unwrap()
}

fn parsed(header: &Header, payload: &[u8]) -> Value {
    serde_json::from_str(&line(header, payload)).unwrap()
}

/// A line of a header of which only kind, topic and version are not 0.
fn expected(kind: u16, event: &str, topic: u16, version: u8, rest: &str) -> String {
    let zeroes = "00".repeat(32);
    format!(
        r#"{{"sequence":40,"height":0,"time":"1970-01-01T00:00:00.000000000Z","trace":"{zeroes}","order":0,"kind":{kind},{event}"topic":{topic},"source":0,"trigger":{{"kind":0,"reason":0}},"version":{version},{rest}}}"#
    )
}

#[test]
fn a_header_is_written_whole() {
    let header = Header {
        trace: Hash::new([0xCD; 32]),
        block_time: 951_827_696_000_000_001,
        block_height: u64::MAX,
        order: 17,
        topic: Topic::new(7),
        source: Source::new(5),
        trigger_kind: 6,
        trigger_reason: 255,
        flags: Flags::BEGINS_BLOCK.with(Flags::ENDS_BLOCK).with(Flags::LAST_OF_BATCH),
        ..header_of::<Beat>()
    };
    let of = |flags: &str| {
        let trace = "cd".repeat(32);
        format!(
            r#"{{"sequence":40,"height":18446744073709551615,"time":"2000-02-29T12:34:56.000000001Z","trace":"{trace}","order":17,"kind":1,"event":"Beat","topic":7,"source":5,"trigger":{{"kind":6,"reason":255}},"version":1,{flags}"fields":{{}}}}"#
        )
    };
    assert_eq!(line(&header, &[]), of(r#""begins_block":true,"ends_block":true,"#));
    for (flags, text) in [
        (Flags::BEGINS_BLOCK, r#""begins_block":true,"#),
        (Flags::ENDS_BLOCK, r#""ends_block":true,"#),
        (Flags::FIRST_FRAGMENT, ""),
    ] {
        assert_eq!(line(&Header { flags, ..header }, &[]), of(text));
    }
}

#[test]
fn every_type_is_written_as_documented() {
    let hash = "ab".repeat(32);
    let fields = format!(
        r#""fields":{{"hash":"{hash}","time":"2023-11-14T22:13:20.123456789Z","took":-2500,"levels":[{{"price":"101.25","side":"BUY"}},{{"price":"-0.01","side":9}}],"grid":[[1,2],[3,65535]],"change":-9223372036854775808,"rate":0.1,"type":18446744073709551615,"reason":"LIQUIDATED","exact":"9.223372036854775807","whole":"-7","market":3,"weight":0.1,"drift":-70000,"small":-300,"flags":65535,"größe":["NaN","-inf"],"side":"SELL","tiny":-128,"count":255,"tag":"0af0","symbol":"a\"é\n"}}"#
    );
    let found = line(&header_of::<Trade>(), bytemuck::bytes_of(&trade()));
    assert_eq!(found, expected(8, r#""event":"Trade","#, 2, 4, &fields));
}

#[test]
fn what_the_schema_does_not_describe_says_why_and_shows_all_bytes() {
    let with = |kind, version| Header { kind: Kind::new(kind), version, ..Header::default() };
    let unknown = r#""payload":"0aff","note":"the schema has no kind 77""#;
    assert_eq!(line(&with(77, 1), &[0x0A, 0xFF]), expected(77, "", 0, 1, unknown));
    let reserved = r#""payload":"","note":"the schema has no kind 65280""#;
    assert_eq!(line(&with(0xFF00, 0), &[]), expected(0xFF00, "", 0, 0, reserved));

    let bytes = "01".repeat(100);
    let note = "`Order` (kind 9) has 8 bytes, not 100: use the schema of the core that wrote it";
    let rest = format!(r#""payload":"{bytes}","note":"{note}""#);
    assert_eq!(line(&with(9, 1), &[1; 100]), expected(9, r#""event":"Order","#, 0, 1, &rest));

    let note = "`Order` (kind 9) has layout 1, not 2: use the schema of the core that wrote it";
    let rest = format!(r#""payload":"0101010101010101","note":"{note}""#);
    assert_eq!(line(&with(9, 2), &[1; 8]), expected(9, r#""event":"Order","#, 0, 2, &rest));
}

#[test]
fn text_is_escaped_and_what_is_no_text_is_hex() {
    let failed = Header { kind: Kind::TRANSACTION_FAILED, version: 1, ..Header::default() };
    for (text, escaped) in [
        ("", r#""""#),
        ("no \"margin\" left", r#""no \"margin\" left""#),
        ("back\\slash", r#""back\\slash""#),
        ("\0\u{1}\u{8}\t\n\u{c}\r\u{1f}\u{7f}", "\"\\u0000\\u0001\\b\\t\\n\\f\\r\\u001f\u{7f}\""),
        ("\u{2028}\u{1F600}\u{FFFD}", "\"\u{2028}\u{1F600}\u{FFFD}\""),
    ] {
        let rest = format!(r#""fields":{{"text":{escaped}}}"#);
        let event = r#""event":"TransactionFailed","#;
        assert_eq!(line(&failed, text.as_bytes()), expected(0xFF04, event, 0, 1, &rest));
        assert_eq!(parsed(&failed, text.as_bytes())["fields"]["text"], text);
    }
    assert_eq!(parsed(&failed, b"a\xFF\n")["fields"]["text"], "61ff0a");

    let symbol: Text<8> = bytemuck::cast(*b"a\xC3\"\0\0b\0\0");
    let trade = Trade { symbol, ..trade() };
    assert_eq!(
        parsed(&header_of::<Trade>(), bytemuck::bytes_of(&trade))["fields"]["symbol"],
        "61c3220000620000"
    );
}

#[test]
fn floats_read_back_as_the_same() {
    let fields = |trade: &Trade| parsed(&header_of::<Trade>(), bytemuck::bytes_of(trade))["fields"].clone();
    let tests = [0.0, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::MIN, 1.0 / 3.0, 1e15, 1e16, -1e300];
    for rate in tests {
        let found = fields(&Trade { rate, ..trade() })["rate"].as_f64().unwrap();
        assert_eq!(found.to_bits(), rate.to_bits(), "{rate}");
        let weight = rate as f32;
        let found = fields(&Trade { weight, ..trade() })["weight"].clone();
        if weight.is_finite() {
            assert_eq!((found.as_f64().unwrap() as f32).to_bits(), weight.to_bits(), "{weight}");
        } else {
            assert_eq!(found, if weight > 0.0 { "inf" } else { "-inf" });
        }
    }
    for (rate, text) in
        [(f64::NAN, "NaN"), (-f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")]
    {
        assert_eq!(fields(&Trade { rate, ..trade() })["rate"], text);
    }
}

#[test]
fn a_decoded_schema_writes_the_same() {
    let decoded = Schema::decode(&Exchange::schema().encode()).unwrap();
    let (header, trade) = (header_of::<Trade>(), trade());
    let mut found = Vec::new();
    let record = RecordRef::new(Sequence::new(40), &header, bytemuck::bytes_of(&trade));
    write_record(&mut found, &decoded, &record).unwrap();
    assert_eq!(found, (line(&header, bytemuck::bytes_of(&trade)) + "\n").as_bytes());
}

/// A pipe that is closed after so many bytes.
struct Pipe {
    room: usize,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let written = bytes.len().min(self.room);
        self.room -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn errors_of_the_writer_keep_their_kind() {
    let (header, trade) = (header_of::<Trade>(), trade());
    let record = RecordRef::new(Sequence::new(40), &header, bytemuck::bytes_of(&trade));
    let write = |room| write_record(&mut Pipe { room }, Exchange::schema(), &record);
    let length = line(&header, bytemuck::bytes_of(&trade)).len() + 1;
    for room in 0..length {
        assert_eq!(write(room).unwrap_err().kind(), io::ErrorKind::BrokenPipe, "{room}");
    }
    write(length).unwrap();
}

// Any bytes.

/// That `found` is the value that `bytes` begin with, read here without the schema's own decoding.
fn check(of: &Type, bytes: &[u8], found: &Value) {
    let first = |count: usize| &bytes[..count];
    let unsigned = |width| match width {
        1 => u64::from(bytes[0]),
        2 => pod_read_unaligned::<u16>(first(2)).into(),
        4 => pod_read_unaligned::<u32>(first(4)).into(),
        _ => pod_read_unaligned(first(8)),
    };
    let signed = |width: usize| {
        let shift = 64 - 8 * width as u32;
        (unsigned(width) << shift) as i64 >> shift
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match of {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
            assert_eq!(found.as_u64(), Some(unsigned(of.size() as usize)));
        }
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            assert_eq!(found.as_i64(), Some(signed(of.size() as usize)));
        }
        Type::Span => assert_eq!(found.as_i64(), Some(signed(8))),
        Type::F32 => {
            check_float(f32::from_bits(unsigned(4) as u32).into(), found, |found| (found as f32).into());
        }
        Type::F64 => check_float(f64::from_bits(unsigned(8)), found, |found| found),
        Type::Bytes { length } => assert_eq!(*found, hex(first(*length as usize))),
        Type::Text { length } => {
            let field = first(*length as usize);
            let text = field.split(|byte| *byte == 0).next().unwrap();
            match str::from_utf8(text) {
                Ok(text) => assert_eq!(found, text),
                Err(_) => assert_eq!(*found, hex(field)),
            }
        }
        Type::Fixed { scale } => {
            let text = found.as_str().unwrap();
            let places = text.split_once('.').map_or(0, |(_, places)| places.len());
            assert_eq!(places, usize::from(*scale));
            assert_eq!(text.replace('.', "").parse(), Ok(signed(8)));
        }
        Type::Timestamp => assert_eq!(*found, Timestamp::new(signed(8)).to_string()),
        Type::Enum(of) => {
            let number = unsigned(of.width().into());
            match of.names().iter().find(|(named, _)| *named == number) {
                Some((_, name)) => assert_eq!(found, name),
                None => assert_eq!(found.as_u64(), Some(number)),
            }
        }
        Type::Struct(of) => check_fields(of.fields(), bytes, found),
        Type::Array { element, length } => {
            let found = found.as_array().unwrap();
            assert_eq!(found.len(), *length as usize);
            for (bytes, found) in bytes.chunks(element.size() as usize).zip(found) {
                check(element, bytes, found);
            }
        }
        other => panic!("{other:?}"),
    }
}

fn check_fields(fields: &[Field], bytes: &[u8], found: &Value) {
    let found = found.as_object().unwrap();
    assert_eq!(found.len(), fields.len());
    for field in fields {
        check(field.of(), &bytes[field.offset() as usize..], &found[field.name()]);
    }
}

fn check_float(expected: f64, found: &Value, narrow: impl Fn(f64) -> f64) {
    if expected.is_finite() {
        assert_eq!(narrow(found.as_f64().unwrap()).to_bits(), expected.to_bits());
    } else {
        assert_eq!(*found, expected.to_string());
    }
}

/// A known kind and payload as often as not; nearly any length where it is unknown or text.
fn kinds_and_payloads() -> impl Strategy<Value = (u16, u8, Vec<u8>)> {
    let fitting = |kind, version, length| {
        prop::collection::vec(any::<u8>(), length).prop_map(move |payload| (kind, version, payload))
    };
    let text = "\\PC*|[\\x00-\\x20\"\\\\]*".prop_map(|text: String| (0xFF04, 1, text.into_bytes()));
    let any_kind = prop_oneof![Just(1), Just(8), Just(9), 0xFF00..0xFF06_u16, any::<u16>()];
    let anything =
        (any_kind, prop_oneof![Just(1), Just(4), any::<u8>()], prop::collection::vec(any::<u8>(), 0..300));
    prop_oneof![
        fitting(8, 4, size_of::<Trade>()),
        fitting(9, 1, size_of::<Order>()),
        fitting(0xFF03, TransactionEnded::VERSION, size_of::<TransactionEnded>()),
        text,
        anything,
    ]
}

proptest! {
    #[test]
    fn any_record_is_one_valid_line_that_says_what_its_bytes_say(
        (kind, version, payload) in kinds_and_payloads(),
        header in any::<[u8; 64]>(),
    ) {
        let mut header: Header = bytemuck::cast(header);
        (header.kind, header.version) = (Kind::new(kind), version);
        let found = parsed(&header, &payload);

        prop_assert_eq!(&found["sequence"], 40);
        prop_assert_eq!(found["height"].as_u64(), Some(header.block_height));
        let time = Timestamp::new(header.block_time).to_string();
        prop_assert_eq!(found["time"].as_str(), Some(&*time));
        prop_assert_eq!(found["trace"].as_str().unwrap().parse(), Ok(header.trace));
        prop_assert_eq!(found["order"].as_u64(), Some(header.order.into()));
        prop_assert_eq!(found["kind"].as_u64(), Some(kind.into()));
        prop_assert_eq!(found["topic"].as_u64(), Some(header.topic.get().into()));
        prop_assert_eq!(found["source"].as_u64(), Some(header.source.get().into()));
        prop_assert_eq!(found["trigger"]["kind"].as_u64(), Some(header.trigger_kind.into()));
        prop_assert_eq!(found["trigger"]["reason"].as_u64(), Some(header.trigger_reason.into()));
        prop_assert_eq!(found["version"].as_u64(), Some(version.into()));
        for (name, flag) in [("begins_block", Flags::BEGINS_BLOCK), ("ends_block", Flags::ENDS_BLOCK)] {
            let expected = header.flags.has(flag).then_some(Value::Bool(true));
            prop_assert_eq!(found.get(name), expected.as_ref());
        }

        let event = Exchange::schema().event(header.kind);
        prop_assert_eq!(found.get("event").and_then(Value::as_str), event.map(EventType::name));
        let fits = |length: Option<u32>| length.is_none_or(|length| length as usize == payload.len());
        match event.filter(|event| event.version() == version && fits(event.size())) {
            None => {
                prop_assert_eq!(found.get("fields"), None);
                check(&Type::Bytes { length: payload.len() as u32 }, &payload, &found["payload"]);
                prop_assert!(!found["note"].as_str().unwrap().is_empty());
            }
            Some(event) => {
                prop_assert_eq!((found.get("payload"), found.get("note")), (None, None));
                match (event.size(), str::from_utf8(&payload)) {
                    (Some(_), _) => check_fields(event.fields(), &payload, &found["fields"]),
                    (None, Ok(text)) => prop_assert_eq!(&found["fields"]["text"], text),
                    (None, Err(_)) => {
                        check(&Type::Bytes { length: payload.len() as u32 }, &payload, &found["fields"]["text"]);
                    }
                }
            }
        }
    }
}
