//! Runs every model without a mutant, which must hold, and with each of its mutants, which must be caught; one process each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, atomic};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::models::{self, Model};
use crate::mutants::{self, Mutant};

const USAGE: &str = "\
usage: loom-tests all [--more-preemptions N] [--write-table]   every model and every mutant
       loom-tests model NAME [--more-preemptions N]            one model (RINGBUS_MUTANT=NAME weakens the code)
       loom-tests list                                         the models and mutants";

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let more_preemptions = match arguments.iter().position(|argument| argument == "--more-preemptions") {
        None => 0,
        Some(at) => match arguments.get(at + 1).and_then(|number| number.parse().ok()) {
            Some(number) => number,
            None => return usage(),
        },
    };
    match arguments.first().map(String::as_str) {
        Some("all") => {
            run_all(more_preemptions, arguments.iter().any(|argument| argument == "--write-table"))
        }
        Some("model") => {
            match models::all().iter().find(|model| Some(model.name) == arguments.get(1).map(String::as_str))
            {
                Some(model) => {
                    println!("{INTERLEAVINGS}{}", model.explore(more_preemptions));
                    ExitCode::SUCCESS
                }
                None => usage(),
            }
        }
        Some("list") => {
            models::all().iter().for_each(|model| println!("model  {:24} {}", model.name, model.promise));
            mutants::ALL.iter().for_each(|mutant| println!("mutant {:24} {}", mutant.name, mutant.breaks));
            ExitCode::SUCCESS
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// How a child process tells the number of interleavings.
const INTERLEAVINGS: &str = "interleavings: ";
/// What loom says when a model is too large, which is not a finding.
const TOO_LARGE: &str = "maximum number of branches";

#[derive(Clone, Debug)]
enum Outcome {
    Held { interleavings: String },
    Failed { why: String },
    TooLarge,
}

#[derive(Clone, Debug)]
struct Run {
    outcome: Outcome,
    took: Duration,
}

fn run_all(more_preemptions: usize, write_table: bool) -> ExitCode {
    let mut complaints = check_sources();
    let models = models::all();
    let mut jobs: Vec<(&Model, Option<&Mutant>)> = models.iter().map(|model| (*model, None)).collect();
    for mutant in mutants::ALL {
        for name in mutant.caught_by {
            match models.iter().find(|model| model.name == *name) {
                Some(model) => jobs.push((model, Some(mutant))),
                None => complaints.push(format!("mutant `{}` names no model: `{name}`", mutant.name)),
            }
        }
    }
    for model in &models {
        if !jobs.iter().any(|(of, mutant)| of.name == model.name && mutant.is_some()) {
            complaints.push(format!("model `{}` catches no mutant", model.name));
        }
    }
    let runs = run_jobs(&jobs, more_preemptions);
    let (mut held, mut caught) = (0, 0);
    for ((model, mutant), run) in jobs.iter().zip(&runs) {
        match (mutant, &run.outcome) {
            (None, Outcome::Held { .. }) => held += 1,
            (Some(_), Outcome::Failed { .. }) => caught += 1,
            (None, Outcome::Failed { why }) => {
                complaints.push(format!("model `{}` fails: {why}", model.name));
            }
            (Some(mutant), Outcome::Held { .. }) => {
                complaints.push(format!("mutant `{}` survives model `{}`", mutant.name, model.name));
            }
            (_, Outcome::TooLarge) => {
                complaints.push(format!("model `{}` is too large for loom", model.name));
            }
        }
    }
    let table = table(&jobs, &runs);
    println!("{table}");
    if write_table {
        write_to_readme(&table);
    }
    complaints.iter().for_each(|complaint| println!("FAILED: {complaint}"));
    println!("models: {held} hold; mutants: {caught} caught; complaints: {}", complaints.len());
    println!("{} passed, {} failed", held + caught, complaints.len());
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs all jobs in child processes, as many at a time as there are cores.
fn run_jobs(jobs: &[(&Model, Option<&Mutant>)], more_preemptions: usize) -> Vec<Run> {
    let next = atomic::AtomicUsize::new(0);
    let runs = Mutex::new(vec![None; jobs.len()]);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores.min(jobs.len()) {
            scope.spawn(|| {
                loop {
                    let job = next.fetch_add(1, atomic::Ordering::Relaxed);
                    let Some((model, mutant)) = jobs.get(job) else { break };
                    let run = run_child(model, *mutant, more_preemptions);
                    eprintln!(
                        "{:26} {:26} {:6.1} s  {:?}",
                        model.name,
                        mutant.map_or("-", |mutant| mutant.name),
                        run.took.as_secs_f64(),
                        run.outcome
                    );
                    runs.lock().expect("no holder panics")[job] = Some(run);
                }
            });
        }
    });
    runs.into_inner()
        .expect("no holder panics")
        .into_iter()
        .map(|run| run.expect("every job was run"))
        .collect()
}

fn run_child(model: &Model, mutant: Option<&Mutant>, more_preemptions: usize) -> Run {
    let start = Instant::now();
    let mut command = Command::new(env::current_exe().expect("the path of this program"));
    command
        .args(["model", model.name, "--more-preemptions", &more_preemptions.to_string()])
        .env_remove("RINGBUS_MUTANT");
    if let Some(mutant) = mutant {
        command.env("RINGBUS_MUTANT", mutant.name);
    }
    let output = command.stdin(Stdio::null()).output().expect("this program can be started");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let outcome = if output.status.success() {
        let interleavings =
            stdout.lines().find_map(|line| line.strip_prefix(INTERLEAVINGS)).unwrap_or("?").to_owned();
        Outcome::Held { interleavings }
    } else if stderr.contains(TOO_LARGE) {
        Outcome::TooLarge
    } else {
        Outcome::Failed { why: reason(&stderr) }
    };
    Run { outcome, took: start.elapsed() }
}

/// The first panic's message.
fn reason(stderr: &str) -> String {
    let mut lines = stderr.lines().skip_while(|line| !line.contains("panicked at"));
    lines.next();
    lines.next().unwrap_or("it ended without a panic").trim().to_owned()
}

/// Holds the sources against the table of mutants: every name in both, every ordering proven.
fn check_sources() -> Vec<String> {
    let mut complaints = Vec::new();
    let mut in_sources: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in source_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")) {
        let text = fs::read_to_string(&file).expect("a source file can be read");
        let code: Vec<&str> = text.lines().map(code_of).collect();
        let mut unproven = code.join("\n");
        while let Some((start, end)) = first_proven(&unproven) {
            match unproven[start..end].split('"').nth(1) {
                Some(name) => drop(in_sources.insert(name.to_owned(), file.clone())),
                None => complaints.push(format!("{}: a `proven!` without a name", file.display())),
            }
            unproven.replace_range(start..end, "");
        }
        // What defines the macro names orderings, and uses none.
        for line in unproven.lines().filter(|line| is_ordering(line) && !file.ends_with("sync.rs")) {
            complaints.push(format!(
                "{}: an ordering that no mutant proves: {}",
                file.display(),
                line.trim()
            ));
        }
    }
    let in_table: BTreeSet<&str> = mutants::ALL.iter().map(|mutant| mutant.name).collect();
    for (name, file) in &in_sources {
        if !in_table.contains(name.as_str()) {
            complaints.push(format!("{}: mutant `{name}` is not in the table of mutants", file.display()));
        }
    }
    for name in in_table {
        if !in_sources.contains_key(name) {
            complaints.push(format!("mutant `{name}` is nowhere in the sources"));
        }
    }
    complaints
}

/// Where the first `proven!(..)` begins and ends.
fn first_proven(code: &str) -> Option<(usize, usize)> {
    const OPENING: &str = "proven!(";
    let start = code.find(OPENING)?;
    let mut depth = 1;
    let inside = &code[start + OPENING.len()..];
    let length = inside.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    })?;
    Some((start, start + OPENING.len() + length + 1))
}

fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

/// Whether code stands there that asks for more than a relaxed access.
fn is_ordering(code: &str) -> bool {
    let is_import = code.trim_start().starts_with("use ");
    !is_import
        && code
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| matches!(word, "Acquire" | "Release" | "AcqRel" | "SeqCst" | "fence"))
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder `src` can be read") {
        let path = entry.expect("the folder `src` can be read").path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn table(jobs: &[(&Model, Option<&Mutant>)], runs: &[Run]) -> String {
    let mut models = String::from(
        "| model | promise | preemptions | interleavings | s |\n| --- | --- | --- | ---: | ---: |\n",
    );
    let mut mutants =
        String::from("| mutant | what it breaks | caught by | as | s |\n| --- | --- | --- | --- | ---: |\n");
    for ((model, mutant), Run { outcome, took }) in jobs.iter().zip(runs) {
        let took = took.as_secs_f64();
        let outcome = match outcome {
            Outcome::Held { interleavings } => interleavings.clone(),
            Outcome::Failed { why } => why.chars().take(72).collect::<String>().replace('|', "/"),
            Outcome::TooLarge => "too large".to_owned(),
        };
        match mutant {
            None => {
                let bound = model.preemptions.map_or("all".to_owned(), |bound| format!("<= {bound}"));
                models +=
                    &format!("| {} | {} | {bound} | {outcome} | {took:.1} |\n", model.name, model.promise);
            }
            Some(Mutant { name, breaks, .. }) => {
                mutants += &format!("| `{name}` | {breaks} | {} | {outcome} | {took:.1} |\n", model.name);
            }
        }
    }
    format!("{models}\n{mutants}")
}

/// Replaces what stands between the marks in this crate's README.
fn write_to_readme(table: &str) {
    const BEGIN: &str = "<!-- table: written by `loom-tests/run --write-table` -->\n";
    const END: &str = "<!-- end of table -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).expect("the README can be read");
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the mark where the table begins");
    let (_, after) = rest.split_once(END).expect("the README has the mark where the table ends");
    fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).expect("the README can be written");
}
