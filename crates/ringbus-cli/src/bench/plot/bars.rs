//! How many gaps of which length each core had.

use hdrhistogram::Histogram;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::gaps::Gaps;
use super::super::report::Jitter;
use super::axis::{bounds, delay, marks};
use super::{Area, Drawn, GRID, INK, TEXT, text};

/// For one core each.
const COLOURS: [RGBColor; 4] = [
    RGBColor(0x1f, 0x77, 0xb4),
    RGBColor(0xff, 0x7f, 0x0e),
    RGBColor(0x2c, 0xa0, 0x2c),
    RGBColor(0x94, 0x67, 0xbd),
];

/// Where bars begin: a logarithmic axis has no 0, and one gap is to be seen.
const FLOOR: f64 = 0.5;

pub(super) fn draw(area: &Area, cores: &[Jitter]) -> Drawn<()> {
    let worst = cores.iter().map(|core| core.worst_nanoseconds).max().unwrap_or_default();
    let bounds = bounds(Gaps::LONGEST_LOOK as f64, worst as f64);
    let counts: Vec<Vec<u64>> = cores.iter().map(|core| counts(&core.histogram, &bounds)).collect();
    let most = counts.iter().flatten().max().copied().unwrap_or_default().max(5);
    let (lengths, numbers) = (bounds[0]..bounds[bounds.len() - 1], FLOOR..most as f64 * 2.0);
    let number_marks = marks(&numbers).into_iter().filter(|mark| *mark >= 1.0).collect();
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(30)
        .x_label_area_size(44)
        .y_label_area_size(80)
        .build_cartesian_2d(
            lengths.log_scale().with_key_points(bounds.clone()),
            numbers.log_scale().with_key_points(number_marks),
        )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .x_label_formatter(&|nanoseconds| delay(*nanoseconds))
        .y_label_formatter(&|count| format!("{count}"))
        .x_desc("a thread that does nothing but spin did not have its core for so long")
        .y_desc("so many times")
        .label_style(text(TEXT))
        .draw()?;
    for (place, counts) in counts.iter().enumerate() {
        let style = COLOURS[place % COLOURS.len()].filled();
        let bars = bounds.windows(2).zip(counts).filter(|(_, count)| **count > 0);
        chart.draw_series(bars.map(|(ends, count)| {
            let (left, right) = part(ends[0], ends[1], place, cores.len());
            Rectangle::new([(left, FLOOR), (right, *count as f64)], style)
        }))?;
    }
    legend(area, cores)
}

/// How many are within each pair of neighbouring bounds.
fn counts(histogram: &Histogram<u64>, bounds: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; bounds.len() - 1];
    for value in histogram.iter_recorded() {
        let above = bounds.partition_point(|bound| *bound <= value.value_iterated_to() as f64);
        // Below the first bound there is none, beyond the last neither.
        let place = above.saturating_sub(1).min(counts.len() - 1);
        counts[place] += value.count_at_value();
    }
    counts
}

/// Of a bar that is divided into so many, on a logarithmic axis, with a little room to the next.
fn part(left: f64, right: f64, place: usize, parts: usize) -> (f64, f64) {
    const FILLED: f64 = 0.9;
    let at = |share: f64| left * (right / left).powf(FILLED * share + (1.0 - FILLED) / 2.0);
    (at(place as f64 / parts as f64), at((place + 1) as f64 / parts as f64))
}

fn legend(area: &Area, cores: &[Jitter]) -> Drawn<()> {
    let (width, _) = area.dim_in_pixel();
    for (place, core) in cores.iter().enumerate() {
        let (left, y) = (width as i32 - 330, 24 + 20 * place as i32);
        area.draw(&Rectangle::new(
            [(left, y - 6), (left + 14, y + 6)],
            COLOURS[place % COLOURS.len()].filled(),
        ))?;
        let name = format!("{}: {} gaps, {:.4} % taken away", core.place(), core.gaps, core.lost_percent);
        let style = text(TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(name, (left + 22, y), style))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::histogram;

    #[test]
    fn every_gap_is_in_one_bar() {
        let mut gaps = histogram();
        for gap in [1_001, 1_500, 2_500, 30_000, 49_000] {
            gaps.record(gap).unwrap();
        }
        assert_eq!(counts(&gaps, &bounds(1e3, gaps.max() as f64)), [2, 1, 0, 0, 2]);
        assert_eq!(counts(&histogram(), &bounds(1e3, 0.0)), [0]);
    }

    #[test]
    fn bars_of_several_cores_stand_side_by_side() {
        let (first, second) = (part(1e3, 2e3, 0, 2), part(1e3, 2e3, 1, 2));
        assert!(1e3 < first.0 && first.0 < first.1 && second.0 < second.1 && second.1 < 2e3);
        assert!((first.1 - second.0).abs() < 1e-9);
    }
}
