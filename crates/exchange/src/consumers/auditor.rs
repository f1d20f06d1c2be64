//! Why somebody was liquidated.

use ringbus::Sequence;
use ringbus::bus::AuditError;
use ringbus::bus::{Audit, AuditLog, Filter, Hash, Header, RecordRef, Subscriber};

use crate::events::{Exchange, Reason, Request};
use crate::units::{Amount, Money, money};

/// Keeps what the oracle's transactions caused, as much of it as a bound allows, and counts what became of it.
///
/// Its filter lets pass whatever those transactions caused, so what its log says of one of them is everything.
#[derive(Debug)]
pub struct Auditor {
    log: AuditLog,
    liquidations: Liquidations,
}

/// How often something happened, and how much it came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How often.
    pub times: u64,
    sum: Amount,
}

impl Counted {
    /// How much.
    #[must_use]
    pub fn sum(&self) -> Money {
        money(self.sum)
    }

    fn count(&mut self, amount: Money) {
        self.times += 1;
        self.sum += amount.mantissa();
    }
}

/// What mark prices have led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Liquidations {
    /// Mark prices.
    pub marks: u64,
    /// How many times an account was distressed.
    pub distressed: u64,
    /// Orders of theirs that were cancelled.
    pub cancelled: u64,
    /// How many recovered by that.
    pub recovered: u64,
    /// Positions, or parts of them, that were closed out.
    pub closed_out: u64,
    /// Trades of the network.
    pub network_trades: u64,
    /// Fees for the insurance pool.
    pub fees: Counted,
    /// What the insurance pool paid.
    pub insured: Counted,
    /// What others paid.
    pub socialised: Counted,
    /// The oracle's transaction that was seen last, and its stages, a bit each.
    current: (Hash, u8),
    /// By how many stages: the last transaction that had as many or more.
    last: [Option<Hash>; Stage::COUNT],
}

/// A stage of a liquidation.
#[derive(Clone, Copy)]
enum Stage {
    Marked,
    Distressed,
    ClosedOut,
    Insured,
    Socialised,
}

impl Stage {
    const COUNT: usize = 5;
}

impl Liquidations {
    /// The oracle's transactions that led furthest: the last one that had all stages, from the mark price to a
    /// socialised loss; then the last that had one less, and so on.
    pub fn furthest(&self) -> impl Iterator<Item = Hash> {
        self.last.into_iter().rev().flatten()
    }

    fn count(&mut self, record: &RecordRef<'_>) {
        let stage = match Exchange::of(record) {
            Some(Exchange::MarkPriceMoved(_)) => {
                self.marks += 1;
                Stage::Marked
            }
            Some(Exchange::Distressed(_)) => {
                self.distressed += 1;
                Stage::Distressed
            }
            Some(Exchange::ClosedOut(_)) => {
                self.closed_out += 1;
                Stage::ClosedOut
            }
            Some(Exchange::InsurancePaid(paid)) => {
                self.insured.count(paid.amount);
                Stage::Insured
            }
            Some(Exchange::LossSocialised(loss)) => {
                self.socialised.count(loss.amount);
                Stage::Socialised
            }
            Some(Exchange::OrderCancelled(order)) => {
                self.cancelled += u64::from(order.reason == Reason::DISTRESSED);
                return;
            }
            Some(Exchange::Recovered(_)) => return self.recovered += 1,
            Some(Exchange::Trade(_)) => return self.network_trades += 1,
            Some(Exchange::LiquidationFee(fee)) => return self.fees.count(fee.amount),
            _ => return,
        };
        let (trace, stages) = &mut self.current;
        if *trace != record.trace() {
            (*trace, *stages) = (record.trace(), 0);
        }
        *stages |= 1 << stage as u8;
        self.last[stages.count_ones() as usize - 1] = Some(*trace);
    }
}

impl Auditor {
    /// Keeps at most so many bytes, by [`AuditLog::new`]'s count.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { log: AuditLog::new(bytes), liquidations: Liquidations::default() }
    }

    /// What it has to see: what the oracle's transactions caused, and their ends.
    #[must_use]
    pub fn filter() -> Filter {
        let mut marking = None;
        Filter::all().matching(move |record| {
            if record.origin().trigger.reason == Request::MARK_PRICE.get() {
                marking = Some(record.trace());
            }
            marking == Some(record.trace())
        })
    }

    /// To ask it by.
    #[must_use]
    pub fn audit(&self) -> Audit {
        self.log.audit()
    }

    /// What it has counted.
    #[must_use]
    pub fn liquidations(&self) -> &Liquidations {
        &self.liquidations
    }
}

impl Subscriber for Auditor {
    type Error = AuditError;

    fn start(&mut self, first: Sequence) -> Result<(), AuditError> {
        self.log.start(first)
    }

    fn block_begun(&mut self, header: &Header) -> Result<(), AuditError> {
        self.log.block_begun(header)
    }

    fn record(&mut self, record: RecordRef<'_>) -> Result<(), AuditError> {
        self.liquidations.count(&record);
        self.log.record(record)
    }

    fn block_ended(&mut self, header: &Header) -> Result<(), AuditError> {
        self.log.block_ended(header)
    }
}
