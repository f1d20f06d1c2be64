//! An answer as a tree.

use std::collections::HashMap;
use std::fmt;

use super::super::fields::Timestamp;
use super::super::record_ref::RecordRef;
use super::answer::{Answer, AnswerBlock};
use super::cause::Cause;

type Describe<'a> = Box<dyn Fn(&RecordRef<'_>) -> String + 'a>;
type Leads<'a> = Box<dyn Fn(&RecordRef<'_>, &RecordRef<'_>) -> bool + 'a>;

/// An [`Answer`] as a tree, to be printed: each block, in it each transaction, in it the events, with their numbers in the block,
/// and with what of kind, topic, source and trigger is not 0.
///
/// The log knows nothing of payloads, nor of the meaning of triggers: closures may be given that do. This is what comes of it:
///
/// ```
/// # use ringbus::Sequence;
/// # use ringbus::bus::{AuditLog, Flags, Hash, Header, Kind, RecordRef, Subscriber};
/// # let mut log = AuditLog::new(64 << 20);
/// # let audit = log.audit();
/// # let (block, transaction) = (Hash::new([7; 32]), Hash::new([0xab; 32]));
/// # let record = Header { trace: transaction, block_height: 7, block_time: 1_700_000_000_000_000_000, ..Header::default() };
/// # let records = [
/// #     (Header { order: 1, kind: Kind::BLOCK_BEGUN, trace: block, flags: Flags::BEGINS_BLOCK, ..record }, ""),
/// #     (Header { order: 2, kind: Kind::new(5), ..record }, "mark price 101.25"),
/// #     (Header { order: 3, kind: Kind::new(6), trigger_kind: 5, ..record }, "anna is distressed"),
/// #     (Header { order: 4, kind: Kind::new(7), trigger_kind: 6, ..record }, "order cancelled"),
/// #     (Header { order: 5, kind: Kind::new(6), trigger_kind: 5, ..record }, "bert is distressed"),
/// #     (Header { order: 6, kind: Kind::BLOCK_ENDED, trace: block, flags: Flags::ENDS_BLOCK, ..record }, ""),
/// # ];
/// # log.block_begun(&records[0].0)?;
/// # for (sequence, (header, text)) in records.iter().enumerate() {
/// #     log.record(RecordRef::new(Sequence::new(sequence as u64), header, text.as_bytes()))?;
/// # }
/// # log.block_ended(&records[5].0)?;
/// let answer = audit.transaction(&transaction);
/// let tree = answer
///     .tree()
///     .describe(|record| String::from_utf8_lossy(record.payload()).into_owned())
///     // In this core, a trigger's kind is the kind of the event that led to it.
///     .nest(|earlier, later| earlier.kind().get() == u16::from(later.header().trigger_kind));
/// assert_eq!(
///     tree.to_string(),
///     "\
/// block 7, 2023-11-14T22:13:20.000000000Z, hash 0707070707070707070707070707070707070707070707070707070707070707
/// └─ transaction abababababababababababababababababababababababababababababababab: 4 events
///    └─ 2: mark price 101.25 (kind 5)
///       ├─ 3: anna is distressed (kind 6, trigger 5/0)
///       │  └─ 4: order cancelled (kind 7, trigger 6/0)
///       └─ 5: bert is distressed (kind 6, trigger 5/0)
/// complete
/// "
/// );
/// # Ok::<(), ringbus::bus::AuditError>(())
/// ```
///
/// The last line is the answer's [`Coverage`](super::Coverage).
pub struct Tree<'a> {
    answer: &'a Answer,
    describe: Describe<'a>,
    leads: Option<Leads<'a>>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(answer: &'a Answer) -> Self {
        let describe = |record: &RecordRef<'_>| counted(record.payload().len(), "byte");
        Self { answer, describe: Box::new(describe), leads: None }
    }

    /// How to say what an event is. Unless told, the tree says how long the payload is.
    #[must_use]
    pub fn describe(mut self, describe: impl Fn(&RecordRef<'_>) -> String + 'a) -> Self {
        self.describe = Box::new(describe);
        self
    }

    /// Nests an event under an earlier one that led to it: the latest event of the same transaction, of those before it, for which
    /// `leads(earlier, later)` holds. Unless told, all events of a transaction stand at one level.
    #[must_use]
    pub fn nest(mut self, leads: impl Fn(&RecordRef<'_>, &RecordRef<'_>) -> bool + 'a) -> Self {
        self.leads = Some(Box::new(leads));
        self
    }

    fn fmt_block(&self, f: &mut fmt::Formatter<'_>, block: &AnswerBlock<'_>) -> fmt::Result {
        write!(f, "block {}, {}", block.height(), Timestamp::new(block.time()))?;
        if let Some(hash) = block.hash() {
            write!(f, ", hash {hash}")?;
        }
        writeln!(f)?;
        let causes = by_cause(block);
        for (number, (cause, records)) in causes.iter().enumerate() {
            let place = Place::root().child(number + 1 == causes.len());
            let title = match cause {
                Cause::Block(_) => "outside of transactions".to_owned(),
                cause => cause.to_string(),
            };
            place.write(f, &format!("{title}: {}", counted(records.len(), "event")))?;
            self.fmt_events(f, &place, records)?;
        }
        Ok(())
    }

    fn fmt_events(
        &self,
        f: &mut fmt::Formatter<'_>,
        parent: &Place,
        records: &[RecordRef<'_>],
    ) -> fmt::Result {
        let mut roots = Vec::new();
        let mut children = vec![Vec::new(); records.len()];
        for (index, record) in records.iter().enumerate() {
            let led_by =
                |earlier: &usize| self.leads.as_ref().is_some_and(|leads| leads(&records[*earlier], record));
            match (0..index).rev().find(led_by) {
                Some(earlier) => children[earlier].push(index),
                None => roots.push(index),
            }
        }
        // Not recursive: a chain may be as long as the block.
        let mut to_write = parent.children(&roots);
        while let Some((place, index)) = to_write.pop() {
            place.write(f, &self.text_of(&records[index]))?;
            to_write.extend(place.children(&children[index]));
        }
        Ok(())
    }

    fn text_of(&self, record: &RecordRef<'_>) -> String {
        let mut text = format!("{}: {} (kind {}", record.order(), (self.describe)(record), record.kind());
        let origin = record.origin();
        if record.topic().get() != 0 {
            text += &format!(", topic {}", record.topic());
        }
        if origin.source.get() != 0 {
            text += &format!(", source {}", origin.source);
        }
        if (origin.trigger.kind, origin.trigger.reason) != (0, 0) {
            text += &format!(", trigger {}/{}", origin.trigger.kind, origin.trigger.reason);
        }
        text + ")"
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.answer.blocks().try_for_each(|block| self.fmt_block(f, &block))?;
        writeln!(f, "{}", self.answer.coverage())
    }
}

impl fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("answer", &self.answer).finish_non_exhaustive()
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The records of a block by what caused them, in the order of the causes' first records.
fn by_cause<'a>(block: &AnswerBlock<'a>) -> Vec<(Cause, Vec<RecordRef<'a>>)> {
    let mut causes: Vec<(Cause, Vec<RecordRef<'a>>)> = Vec::new();
    let mut places = HashMap::new();
    for record in block.records() {
        let place = *places.entry(record.trace()).or_insert(causes.len());
        if place == causes.len() {
            causes.push((block.cause_of(&record), Vec::new()));
        }
        causes[place].1.push(record);
    }
    causes
}

/// Where a node stands: what its first line begins with, and what all further ones begin with, those of its children included.
struct Place {
    first: String,
    further: String,
}

impl Place {
    fn root() -> Self {
        Self { first: String::new(), further: String::new() }
    }

    fn child(&self, is_last: bool) -> Self {
        let (branch, line) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        Self { first: format!("{}{branch}", self.further), further: format!("{}{line}", self.further) }
    }

    /// These nodes with their places, the last one first.
    fn children(&self, nodes: &[usize]) -> Vec<(Self, usize)> {
        let with_place = |(index, &node)| (self.child(index + 1 == nodes.len()), node);
        nodes.iter().enumerate().rev().map(with_place).collect()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
        let mut begin = &self.first;
        for line in text.lines() {
            writeln!(f, "{begin}{line}")?;
            begin = &self.further;
        }
        Ok(())
    }
}
