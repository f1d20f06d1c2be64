//! Other processes: this program, started again to do something else.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{self, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::str::FromStr;
use std::thread;

use core_affinity::CoreId;
use ringbus::shared::Observer;
use ringbus::wait::{BackOff, BusySpin};

use crate::common::cores::{Side, core};
use crate::receive::{self, Looks, Message, Receive};

/// The first argument of a process that was started by [`Child::start`]. Its others: a task, its number, a core, a path.
const MARK: &str = "child";

/// What another process is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    /// [`receive::watch`]. Answers how many events were delivered and missed, and in how many nanoseconds.
    Watch(Looks),
    /// [`receive::delays`] of so many events, for one that spins, or else waits by `BackOff`. Answers the quantiles.
    Delays { count: u64, spins: bool },
    /// [`receive::read`], each time it is told, on the producer's core. Answers how many nanoseconds that took, and for how many events.
    Read { many: bool },
    /// Spins, until it is told to end.
    Idle,
}

impl Task {
    fn side(self) -> Side {
        if matches!(self, Self::Read { .. }) { Side::Producer } else { Side::Consumer }
    }

    fn arguments(self) -> (&'static str, u64) {
        match self {
            Self::Watch(Looks::Polling) => ("poll", 0),
            Self::Watch(Looks::Blocking) => ("block", 0),
            Self::Watch(Looks::EachMillisecond) => ("each-millisecond", 0),
            Self::Delays { count, spins: true } => ("delays-spinning", count),
            Self::Delays { count, spins: false } => ("delays-backing-off", count),
            Self::Read { many: true } => ("read-many", 0),
            Self::Read { many: false } => ("read-one", 0),
            Self::Idle => ("idle", 0),
        }
    }

    fn of(name: &str, number: u64) -> Option<Self> {
        let all = [
            Self::Watch(Looks::Polling),
            Self::Watch(Looks::Blocking),
            Self::Watch(Looks::EachMillisecond),
            Self::Delays { count: number, spins: true },
            Self::Delays { count: number, spins: false },
            Self::Read { many: true },
            Self::Read { many: false },
            Self::Idle,
        ];
        all.into_iter().find(|task| task.arguments().0 == name)
    }
}

/// A process that does something else. It ends by itself if this one ends before it is [finished](Self::finish) with.
pub(crate) struct Child {
    process: process::Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn is_meant(arguments: &[String]) -> bool {
        arguments.first().is_some_and(|first| first == MARK)
    }

    /// Starts it, and waits until it has attached.
    pub(crate) fn start(task: &Task, path: &Path) -> Self {
        let (name, number) = task.arguments();
        // It cannot look for itself: it inherits the one core that this thread is pinned to.
        let core = core(task.side()).map_or_else(String::new, |core| core.id.to_string());
        let mut process = Command::new(std::env::current_exe().expect("this program has a path"))
            .args([MARK, name, &number.to_string(), &core])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let input = process.stdin.take().expect("a pipe");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut child = Self { process, input, output };
        child.numbers::<u64>();
        child
    }

    /// The next line that it writes.
    fn numbers<T: FromStr>(&mut self) -> Vec<T> {
        let mut line = String::new();
        let bytes = self.output.read_line(&mut line).expect("it can be read");
        assert!(bytes > 0, "another process has failed: what it said is above");
        line.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect()
    }

    /// Tells it to do it once more. Returns what it answers.
    pub(crate) fn once_more<T: FromStr>(&mut self) -> Vec<T> {
        self.input.write_all(b"\n").expect("it waits for that");
        self.numbers()
    }

    /// Waits until it has ended. Returns what it says at the end.
    pub(crate) fn finish<T: FromStr>(self) -> Vec<T> {
        let Self { mut process, input, mut output } = self;
        drop(input);
        let mut said = String::new();
        io::Read::read_to_string(&mut output, &mut said).expect("it can be read");
        assert!(process.wait().expect("it is a child").success(), "{said}");
        said.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect()
    }
}

/// In the process that was started: does what the arguments say.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let [_, name, number, core, path] = arguments else { return ExitCode::from(2) };
    let Some(task) = number.parse().ok().and_then(|number| Task::of(name, number)) else {
        return ExitCode::from(2);
    };
    if let Ok(id) = core.parse()
        && !core_affinity::set_for_current(CoreId { id })
    {
        eprintln!("a process could not be pinned to core {id}");
    }
    let path = Path::new(path);
    let spinning = || Observer::<Message>::builder(path).wait(BusySpin).attach().expect("there is a ring");
    match task {
        Task::Watch(looks) => {
            let mut observer = Observer::<Message>::attach(path).expect("there is a ring");
            println!();
            let watched = receive::watch(&mut observer, looks);
            println!("{} {} {}", watched.delivered, watched.missed, watched.nanoseconds);
        }
        Task::Delays { count, spins: true } => delays(&mut spinning(), count),
        Task::Delays { count, spins: false } => {
            let builder = Observer::<Message>::builder(path).wait(BackOff::default());
            delays(&mut builder.attach().expect("there is a ring"), count);
        }
        Task::Read { many } => {
            let mut observer = spinning();
            println!();
            for line in io::stdin().lines() {
                line.expect("the process that has started this one writes");
                let (took, events) = receive::read(&mut observer, many);
                println!("{} {events}", took.as_nanos());
            }
        }
        Task::Idle => {
            println!();
            thread::spawn(|| {
                // Until it is closed.
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                process::exit(0);
            });
            loop {
                std::hint::spin_loop();
            }
        }
    }
    ExitCode::SUCCESS
}

fn delays(receiver: &mut impl Receive, count: u64) {
    println!();
    let quantiles = receive::delays(receiver, count).quantiles().map(|quantile| quantile.to_string());
    println!("{}", quantiles.join(" "));
}
