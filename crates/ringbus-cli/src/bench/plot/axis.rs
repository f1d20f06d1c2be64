//! Logarithmic axes.

use std::ops::Range;

/// 1, 2, 5, 10 ..., or powers of ten alone where the axis is long.
pub(super) fn marks(axis: &Range<f64>) -> Vec<f64> {
    const LONG: f64 = 3e3;
    let Range { start, end } = *axis;
    let steps: &[f64] = if end / start > LONG { &[1.0] } else { &[1.0, 2.0, 5.0] };
    ladder(steps, start, end).filter(|mark| axis.contains(mark)).collect()
}

/// The bounds of bars, from `first`, which is a power of ten, to one that is greater than `greatest`.
pub(super) fn bounds(first: f64, greatest: f64) -> Vec<f64> {
    let all = ladder(&[1.0, 2.0, 5.0], first, 100.0 * greatest.max(first));
    let mut bounds: Vec<f64> = all.collect();
    let above = bounds.partition_point(|bound| *bound <= greatest).max(1);
    bounds.truncate(above + 1);
    bounds
}

fn ladder(steps: &[f64], start: f64, end: f64) -> impl Iterator<Item = f64> {
    let decades = start.log10().floor() as i32..=end.log10().ceil() as i32;
    decades.flat_map(move |decade| steps.iter().map(move |step| step * 10f64.powi(decade)))
}

/// Somewhat more than all of these values.
pub(super) fn around(least: f64, most: f64) -> Range<f64> {
    least / 1.25..most * 1.25
}

/// Without digits that say nothing.
pub(super) fn delay(nanoseconds: f64) -> String {
    match nanoseconds {
        1e9.. => format!("{} s", nanoseconds / 1e9),
        1e6.. => format!("{} ms", nanoseconds / 1e6),
        1e3.. => format!("{} us", nanoseconds / 1e3),
        _ => format!("{nanoseconds} ns"),
    }
}

/// Where all events but one of so many are at their place.
pub(super) fn percentile(one_of: f64) -> String {
    let nines = one_of.log10().round() as i32;
    let decimals = (nines - 2).max(0) as usize;
    format!("{:.decimals$} %", 100.0 - 100.0 / one_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_axis_has_more_marks_than_a_long_one() {
        assert_eq!(marks(&(7.0..300.0)), [10.0, 20.0, 50.0, 100.0, 200.0]);
        assert_eq!(marks(&(50.0..2e6)), [1e2, 1e3, 1e4, 1e5, 1e6]);
    }

    #[test]
    fn bars_go_beyond_the_greatest_value() {
        assert_eq!(bounds(1e3, 7_000.0), [1e3, 2e3, 5e3, 1e4]);
        assert_eq!(bounds(1e3, 5_000.0), [1e3, 2e3, 5e3, 1e4]);
        assert_eq!(bounds(1e3, 0.0), [1e3, 2e3]);
    }

    #[test]
    fn labels_have_the_unit_that_suits_them() {
        assert_eq!([20.0, 5e3, 1e6, 2e9].map(delay), ["20 ns", "5 us", "1 ms", "2 s"]);
        assert_eq!(
            [1.0, 10.0, 100.0, 1e3, 1e5].map(percentile),
            ["0 %", "90 %", "99 %", "99.9 %", "99.999 %"]
        );
    }

    #[test]
    fn an_axis_holds_what_it_is_around() {
        let axis = around(50.0, 1_000.0);
        assert!(axis.contains(&50.0) && axis.contains(&1_000.0));
    }
}
