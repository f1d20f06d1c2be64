//! Rings in files, whose producer is the test itself or a process.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use ringbus::BuildError;
use ringbus::bus::{BlockStart, Bus, Emit, Hash, Origin, Topic, Writer};
use ringbus::shared::SharedError;

use crate::support::{Exchange, ORDER, Ran, TRADE, command, text};

pub(crate) const CAPACITY: usize = 64;

/// A bus in a file of this name, which nobody uses any more.
pub(crate) fn ring(directory: &Path, name: &str) -> (Writer<64>, Bus<64>, PathBuf) {
    let path = directory.join(name);
    let builder = || Bus::builder("testnet").capacity(CAPACITY).max_batch(4).schema(Exchange::schema());
    loop {
        match builder().shared(&path).build() {
            // A process that another test starts holds the locks of this one too, until it runs the command.
            Err(BuildError::Shared(SharedError::InUse { .. })) => thread::yield_now(),
            built => {
                let (writer, bus) = built.expect("there is room");
                return (writer, bus, path);
            }
        }
    }
}

/// Says blocks of four records: its begin, an order, a trade, and its end. The first one of a ring has height 1.
pub(crate) fn say_blocks(writer: &mut Writer<64>, heights: std::ops::RangeInclusive<u64>) {
    for height in heights {
        let payload = bytemuck::cast::<[u32; 2], [u8; 8]>([height as u32, 250]);
        writer
            .begin_block(BlockStart { height, time: 0, hash: Hash::new([height as u8; 32]) })
            .expect("no block is open");
        for kind in [ORDER, TRADE] {
            writer
                .emit_versioned(Origin::default(), kind, Topic::new(0), 1, &payload)
                .expect("a block is open");
        }
        writer.end_block().expect("a block is open");
    }
}

/// A process that is killed when the test is over, however that went.
pub(crate) struct Process {
    child: Child,
    /// `None`: nobody reads what it prints any more.
    out: Option<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let child = command().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the command was built");
        let out = child.stdout.take().map(BufReader::new);
        Self { child, out }
    }

    /// A demo whose ring is there.
    pub(crate) fn demo(path: &Path, more: &[&str]) -> Self {
        let mut demo = Self::start(&[&["demo", "--path", text(path)], more].concat());
        assert!(demo.line().contains(text(path)));
        demo
    }

    /// The next line that it prints, without its end; empty at the end of all.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let out = self.out.as_mut().expect("somebody reads it");
        out.read_line(&mut line).expect("it prints UTF-8");
        line.trim_end().to_owned()
    }

    /// Closes the pipe that it prints to.
    pub(crate) fn close_pipe(&mut self) {
        self.out = None;
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(self.id().to_string()).status();
        assert!(sent.expect("there is a `kill`").success());
    }

    /// Stops it, as by Ctrl-Z. It has stopped when this returns.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        let stat = format!("/proc/{}/stat", self.id());
        until(|| fs::read_to_string(&stat).expect("it is there").contains(") T "));
    }

    /// What came of it, when it has ended by itself: the rest of what it prints.
    pub(crate) fn end(mut self) -> Ran {
        let rest = |out: Option<&mut dyn Read>| {
            let mut text = String::new();
            out.map(|out| out.read_to_string(&mut text).expect("it prints UTF-8"));
            text
        };
        let out = rest(self.out.as_mut().map(|out| out as _));
        let error = rest(self.child.stderr.as_mut().map(|error| error as _));
        let code = self.child.wait().expect("it can be waited for").code();
        Ran { code: code.expect("it ended by itself"), out, error }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // (It may have ended.)
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        thread::sleep(Duration::from_millis(5));
    }
}
