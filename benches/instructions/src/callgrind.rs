//! Runs a loop under callgrind, in a process of its own.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::ValueEnum;

use crate::loops::{Counted, Loop, NOT_COUNTED};

/// What of a loop is counted.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Part {
    Subject,
    Harness,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Harness => "harness",
        }
    }

    pub(crate) fn of(self, one: &Loop) -> &Counted {
        match self {
            Self::Subject => &one.subject,
            Self::Harness => &one.harness,
        }
    }
}

/// What was counted in one run.
pub(crate) struct Run {
    pub(crate) events: u64,
    pub(crate) instructions: u64,
    /// How often each instruction of this program was executed, by its address in the program's file.
    pub(crate) executed: BTreeMap<u64, u64>,
}

impl Run {
    pub(crate) fn per_event(&self) -> f64 {
        self.instructions as f64 / self.events as f64
    }
}

/// valgrind, as it is installed.
pub(crate) struct Callgrind {
    version: String,
    program: PathBuf,
}

impl Callgrind {
    /// `None`: it is not installed, or does not run here.
    pub(crate) fn find() -> Result<Option<Self>, Box<dyn Error>> {
        let version = match Command::new("valgrind").arg("--version").output() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            version => version?,
        };
        if !version.status.success() {
            return Ok(None);
        }
        let version = String::from_utf8(version.stdout)?.trim().to_owned();
        Ok(Some(Self { version, program: std::env::current_exe()? }))
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn count(&self, one: &Loop, part: Part) -> Result<Run, Box<dyn Error>> {
        let profile = tempfile::NamedTempFile::new()?;
        let mut out_file = std::ffi::OsString::from("--callgrind-out-file=");
        out_file.push(profile.path());
        let ran = Command::new("valgrind")
            .args(["--tool=callgrind", "--dump-instr=yes", "--dump-line=no"])
            .args(["--compress-pos=no", "--compress-strings=no"])
            .args(toggle(part.of(one).function))
            // Off, because it is called while callgrind collects.
            .args(toggle(NOT_COUNTED))
            .arg(out_file)
            .arg(&self.program)
            .args(["--run", &one.name, "--part", part.name()])
            .output()?;
        let events = events(&ran).map_err(|what| format!("`{}` under valgrind: {what}", one.name))?;
        let profile = std::fs::read_to_string(profile.path())?;
        let (instructions, executed) = parse(&profile, &self.program)?;
        if instructions == 0 {
            let function = part.of(one).function;
            return Err(format!("`{}`: callgrind found no function `{function}`", one.name).into());
        }
        Ok(Run { events, instructions, executed })
    }
}

/// Switches collecting on or off while in `function`, whether the compiler puts type arguments into symbols or not.
fn toggle(function: &str) -> [String; 2] {
    [function, &format!("{function}::<*>")].map(|name| format!("--toggle-collect={name}"))
}

fn events(ran: &Output) -> Result<u64, String> {
    let told = String::from_utf8_lossy(&ran.stdout);
    told.trim()
        .parse()
        .ok()
        .filter(|_| ran.status.success())
        .ok_or_else(|| format!("{}: {told}{}", ran.status, String::from_utf8_lossy(&ran.stderr)))
}

/// The total, and how often each instruction of `program` was executed, out of callgrind's profile: without compression, and
/// with the instruction as the only position.
fn parse(profile: &str, program: &Path) -> Result<(u64, BTreeMap<u64, u64>), Box<dyn Error>> {
    let mut total = None;
    let mut executed = BTreeMap::new();
    let mut is_program = false;
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_program = Path::new(object) == program;
        } else if line.starts_with("calls=") {
            // What the callee cost stands in its own lines too.
            lines.next();
        } else if let Some(sum) = line.strip_prefix("totals: ") {
            total = Some(sum.trim().parse()?);
        } else if let (true, Some((address, times))) =
            (is_program, line.strip_prefix("0x").and_then(|cost| cost.split_once(' ')))
        {
            *executed.entry(u64::from_str_radix(address, 16)?).or_default() += times.trim().parse::<u64>()?;
        }
    }
    Ok((total.ok_or("callgrind wrote no totals")?, executed))
}
