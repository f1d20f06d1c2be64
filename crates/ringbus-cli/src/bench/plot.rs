//! The plot, as SVG: on a white ground, so that it can be read on a dark page too.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::report::Report;

mod axis;
mod bars;
mod delays;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<T> = Result<T, Box<dyn Error + Send + Sync>>;

const WIDTH: u32 = 900;
const HEAD: u32 = 40;
const PANEL: u32 = 340;

const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const TITLE: u32 = 20;
const TEXT: u32 = 15;

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// The latency by percentiles, and below it the gaps of each core.
pub(crate) fn draw(report: &Report) -> Drawn<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEAD + 2 * PANEL)).into_drawing_area();
        area.fill(&WHITE)?;
        let title = format!("ringbus bench: {}, {} cores", report.machine.processor, report.machine.cores);
        area.draw(&Text::new(title, (20, 14), text(TITLE)))?;
        let (_, below) = area.split_vertically(HEAD);
        let (above, below) = below.split_vertically(PANEL);
        delays::draw(&above, &report.latency)?;
        bars::draw(&below, &report.jitter)?;
        area.present()?;
    }
    Ok(svg)
}
