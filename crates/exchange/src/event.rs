//! One event, as it lies on a ring.

use std::fmt;

use bytemuck::NoUninit;

use crate::kind::Kind;
use crate::payload::{Payload, Trade};
use crate::reason::Reason;
use crate::side::Side;
use crate::units::{AccountId, Amount, MarketId, Price, Size};

/// The trace of events that no transaction caused.
pub const NO_TRACE: u64 = 0;

/// Where an event belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Height of the block, 1 for the first.
    pub block: u64,
    /// Id of the transaction that caused the event, [`NO_TRACE`] where none did.
    pub trace: u64,
    /// Place within the block: 1, 2, 3, without a gap.
    pub number: u32,
}

/// An event: 64 bytes of fixed layout, without padding.
///
/// The fields are shared by the kinds, each with a use of its own, so they are read through
/// [`payload`](Self::payload).
///
/// ```
/// use exchange::{Event, Header, Payload};
///
/// let event = Event::new(Header { block: 7, trace: 0, number: 2 }, Payload::MarkPrice { market: 1, price: 995_000 });
/// assert_eq!(event.to_string(), "7-2: mark price: market 1, 99.5000");
/// match event.payload() {
///     Payload::MarkPrice { market, price } => assert_eq!((market, price), (1, 995_000)),
///     other => unreachable!("{other}"),
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, NoUninit)]
#[repr(C)]
pub struct Event {
    block: u64,
    trace: u64,
    number: u32,
    kind: Kind,
    market: MarketId,
    side: Side,
    reason: Reason,
    /// The taker, in trades.
    account: AccountId,
    /// The maker in trades, a number of events in results and ends of blocks.
    counterparty_or_count: u32,
    /// 0 for the limit of a market order.
    price: Price,
    /// Net size in positions.
    size: Size,
    /// Fee, cost or balance.
    amount: Amount,
    /// The maker's order, the order to cancel, a timestamp or a hash.
    reference: u64,
}

/// Whoever reads the bytes elsewhere relies on these places.
const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<Event>() == 64 && align_of::<Event>() == 8);
    assert!(offset_of!(Event, trace) == 8 && offset_of!(Event, number) == 16);
    assert!(offset_of!(Event, kind) == 20 && offset_of!(Event, market) == 21);
    assert!(offset_of!(Event, side) == 22 && offset_of!(Event, reason) == 23);
    assert!(offset_of!(Event, account) == 24 && offset_of!(Event, counterparty_or_count) == 28);
    assert!(offset_of!(Event, price) == 32 && offset_of!(Event, size) == 40);
    assert!(offset_of!(Event, amount) == 48 && offset_of!(Event, reference) == 56);
};

/// What `price` holds for an order without a limit; 0 is no price.
const MARKET: Price = 0;

impl Event {
    /// An event at `header` that says `payload`. A limit of `Some(0)` reads back as `None`.
    #[inline]
    #[must_use]
    pub fn new(header: Header, payload: Payload) -> Self {
        let Header { block, trace, number } = header;
        let blank = Self {
            block,
            trace,
            number,
            kind: Kind::BeginBlock,
            market: 0,
            side: Side::Buy,
            reason: Reason::None,
            account: 0,
            counterparty_or_count: 0,
            price: 0,
            size: 0,
            amount: 0,
            reference: 0,
        };
        match payload {
            Payload::BeginBlock { timestamp } => {
                Self { kind: Kind::BeginBlock, reference: timestamp, ..blank }
            }
            Payload::Accepted { account, market, side, limit, size } => {
                let price = limit.unwrap_or(MARKET);
                Self { kind: Kind::Accepted, account, market, side, price, size, ..blank }
            }
            Payload::Rejected { account, market, side, limit, size, reason } => {
                let price = limit.unwrap_or(MARKET);
                Self { kind: Kind::Rejected, account, market, side, price, size, reason, ..blank }
            }
            Payload::Trade(Trade { market, side, taker, maker, maker_order, price, size, fee }) => Self {
                kind: Kind::Trade,
                market,
                side,
                account: taker,
                counterparty_or_count: maker,
                price,
                size,
                amount: fee,
                reference: maker_order,
                ..blank
            },
            Payload::Cancelled { account, market, side, order, size, reason } => {
                Self { kind: Kind::Cancelled, account, market, side, reference: order, size, reason, ..blank }
            }
            Payload::CancelRejected { account, market, order, reason } => {
                Self { kind: Kind::CancelRejected, account, market, reference: order, reason, ..blank }
            }
            Payload::Position { account, market, net, cost } => {
                Self { kind: Kind::Position, account, market, size: net, amount: cost, ..blank }
            }
            Payload::Balance { account, balance } => {
                Self { kind: Kind::Balance, account, amount: balance, ..blank }
            }
            Payload::Result { rejected, events } => Self {
                kind: Kind::Result,
                reason: rejected.unwrap_or(Reason::None),
                counterparty_or_count: events,
                ..blank
            },
            Payload::MarkPrice { market, price } => Self { kind: Kind::MarkPrice, market, price, ..blank },
            Payload::EndBlock { events, state_hash } => {
                Self { kind: Kind::EndBlock, counterparty_or_count: events, reference: state_hash, ..blank }
            }
        }
    }

    /// Where the event belongs.
    #[must_use]
    pub fn header(&self) -> Header {
        Header { block: self.block, trace: self.trace, number: self.number }
    }

    /// What kind of event it is; cheaper than [`payload`](Self::payload) where nothing else is needed.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the event says.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> Payload {
        let Self {
            market, side, reason, account, counterparty_or_count, price, size, amount, reference, ..
        } = *self;
        let limit = (price != MARKET).then_some(price);
        match self.kind {
            Kind::BeginBlock => Payload::BeginBlock { timestamp: reference },
            Kind::Accepted => Payload::Accepted { account, market, side, limit, size },
            Kind::Rejected => Payload::Rejected { account, market, side, limit, size, reason },
            Kind::Trade => Payload::Trade(Trade {
                market,
                side,
                taker: account,
                maker: counterparty_or_count,
                maker_order: reference,
                price,
                size,
                fee: amount,
            }),
            Kind::Cancelled => Payload::Cancelled { account, market, side, order: reference, size, reason },
            Kind::CancelRejected => Payload::CancelRejected { account, market, order: reference, reason },
            Kind::Position => Payload::Position { account, market, net: size, cost: amount },
            Kind::Balance => Payload::Balance { account, balance: amount },
            Kind::Result => {
                let rejected = (reason != Reason::None).then_some(reason);
                Payload::Result { rejected, events: counterparty_or_count }
            }
            Kind::MarkPrice => Payload::MarkPrice { market, price },
            Kind::EndBlock => Payload::EndBlock { events: counterparty_or_count, state_hash: reference },
        }
    }
}

impl fmt::Display for Event {
    /// `BLOCK-NUMBER`, the trace if there is one, and what the event says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.block, self.number)?;
        if self.trace != NO_TRACE {
            write!(f, " [{}]", self.trace)?;
        }
        write!(f, ": {}", self.payload())
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("header", &self.header()).field("payload", &self.payload()).finish()
    }
}
