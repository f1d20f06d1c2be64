//! Older journals and newer programs.

use ringbus::Sequence;
use ringbus::bus::{Header, Kind, RecordRef};
use ringbus_journal::{Extent, Journal, JournalError, JournalReader};
use tempfile::tempdir;

mod first {
    ringbus::events! {
        pub schema Exchange, version 1;
        pub event Trade, kind 8 { pub price: u32, pub size: u32 }
    }
}

/// Another payload under the same kind and layout.
mod wrong {
    ringbus::events! {
        pub schema Exchange, version 2;
        pub event Trade, kind 8 { pub price: u64 }
    }
}

/// Another kind, and another layout.
mod second {
    ringbus::events! {
        pub schema Exchange, version 2;
        pub event Trade, kind 8, layout 2 { pub price: u64 }
        pub event Order, kind 9 { pub size: u64 }
    }
}

fn append(journal: &mut Journal, kind: u16, payload: &[u8]) {
    let header = Header { kind: Kind::new(kind), len: payload.len() as u16, ..Header::default() };
    journal.append(RecordRef::new(journal.next_sequence(), &header, payload)).unwrap();
}

#[test]
fn a_changed_payload_is_refused_by_name_and_other_growth_is_not() {
    let directory = tempdir().unwrap();
    let mut journal = Journal::builder("t").schema(first::Exchange::schema()).open(directory.path()).unwrap();
    append(&mut journal, 8, &[1; 8]);
    // A kind that no schema has.
    append(&mut journal, 77, b"anything");
    journal.close().unwrap();

    let error = Journal::builder("t").schema(wrong::Exchange::schema()).open(directory.path()).unwrap_err();
    assert!(matches!(error, JournalError::LayoutChanged(_)));
    assert_eq!(
        error.to_string(),
        "event `Trade` (kind 8): layout 1 has changed: field `price` was u32 at 0, is u64 at 0; give it a new `layout` number"
    );

    let newer = second::Exchange::schema();
    let mut journal = Journal::builder("t").schema(newer).open(directory.path()).unwrap();
    assert_eq!(journal.next_sequence(), Sequence::new(2));
    append(&mut journal, 9, &[2; 8]);
    journal.close().unwrap();

    let mut reader = JournalReader::open(directory.path(), Extent::Durable).unwrap();
    let mut read = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        let (kind, payload) = (record.kind().get(), record.payload().to_vec());
        let schema = reader.schema().unwrap();
        read.push((
            kind,
            payload,
            schema.version(),
            schema.event(Kind::new(kind)).map(|event| event.name().to_owned()),
        ));
    }
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(
        read,
        [
            (8, vec![1; 8], 1, named("Trade")),
            (77, b"anything".to_vec(), 1, None),
            (9, vec![2; 8], 2, named("Order")),
        ]
    );
}
