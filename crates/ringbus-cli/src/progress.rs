//! Bars on standard error, and on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};
use ringbus::Sequence;

/// A bar up to a number that is known, or the count alone.
pub(crate) fn bar(what: &'static str, of: &'static str, length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => {
            (ProgressBar::new(length), "{msg} {wide_bar} {human_pos}/{human_len} {prefix}, {per_sec}")
        }
        None => (ProgressBar::no_length(), "{spinner} {msg} {human_pos} {prefix}, {per_sec}"),
    };
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.expect("the template is well-formed"));
    bar.with_message(what).with_prefix(of)
}

/// A bar over the sequences from `first` up to `end`, if that is known.
pub(crate) fn sequences(what: &'static str, first: Option<Sequence>, end: Option<Sequence>) -> ProgressBar {
    let length = end.zip(first).map(|(end, first)| end.get().saturating_sub(first.get()));
    bar(what, "slots", length)
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
