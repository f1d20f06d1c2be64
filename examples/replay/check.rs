//! Whether what came out is what went in.

use recorded::RecordedEvent;
use ringbus::Sequence;
use ringbus::bus::{Answer, Cause, Hash, RecordRef};

use crate::event::Event;
use crate::play::{PAYLOAD, Played};
use crate::scan::{Emission, Scan};
use crate::tally::Tally;

/// Compares what the consumers have with the file.
pub(crate) struct Check<'a> {
    pub(crate) events: &'a [RecordedEvent],
    pub(crate) scan: &'a Scan,
    pub(crate) played: &'a Played,
}

impl Check<'_> {
    /// Says what differs first, if anything does.
    pub(crate) fn all(&self) -> Result<(), String> {
        self.stream()?;
        self.transactions()?;
        self.blocks()?;
        self.causes()?;
        self.monitor()
    }

    /// Every event reached the required consumers, once, in order, unchanged.
    fn stream(&self) -> Result<(), String> {
        let (counted, expected) = (&self.played.counted, Tally::of(self.events));
        if *counted != expected {
            return Err(format!("the counter got {counted}; expected what is in the file: {expected}"));
        }
        let end = self.played.end.get();
        for stats in &self.played.required {
            if (stats.delivered, stats.missed) != (end, 0) {
                let (name, delivered, missed) = (&stats.name, stats.delivered, stats.missed);
                return Err(format!(
                    "the {name} got {delivered} slots and missed {missed}; expected {end} and 0"
                ));
            }
        }
        let extent = self.played.audit.extent();
        if (extent.records, extent.from.get(), extent.until.get(), extent.lost)
            != (self.events.len(), 0, end, 0)
        {
            let expected = self.events.len();
            return Err(format!(
                "the audit log has {} events, and {extent}; expected all {expected}",
                extent.records
            ));
        }
        Ok(())
    }

    /// The audit log's answer about each transaction.
    fn transactions(&self) -> Result<(), String> {
        let mut emissions: Vec<&Emission> = self.scan.emissions().collect();
        emissions.sort_by_key(|emission| emission.places.start);
        for (hash, places) in &self.scan.transactions {
            let hash = Hash::new(*hash);
            let answer = self.played.audit.transaction(&hash);
            let what = format!("about transaction {hash}");
            self.same(&what, answer.records(), places.iter().copied())?;
            let emission_at = |place: &usize| {
                emissions[emissions.partition_point(|emission| emission.places.end <= *place)]
            };
            let is_whole = places.iter().all(|place| emission_at(place).is_whole());
            complete(&what, &answer, is_whole)?;
        }
        Ok(())
    }

    /// The audit log's answer about each height.
    fn blocks(&self) -> Result<(), String> {
        for (height, emissions) in &self.scan.blocks {
            let answer = self.played.audit.block(*height);
            if answer.blocks().len() != emissions.len() {
                let (found, expected) = (answer.blocks().len(), emissions.len());
                return Err(format!(
                    "the audit log has {found} blocks of height {height}, expected {expected}"
                ));
            }
            for (block, emission) in answer.blocks().zip(emissions) {
                let expected = emission.tells_its_hash().then(|| Hash::new(emission.hash));
                if (block.height(), block.hash()) != (*height, expected.as_ref()) {
                    return Err(format!(
                        "the audit log has block {} with hash {:?}, expected block {height} with hash {expected:?}",
                        block.height(),
                        block.hash()
                    ));
                }
                self.same(&format!("about block {height}"), block.records(), emission.places.clone())?;
            }
            complete(&format!("about block {height}"), &answer, emissions.iter().all(Emission::is_whole))?;
        }
        Ok(())
    }

    /// What the audit log says has caused each event, asked by its first slot and by its last.
    pub(crate) fn causes(&self) -> Result<(), String> {
        for emission in self.scan.emissions() {
            for place in emission.places.clone() {
                let event = &self.events[place];
                let hash = Hash::new(event.tx_hash);
                let expected = match emission.tells_its_hash() {
                    true if event.caused_by_transaction() => Cause::Transaction(hash),
                    true => Cause::Block(hash),
                    false => Cause::Unclear(hash),
                };
                let first = self.played.sequences[place];
                for sequence in [first, first + (slots_of(event) - 1)] {
                    match self.played.audit.cause_of(sequence) {
                        Ok(cause) if cause == expected => {}
                        Ok(cause) => {
                            return Err(format!(
                                "sequence {sequence} has the cause {cause}, expected {expected}"
                            ));
                        }
                        Err(error) => return Err(format!("{error}; expected the cause {expected}")),
                    }
                }
            }
        }
        Ok(())
    }

    /// What the monitor got was published so, and the bus has counted what it did not get.
    fn monitor(&self) -> Result<(), String> {
        let watched = &self.played.watched;
        if !watched.got.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("the monitor got events out of order, or twice".to_owned());
        }
        let mut passed = 0;
        for (sequence, fingerprint) in &watched.got {
            let event = self.played.sequences.binary_search(sequence).ok().map(|place| &self.events[place]);
            match event {
                Some(event) if Event::in_file(event).fingerprint() == *fingerprint => {
                    passed += slots_of(event);
                }
                _ => {
                    return Err(format!(
                        "the monitor got at sequence {sequence} what was not published there"
                    ));
                }
            }
        }
        let missed = self.played.end.get() - passed;
        let told = watched.tally;
        if (told.passed, told.missed, watched.lag) != (passed, missed, 0) {
            return Err(format!(
                "the monitor was told {told:?}, and has a lag of {}; expected {passed} passed, {missed} missed, no lag",
                watched.lag
            ));
        }
        let (got, missed) = (watched.got.len() as u64, self.played.missed_events());
        if got + missed != self.events.len() as u64 {
            let published = self.events.len();
            return Err(format!(
                "the monitor got {got} events and missed {missed}; expected {published} together"
            ));
        }
        Ok(())
    }

    /// Whether these are the records of the events that stand at these places.
    fn same<'r>(
        &self,
        what: &str,
        records: impl Iterator<Item = RecordRef<'r>>,
        places: impl Iterator<Item = usize>,
    ) -> Result<(), String> {
        let shown = |event: Option<(Sequence, Event<'_>)>| match event {
            Some((sequence, event)) => format!("{event} at sequence {sequence}"),
            None => "no more".to_owned(),
        };
        let mut records = records.map(|record| (record.sequence(), Event::on_bus(&record)));
        let mut places =
            places.map(|place| (self.played.sequences[place], Event::in_file(&self.events[place])));
        loop {
            let (found, expected) = (records.next(), places.next());
            if found != expected {
                let (found, expected) = (shown(found), shown(expected));
                return Err(format!("asked {what}, the audit log says {found}; the file has {expected}"));
            }
            if found.is_none() {
                return Ok(());
            }
        }
    }
}

/// Whether the answer says of itself that it is all there was.
fn complete(what: &str, answer: &Answer, expected: bool) -> Result<(), String> {
    if answer.is_complete() == expected {
        return Ok(());
    }
    let (coverage, not) = (answer.coverage(), if expected { "" } else { "not " });
    Err(format!(
        "asked {what}, the audit log says that its answer is {coverage}; expected it {not}to be complete"
    ))
}

/// How many slots an event takes.
fn slots_of(event: &RecordedEvent) -> u64 {
    event.encoded.len().div_ceil(PAYLOAD).max(1) as u64
}
