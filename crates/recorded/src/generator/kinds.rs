//! Which kinds there are, how often, and how long: shaped after a recording's figures, not taken from one.

use fastrand::Rng;

use crate::kind;

/// The length of the longest event, of which block 1 has one, in bytes.
pub(super) const LONGEST_BYTES: usize = 4_000;

/// A kind, and how it occurs.
pub(super) struct Shape {
    pub(super) kind: u16,
    /// How often, among the kinds it is drawn with.
    weight: u32,
    /// Length of the message, in bytes.
    shortest: usize,
    longest: usize,
}

impl Shape {
    const fn new(kind: u16, weight: u32, shortest: usize, longest: usize) -> Self {
        Self { kind, weight, shortest, longest }
    }

    /// A length: even between shortest and longest, except that long ledger movements are rare.
    pub(super) fn bytes(&self, rng: &mut Rng) -> usize {
        let draws = if self.kind == kind::LEDGER_MOVEMENTS { 5 } else { 1 };
        (0..draws).map(|_| rng.usize(self.shortest..=self.longest)).min().unwrap_or(self.shortest)
    }
}

/// One of `shapes`, by their weights.
pub(super) fn pick<'a>(rng: &mut Rng, shapes: &'a [Shape]) -> &'a Shape {
    let mut left = rng.u32(0..shapes.iter().map(|shape| shape.weight).sum());
    for shape in shapes {
        match left.checked_sub(shape.weight) {
            Some(rest) => left = rest,
            None => return shape,
        }
    }
    unreachable!("the number drawn is below the sum of the weights")
}

pub(super) const BEGIN_BLOCK: Shape = Shape::new(kind::BEGIN_BLOCK, 1, 235, 240);
pub(super) const TIME_UPDATE: Shape = Shape::new(kind::TIME_UPDATE, 1, 166, 170);
pub(super) const END_BLOCK: Shape = Shape::new(kind::END_BLOCK, 1, 160, 165);
pub(super) const TRANSACTION_RESULT: Shape = Shape::new(kind::TRANSACTION_RESULT, 1, 350, 650);
pub(super) const TRANSACTION_ERROR: Shape = Shape::new(kind::TRANSACTION_ERROR, 1, 350, 950);

/// What sets the network up, in block 1.
pub(super) const SETUP: &[Shape] = &[
    Shape::new(24, 200, 180, 230),
    Shape::new(kind::ACCOUNT, 20, 185, 300),
    Shape::new(18, 20, 195, 350),
    Shape::new(39, 5, 160, 170),
];

/// What happens in a block that no transaction causes.
pub(super) const ORDINARY: &[Shape] = &[
    Shape::new(kind::MARKET_DATA, 5_400, 525, 545),
    Shape::new(kind::MARKET_TICK, 4_700, 230, 234),
    Shape::new(kind::AUCTION, 1_100, 247, 254),
    Shape::new(kind::ACCOUNT, 200, 185, 460),
    Shape::new(7, 80, 220, 240),
    Shape::new(10, 150, 440, 500),
    Shape::new(11, 100, 325, 340),
    Shape::new(13, 80, 290, 300),
    Shape::new(14, 80, 310, 320),
    Shape::new(15, 80, 310, 370),
    Shape::new(16, 80, 240, 280),
    Shape::new(17, 160, 700, 950),
    Shape::new(18, 80, 195, 350),
    Shape::new(23, 80, 260, 270),
    Shape::new(24, 80, 180, 700),
    Shape::new(25, 80, 575, 595),
    Shape::new(26, 130, 1_005, 1_020),
    Shape::new(27, 80, 360, 370),
    Shape::new(28, 80, 350, 360),
    Shape::new(29, 400, 315, 320),
    Shape::new(30, 400, 250, 300),
    Shape::new(31, 400, 190, 200),
    Shape::new(32, 80, 380, 390),
    Shape::new(33, 80, 445, 460),
    Shape::new(34, 80, 355, 370),
    Shape::new(35, 150, 290, 300),
    Shape::new(36, 80, 200, 260),
    Shape::new(37, 80, 170, 190),
    Shape::new(38, 120, 345, 510),
    Shape::new(39, 80, 160, 170),
    Shape::new(41, 400, 260, 272),
    Shape::new(54, 100, 235, 240),
];

/// What transactions cause, but for their results.
pub(super) const CAUSED: &[Shape] = &[
    Shape::new(kind::ACCOUNT, 30, 400, 590),
    Shape::new(kind::ORDER, 14, 450, 520),
    Shape::new(kind::MARGIN_LEVELS, 14, 410, 475),
    Shape::new(kind::POSITION_STATE, 13, 300, 385),
    Shape::new(kind::LEDGER_MOVEMENTS, 9, 160, LONGEST_BYTES),
    Shape::new(kind::TRADE, 3, 585, 665),
    Shape::new(kind::DEPOSIT, 3, 390, 455),
    Shape::new(kind::WITHDRAWAL, 3, 430, 440),
];
