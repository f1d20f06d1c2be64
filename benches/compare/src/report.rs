//! From raw measurements to tables, plots, and a document that shows them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::Outcome;
use crate::record::Record;

use chapters::Chapter;
use groups::Workload;

mod chapters;
mod criterion;
mod fill;
mod groups;
mod hand_offs;
#[cfg(test)]
mod made_up;
mod markdown;
mod measure;
mod numbers;
mod plots;
mod requirement;
mod tables;
mod targets;

/// Where the plots are, seen from the document that shows them.
const PLOTS: &str = "benches/compare/plots";

/// Makes tables and plots of raw measurements.
#[derive(Args)]
pub(crate) struct Report {
    /// Files of raw measurements, one JSON object a line.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The folder for one file of tables for each chapter, and for the plots in its folder `plots`. Without it the tables are
    /// printed.
    #[arg(long)]
    to: Option<PathBuf>,
}

impl Report {
    pub(crate) fn run(&self) -> Outcome<()> {
        let mut records = Vec::new();
        for file in &self.files {
            read(file, &mut records).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        match &self.to {
            None => print(&records),
            Some(folder) => write(&records, folder),
        }
    }
}

fn read(file: &Path, records: &mut Vec<Record>) -> Outcome<()> {
    for (number, line) in (1..).zip(BufReader::new(File::open(file)?).lines()) {
        let record = serde_json::from_str(&line?)
            .map_err(|error| format!("line {number} is no measurement of this version: {error}"))?;
        records.push(record);
    }
    Ok(())
}

/// Prints all tables.
pub(crate) fn print(records: &[Record]) -> Outcome<()> {
    let workloads = Workload::all(records)?;
    println!("{}\n{}", targets::summary(&workloads), hand_offs::line(records));
    for chapter in Chapter::all(&workloads)? {
        println!("{}", chapter.tables());
    }
    Ok(())
}

/// Writes a file of tables for each chapter, and the plots that these link to.
fn write(records: &[Record], folder: &Path) -> Outcome<()> {
    let plots = folder.join("plots");
    fs::create_dir_all(&plots)?;
    let workloads = Workload::all(records)?;
    let summary = format!("{}\n{}", targets::summary(&workloads), hand_offs::line(records));
    fs::write(folder.join("summary.md"), summary)?;
    for chapter in Chapter::all(&workloads)? {
        let mut links = String::new();
        for plot in chapter.plots()? {
            links += &format!("![{}]({PLOTS}/{}.svg)\n", plot.title, plot.name);
            fs::write(plots.join(format!("{}.svg", plot.name)), plot.svg)?;
        }
        fs::write(folder.join(format!("{}.md", chapter.name())), format!("{links}\n{}", chapter.tables()))?;
    }
    Ok(())
}

/// Replaces the blocks of figures in a document.
#[derive(Args)]
pub(crate) struct Fill {
    /// A Markdown file with blocks from `<!-- figures: NAME -->` to `<!-- end of figures -->`.
    document: PathBuf,
    /// Where the file NAME.md is.
    folder: PathBuf,
    /// Leaves blocks alone that have no file.
    #[arg(long)]
    partly: bool,
}

impl Fill {
    pub(crate) fn run(&self) -> Outcome<()> {
        let document = fs::read_to_string(&self.document)
            .map_err(|error| format!("{}: {error}", self.document.display()))?;
        let filled = fill::fill(&document, |name| self.figures(name))
            .map_err(|error| format!("{}: {error}", self.document.display()))?;
        Ok(fs::write(&self.document, filled)?)
    }

    fn figures(&self, name: &str) -> Result<Option<String>, String> {
        let file = self.folder.join(format!("{name}.md"));
        match fs::read_to_string(&file) {
            Ok(figures) => Ok(Some(figures)),
            Err(error) if self.partly && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("the block {name:?} wants {}: {error}", file.display())),
        }
    }
}

/// Prints what criterion measured, as a table.
#[derive(Args)]
pub(crate) struct Criterion {
    /// Its folder, such as `target/criterion`.
    folder: PathBuf,
}

impl Criterion {
    pub(crate) fn run(&self) -> Outcome<()> {
        print!("{}", criterion::table(&self.folder)?);
        Ok(())
    }
}
