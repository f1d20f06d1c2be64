//! Numbers as tables and plots show them: three digits, and the unit that suits them.

/// Whole numbers are shown in full.
pub(crate) fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        99.5.. => 0,
        9.95.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// A delay. Without a unit: nanoseconds.
pub(crate) fn delay(nanoseconds: f64) -> String {
    match nanoseconds {
        1e9.. => format!("{} s", three_digits(nanoseconds / 1e9)),
        1e6.. => format!("{} ms", three_digits(nanoseconds / 1e6)),
        1e4.. => format!("{} us", three_digits(nanoseconds / 1e3)),
        _ => format!("{nanoseconds:.0}"),
    }
}

/// Million events a second.
pub(crate) fn rate(events_per_second: f64) -> String {
    three_digits(events_per_second / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_or_are_whole() {
        let shown = [0.0, 0.126, 9.949, 9.96, 27.04, 99.96, 280.4, 1_160.2].map(three_digits);
        assert_eq!(shown, ["0.00", "0.13", "9.95", "10.0", "27.0", "100", "280", "1160"]);
    }

    #[test]
    fn delays_have_the_unit_that_suits_them() {
        let shown = [80.5, 9_999.0, 12_345.0, 1_978_367.0, 19_783_670.0, 3e9].map(delay);
        assert_eq!(shown, ["80", "9999", "12.3 us", "1.98 ms", "19.8 ms", "3.00 s"]);
    }
}
