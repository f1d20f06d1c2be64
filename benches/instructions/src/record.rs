//! The counts last recorded, and what they were made by.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Instructions per event, to a hundredth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) instructions: f64,
    /// Of those, what the loop would execute without ringbus.
    pub(crate) harness: f64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) rustc: String,
    pub(crate) valgrind: String,
    pub(crate) architecture: String,
    pub(crate) loops: BTreeMap<String, Count>,
}

impl Record {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded.json");

    pub(crate) fn new(valgrind: &str, counts: &[(String, Count)]) -> Result<Self, Box<dyn Error>> {
        // The one that cargo built this program by: both ask the same toolchain, in the same folder.
        let rustc = Command::new("rustc").arg("-V").output().map_err(|error| format!("rustc -V: {error}"))?;
        Ok(Self {
            rustc: String::from_utf8(rustc.stdout)?.trim().to_owned(),
            valgrind: valgrind.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            loops: counts
                .iter()
                .map(|(name, count)| {
                    let harness = to_hundredths(count.harness);
                    (name.clone(), Count { instructions: to_hundredths(count.instructions), harness })
                })
                .collect(),
        })
    }

    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        let file = Path::new(Self::FILE);
        let recorded = std::fs::read_to_string(file)
            .map_err(|error| format!("{}: {error}; run with --record to make it", file.display()))?;
        Ok(serde_json::from_str(&recorded).map_err(|error| format!("{}: {error}", file.display()))?)
    }

    pub(crate) fn write(&self) -> Result<(), Box<dyn Error>> {
        Ok(std::fs::write(Self::FILE, serde_json::to_string_pretty(self)? + "\n")?)
    }
}

fn to_hundredths(count: f64) -> f64 {
    (count * 100.0).round() / 100.0
}
