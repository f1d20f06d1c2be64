//! A run: from wherever the last one stopped to the height that is asked for.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use exchange::BlockMaker;
use ringbus::Sequence;
use ringbus::bus::{Bus, Writer};
use ringbus_journal::Journal;

use super::books::{self, Books};
use super::gateway::{Acted, Gateway};
use super::restart::{PAYLOAD, build_bus, follow_with_store, open_journal, rebuild_core};
use super::settings::Settings;

/// What a run comes to. It exists only if the books balance.
pub(crate) struct Done {
    pub(crate) books: Books,
    /// Blocks that this run has made.
    pub(crate) blocks: u64,
    took: Duration,
    gateway_trades: u64,
}

/// Restarts the exchange, runs it up to the height that is asked for, and checks the books. `gateway` gets this run's records, once they
/// are durable.
pub(crate) fn run<F>(settings: &Settings, gateway: Gateway<F>) -> Result<Done, Box<dyn Error>>
where
    F: FnMut(Acted) + Send + 'static,
{
    let journal = open_journal(settings)?;
    let mut maker = rebuild_core(settings, &journal)?;
    let first = journal.next_sequence();
    let (writer, bus) = build_bus(settings, first)?;
    let following = follow_with_store(settings, first)?;

    let (from, started) = (maker.core().height(), Instant::now());
    let ran = run_core(settings, &mut maker, (writer, bus), journal, gateway);
    // However it went: what is durable, the store is to have.
    let end = match &ran {
        Ok((end, _)) => *end,
        Err(_) => first,
    };
    following.finish_at(end);
    let followed = following.join();
    let (_, gateway_trades) = ran?;
    drop(followed?);
    let took = started.elapsed();

    let books = books::check(settings, maker.core())?;
    Ok(Done { books, blocks: maker.core().height() - from, took, gateway_trades })
}

/// **Step 4**, and the run itself: the journal subscribes, and after it the gateway, before the core says its first word. The core makes
/// its blocks, and closes the bus; the journal makes the rest durable. Returns where that ends, and the gateway's trades.
fn run_core<F>(
    settings: &Settings,
    maker: &mut BlockMaker,
    (mut writer, bus): (Writer<PAYLOAD>, Bus<PAYLOAD>),
    journal: Journal,
    gateway: Gateway<F>,
) -> Result<(Sequence, u64), Box<dyn Error>>
where
    F: FnMut(Acted) + Send + 'static,
{
    let journal_subscription = bus.subscribe("journal").required().join()?;
    let gateway = bus.subscribe("gateway").required().after(&[&journal_subscription]).spawn(gateway)?;
    let recording = journal.record(journal_subscription)?;
    let made = loop {
        if maker.core().height() >= settings.blocks {
            break writer.close();
        }
        if let Err(error) = maker.make_block(&mut writer) {
            // So that the subscriptions come to their end.
            drop(writer);
            break Err(error);
        }
    };
    let (recorded, gateway) = (recording.join(), gateway.join());
    // What the journal or the gateway says of itself is nearer to the cause than what the core was told.
    let (recorded, gateway) = (recorded?, gateway?);
    made?;
    Ok((recorded.next, gateway.handler.into_subscriber().trades))
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { books, blocks, took, gateway_trades } = self;
        writeln!(
            f,
            "this run: {blocks} blocks in {:.2} s, {gateway_trades} trades told by the gateway",
            took.as_secs_f64()
        )?;
        write!(f, "{books}")
    }
}
