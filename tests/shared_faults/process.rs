//! A process that plays a role, and how the test and it talk: a line that begins with `@` for each thing said, a line for each thing told.

use std::env;
use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

const ROLE: &str = "RINGBUS_FAULTS_ROLE";
const PATH: &str = "RINGBUS_FAULTS_PATH";
const NUMBERS: &str = "RINGBUS_FAULTS_NUMBERS";

/// A directory for rings, in memory where there is such a place.
pub(crate) fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

/// What a process is asked to be.
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) numbers: Vec<u64>,
}

impl Role {
    /// The role of this process.
    pub(crate) fn mine() -> Self {
        let of = |variable| env::var(variable).expect("another test runs it");
        let numbers =
            of(NUMBERS).split_whitespace().map(|number| number.parse().expect("a number")).collect();
        Self { name: of(ROLE), path: of(PATH).into(), numbers }
    }
}

/// Another process. Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// Closed: it ends by itself.
    told: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Process {
    /// One that plays `role` at `path`.
    pub(crate) fn play(role: &str, path: &Path, numbers: &[u64]) -> Self {
        Self::play_by(Command::new(env::current_exe().expect("this program")), role, path, numbers)
    }

    /// The same, by a shell that does `before` first, which is started by `starter`.
    pub(crate) fn play_behind(starter: &[&str], before: &str, role: &str, path: &Path) -> Self {
        let program = [starter, &["sh", "-c"]].concat();
        let mut shell = Command::new(program[0]);
        shell.args(&program[1..]).arg(format!("{before} && exec \"$0\" \"$@\""));
        shell.arg(env::current_exe().expect("this program"));
        Self::play_by(shell, role, path, &[])
    }

    fn play_by(mut command: Command, role: &str, path: &Path, numbers: &[u64]) -> Self {
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let mut child = command
            .args(["--exact", "child", "--ignored", "--nocapture", "--test-threads", "1"])
            .env(ROLE, role)
            .env(PATH, path)
            .env(NUMBERS, numbers.join(" "))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { told: child.stdin.take(), said, child }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next thing it says, in words. `None`: it has ended.
    pub(crate) fn says(&mut self) -> Option<Vec<String>> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.said.read_line(&mut line).expect("text") == 0 {
                return None;
            }
            // The test harness says something too.
            if let Some(said) = line.strip_prefix('@') {
                return Some(said.split_whitespace().map(str::to_owned).collect());
            }
        }
    }

    /// Waits until it says `word`, which must be the next that it says, and returns the numbers behind it.
    #[track_caller]
    pub(crate) fn expect(&mut self, word: &str) -> Vec<u64> {
        let Some(said) = self.says() else {
            panic!("it ended before it said `{word}`: {}", self.child.wait().expect("it was started"));
        };
        assert_eq!(said[0], word, "it says {said:?}");
        said[1..].iter().map(|number| number.parse().expect("a number")).collect()
    }

    /// Tells it something.
    pub(crate) fn tell(&mut self, line: impl Display) {
        let told = self.told.as_mut().expect("it has not been told to end");
        writeln!(told, "{line}").expect("it listens");
    }

    fn signal(&self, signal: &str) {
        send(signal, self.id().into());
    }

    /// Halts it, and waits until it is halted.
    pub(crate) fn halt(&self) {
        self.signal("STOP");
        eventually("it is halted", || self.state() == Some('T'));
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    /// As `ps` shows it.
    fn state(&self) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        stat[stat.rfind(')')? + 1..].trim_start().chars().next()
    }

    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(&mut self) -> ExitStatus {
        self.child.kill().expect("it was started");
        self.child.wait().expect("it was started")
    }

    /// Waits until it has ended by itself. It is told that nothing more will be told.
    pub(crate) fn end(&mut self) -> ExitStatus {
        drop(self.told.take());
        self.child.wait().expect("it was started")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process.
#[track_caller]
pub(crate) fn send(signal: &str, process: u64) {
    let sent = Command::new("kill").args(["-s", signal, &process.to_string()]).status();
    assert!(sent.expect("a process").success(), "{signal} could not be sent");
}

/// Says something to the test.
pub(crate) fn say(line: impl Display) {
    // The harness may stand in the middle of a line.
    let line = format!("\n@{line}\n");
    io::stdout().lock().write_all(line.as_bytes()).expect("the test listens");
}

/// What the test tells next, in words. `None`: nothing more.
pub(crate) fn told() -> Option<Vec<String>> {
    let mut line = String::new();
    let bytes = io::stdin().lock().read_line(&mut line).expect("text");
    (bytes > 0).then(|| line.split_whitespace().map(str::to_owned).collect())
}

/// Ends this process when the test does, however that ends.
pub(crate) fn end_with_the_test() {
    thread::spawn(|| {
        while told().is_some() {}
        std::process::exit(0);
    });
}

/// Looks again and again until it is so. Fails if it never is.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(60), "{what}: not in a minute");
        thread::yield_now();
    }
}

/// A moment that all processes know, a little ahead.
pub(crate) fn soon() -> u64 {
    now() + 400_000
}

/// Waits for a moment, awake: so that processes begin as nearly at once as can be.
pub(crate) fn wait_for(moment: u64) {
    while now() < moment {
        std::hint::spin_loop();
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970").as_nanos() as u64
}

/// Numbers of chance, the same for the same seed (`SplitMix64`).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        super::pattern::mixed(self.0)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
