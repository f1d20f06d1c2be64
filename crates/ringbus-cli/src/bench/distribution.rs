//! Histograms in the formats of `HdrHistogram`, for its tools and plotters.

use std::error::Error;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

/// Steps from one halving of what is left of the events to the next.
pub(crate) const STEPS: u32 = 5;

/// The distribution by percentiles, as text (`.hgrm`).
pub(crate) fn percentiles(histogram: &Histogram<u64>) -> String {
    let mut text =
        format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let mut count = 0;
    for step in histogram.iter_quantiles(STEPS) {
        count += step.count_since_last_iteration();
        let (value, quantile) = (step.value_iterated_to() as f64, step.quantile_iterated_to());
        _ = write!(text, "{value:12.3} {quantile:1.12} {count:10}");
        // Of the last it would be infinite.
        if quantile < 1.0 {
            _ = write!(text, " {:14.2}", 1.0 / (1.0 - quantile));
        }
        text.push('\n');
    }
    let (mean, deviation, max) = (histogram.mean(), histogram.stdev(), histogram.max() as f64);
    let (length, buckets, sub_buckets) = (histogram.len(), histogram.buckets(), histogram.distinct_values());
    _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
    _ = writeln!(text, "#[Max     = {max:12.3}, Total count    = {length:12}]");
    _ = writeln!(text, "#[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]");
    text
}

/// A histogram in a log, with nothing lost.
pub(crate) struct Entry<'a> {
    /// Without spaces and commas.
    pub(crate) tag: String,
    pub(crate) histogram: &'a Histogram<u64>,
    /// For how long it was recorded.
    pub(crate) duration: Duration,
}

/// An interval log (`.hlog`), of nanoseconds.
pub(crate) fn log(entries: &[Entry]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let mut log = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment("ringbus bench: nanoseconds")
        .with_start_time(SystemTime::now())
        .begin_log_with(&mut log, &mut serializer)?;
    for entry in entries {
        let tag = Tag::new(&entry.tag).ok_or_else(|| format!("`{}` is no tag", entry.tag))?;
        writer
            .write_histogram(entry.histogram, Duration::ZERO, entry.duration, Some(tag))
            .map_err(|error| format!("{error:?}"))?;
    }
    Ok(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::histogram;

    #[test]
    fn a_distribution_ends_with_all_values() {
        let mut histogram = histogram();
        for value in 1..=1_000 {
            histogram.record(value).unwrap();
        }
        let text = percentiles(&histogram);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
        assert_eq!(lines[2], "       1.000 0.000000000000          1           1.00");
        assert!(lines.contains(&"     500.000 0.500000000000        500           2.00"), "{text}");
        assert_eq!(lines[lines.len() - 4], "    1000.000 1.000000000000       1000");
        assert_eq!(lines[lines.len() - 2], "#[Max     =     1000.000, Total count    =         1000]");
    }

    #[test]
    fn a_distribution_of_nothing_is_well_formed() {
        let text = percentiles(&histogram());
        assert!(text.contains("#[Max     =        0.000, Total count    =            0]"), "{text}");
        assert!(!text.contains("NaN"), "{text}");
    }

    #[test]
    fn a_tag_that_would_break_the_log_is_refused() {
        let histogram = histogram();
        let entry = Entry { tag: "a b".to_owned(), histogram: &histogram, duration: Duration::ZERO };
        assert_eq!(log(&[entry]).unwrap_err().to_string(), "`a b` is no tag");
    }
}
