//! `ringbus bench`, as a process. Of its figures nothing is claimed but that they are there, and that every event arrived.

mod figures;
mod files;
mod support;
mod usage;
