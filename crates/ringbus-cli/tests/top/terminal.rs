//! Where its output is a terminal.

use std::path::Path;
use std::process::Command;

use rustix::termios::{LocalModes, Termios};

use crate::pseudo_terminal::Terminal;
use crate::support::{bus, top, trade};

const ENTER_SCREEN: &str = "\x1b[?1049h";
const LEAVE_SCREEN: &str = "\x1b[?1049l";
const SHOW_CURSOR: &str = "\x1b[?25h";

fn modes(of: &Termios) -> [u64; 4] {
    [
        u64::from(of.input_modes.bits()),
        u64::from(of.output_modes.bits()),
        u64::from(of.control_modes.bits()),
        u64::from(of.local_modes.bits()),
    ]
}

/// Lets it draw, ends it so, and makes sure that the terminal is as it was.
fn ends_by(path: &Path, end: impl FnOnce(&mut Terminal)) {
    let mut terminal = Terminal::run(&top(&["--interval", "50"], path), 80, 24);
    terminal.wait_for(&[ENTER_SCREEN, "testnet", "quit"]);
    assert!(!terminal.settings().local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO));
    end(&mut terminal);
    let last = terminal.wait_for(&[LEAVE_SCREEN, SHOW_CURSOR]);
    assert_eq!(terminal.end().code(), Some(0), "{last:?}");
    assert_eq!(modes(&terminal.settings()), modes(&terminal.untouched));
}

#[test]
fn the_terminal_is_given_back_however_it_ends() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let (_writer, _bus) = bus(&path);
    for keys in ["q", "\x1b", "\x03", "?\x03"] {
        ends_by(&path, |terminal| terminal.type_keys(keys));
    }
    for signal in ["-TERM", "-INT"] {
        ends_by(&path, |terminal| {
            let sent = Command::new("kill").arg(signal).arg(terminal.process_id().to_string()).status();
            assert!(sent.expect("there is a `kill`").success());
        });
    }
}

#[test]
fn it_draws_what_comes_and_answers_to_keys_and_another_size() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("ring");
    let (mut writer, bus) = bus(&path);
    let journal = bus.subscribe("journal").required().join().expect("there is a place");
    (0..256).for_each(|_| trade(&mut writer));
    let mut terminal = Terminal::run(&top(&["--interval", "50"], &path), 80, 24);
    terminal.wait_for(&["alive", "257", "1,024", "journal", "required", "25%", "? help"]);
    (0..256).for_each(|_| trade(&mut writer));
    terminal.wait_for(&["Trade", "100%"]);
    terminal.type_keys("?");
    terminal.wait_for(&["Keys", "pauses,"]);
    terminal.type_keys("xp");
    terminal.wait_for(&["PAUSED"]);
    terminal.resize(240, 50);
    terminal.wait_for(&["epoch", "WAIT"]);
    terminal.type_keys("q");
    terminal.wait_for(&[LEAVE_SCREEN]);
    assert_eq!(terminal.end().code(), Some(0));
    journal.leave();
}

#[test]
fn an_error_is_said_on_a_terminal_that_was_not_touched() {
    let directory = tempfile::tempdir().expect("there is room");
    let mut terminal = Terminal::run(&top(&[], &directory.path().join("nowhere")), 80, 24);
    let said = terminal.wait_for(&["check the path"]);
    assert!(said.starts_with("ringbus: ") && !said.contains('\x1b'), "{said:?}");
    assert_eq!(terminal.end().code(), Some(1));
}
