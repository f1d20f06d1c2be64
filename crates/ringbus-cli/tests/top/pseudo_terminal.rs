//! A terminal without a screen: what a process draws is read as it comes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// Whoever has not drawn it by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// A pseudo terminal, and the process that runs on it.
pub(crate) struct Terminal {
    /// The end of the one who types and looks.
    master: File,
    /// The end of the process. It is kept open, so that it can be asked how the terminal is set.
    slave: OwnedFd,
    /// How it was set before the process began.
    pub(crate) untouched: Termios,
    child: Child,
    drawn: String,
}

impl Terminal {
    /// Runs the command on a terminal of this size, which is the controlling one of its session.
    pub(crate) fn run(command: &Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
        let master = master.expect("there are pseudo terminals");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has one");
        let slave = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
        let slave = slave.expect("it is unlocked");
        tcsetwinsize(&master, size(columns, rows)).expect("it is a terminal");
        let untouched = tcgetattr(&slave).expect("it is a terminal");
        let end = || slave.try_clone().expect("there are descriptors");
        // (`setsid` of util-linux: what it does between `fork` and `exec` takes unsafe code here.)
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args());
        session.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("COLUMNS");
        let child = session.stdin(end()).stdout(end()).stderr(end()).spawn().expect("there is a `setsid`");
        Self { master: File::from(master), slave, untouched, child, drawn: String::new() }
    }

    /// How it is set: what a process changes that reads single keys.
    pub(crate) fn settings(&self) -> Termios {
        tcgetattr(&self.slave).expect("it is a terminal")
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        tcsetwinsize(&self.master, size(columns, rows)).expect("it is a terminal");
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("it is open");
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until all of these are drawn: words, because the cursor may skip the blanks between. Returns what was drawn since the last time.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, texts: &[&str]) -> String {
        let deadline = Instant::now() + PATIENCE;
        while !texts.iter().all(|text| self.drawn.contains(text)) {
            assert!(Instant::now() < deadline, "{texts:?} is not drawn: {:?}", self.drawn);
            let mut polled = [PollFd::new(&self.master, PollFlags::IN)];
            if poll(&mut polled, Some(&Timespec { tv_sec: 1, tv_nsec: 0 })).expect("it is open") > 0 {
                let mut bytes = [0; 4096];
                let read = self.master.read(&mut bytes).expect("its other end is open");
                // (Cut characters do not matter: what is waited for is ASCII.)
                self.drawn.push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        }
        std::mem::take(&mut self.drawn)
    }

    pub(crate) fn end(&mut self) -> ExitStatus {
        self.child.wait().expect("it can be waited for")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // (It may have ended.)
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
