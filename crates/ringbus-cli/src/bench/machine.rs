//! What is measured.

use std::env::consts::{ARCH, OS};
use std::fs;

use serde::Serialize;

use super::cores::Cores;

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) system: &'static str,
    /// How many threads of this process can run at once.
    pub(crate) cores: usize,
    /// The cores that were measured. Empty: threads could not be pinned.
    pub(crate) measured: Vec<usize>,
}

impl Machine {
    pub(crate) fn with(cores: &Cores) -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = model_name(&processors).unwrap_or(ARCH).to_owned();
        Self { processor, system: OS, cores: cores.at_once, measured: cores.chosen.clone() }
    }
}

/// Of the first processor, as Linux tells it on most architectures.
fn model_name(processors: &str) -> Option<&str> {
    let (_, name) = processors.lines().find(|line| line.starts_with("model name"))?.split_once(':')?;
    Some(name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_has_the_name_that_the_kernel_says() {
        let processors = "processor\t: 0\nmodel\t\t: 2\nmodel name\t: Some EPYC: 9\n\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(model_name(processors), Some("Some EPYC: 9"));
        assert_eq!(model_name("processor\t: 0\n"), None);
    }
}
