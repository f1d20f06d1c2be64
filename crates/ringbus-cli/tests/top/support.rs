//! Rings to look at.

use std::path::Path;
use std::process::Command;

use ringbus::bus::{BlockStart, Bus, Emit, Hash, Origin, Writer};

ringbus::events! {
    schema Exchange, version 1;

    event Trade, kind 8 { size: u64 }
}

pub(crate) fn bus(path: &Path) -> (Writer<64>, Bus<64>) {
    let bus = Bus::<64>::builder("testnet").schema(Exchange::schema()).capacity(1_024);
    let (mut writer, bus) = bus.shared(path).build().expect("the path is free");
    writer.begin_block(BlockStart { height: 1, time: 0, hash: Hash::new([1; 32]) }).expect("it is open");
    (writer, bus)
}

pub(crate) fn trade(writer: &mut Writer<64>) {
    writer.emit(Origin::default(), &Trade { size: 1 }).expect("it is open");
}

pub(crate) fn top(arguments: &[&str], path: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringbus"));
    command.arg("top").args(arguments).arg(path).env_remove("COLUMNS");
    command
}
