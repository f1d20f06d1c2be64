//! The delays of each contender over the rate offered.

use plotters::prelude::*;

use crate::contenders::Kind;
use crate::record::Figures;
use crate::state::State;

use super::super::groups::Workload;
use super::super::measure::Measure;

/// Events a second offered, nanoseconds.
pub(crate) type Point = (f64, f64);

#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: Kind,
    colour: RGBColor,
    mark: Mark,
    /// For each measure, those rates at which the contender kept up.
    pub(crate) points: Vec<Vec<Point>>,
}

/// What stands at a point.
#[derive(Clone, Copy, Debug)]
enum Mark {
    Circle,
    Triangle,
    Cross,
}

const MARKS: [Mark; 3] = [Mark::Circle, Mark::Triangle, Mark::Cross];

/// They are taken in turn.
fn colours(kind: Kind) -> &'static [RGBColor] {
    match kind {
        Kind::Own => &[RGBColor(0xd6, 0x27, 0x28)],
        Kind::Setting => {
            &[RGBColor(0xf0, 0x80, 0x80), RGBColor(0x9b, 0x2d, 0x5f), RGBColor(0xff, 0x9d, 0x5c)]
        }
        Kind::Rival => &[
            RGBColor(0x1f, 0x77, 0xb4),
            RGBColor(0xff, 0x7f, 0x0e),
            RGBColor(0x2c, 0xa0, 0x2c),
            RGBColor(0x94, 0x67, 0xbd),
            RGBColor(0x8c, 0x56, 0x4b),
            RGBColor(0xe3, 0x77, 0xc2),
            RGBColor(0x17, 0xbe, 0xcf),
            RGBColor(0xbc, 0xbd, 0x22),
            RGBColor(0x00, 0x3f, 0x5c),
            RGBColor(0x00, 0x80, 0x80),
        ],
        Kind::Yardstick => &[RGBColor(0x99, 0x99, 0x99), RGBColor(0x55, 0x55, 0x55)],
    }
}

/// By kind and name, so that all plots of the same contenders show them alike.
pub(crate) fn lines<'a>(workloads: &[&'a Workload], state: State, measures: &[Measure]) -> Vec<Line<'a>> {
    let contenders = workloads.iter().flat_map(|workload| &workload.contenders);
    let mut names: Vec<(Kind, &str)> = contenders.map(|measured| (measured.kind, measured.name)).collect();
    names.sort();
    names.dedup();
    let lines = names.iter().enumerate().map(|(place, &(kind, name))| {
        let colours = colours(kind);
        let place_in_kind = names[..place].iter().filter(|before| before.0 == kind).count();
        Line {
            name,
            kind,
            colour: colours[place_in_kind % colours.len()],
            mark: MARKS[place_in_kind % MARKS.len()],
            points: measures.iter().map(|measure| points(workloads, name, state, *measure)).collect(),
        }
    });
    lines.collect()
}

fn points(workloads: &[&Workload], name: &str, state: State, measure: Measure) -> Vec<Point> {
    let points = workloads.iter().filter_map(|workload| {
        let measured = workload.find(name)?;
        let Figures::Latency { offered, .. } = measured.rounds_in(state).next()?.figures else { return None };
        let delay = measured.spread(state, measure)?.median;
        measured.keeps_up(state).then_some((offered?, delay))
    });
    let mut points: Vec<Point> = points.collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    points
}

impl Line<'_> {
    pub(crate) fn style(&self) -> ShapeStyle {
        self.colour.stroke_width(if self.kind == Kind::Own { 4 } else { 2 })
    }

    /// What stands at this place, on any axes.
    pub(crate) fn mark<'b, C: Clone + 'static>(&self, at: C) -> DynElement<'static, SVGBackend<'b>, C> {
        let filled = self.colour.filled();
        match self.mark {
            Mark::Circle => Circle::new(at, 4, filled).into_dyn(),
            Mark::Triangle => TriangleMarker::new(at, 6, filled).into_dyn(),
            Mark::Cross => Cross::new(at, 4, self.colour.stroke_width(2)).into_dyn(),
        }
    }

    pub(crate) fn keeps_up_anywhere(&self) -> bool {
        self.points.iter().any(|points| !points.is_empty())
    }
}
