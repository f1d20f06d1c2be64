//! `audit`.

use std::path::{Path, PathBuf};

use ringbus::bus::schema::Schema;
use ringbus::bus::{BlockStart, Bus, Emit, Hash, Kind, Origin, Outcome, Topic, Trigger};
use ringbus_store::ExactlyOnce;
use ringbus_store::sqlite::Sqlite;

use crate::support::{Exchange, ORDER, TRADE, json, run, text};

fn hash(byte: u8) -> Hash {
    Hash::new([byte; 32])
}

/// What the exchange said before trades had a size.
mod before {
    ringbus::events! {
        /// What the exchange of these tests said once.
        pub(super) schema Exchange, version 2;

        /// Two orders met.
        event Trade, kind 8 { market: u32 }
    }
}

/// A store of one block: a word of its own, then a transaction with an order and the trades it led to.
fn say_a_block(place: &Path, schema: &'static Schema, height: u64, size_of_trade: usize, layout: u8) {
    let (mut core, bus) = Bus::<64>::builder("testnet")
        .schema(schema)
        .first_sequence(ringbus::Sequence::new((height - 1) * 6))
        .build()
        .expect("it can be built");
    let store = Sqlite::builder(bus.stream().clone(), schema).open(place).expect("it is new, or its own");
    let store = ExactlyOnce::new(store, bus.stream()).expect("it is its stream");
    let worker = bus.subscribe("store").required().spawn(store).expect("there is a place");

    let words = bytemuck::cast::<[u32; 2], [u8; 8]>([3, 250]);
    let by_order = Origin { trigger: Trigger { kind: ORDER.get() as u8, reason: 0 }, ..Origin::default() };
    let emit = |core: &mut ringbus::bus::Writer<64>, origin, kind: Kind, layout, bytes: &[u8]| {
        core.emit_versioned(origin, kind, Topic::new(0), layout, bytes).expect("there is room");
    };
    core.begin_block(BlockStart { height, time: 1_700_000_000_000_000_000, hash: hash(height as u8) })
        .expect("it is the first");
    core.begin_transaction(hash(0xA0 + height as u8)).expect("a block is open");
    emit(&mut core, Origin::default(), ORDER, 1, &words);
    emit(&mut core, by_order, TRADE, layout, &words[..size_of_trade]);
    emit(&mut core, by_order, TRADE, layout, &words[..size_of_trade]);
    core.end_transaction(Outcome::Succeeded).expect("it is open");
    core.end_block().expect("it is open");
    core.close().expect("the store is well");
    worker.join().expect("there is room");
}

fn store(directory: &Path) -> PathBuf {
    let place = directory.join("store.db");
    say_a_block(&place, before::Exchange::schema(), 1, 4, 1);
    place
}

#[test]
fn a_transaction_is_told_as_a_tree_or_as_lines() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = directory.path().join("store.db");
    say_a_block(&place, Exchange::schema(), 1, 8, 1);
    let transaction = hash(0xA1).to_string();
    let expected = |nested: &str| {
        format!(
            "block 1, 2023-11-14T22:13:20.000000000Z, hash {}\n└─ transaction {transaction}: 4 events\n{nested}complete\n",
            hash(1)
        )
    };
    let flat = "   ├─ 2: Order { market: 3, account: 250 } (kind 9)
   ├─ 3: Trade { market: 3, size: 250 } (kind 8, trigger 9/0)
   ├─ 4: Trade { market: 3, size: 250 } (kind 8, trigger 9/0)
   └─ 5: TransactionEnded { events: 4, code: 0 } (kind 65283)
";
    assert_eq!(run(&["audit", text(&place), "--tx", &transaction]).fine(), expected(flat));
    let nested = "   ├─ 2: Order { market: 3, account: 250 } (kind 9)
   │  ├─ 3: Trade { market: 3, size: 250 } (kind 8, trigger 9/0)
   │  └─ 4: Trade { market: 3, size: 250 } (kind 8, trigger 9/0)
   └─ 5: TransactionEnded { events: 4, code: 0 } (kind 65283)
";
    assert_eq!(run(&["audit", text(&place), "--tx", &transaction, "--nest"]).fine(), expected(nested));

    let lines = run(&["audit", text(&place), "--tx", &transaction, "--json"]).fine();
    let found: Vec<_> =
        lines.lines().map(json).map(|line| (line["sequence"].clone(), line["event"].clone())).collect();
    let expected = [(1, "Order"), (2, "Trade"), (3, "Trade"), (4, "TransactionEnded")];
    assert_eq!(found, expected.map(|(sequence, event)| (sequence.into(), event.into())));
}

#[test]
fn blocks_and_causes_are_told() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = directory.path().join("store.db");
    say_a_block(&place, Exchange::schema(), 1, 8, 1);
    let block = run(&["audit", text(&place), "--block", "1"]).fine();
    assert!(block.contains("├─ outside of transactions: 2 events"), "{block}");
    assert!(block.contains("└─ transaction a1a1"), "{block}");
    assert_eq!(run(&["audit", text(&place), "--block", "1", "--json"]).fine().lines().count(), 6);

    let led_to = run(&["audit", text(&place), "--cause-of", "2"]).fine();
    let expected = format!(
        "caused by transaction {}\n{:>10} {:>10}/2     a1a1a1a1 Order {{ market: 3, account: 250 }}\n{:>10} {:>10}/3     \
         a1a1a1a1 Trade {{ market: 3, size: 250 }}\n",
        hash(0xA1),
        1,
        1,
        2,
        1
    );
    assert_eq!(led_to, expected);
    assert_eq!(run(&["audit", text(&place), "--cause-of", "2", "--json"]).fine().lines().count(), 2);
    let own = run(&["audit", text(&place), "--cause-of", "5"]).fine();
    assert!(own.starts_with(&format!("caused by block {}\n", hash(1))), "{own}");
}

#[test]
fn events_of_older_programs_are_decoded_by_their_layouts() {
    mod after {
        ringbus::events! {
            /// What the exchange of these tests says now.
            pub(super) schema Exchange, version 3;

            /// Two orders met.
            event Trade, kind 8, layout 2 { market: u32, size: u32 }
        }
    }
    let directory = tempfile::tempdir().expect("there is room");
    let place = store(directory.path());
    say_a_block(&place, after::Exchange::schema(), 2, 8, 2);
    for (block, expected) in [("1", "Trade { market: 3 }"), ("2", "Trade { market: 3, size: 250 }")] {
        let told = run(&["audit", text(&place), "--block", block]).fine();
        assert_eq!(told.matches(expected).count(), 2, "{told}");
    }
}

#[test]
fn what_there_is_not_is_said() {
    let directory = tempfile::tempdir().expect("there is room");
    let place = store(directory.path());
    let place = text(&place);
    let unknown = hash(0xEE).to_string();
    for (question, expected) in [
        (["--tx", &unknown], format!("`{place}` has no events of transaction {unknown}; it has 6 records")),
        (
            ["--block", "7"],
            format!("`{place}` has no block of height 7; it has 6 records of stream `testnet`"),
        ),
        (["--cause-of", "6"], format!("`{place}` has no event with sequence 6; it has")),
    ] {
        let error = run(&[&["audit", place][..], &question].concat()).failed(1);
        assert!(error.starts_with("ringbus: ") && error.contains(&expected), "{error}");
    }
    let nowhere = directory.path().join("nowhere.db");
    let error = run(&["audit", text(&nowhere), "--block", "1"]).failed(1);
    assert!(error.contains(text(&nowhere)) && error.contains("expected the database of a store"), "{error}");
    assert!(!nowhere.exists());
    let error = run(&["audit", text(directory.path()), "--block", "1"]).failed(1);
    assert!(error.contains("is no regular file; expected the database of a store"), "{error}");
    for wrong in [
        &["audit", place][..],
        &["audit", place, "--block", "1", "--cause-of", "2"],
        &["audit", place, "--tx", "12"],
    ] {
        run(wrong).failed(2);
    }
}
