//! Exhaustive models of the shipped code, and the mutants that they catch. See `README.md` beside this crate.

#[cfg(loom)]
mod models;
#[cfg(loom)]
mod mutants;
#[cfg(loom)]
mod runner;

#[cfg(loom)]
fn main() -> std::process::ExitCode {
    runner::main()
}

#[cfg(not(loom))]
fn main() -> std::process::ExitCode {
    eprintln!("the models need `--cfg loom`: run `loom-tests/run` instead");
    std::process::ExitCode::from(2)
}
