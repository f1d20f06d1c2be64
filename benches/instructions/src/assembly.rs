//! The instructions of a loop that are executed for each event.

use std::error::Error;
use std::process::Command;

use crate::callgrind::{Callgrind, Part};
use crate::loops::Loop;

/// A Markdown code block: how often each instruction was executed per event, where it stands in its function, what it is.
pub(crate) fn listing(callgrind: &Callgrind, one: &Loop) -> Result<String, Box<dyn Error>> {
    let run = callgrind.count(one, Part::Subject)?;
    // Not all of them, because a batch that wraps, or a first one, may go another way.
    let is_hot = |address| run.executed.get(&address).is_some_and(|times| *times > run.events * 9 / 10);
    let hot: Vec<u64> = run.executed.keys().copied().filter(|address| is_hot(*address)).collect();
    let (Some(first), Some(last)) = (hot.first(), hot.last()) else {
        return Err(format!("`{}`: no instruction is executed once per event", one.name).into());
    };
    let dumped = Command::new("objdump")
        .args(["--disassemble", "--demangle", "--no-show-raw-insn", "--disassembler-options=intel"])
        .arg(format!("--start-address={first:#x}"))
        .arg(format!("--stop-address={:#x}", last + LONGEST_INSTRUCTION))
        .arg(callgrind.program())
        .output()
        .map_err(|error| format!("objdump, of binutils: {error}"))?;
    if !dumped.status.success() {
        return Err(format!("objdump: {}", String::from_utf8_lossy(&dumped.stderr)).into());
    }

    let mut block = format!("{}: {:.2} instructions per event\n\n```text\n", one.name, run.per_event());
    let mut function = Place::default();
    let mut named = Place::default();
    let mut has_gap = false;
    for line in String::from_utf8(dumped.stdout)?.lines() {
        if let Some(start) = line.strip_suffix(">:").and_then(Place::parse) {
            function = start;
        } else if let Some((address, text)) = instruction(line) {
            if !is_hot(address) {
                has_gap = true;
                continue;
            }
            if named.address != function.address {
                named = function;
                block += &format!("{}:\n", function.symbol);
            } else if has_gap {
                block += "             ...\n";
            }
            has_gap = false;
            let times = run.executed[&address] as f64 / run.events as f64;
            let offset = function.offset + (address - function.address);
            let text = without_addresses(text, function.symbol);
            block += &format!("{times:5.2}  {offset:>4x}  {text}\n");
        }
    }
    block += "```\n";
    Ok(block)
}

/// On x86-64, bytes.
const LONGEST_INSTRUCTION: u64 = 15;

/// `4a10 <symbol+0x10`, as objdump writes it, less the closing bracket.
#[derive(Clone, Copy, Default)]
struct Place<'dump> {
    address: u64,
    /// Without the compiler's hash.
    symbol: &'dump str,
    offset: u64,
}

impl<'dump> Place<'dump> {
    fn parse(place: &'dump str) -> Option<Self> {
        let (address, symbol) = place.split_once(" <")?;
        let address = u64::from_str_radix(address, 16).ok()?;
        let (symbol, offset) = match symbol.rsplit_once("+0x") {
            Some((symbol, offset)) => (symbol, u64::from_str_radix(offset, 16).ok()?),
            None => (symbol, 0),
        };
        let symbol = symbol.rsplit_once("::h").map_or(symbol, |(path, _hash)| path);
        Some(Self { address, symbol, offset })
    }
}

fn instruction(line: &str) -> Option<(u64, &str)> {
    let (address, text) = line.trim_start().split_once(":\t")?;
    Some((u64::from_str_radix(address, 16).ok()?, text))
}

/// What it jumps to, by the offset in this function or by the name of the other, and what it reads beside the code, without
/// addresses: those move with every build.
fn without_addresses(text: &str, function: &str) -> String {
    let text = text.split_once(" #").map_or(text, |(text, _comment)| text).trim_end();
    if let Some((operation, _)) = text.split_once("[rip+") {
        return format!("{operation}[constant]");
    }
    let target = text.strip_suffix('>').and_then(|text| text.split_once(' '));
    match target.and_then(|(operation, place)| Some((operation, Place::parse(place.trim_start())?))) {
        Some((operation, Place { symbol, offset, .. })) if symbol == function => {
            format!("{operation:<6} {offset:x}")
        }
        Some((operation, Place { symbol, .. })) => format!("{operation:<6} {symbol}"),
        None => text.to_owned(),
    }
}
