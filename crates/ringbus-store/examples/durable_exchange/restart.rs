//! How a core is started again, step by step. It is started for the first time in the same way: there is nothing in the journal then.

use std::error::Error;
use std::path::Path;

use exchange::BlockMaker;
use exchange::events::{BlockClosed, Exchange};
use ringbus::Sequence;
use ringbus::bus::{Bus, StreamId, Writer};
use ringbus_journal::{BlockEnd, Extent, Following, Journal, JournalReader, Start};
use ringbus_store::ExactlyOnce;
use ringbus_store::sqlite::Sqlite;

use super::projections;
use super::settings::Settings;

/// No event of the exchange has more bytes.
pub(crate) const PAYLOAD: usize = 64;

/// Whose records these are, wherever they lie.
pub(crate) fn stream() -> StreamId {
    StreamId::new("exchange")
}

/// **Step 1**: open the journal. It finds out where it ends, and cuts off what a crash has torn: none of that was acknowledged, so nobody
/// has acted on it. This process is now the only one that writes it.
pub(crate) fn open_journal(settings: &Settings) -> Result<Journal, Box<dyn Error>> {
    let journal = Journal::builder(stream())
        .schema(Exchange::schema())
        .slot_payload(PAYLOAD)
        .durability(settings.durability)
        .open(&settings.journal)?;
    let recovery = journal.recovery();
    let height = recovery.last_block.map_or(0, |block| block.height);
    println!("journal: {height} blocks, goes on at sequence {}", journal.next_sequence());
    if let Some(first) = recovery.unfinished {
        println!("journal: a block was going on from sequence {first}: it will be begun again");
    }
    if let Some(cut) = &recovery.cut {
        println!("journal: {cut}");
    }
    Ok(journal)
}

/// **Step 2**: rebuild the core as it was at the end of the last block in the journal, from what came in: here the order flow, which a
/// seed makes again. Whether it has become the same core, the journal's last `BlockClosed` tells.
///
/// What the journal has of a block without an end stays there. The core has not got to its end, and begins that block again: who reads
/// blocks drops the first part when the second begins.
pub(crate) fn rebuild_core(settings: &Settings, journal: &Journal) -> Result<BlockMaker, Box<dyn Error>> {
    let mut maker = BlockMaker::new(&settings.core(), settings.seed, settings.transactions_per_block)?;
    let Some(block) = &journal.recovery().last_block else { return Ok(maker) };
    maker.rebuild_to(block.height);
    let (expected, found) = (last_state_hash(&settings.journal, block)?, maker.core().state_hash());
    if found != expected {
        return Err(format!(
            "after block {} the rebuilt core has the state hash {found:016x}, but the journal `{}` says {expected:016x}: start it with the \
             seed, accounts and transactions per block that the journal was written with, or with another directory",
            block.height,
            settings.journal.display()
        )
        .into());
    }
    Ok(maker)
}

/// What the journal says of the core's state at the end of a block.
fn last_state_hash(journal: &Path, block: &BlockEnd) -> Result<u64, Box<dyn Error>> {
    let mut reader = JournalReader::open(journal, Extent::Written)?;
    reader.seek(Start::Block(block.height))?;
    let mut state_hash = None;
    while let Some(record) = reader.next()? {
        if record.sequence() >= block.next {
            break;
        }
        // If the block was begun more than once, only the last time came to its end.
        state_hash = record.get::<BlockClosed>().map(|closed| closed.state_hash).or(state_hash);
    }
    let missing = || {
        format!("block {} of the journal `{}` does not say what it comes to", block.height, journal.display())
    };
    Ok(state_hash.ok_or_else(missing)?)
}

/// **Step 3**: build a bus that goes on where the journal ends: each sequence stands for one record, for ever.
pub(crate) fn build_bus(
    settings: &Settings,
    next: Sequence,
) -> Result<(Writer<PAYLOAD>, Bus<PAYLOAD>), Box<dyn Error>> {
    let bus =
        Bus::builder(stream()).schema(Exchange::schema()).capacity(settings.capacity).first_sequence(next);
    Ok(bus.build()?)
}

/// **Step 5**: let the store follow the journal, from where it stopped. It reads files, and only what is durable in them: it never holds
/// the core up, and never has what a crash could take back. What it was behind, it catches up with while the core goes on.
pub(crate) fn follow_with_store(
    settings: &Settings,
    next: Sequence,
) -> Result<Following<ExactlyOnce<Sqlite>>, Box<dyn Error>> {
    let store = projections::add_to(Sqlite::builder(stream(), Exchange::schema()), &settings.core())
        .open(&settings.store)?;
    let store = ExactlyOnce::new(store, &stream())?;
    let from = store.resume_at().unwrap_or_default();
    if from > next {
        return Err(format!(
            "the store `{}` goes on at sequence {from}, but the journal `{}` ends before sequence {next}: give it the journal that it was \
             filled from, or remove the store's files, and it is filled anew",
            settings.store.display(),
            settings.journal.display()
        )
        .into());
    }
    println!("store: goes on at sequence {from}, {} behind", next.since(from));
    let reader = JournalReader::open(&settings.journal, Extent::Durable)?;
    Ok(reader.follow("store").stream(&stream()).from(from).spawn(store)?)
}
