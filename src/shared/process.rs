//! Who this process is, on which start of which machine: for people, and to tell one ring from the next. Nothing is decided by a
//! process id.

use std::fs;
use std::io::{self, Read};

/// Random, so that two rings at one path are told apart.
pub(super) fn epoch() -> io::Result<[u64; 2]> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytemuck::cast(bytes))
}

/// The kernel's name for this start of the machine; zeros where it does not tell.
pub(super) fn boot_id() -> [u8; 16] {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or_default().to_be_bytes()
}

/// When this process started, clock ticks since the machine did; 0 where the kernel does not tell.
pub(super) fn started() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Its 22nd field. The second is the program's name in parentheses, which may hold anything.
    let behind_name = stat.rfind(')').map_or("", |end| &stat[end + 1..]);
    behind_name.split_ascii_whitespace().nth(19).and_then(|ticks| ticks.parse().ok()).unwrap_or_default()
}
