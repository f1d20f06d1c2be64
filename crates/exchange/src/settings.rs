//! What a core starts from.

use std::{error, fmt};

use crate::units::{Amount, MAX_ACCOUNTS, MAX_DEPOSIT, MAX_MARKETS, MAX_PRICE, Price, SCALE};

/// What a core starts from.
///
/// ```
/// use exchange::{Core, SCALE, Settings};
///
/// let settings = Settings { accounts: 8, ..Settings::default() };
/// assert_eq!(settings.start_prices.len(), 4);
/// assert!(Core::new(&settings).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The first mark price of each market, in units of 1/[`SCALE`]: 1 to [`MAX_MARKETS`] of them.
    pub start_prices: Vec<Price>,
    /// How many accounts: 1 to [`MAX_ACCOUNTS`].
    pub accounts: u32,
    /// What each account starts with, in units of 1/[`SCALE`]: 0 to [`MAX_DEPOSIT`].
    pub deposit: Amount,
    /// What the insurance pool starts with, in units of 1/[`SCALE`]: 0 to [`MAX_DEPOSIT`].
    pub insurance: Amount,
}

impl Default for Settings {
    /// Four markets from 50 to 200; 64 accounts with 500 each; 100 in the insurance pool.
    fn default() -> Self {
        Self {
            start_prices: [50, 80, 120, 200].map(|price| price * SCALE).to_vec(),
            accounts: 64,
            deposit: 500 * SCALE,
            insurance: 100 * SCALE,
        }
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let out_of_range = |what, found: i64, least: i64, most: i64| {
            if (least..=most).contains(&found) {
                Ok(())
            } else {
                Err(SettingsError { what, found, least, most })
            }
        };
        out_of_range("the number of start prices", self.start_prices.len() as i64, 1, MAX_MARKETS as i64)?;
        for &price in &self.start_prices {
            out_of_range("a start price", price, 1, MAX_PRICE)?;
        }
        out_of_range("the number of accounts", self.accounts.into(), 1, MAX_ACCOUNTS.into())?;
        out_of_range("the deposit", self.deposit, 0, MAX_DEPOSIT)?;
        out_of_range("the insurance pool", self.insurance, 0, MAX_DEPOSIT)
    }
}

/// A setting that is out of range.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    what: &'static str,
    found: i64,
    least: i64,
    most: i64,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found, least, most } = self;
        write!(f, "{what} is {found}, expected {least} to {most}: change it in the settings")
    }
}

impl error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_its_range() {
        let sound = Settings::default();
        assert_eq!(sound.check(), Ok(()));
        for (settings, message) in [
            (
                Settings { start_prices: Vec::new(), ..sound.clone() },
                "the number of start prices is 0, expected 1 to 16: change it in the settings",
            ),
            (
                Settings { start_prices: vec![1, 0], ..sound.clone() },
                "a start price is 0, expected 1 to 100000000: change it in the settings",
            ),
            (
                Settings { accounts: 1_025, ..sound.clone() },
                "the number of accounts is 1025, expected 1 to 1024: change it in the settings",
            ),
            (
                Settings { deposit: -1, ..sound.clone() },
                "the deposit is -1, expected 0 to 1000000000000000: change it in the settings",
            ),
            (
                Settings { insurance: -1, ..sound },
                "the insurance pool is -1, expected 0 to 1000000000000000: change it in the settings",
            ),
        ] {
            assert_eq!(settings.check().unwrap_err().to_string(), message);
        }
    }
}
