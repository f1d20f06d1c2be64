//! The latency, over the share of events that had no longer one.

use hdrhistogram::Histogram;
use plotters::prelude::*;

use super::super::distribution::STEPS;
use super::super::numbers::rate;
use super::super::report::Latency;
use super::axis::{around, delay, marks, percentile};
use super::{Area, Drawn, GRID, INK, TEXT, text};

const LINE: RGBColor = RGBColor(0xd6, 0x27, 0x28);

pub(super) fn draw(area: &Area, latency: &Latency) -> Drawn<()> {
    let points = points(&latency.histogram);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(()) };
    let shares = 1.0..last.0.max(10.0) * 1.25;
    let delays = around(first.1, last.1);
    let (share_marks, delay_marks) = (decades(shares.end), marks(&delays));
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(30)
        .x_label_area_size(44)
        .y_label_area_size(80)
        .build_cartesian_2d(
            shares.log_scale().with_key_points(share_marks),
            delays.log_scale().with_key_points(delay_marks),
        )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .x_label_formatter(&|one_of| percentile(*one_of))
        .y_label_formatter(&|nanoseconds| delay(*nanoseconds))
        .x_desc(format!("share of the events, one to one at {} M events/s", rate(latency.offered_per_second)))
        .y_desc("handled within")
        .label_style(text(TEXT))
        .draw()?;
    chart.draw_series(LineSeries::new(points.iter().copied(), LINE.stroke_width(3)))?;
    Ok(())
}

/// One of how many events took longer, and longer than what. The worst is one of all.
fn points(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    let all = histogram.len() as f64;
    let steps = histogram.iter_quantiles(STEPS);
    let points = steps.map(|step| {
        let one_of = 1.0 / (1.0 - step.quantile_iterated_to());
        // A logarithmic axis has no 0.
        (one_of.min(all), step.value_iterated_to().max(1) as f64)
    });
    points.collect()
}

/// The powers of ten up to `end`.
fn decades(end: f64) -> Vec<f64> {
    (0..).map(|decade| 10f64.powi(decade)).take_while(|mark| *mark < end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::histogram;

    #[test]
    fn the_curve_ends_with_the_worst_of_all() {
        let mut delays = histogram();
        for delay in 1..=1_000 {
            delays.record(delay).unwrap();
        }
        let points = points(&delays);
        assert_eq!((points[0], points[points.len() - 1]), ((1.0, 1.0), (1_000.0, 1_000.0)));
        assert!(points.contains(&(2.0, 500.0)), "{points:?}");
        assert!(points.is_sorted());
    }

    #[test]
    fn of_nothing_there_is_no_curve() {
        assert_eq!(points(&histogram()), []);
    }

    #[test]
    fn the_nines_are_marked() {
        assert_eq!(decades(2_500.0), [1.0, 10.0, 100.0, 1_000.0]);
    }
}
