//! LMAX Disruptor: the original, on a Java machine of its own.
//!
//! The program that does the work is in `lmax/`. It is compiled once, beside this program, and started for each measurement.
//! Where the other contenders' threads are bound to two cores, it is started on these two, and binds its two busy threads to
//! one each. Without a Java compiler or the library's archive, it is left out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, fs, io};

use serde::Deserialize;

use super::Measure;
use crate::Outcome;
use crate::carrier::Shape;
use crate::cores::{Side, core};
use crate::event::Line;
use crate::record::Figures;
use crate::workloads::{Measured, Task, Workload};

pub(super) struct Lmax;

impl Measure for Lmax {
    fn takes(workload: &Workload) -> bool {
        Work::of(workload).is_some() && ARCHIVE.is_some()
    }

    fn measure(workload: &Workload, duration: Duration) -> Outcome<Measured> {
        let work = Work::of(workload).ok_or("the program for LMAX has no such work")?;
        let archive = ARCHIVE.as_ref().ok_or("LMAX is not there")?;
        let classes = compile(archive)?;
        let mut java = if work.yields { Command::new("java") } else { on_both_cores("java") };
        java.args(["-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-cp"])
            .arg(class_path(&classes, archive)?)
            .args(["Lmax", work.name, &work.batch.to_string(), &workload.capacity.to_string()])
            .args([if work.yields { "yield" } else { "spin" }, &duration.as_secs_f64().to_string()]);
        if !work.yields {
            java.args(cores());
        }
        let output = java.stderr(Stdio::inherit()).output().map_err(|error| format!("java: {error}"))?;
        if !output.status.success() {
            return Err(format!("the program for LMAX ended with {}", output.status).into());
        }
        let Report { events, seconds, core_wait_seconds, figures } = serde_json::from_slice(&output.stdout)?;
        // Threads that share cores have to wait for them.
        let core_wait_seconds = core_wait_seconds.filter(|_| !work.yields);
        Ok(Measured { events, seconds, core_wait_seconds, figures })
    }
}

/// What the program is to do.
struct Work {
    name: &'static str,
    batch: usize,
    yields: bool,
}

impl Work {
    fn of(workload: &Workload) -> Option<Self> {
        let batch = workload.sends().events();
        let (name, yields) = match workload.task {
            Task::OneToOne(_) => ("one-to-one", false),
            Task::Graph(Shape::FanOut, _) => ("one-to-three", true),
            Task::Graph(Shape::Pipeline, _) => ("pipeline", true),
            Task::PingPong => ("ping-pong", false),
            _ => return None,
        };
        (workload.event_bytes == size_of::<Line>()).then_some(Self { name, batch, yields })
    }
}

/// What the program prints.
#[derive(Deserialize)]
struct Report {
    events: u64,
    seconds: f64,
    core_wait_seconds: Option<f64>,
    figures: Figures,
}

/// The library's archive. `None`: that or a Java compiler is missing.
static ARCHIVE: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    find_archive().inspect_err(|reason| eprintln!("LMAX Disruptor is left out: {reason}")).ok()
});

fn find_archive() -> Result<PathBuf, String> {
    /// Where Debian's package `libdisruptor-java` puts it.
    const PACKAGED: &str = "/usr/share/java/disruptor.jar";
    const ELSEWHERE: &str = "LMAX_DISRUPTOR_JAR";

    let archive = PathBuf::from(env::var_os(ELSEWHERE).unwrap_or_else(|| PACKAGED.into()));
    if !archive.is_file() {
        return Err(format!(
            "{} is not there (Debian: install libdisruptor-java; or set {ELSEWHERE})",
            archive.display()
        ));
    }
    let compiler = Command::new("javac").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match compiler {
        Ok(status) if status.success() => Ok(archive),
        Ok(status) => Err(format!("`javac -version` ended with {status}")),
        Err(error) => Err(format!("`javac`: {error} (Debian: install default-jdk-headless)")),
    }
}

/// The program, by file.
const SOURCES: [(&str, &str); 12] = [
    ("Cores.java", include_str!("../../lmax/Cores.java")),
    ("CoreWait.java", include_str!("../../lmax/CoreWait.java")),
    ("Delays.java", include_str!("../../lmax/Delays.java")),
    ("Line.java", include_str!("../../lmax/Line.java")),
    ("Lmax.java", include_str!("../../lmax/Lmax.java")),
    ("Milestone.java", include_str!("../../lmax/Milestone.java")),
    ("PingPong.java", include_str!("../../lmax/PingPong.java")),
    ("Report.java", include_str!("../../lmax/Report.java")),
    ("Setting.java", include_str!("../../lmax/Setting.java")),
    ("Stint.java", include_str!("../../lmax/Stint.java")),
    ("Tally.java", include_str!("../../lmax/Tally.java")),
    ("Throughput.java", include_str!("../../lmax/Throughput.java")),
];

/// Compiles the program, unless it is there and of the same sources. Returns the folder of its classes.
fn compile(archive: &Path) -> Outcome<PathBuf> {
    let folder = env::current_exe()?.with_file_name("compare-lmax");
    let classes = folder.join("classes");
    let up_to_date = classes.join("Lmax.class").is_file()
        && SOURCES
            .iter()
            .all(|(name, source)| fs::read(folder.join(name)).is_ok_and(|there| there == source.as_bytes()));
    if up_to_date {
        return Ok(classes);
    }
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&classes)?,
    }
    let mut javac = Command::new("javac");
    javac.arg("-d").arg(&classes).arg("-cp").arg(archive);
    for (name, source) in SOURCES {
        fs::write(folder.join(name), source)?;
        javac.arg(folder.join(name));
    }
    // What it says must not stand where the measurement is expected.
    let output = javac.output()?;
    if !output.status.success() {
        let reasons = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the program for LMAX could not be compiled: {reasons}").into());
    }
    Ok(classes)
}

fn class_path(classes: &Path, archive: &Path) -> Outcome<OsString> {
    Ok(env::join_paths([classes, archive])?)
}

/// The producer's and the consumer's.
fn cores() -> Vec<String> {
    let both = [Side::Producer, Side::Consumer].map(core);
    both.into_iter().flatten().map(|core| core.id.to_string()).collect()
}

/// Children inherit the cores of the thread that starts them, which may be bound to one.
fn on_both_cores(program: &str) -> Command {
    let cores = cores();
    if cores.is_empty() {
        return Command::new(program);
    }
    let mut taskset = Command::new("taskset");
    taskset.args(["-c", &cores.join(","), program]);
    taskset
}
