//! Points in time and spans of time, nanoseconds.

use std::fmt;

use bytemuck::{Pod, Zeroable};

use super::fixed::write_fixed;

macro_rules! nanoseconds {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(i64);

        // SAFETY: it is an integer and nothing else in memory.
        unsafe impl Zeroable for $name {}
        // SAFETY: it is an integer and nothing else in memory.
        unsafe impl Pod for $name {}

        impl $name {
            /// The one with this many nanoseconds.
            #[must_use]
            pub const fn new(nanoseconds: i64) -> Self {
                Self(nanoseconds)
            }

            /// Its nanoseconds.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

nanoseconds! {
    /// A point in time: nanoseconds since the beginning of 1970, UTC. It prints as RFC 3339 has it.
    ///
    /// ```
    /// use ringbus::bus::Timestamp;
    ///
    /// assert_eq!(Timestamp::new(951_827_696_000_000_001).to_string(), "2000-02-29T12:34:56.000000001Z");
    /// ```
    Timestamp
}

nanoseconds! {
    /// A span of time, nanoseconds; it may be negative. It prints as seconds.
    ///
    /// ```
    /// use ringbus::bus::Span;
    ///
    /// assert_eq!(Span::new(-1_500_000_000).to_string(), "-1.500000000s");
    /// ```
    Span
}

const NANOSECONDS_A_SECOND: i64 = 1_000_000_000;
const SECONDS_A_DAY: i64 = 86_400;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(NANOSECONDS_A_SECOND);
        let (year, month, day) = date(seconds.div_euclid(SECONDS_A_DAY));
        let second = seconds.rem_euclid(SECONDS_A_DAY);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:09}Z",
            second / 3600,
            second / 60 % 60,
            second % 60,
            self.0.rem_euclid(NANOSECONDS_A_SECOND)
        )
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fixed(f, self.0, 9)?;
        f.write_str("s")
    }
}

/// Year, month and day of a day counted from the first of 1970, in the Gregorian calendar: `civil_from_days` of Howard Hinnant's
/// "chrono-compatible low-level date algorithms", <https://howardhinnant.github.io/date_algorithms.html>. Years begin in March
/// there, so that the leap day is the last, and 400 of them are an era of 146,097 days.
const fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // from 0000-03-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month, day)
}
