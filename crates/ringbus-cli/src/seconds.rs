//! Times, as people give and read them.

use std::time::Duration;

/// Nobody waits for longer. (No clock is asked for the end of more than it can tell.)
const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

/// A number of seconds above 0, such as `2.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .map(|duration| duration.min(LONGEST))
        .ok_or_else(|| "expected a number of seconds above 0, such as 2.5".to_owned())
}

/// A time in its two largest units, or as a decimal of one.
pub(crate) fn rounded(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{duration:.1?}"),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        seconds @ 60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds @ 3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        seconds => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn times_above_0_are_taken() {
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2_500)));
        for wrong in ["0", "-1", "x", "", "inf", "NaN", "1e300"] {
            assert!(seconds(wrong).is_err_and(|error| error.contains("above 0")), "{wrong}");
        }
    }

    #[test]
    fn no_time_is_too_long_for_a_clock() {
        for text in ["1e18", "1e19"] {
            let time = seconds(text).expect("it is above 0");
            assert!(Instant::now().checked_add(time).is_some(), "{text}");
        }
    }

    #[test]
    fn times_are_told_in_units_of_their_size() {
        for (millis, expected) in [
            (0, "0.0ns"),
            (12, "12.0ms"),
            (1_234, "1.2 s"),
            (61_000, "1 min 1 s"),
            (3_720_000, "1 h 2 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(rounded(Duration::from_millis(millis)), expected);
        }
    }
}
