//! What is written to a directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::distribution::{self, Entry};
use super::failure::Failure;
use super::plot;
use super::report::Report;

const TABLE: &str = "table.txt";
const FIGURES: &str = "results.json";
const PLOT: &str = "latency.svg";
const LATENCY: &str = "latency.hgrm";
const JITTER: &str = "jitter.hgrm";
const LOG: &str = "histograms.hlog";

/// A directory that has none of them, or in which they may be replaced.
#[derive(Debug)]
pub(crate) struct Files {
    dir: PathBuf,
}

impl Files {
    /// Makes the directory if there is none.
    pub(crate) fn prepare(dir: &Path, force: bool) -> Result<Self, Failure> {
        fs::create_dir_all(dir).map_err(|error| Failure::File {
            path: dir.to_owned(),
            doing: "the directory could not be made",
            error,
        })?;
        let mut paths = [TABLE, FIGURES, PLOT, LATENCY, JITTER, LOG].map(|name| dir.join(name)).into_iter();
        // One that is a broken link is there too.
        match paths.find(|path| !force && path.symlink_metadata().is_ok()) {
            Some(path) => Err(Failure::Exists { path }),
            None => Ok(Self { dir: dir.to_owned() }),
        }
    }

    pub(crate) fn write(&self, report: &Report, table: &str) -> Result<(), Failure> {
        let made = |what| move |error| Failure::Picture { what, error };
        let figures =
            serde_json::to_string(report).map_err(|error| made("the figures as JSON")(error.into()))?;
        self.put(TABLE, table)?;
        self.put(FIGURES, figures + "\n")?;
        self.put(PLOT, plot::draw(report).map_err(made("the plot"))?)?;
        self.put(LATENCY, distribution::percentiles(&report.latency.histogram))?;
        self.put(JITTER, distribution::percentiles(&report.jitter_on_all_cores()))?;
        self.put(LOG, distribution::log(&entries(report)).map_err(made("the log of the histograms"))?)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> Result<(), Failure> {
        let path = self.dir.join(name);
        fs::write(&path, content).map_err(|error| Failure::File {
            path,
            doing: "it could not be written",
            error,
        })
    }
}

fn entries(report: &Report) -> Vec<Entry<'_>> {
    let latency = &report.latency;
    let seconds = latency.delivery.sent as f64 / latency.sent_per_second.median;
    let first = Entry {
        tag: "latency".to_owned(),
        histogram: &latency.histogram,
        duration: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
    };
    let jitter = report.jitter.iter().map(|jitter| Entry {
        tag: format!("jitter-{}", jitter.place().replace(' ', "-")),
        histogram: &jitter.histogram,
        duration: Duration::try_from_secs_f64(jitter.seconds).unwrap_or_default(),
    });
    [first].into_iter().chain(jitter).collect()
}
