//! Names of kinds, for people.

use std::borrow::Cow;

use crate::kind;

/// The name of a kind, such as `"market data"`, or `"kind 37"` where it has none here.
///
/// ```
/// assert_eq!(recorded::kind_name(recorded::kind::MARKET_DATA), "market data");
/// assert_eq!(recorded::kind_name(37), "kind 37");
/// ```
#[must_use]
pub fn kind_name(kind: u16) -> Cow<'static, str> {
    let name = match kind {
        kind::TIME_UPDATE => "time update",
        kind::LEDGER_MOVEMENTS => "ledger movements",
        kind::ORDER => "order",
        kind::ACCOUNT => "account",
        kind::TRADE => "trade",
        kind::MARGIN_LEVELS => "margin levels",
        kind::MARKET_DATA => "market data",
        kind::MARKET_TICK => "market tick",
        kind::WITHDRAWAL => "withdrawal",
        kind::DEPOSIT => "deposit",
        kind::AUCTION => "auction",
        kind::POSITION_STATE => "position state",
        kind::BEGIN_BLOCK => "begin block",
        kind::END_BLOCK => "end block",
        kind::TRANSACTION_RESULT => "transaction result",
        kind::TRANSACTION_ERROR => "transaction error",
        other => return Cow::Owned(format!("kind {other}")),
    };
    Cow::Borrowed(name)
}

#[cfg(test)]
mod tests {
    use super::kind_name;

    #[test]
    fn names_exactly_the_kinds_of_the_format() {
        let named: Vec<(u16, String)> = (0..=u16::MAX)
            .map(|kind| (kind, kind_name(kind).into_owned()))
            .filter(|(kind, name)| *name != format!("kind {kind}"))
            .collect();
        let expected = [
            (2, "time update"),
            (3, "ledger movements"),
            (5, "order"),
            (6, "account"),
            (8, "trade"),
            (9, "margin levels"),
            (12, "market data"),
            (19, "market tick"),
            (20, "withdrawal"),
            (21, "deposit"),
            (22, "auction"),
            (46, "position state"),
            (49, "begin block"),
            (50, "end block"),
            (53, "transaction result"),
            (201, "transaction error"),
        ];
        assert_eq!(named, expected.map(|(kind, name)| (kind, name.to_owned())));
    }
}
