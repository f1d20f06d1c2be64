//! Contenders below each other, each with its minimum, median and maximum.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Outcome;
use crate::contenders::Kind;
use crate::spread::Spread;
use crate::state::State;

use super::super::chapters::{file_name, title};
use super::super::groups::{Measured, Workload};
use super::super::measure::Measure;
use super::{Area, GRID, INK, Plot, TEXT, TITLE, WIDTH, delay_on_axis, marks, text};

/// A greater ratio between the extremes wants a logarithmic axis.
const LINEAR: f64 = 10.0;

/// What lies behind our own row.
const OWN: RGBColor = RGBColor(0xe8, 0xf0, 0xfb);

struct Range {
    row: usize,
    state: State,
    spread: Spread,
}

/// The measure that ranks the contenders, in each state.
pub(crate) fn ranges(workload: &Workload) -> Outcome<Plot> {
    let mut ranges = Vec::new();
    for (row, measured) in workload.contenders.iter().enumerate() {
        let spreads = workload.states().into_iter().filter_map(|state| {
            Some(Range { row, state, spread: measured.spread(state, workload.measure)? })
        });
        ranges.extend(spreads);
    }
    let least = ranges.iter().map(|range| range.spread.min).fold(f64::INFINITY, f64::min);
    let most = ranges.iter().map(|range| range.spread.max).fold(0.0, f64::max);
    // There is room for a number on the right of the greatest.
    let svg = if ranges.is_empty() {
        draw(workload, &[], 0.0..1.0)
    } else if most > LINEAR * least {
        let axis = least / 1.5..most * 2.0;
        let marks = marks(&axis);
        draw(workload, &ranges, axis.log_scale().with_key_points(marks))
    } else {
        draw(workload, &ranges, 0.0..most * 1.15)
    };
    Ok(Plot { name: file_name(workload.id), title: title(workload.id), svg: svg? })
}

fn colour(state: State) -> RGBColor {
    match state {
        State::Near => RGBColor(0x1f, 0x5f, 0xbf),
        State::Far => RGBColor(0xd9, 0x73, 0x0d),
        State::Changed | State::Unknown => RGBColor(0x66, 0x66, 0x66),
    }
}

fn draw<X>(workload: &Workload, ranges: &[Range], axis: X) -> Outcome<String>
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let (states, rows) = (workload.states(), workload.contenders.len());
    let height = 110 + rows as u32 * 20 * states.len().max(1) as u32 + 4 * rows as u32;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title(workload.id), text(TITLE))
            .margin(10)
            .margin_right(20)
            .x_label_area_size(48)
            .y_label_area_size(210)
            .build_cartesian_2d(axis, rows as f64..0.0)?;
        let span = chart.plotting_area().get_x_range();
        for row in (0..rows).filter(|row| workload.contenders[*row].kind == Kind::Own) {
            let band = Rectangle::new([(span.start, row as f64), (span.end, row as f64 + 1.0)], OWN.filled());
            chart.draw_series([band])?;
        }
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(WHITE.mix(0.0))
            .bold_line_style(GRID)
            .axis_style(INK)
            .y_labels(0)
            .x_label_formatter(&|value| on_axis(workload.measure, *value))
            .x_desc(workload.measure.name())
            .label_style(text(TEXT))
            .draw()?;
        for (row, measured) in workload.contenders.iter().enumerate() {
            let (left, middle) = chart.backend_coord(&(span.start, row as f64 + 0.5));
            let shown = text(TEXT).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw(&Text::new(label(measured), (left - 10, middle), shown))?;
        }
        for range in ranges {
            let place = states.iter().position(|state| *state == range.state).unwrap_or_default();
            let y = range.row as f64 + (place as f64 + 0.5) / states.len() as f64;
            let Spread { median, min, max } = range.spread;
            let colour = colour(range.state);
            chart.draw_series([PathElement::new([(min, y), (max, y)], colour.stroke_width(3))])?;
            chart.draw_series([Circle::new((median, y), 5, colour.filled())])?;
            let shown = text(TEXT - 2).color(&colour).pos(Pos::new(HPos::Left, VPos::Center));
            chart.draw_series([
                EmptyElement::at((max, y)) + Text::new(workload.measure.show(median), (9, 0), shown)
            ])?;
        }
        if states.len() > 1 {
            legend(&area, &states)?;
        }
        area.present()?;
    }
    Ok(svg)
}

fn legend(area: &Area, states: &[State]) -> Outcome<()> {
    for (place, state) in (0..).zip(states) {
        let colour = colour(*state);
        let shown = text(TEXT).color(&colour).pos(Pos::new(HPos::Right, VPos::Top));
        area.draw(&Text::new(state.name(), (WIDTH as i32 - 25 - 70 * place, 14), shown))?;
    }
    Ok(())
}

fn label(measured: &Measured) -> String {
    match measured.kind {
        Kind::Yardstick => format!("({})", measured.name),
        Kind::Own | Kind::Setting | Kind::Rival => measured.name.to_owned(),
    }
}

fn on_axis(measure: Measure, value: f64) -> String {
    if measure.less_is_better() { delay_on_axis(value) } else { format!("{}", value / 1e6) }
}
