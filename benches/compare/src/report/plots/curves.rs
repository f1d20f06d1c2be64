//! Delays over the rate at which events were offered: one line for each contender that kept up.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Outcome;

use super::super::chapters::file_name;
use super::super::groups::{Workload, states};
use super::super::measure::Measure;
use super::lines::{Line, lines};
use super::{Area, GRID, INK, Plot, TEXT, TITLE, WIDTH, delay_on_axis, marks, text};

/// Below each other.
const PANELS: [Measure; 2] = [Measure::P50, Measure::P99];

const HEAD: u32 = 40;
const PANEL: u32 = 360;
const LEGEND: u32 = 230;

/// One plot for each state, of workloads that differ in the rate offered.
pub(crate) fn curves(prefix: &str, workloads: &[&Workload]) -> Outcome<Vec<Plot>> {
    let states = states(workloads.iter().copied());
    let plots = states.into_iter().map(|state| {
        let title = format!("latency under load, {}, {} state", prefix.replace("load/", ""), state.name());
        let name = format!("{}-{}", file_name(prefix), state.name());
        Ok(Plot { svg: draw(&title, &lines(workloads, state, &PANELS))?, name, title })
    });
    plots.collect()
}

fn draw(title: &str, lines: &[Line]) -> Outcome<String> {
    let mut svg = String::new();
    {
        let size = (WIDTH, HEAD + PANEL * PANELS.len() as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        area.draw(&Text::new(title.to_owned(), (20, 14), text(TITLE)))?;
        let (_, below) = area.split_vertically(HEAD);
        let (left, right) = below.split_horizontally(WIDTH - LEGEND);
        for (place, part) in left.split_evenly((PANELS.len(), 1)).iter().enumerate() {
            panel(part, lines, place)?;
        }
        legend(&right, lines)?;
        area.present()?;
    }
    Ok(svg)
}

fn panel(area: &Area, lines: &[Line], place: usize) -> Outcome<()> {
    let points = || lines.iter().flat_map(|line| &line.points[place]);
    let rates = around(points().map(|(rate, _)| *rate));
    let delays = around(points().map(|(_, delay)| *delay));
    // Nobody kept up.
    let (Some(rates), Some(delays)) = (rates, delays) else { return Ok(()) };
    let (marks_of_rates, marks_of_delays) = (marks(&rates), marks(&delays));
    let mut chart =
        ChartBuilder::on(area).margin(10).x_label_area_size(44).y_label_area_size(80).build_cartesian_2d(
            rates.log_scale().with_key_points(marks_of_rates),
            delays.log_scale().with_key_points(marks_of_delays),
        )?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .x_label_formatter(&|rate| format!("{}", rate / 1e6))
        .y_label_formatter(&|delay| delay_on_axis(*delay))
        .x_desc("offered, M events/s")
        .y_desc(PANELS[place].name())
        .label_style(text(TEXT))
        .draw()?;
    // Ours last, on top of the others.
    for line in lines.iter().rev() {
        let points = &line.points[place];
        chart.draw_series(LineSeries::new(points.iter().copied(), line.style()))?;
        chart.draw_series(points.iter().map(|point| line.mark(*point)))?;
    }
    Ok(())
}

/// Somewhat more than all of these values. `None`: there are none.
fn around(values: impl Iterator<Item = f64> + Clone) -> Option<Range<f64>> {
    let least = values.clone().reduce(f64::min)?;
    let most = values.reduce(f64::max)?;
    Some(least / 1.25..most * 1.25)
}

fn legend(area: &Area, lines: &[Line]) -> Outcome<()> {
    for (row, line) in (0..).zip(lines) {
        let y = 20 + 22 * row;
        area.draw(&PathElement::new([(5, y), (35, y)], line.style()))?;
        area.draw(&line.mark((20, y)))?;
        let remark = if line.keeps_up_anywhere() { "" } else { " (never keeps up)" };
        let style = text(TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(format!("{}{remark}", line.name), (42, y), style))?;
    }
    Ok(())
}
