//! Workloads that are shown together: a chapter has its own file of tables.

use std::fmt::Write;

use crate::Outcome;

use super::groups::Workload;
use super::plots::{self, Plot};
use super::tables;

/// How the identifiers of a chapter's workloads start.
const CHAPTERS: [&str; 9] = [
    "one-to-one",
    "one-to-three",
    "pipeline",
    "ping-pong",
    "paced",
    "load/steady",
    "load/bursts",
    "optional",
    ONLOOKERS,
];

const ONLOOKERS: &str = "onlookers";

#[derive(Debug)]
pub(crate) struct Chapter<'a> {
    prefix: &'static str,
    workloads: Vec<&'a Workload<'a>>,
}

impl<'a> Chapter<'a> {
    /// Those with workloads that were measured.
    pub(crate) fn all(workloads: &'a [Workload]) -> Outcome<Vec<Self>> {
        let mut chapters =
            CHAPTERS.map(|prefix| Self { prefix, workloads: Vec::new() }).into_iter().collect::<Vec<_>>();
        for workload in workloads {
            let of_it = |chapter: &&mut Self| {
                workload.id.strip_prefix(chapter.prefix).is_some_and(|rest| rest.starts_with('/'))
            };
            let chapter = chapters.iter_mut().find(of_it).ok_or_else(|| {
                format!("no chapter of the report takes the workload {}: add one to chapters.rs", workload.id)
            })?;
            chapter.workloads.push(workload);
        }
        chapters.retain(|chapter| !chapter.workloads.is_empty());
        Ok(chapters)
    }

    /// Of the file, and of the block of figures.
    pub(crate) fn name(&self) -> String {
        file_name(self.prefix)
    }

    pub(crate) fn tables(&self) -> String {
        if self.prefix == ONLOOKERS {
            return tables::onlookers(&self.workloads);
        }
        let mut tables = String::new();
        for workload in &self.workloads {
            writeln!(tables, "#### {}\n\n{}", title(workload.id), tables::workload(workload))
                .expect("a string takes all");
        }
        tables
    }

    pub(crate) fn plots(&self) -> Outcome<Vec<Plot>> {
        match self.prefix {
            ONLOOKERS => Ok(Vec::new()),
            prefix if prefix.starts_with("load/") => plots::curves(prefix, &self.workloads),
            _ => self.workloads.iter().map(|workload| plots::ranges(workload)).collect(),
        }
    }
}

/// Of a workload's identifier: `one-to-one, single, ring 65536, 64-byte events`.
pub(crate) fn title(id: &str) -> String {
    let mut parts: Vec<&str> = id.split('/').collect();
    let (bytes, capacity) = (parts.pop().unwrap_or_default(), parts.pop().unwrap_or_default());
    format!("{}, ring {capacity}, {bytes}-byte events", parts.join(", "))
}

pub(crate) fn file_name(id: &str) -> String {
    id.replace('/', "-")
}

#[cfg(test)]
mod tests {
    use super::super::made_up::{NEAR, delays, rate, record};
    use super::*;

    #[test]
    fn a_chapter_has_its_workloads_and_their_plots() {
        let records = [
            record("one-to-one/single/65536/64", "ringbus", NEAR, rate(1.0)),
            record("one-to-one/batch-64/65536/32", "ringbus", NEAR, rate(1.0)),
            record("load/steady/1M/65536/64", "ringbus", NEAR, delays(1, 2, Some((1e6, 1e6)))),
            record("load/steady/2M/65536/64", "ringbus", NEAR, delays(1, 2, Some((2e6, 2e6)))),
        ];
        let workloads = Workload::all(&records).expect("known contenders");
        let chapters = Chapter::all(&workloads).expect("known workloads");
        let plots = |chapter: &Chapter| -> Vec<String> {
            chapter.plots().expect("drawn").into_iter().map(|plot| plot.name).collect()
        };
        let named: Vec<_> = chapters.iter().map(|chapter| (chapter.name(), plots(chapter))).collect();
        let one_to_one = ["one-to-one-single-65536-64", "one-to-one-batch-64-65536-32"].map(str::to_owned);
        let expected = [
            ("one-to-one".to_owned(), one_to_one.to_vec()),
            ("load-steady".to_owned(), vec!["load-steady-near".to_owned()]),
        ];
        assert_eq!(named, expected);
    }

    #[test]
    fn the_same_measurements_make_the_same_plots() {
        let records = [
            record("pipeline/single/65536/64", "ringbus", NEAR, rate(1.0)),
            record("pipeline/single/65536/64", "disruptor", NEAR, rate(100.0)),
        ];
        let draw = || {
            let workloads = Workload::all(&records).expect("known contenders");
            plots::ranges(&workloads[0]).expect("drawn").svg
        };
        assert_eq!(draw(), draw());
    }

    #[test]
    fn a_workload_without_a_chapter_is_an_error() {
        let records = [record("one-to-nine/1024/64", "ringbus", NEAR, rate(1.0))];
        let workloads = Workload::all(&records).expect("known contenders");
        let error = Chapter::all(&workloads).expect_err("no such chapter");
        assert!(error.to_string().contains("one-to-nine"), "{error}");
    }

    #[test]
    fn a_title_tells_the_ring_and_the_events() {
        let title = title("load/steady/10M/65536/64");
        assert_eq!(title, "load, steady, 10M, ring 65536, 64-byte events");
    }
}
