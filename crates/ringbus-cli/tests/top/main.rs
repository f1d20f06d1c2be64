//! `ringbus top` as a process.

mod pseudo_terminal;
mod support;
mod terminal;
mod text;
