//! Where looks come from: the ring's file.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use ringbus::bus::schema::Schema;
use ringbus::shared::{AttachError, ConsumerReport, Info, Report, RingFile};

use super::counter::Counter;
use super::sample::{Consumer, Facts, Latency, Look, Reported, Sample};

/// Looks at a ring, and at the next one that comes to its path.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    stalled_after: Duration,
    counts: bool,
    file: RingFile,
    counter: Result<Counter, String>,
}

impl Source {
    /// Opens the ring; `counts`: and reads its events, to count them by kind.
    pub(crate) fn open(path: &Path, stalled_after: Duration, counts: bool) -> Result<Self, AttachError> {
        let file = RingFile::open(path)?;
        let counter = Self::counter(&file, counts);
        Ok(Self { path: path.to_owned(), stalled_after, counts, file, counter })
    }

    fn counter(file: &RingFile, counts: bool) -> Result<Counter, String> {
        if !counts {
            return Err("not counted: --no-kinds".to_owned());
        }
        if file.info().slot_payload.is_none() {
            return Err("no bus: its events have no kinds".to_owned());
        }
        Counter::start(file).map_err(|error| error.to_string())
    }

    pub(crate) fn facts(&self) -> Facts {
        let info = self.file.info();
        Facts {
            path: self.path.clone(),
            name: info.name.clone(),
            stream: info.stream.as_ref().map(ToString::to_string),
            epoch: info.epoch.to_string(),
            process_id: info.process_id,
            capacity: info.capacity as u64,
            kind_names: kind_names(info),
            uncounted: self.counter.as_ref().err().cloned(),
        }
    }

    pub(crate) fn look(&mut self) -> Look {
        // (What is there and cannot be opened may be replaced by what can.)
        if self.file.is_replaced()
            && let Ok(file) = RingFile::open(&self.path)
        {
            self.counter = Self::counter(&file, self.counts);
            self.file = file;
            return Look::Restarted(self.facts(), self.sample());
        }
        Look::Same(self.sample())
    }

    fn sample(&self) -> Sample {
        // The cursor and the time belong together; what follows may take a while.
        let (cursor, taken_at) = (self.file.cursor(), Instant::now());
        Sample {
            taken_at,
            age: SystemTime::now().duration_since(self.file.info().created_at).unwrap_or_default(),
            cursor,
            liveness: self.file.liveness(self.stalled_after),
            is_gone: fs::symlink_metadata(&self.path).is_err(),
            report: self.file.report().map(reported),
            kinds: self.counter.as_ref().ok().map(Counter::counts),
        }
    }
}

fn kind_names(info: &Info) -> BTreeMap<u16, String> {
    let schemas = [Some(Schema::bus()), info.schema.as_ref()];
    let events = schemas.into_iter().flatten().flat_map(Schema::events);
    events.map(|event| (event.kind().get(), event.name().to_owned())).collect()
}

fn reported(report: Report) -> Reported {
    let now = Instant::now();
    Reported {
        written_at: now.checked_sub(report.age).unwrap_or(now),
        waits: report.waits,
        refused: report.refused,
        consumers: report.consumers.into_iter().map(consumer).collect(),
        left_out: report.left_out,
    }
}

fn consumer(report: ConsumerReport) -> Consumer {
    Consumer {
        name: report.name,
        kind: report.kind,
        state: report.state,
        joined_at: report.joined_at,
        delivered: report.delivered,
        missed: report.missed,
        lag: report.lag,
        waits: report.waits,
        latency: report.latency.map(|latency| Latency {
            p50: latency.p50,
            p99: latency.p99,
            max: latency.max,
        }),
    }
}
