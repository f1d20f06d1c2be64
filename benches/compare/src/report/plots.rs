//! The plots, as SVG: on a white ground, so that they can be read on a dark page too.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

pub(crate) use curves::curves;
pub(crate) use ranges::ranges;

mod curves;
mod lines;
mod ranges;

#[derive(Debug)]
pub(crate) struct Plot {
    /// Of the file, without its extension.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) svg: String,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: u32 = 900;
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const TITLE: u32 = 20;
const TEXT: u32 = 15;

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// Where a logarithmic axis is labelled: 1, 2, 5, 10 ..., or at powers of ten alone if it is long.
fn marks(axis: &Range<f64>) -> Vec<f64> {
    let Range { start: from, end: to } = *axis;
    let steps: &[f64] = if to / from > 3e3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let decades = from.log10().floor() as i32..=to.log10().ceil() as i32;
    let marks = decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
    marks.filter(|mark| axis.contains(mark)).collect()
}

/// Without digits that say nothing.
fn delay_on_axis(nanoseconds: f64) -> String {
    match nanoseconds {
        1e6.. => format!("{} ms", nanoseconds / 1e6),
        1e3.. => format!("{} us", nanoseconds / 1e3),
        _ => format!("{nanoseconds} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_axis_has_more_marks_than_a_long_one() {
        assert_eq!(marks(&(7.0..300.0)), [10.0, 20.0, 50.0, 100.0, 200.0]);
        assert_eq!(marks(&(50.0..2e6)), [1e2, 1e3, 1e4, 1e5, 1e6]);
    }
}
