//! A subscriber that fails.

use std::sync::{Arc, Mutex};

use ringbus::Sequence;
use ringbus::bus::{Header, RecordRef, Subscriber};
use ringbus::worker::Shutdown;

/// Fails at one of its calls, the first after so many records, and notes what it gets from then on.
pub(crate) struct Failing {
    pub(crate) at: &'static str,
    pub(crate) records: u64,
    pub(crate) calls: Arc<Mutex<Vec<String>>>,
}

impl Failing {
    fn call(&self, name: &str) -> Result<(), String> {
        if self.records > 0 {
            return Ok(());
        }
        self.calls.lock().unwrap().push(name.to_owned());
        if name == self.at { Err(format!("no {name} today")) } else { Ok(()) }
    }
}

impl Subscriber for Failing {
    type Error = String;

    fn start(&mut self, _: Sequence) -> Result<(), String> {
        self.call("start")
    }
    fn block_begun(&mut self, _: &Header) -> Result<(), String> {
        self.call("block_begun")
    }
    fn record(&mut self, _: RecordRef<'_>) -> Result<(), String> {
        self.records = self.records.saturating_sub(1);
        self.call("record")
    }
    fn batch_ended(&mut self) -> Result<(), String> {
        self.call("batch_ended")
    }
    fn block_ended(&mut self, _: &Header) -> Result<(), String> {
        self.call("block_ended")
    }
    fn idle(&mut self) -> Result<(), String> {
        self.call("idle")
    }
    fn failed(&mut self, error: &String) {
        self.calls.lock().unwrap().push(format!("failed: {error}"));
    }
    fn shutdown(&mut self, _: &Shutdown) -> Result<(), String> {
        self.call("shutdown")
    }
}

/// Its last call but one was the one at which it failed, the last said so, and both came once.
pub(crate) fn assert_told_once(calls: &Mutex<Vec<String>>, at: &str) {
    let calls = calls.lock().unwrap();
    let [.., last_call, failed] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((last_call.as_str(), failed.clone()), (at, format!("failed: no {at} today")));
    assert_eq!(calls.iter().filter(|call| call.starts_with("failed")).count(), 1);
    assert_eq!(calls.iter().filter(|&call| call == at).count(), 1);
}
