//! What the library says through `tracing`: each event with its level and its fields, and nothing while records flow.

mod common;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use common::{at, panic_quietly};
use ringbus::bus::{
    BlockStart, Bus, BusBuilder, Emit, Hash, Kind, Origin, RecordRef, Topic, Writer, each_record,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// An event: its level, its words, and its other fields as text.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    level: Level,
    words: String,
    fields: BTreeMap<&'static str, String>,
}

/// What was said of all streams, in order.
static SAID: Mutex<Vec<Said>> = Mutex::new(Vec::new());

/// Keeps what is said. For all threads: workers say things on theirs.
struct Keeper;

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "ringbus"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        unreachable!("the library has no spans")
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said =
            Said { level: *event.metadata().level(), words: String::new(), fields: BTreeMap::new() };
        event.record(&mut said);
        SAID.lock().unwrap().push(said);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        match field.name() {
            "message" => self.words = value,
            name => drop(self.fields.insert(name, value)),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// Tests run side by side, each with a stream of its own.
fn said_of(stream: &str) -> Vec<Said> {
    let all = SAID.lock().unwrap();
    all.iter().filter(|said| said.fields.get("stream").is_some_and(|of| of == stream)).cloned().collect()
}

fn builder(stream: &str) -> BusBuilder<64> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Keeper).unwrap());
    Bus::builder(stream).capacity(16)
}

fn said<const N: usize>(level: Level, words: &str, fields: [(&'static str, &str); N]) -> Said {
    Said { level, words: words.into(), fields: fields.map(|(name, value)| (name, value.into())).into() }
}

/// A block with so many events in it, and no end.
fn say(writer: &mut Writer<64>, events: usize) {
    if !writer.is_in_block() {
        writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) }).unwrap();
    }
    for _ in 0..events {
        writer.emit_bytes(Origin::default(), Kind::new(1), Topic::default(), b"said").unwrap();
    }
}

#[test]
fn a_subscription_comes_pauses_is_overrun_and_goes() {
    const STREAM: &str = "life";
    let (mut writer, bus) = builder(STREAM).build().unwrap();
    let mut store = bus.subscribe("store").required().join().unwrap();
    say(&mut writer, 4);
    store.poll(|_| {}).unwrap();
    let paused = store.pause().unwrap();
    let mut monitor = bus.subscribe("monitor").optional().join().unwrap();
    say(&mut writer, 20);
    assert_eq!(paused.resume(), 20);
    store.leave();
    // The last 12 are readable, and it goes on with a headroom of 2.
    assert!(monitor.recv().is_err());
    while monitor.try_recv().is_ok() {}
    let paused = monitor.pause();
    say(&mut writer, 3);
    drop(paused);
    drop(monitor);

    let of_store = [("stream", STREAM), ("id", "1"), ("name", "store")];
    let of_monitor = [("stream", STREAM), ("id", "2"), ("name", "monitor")];
    fn with<const N: usize>(
        of: [(&'static str, &'static str); 3],
        more: [(&'static str, &'static str); N],
        level: Level,
        words: &str,
    ) -> Said {
        let mut said = said(level, words, of);
        said.fields.extend(more.map(|(name, value)| (name, value.to_owned())));
        said
    }
    let tally = |passed, let_pass, missed| {
        [("passed", passed), ("filtered_out", "0"), ("let_pass", let_pass), ("missed", missed)]
    };
    let expected = [
        with(of_store, [("kind", "required"), ("joined_at", "0")], Level::INFO, "subscribed"),
        with(of_store, [], Level::INFO, "paused"),
        with(of_monitor, [("kind", "optional"), ("joined_at", "5")], Level::INFO, "subscribed"),
        with(of_store, [("let_pass", "20")], Level::INFO, "resumed"),
        with(of_store, tally("5", "20", "0"), Level::INFO, "unsubscribed"),
        with(of_monitor, [("missed", "10"), ("resumed_at", "15")], Level::WARN, "lagged"),
        with(of_monitor, [], Level::INFO, "paused"),
        with(of_monitor, [("let_pass", "3")], Level::INFO, "resumed"),
        with(of_monitor, tally("10", "3", "10"), Level::INFO, "unsubscribed"),
    ];
    assert_eq!(said_of(STREAM), expected);
}

#[test]
fn nothing_is_said_while_records_flow() {
    const STREAM: &str = "flow";
    let (mut writer, bus) = builder(STREAM).build().unwrap();
    let mut store = bus.subscribe("store").required().join().unwrap();
    let mut monitor = bus.subscribe("monitor").optional().join().unwrap();
    for _ in 0..1_000 {
        say(&mut writer, 4);
        store.poll(|_| {}).unwrap();
        while monitor.try_recv().is_ok() {}
    }
    assert_eq!(said_of(STREAM).len(), 2, "both have subscribed");
    store.leave();
}

#[test]
fn an_end_is_said_once_with_its_reason() {
    let (mut writer, bus) = builder("closed").build().unwrap();
    say(&mut writer, 2);
    writer.end_block().unwrap();
    writer.close().unwrap();
    drop(bus);
    assert_eq!(said_of("closed"), [said(Level::INFO, "closed", [("stream", "closed"), ("sequence", "4")])]);

    let (writer, bus) = builder("stopped").build().unwrap();
    bus.stop();
    drop(writer);
    let of = ("stream", "stopped");
    assert_eq!(
        said_of("stopped"),
        [
            said(Level::WARN, "all are asked to stop", [of]),
            said(Level::WARN, "stopped", [of, ("sequence", "0")]),
        ]
    );
}

#[test]
fn a_subscriber_that_fails_fails_its_worker_its_consumer_and_the_bus() {
    const STREAM: &str = "failing";
    let (mut writer, bus) = builder(STREAM).build().unwrap();
    let store = bus.subscribe("store").required();
    let worker = store.spawn(each_record(|_: RecordRef<'_>| Err("the disk is full"))).unwrap();
    say(&mut writer, 0);
    worker.join().unwrap_err();
    drop(writer);
    let of = [("stream", STREAM), ("name", "store"), ("sequence", "0")];
    let failure = "required consumer `store` failed at sequence 0: the disk is full";
    let with_why = |level, words: &str, why: &str| {
        let mut said = said(level, words, of);
        said.fields.insert("why", why.into());
        said
    };
    let all = said_of(STREAM);
    let errors: Vec<_> = all.iter().filter(|said| said.level == Level::ERROR).cloned().collect();
    let mut ended = with_why(Level::ERROR, "ended by a failure", "");
    ended.fields.remove("name");
    ended.fields.insert("sequence", "1".into());
    let poisoned = format!(
        "the ring is poisoned: {failure}; build a new ring once the cause is mended, and start it where the consumers stopped"
    );
    ended.fields.insert("why", poisoned);
    assert_eq!(
        errors,
        [
            with_why(Level::ERROR, "required consumer failed", failure),
            with_why(Level::ERROR, "worker failed", "worker `store` failed at sequence 0: the disk is full"),
            ended,
        ]
    );
    let infos: Vec<_> =
        all.iter().filter(|said| said.level == Level::INFO).map(|said| &*said.words).collect();
    assert_eq!(infos, ["subscribed", "unsubscribed"]);
}

#[test]
fn a_panic_on_a_worker_is_a_failure_too() {
    const STREAM: &str = "panicking";
    let (mut writer, bus) = builder(STREAM).build().unwrap();
    let monitor = bus.subscribe("monitor").optional();
    let worker =
        monitor.spawn(each_record(|_: RecordRef<'_>| -> Result<(), String> { panic_quietly() })).unwrap();
    say(&mut writer, 0);
    let error = worker.join().unwrap_err();
    assert_eq!(error.sequence, at(0));
    let failed: Vec<_> = said_of(STREAM).into_iter().filter(|said| said.level == Level::ERROR).collect();
    let why = "worker `monitor` panicked at sequence 0: on purpose";
    let of = [("stream", STREAM), ("name", "monitor"), ("sequence", "0"), ("why", why)];
    assert_eq!(failed, [said(Level::ERROR, "worker failed", of)]);
}

#[test]
fn a_pause_of_a_worker_is_asked_for_and_ends_with_a_count() {
    const STREAM: &str = "worker";
    let (mut writer, bus) = builder(STREAM).build().unwrap();
    let worker = bus
        .subscribe("store")
        .required()
        .spawn(each_record(|_: RecordRef<'_>| Ok::<(), String>(())))
        .unwrap();
    worker.pause().unwrap();
    worker.resume().unwrap();
    say(&mut writer, 0);
    writer.end_block().unwrap();
    writer.close().unwrap();
    worker.join().unwrap();
    let all = said_of(STREAM);
    let asked = said(Level::INFO, "worker is asked to pause", [("stream", STREAM), ("name", "store")]);
    assert_eq!(all.iter().filter(|said| **said == asked).count(), 1);
    // Taken back in time, or not: then it says so.
    assert!(all.iter().filter(|said| said.words == "resumed").count() <= 1);
}

#[test]
fn a_writer_that_waits_for_subscriptions_says_for_how_many() {
    const STREAM: &str = "start";
    let (mut writer, bus) = builder(STREAM).starts_with(1).build().unwrap();
    let core = thread::spawn(move || {
        writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) }).unwrap();
        writer
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    while said_of(STREAM).is_empty() {
        assert!(Instant::now() < deadline, "the writer says nothing");
        thread::yield_now();
    }
    let monitor = bus.subscribe("monitor").optional().join().unwrap();
    let _writer = core.join().unwrap();
    let of = [("stream", STREAM), ("subscriptions", "1")];
    let waits = said(Level::INFO, "writer waits for subscriptions", of);
    let goes_on = said(Level::INFO, "writer waits no more", [of[0], of[1], ("there", "1")]);
    let all = said_of(STREAM);
    assert_eq!((&all[0], all.len()), (&waits, 3), "and the monitor has subscribed");
    assert!(all.contains(&goes_on));
    drop(monitor);
}
