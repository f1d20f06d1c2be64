//! `ls`: the rings on this machine.

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ringbus::Sequence;
use ringbus::shared::{AttachError, RemoveError, RingFile, remove_stale};
use serde::Serialize;

use crate::Outcome;
use crate::columns::write_columns;
use crate::health::Health;
use crate::progress::grouped;
use crate::rate::measure;
use crate::seconds::seconds;

/// Lists the rings in directories, known by what their files begin with
///
/// The rate is measured while it waits for 200 ms, for all of them at once. A file that begins as a ring and is none is said on
/// standard error, and it ends with 1 then. Files that may not be read are passed over.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    /// Where to look; what is in directories within is not looked at
    #[arg(default_value = "/dev/shm")]
    dir: Vec<PathBuf>,
    /// As JSON, an object a line
    #[arg(long)]
    json: bool,
    /// Removes those whose producer is provably gone, and lists the others
    #[arg(long)]
    remove_stale: bool,
    /// A core that calls `heartbeat` has stalled if it has not for so long, and publishes nothing either
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = seconds)]
    stalled_after: Duration,
}

#[derive(Serialize)]
struct Row {
    path: String,
    name: String,
    state: &'static str,
    process_id: u32,
    stream: Option<String>,
    capacity: usize,
    cursor: u64,
    rate: f64,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut code = ExitCode::SUCCESS;
    let mut files = Vec::new();
    for dir in &arguments.dir {
        for path in files_in(dir)? {
            match RingFile::open(&path) {
                Ok(file) => files.push(file),
                Err(error) if is_no_ring(&error) => {}
                Err(error) => {
                    eprintln!("ringbus: {error}");
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    if arguments.remove_stale && !remove(&mut files) {
        code = ExitCode::FAILURE;
    }
    let rates = if files.is_empty() { Vec::new() } else { measure(&files) };
    let rows: Vec<Row> =
        files.iter().zip(rates).map(|(file, rate)| Row::of(file, rate, arguments.stalled_after)).collect();
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.json {
        for row in &rows {
            serde_json::to_writer(&mut out, row).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    } else if rows.is_empty() {
        let dirs: Vec<_> = arguments.dir.iter().map(|dir| format!("`{}`", dir.display())).collect();
        eprintln!("no rings in {}", dirs.join(", "));
    } else {
        print(&mut out, rows)?;
    }
    out.flush()?;
    Ok(code)
}

/// By name.
fn files_in(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let cannot =
        |error| format!("cannot list `{}`: {error}; expected a directory that may be read", dir.display());
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(cannot)?;
    // (A type that cannot be told is left to who opens it.)
    let is_file = |entry: &fs::DirEntry| entry.file_type().map_or(true, |kind| kind.is_file());
    let mut paths: Vec<_> = entries.iter().filter(|entry| is_file(entry)).map(fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}

/// Whether it is something else, or was removed just now, or is somebody's whose rings are none of ours.
fn is_no_ring(error: &AttachError) -> bool {
    match error {
        AttachError::NotARing { .. } => true,
        AttachError::File(error) => {
            matches!(error.error().kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
        }
        _ => false,
    }
}

/// Removes those whose producer is gone. Whether that went well.
fn remove(files: &mut Vec<RingFile>) -> bool {
    let mut went_well = true;
    files.retain(|file| {
        let path = file.path();
        match remove_stale(path) {
            Ok(()) => {
                eprintln!("removed `{}`", path.display());
                return false;
            }
            Err(RemoveError::InUse { .. }) => {}
            Err(error) => {
                eprintln!("ringbus: {error}");
                went_well = false;
            }
        }
        true
    });
    went_well
}

impl Row {
    fn of(file: &RingFile, (cursor, rate): (Sequence, f64), stalled_after: Duration) -> Self {
        let info = file.info();
        Self {
            path: file.path().display().to_string(),
            name: info.name.clone(),
            state: Health::of(&file.liveness(stalled_after)).at_rate(rate).word(),
            process_id: info.process_id,
            stream: info.stream.as_ref().map(|stream| stream.as_str().to_owned()),
            capacity: info.capacity,
            cursor: cursor.get(),
            rate,
        }
    }
}

fn print(out: &mut impl Write, rows: Vec<Row>) -> io::Result<()> {
    let titles = ["PATH", "STATE", ">PROCESS", "NAME", "STREAM", ">CAPACITY", ">CURSOR", ">EVENTS/S"];
    let cells = |row: Row| {
        vec![
            row.path,
            row.state.to_owned(),
            row.process_id.to_string(),
            row.name,
            row.stream.unwrap_or_else(|| "-".to_owned()),
            grouped(row.capacity as u64),
            grouped(row.cursor),
            grouped(row.rate as u64),
        ]
    };
    write_columns(out, &titles, rows.into_iter().map(cells).collect())
}
