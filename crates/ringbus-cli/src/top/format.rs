//! Numbers that fit into columns.

use std::time::Duration;

/// A count or a rate in at most 5 columns: exact up to 9,999, then three digits and a unit.
pub(crate) fn short(number: f64) -> String {
    if number > 0.0 && number < 9.95 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    if number < 9_999.5 {
        return crate::progress::grouped(number.round() as u64);
    }
    let units = [(1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")];
    let (unit, name) = units.into_iter().find(|(unit, _)| number / unit < 999.5).unwrap_or((1e15, "P"));
    format!("{}{name}", three_digits(number / unit))
}

/// A count, exact if that fits into so many columns.
pub(crate) fn count(count: u64, columns: usize) -> String {
    let exact = crate::progress::grouped(count);
    if exact.len() <= columns { exact } else { short(count as f64) }
}

/// A time in at most 5 columns.
pub(crate) fn time(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let units = [(1.0, "ns"), (1e3, "µs"), (1e6, "ms")];
    let (unit, name) = units.into_iter().find(|(unit, _)| nanos / unit < 999.5).unwrap_or((1e9, "s"));
    let number = nanos / unit;
    if unit == 1.0 || number >= 9.95 { format!("{number:.0}{name}") } else { format!("{number:.1}{name}") }
}

/// A share, given from 0 to 1, in at most 5 columns.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        percent if percent < 0.05 => "<0.1%".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1}%"),
        percent if percent < 999.5 => format!("{percent:.0}%"),
        _ => ">999%".to_owned(),
    }
}

fn three_digits(number: f64) -> String {
    let decimals = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_counts_fit_into_five_columns() {
        for (number, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (7.0, "7"),
            (12.4, "12"),
            (999.6, "1,000"),
            (9_999.0, "9,999"),
            (9_999.6, "10.0k"),
            (12_345.0, "12.3k"),
            (99_960.0, "100k"),
            (999_499.0, "999k"),
            (999_500.0, "1.00M"),
            (1_254_000.0, "1.25M"),
            (20_500_000_000.0, "20.5G"),
            (1e15, "1.00P"),
        ] {
            assert_eq!(short(number), text);
            assert!(text.len() <= 5);
        }
        assert_eq!([count(65_536, 6), count(65_536, 5)], ["65,536", "65.5k"]);
    }

    #[test]
    fn times_fit_into_five_columns() {
        for (nanos, text) in [
            (0, "0ns"),
            (999, "999ns"),
            (1_000, "1.0µs"),
            (12_345, "12µs"),
            (999_499, "999µs"),
            (999_600, "1.0ms"),
            (61_000_000_000, "61s"),
        ] {
            assert_eq!(time(Duration::from_nanos(nanos)), text);
            assert!(text.chars().count() <= 5);
        }
    }

    #[test]
    fn shares_tell_little_from_nothing() {
        let shares = [0.0, 0.0001, 0.004, 0.0996, 0.5, 1.0, 9.99, 50.0].map(percent);
        assert_eq!(shares, ["0%", "<0.1%", "0.4%", "10%", "50%", "100%", "999%", ">999%"]);
    }
}
