//! Which records a subscription gets.

use std::fmt;

use super::hash::Hash;
use super::kind::{Kind, Source, Topic};
use super::kind_set::KindSet;
use super::record::Header;
use super::record_ref::RecordRef;
use super::view::View;

/// Which records a subscription gets: those that pass all that is set. Everything, unless something is.
///
/// Kinds, topics, sources and traces are looked up in the header, and the payload of what does not pass is never touched. Views and
/// own predicates see the whole record, after all others have let it pass.
///
/// ```
/// use ringbus::bus::{Filter, Kind, RecordRef, Source, Topic};
///
/// const TRADE: Kind = Kind::new(8);
/// const ORDER: Kind = Kind::new(5);
/// let filter = Filter::kinds([TRADE, ORDER])
///     .from_source(Source::new(3))
///     .matching(|record: RecordRef<'_>| record.payload().len() > 16);
/// # let _ = filter;
/// # let _ = Filter::all().on_topic(Topic::new(2));
/// ```
#[derive(Default)]
pub struct Filter {
    header: HeaderFilter,
    predicates: Vec<Predicate>,
}

/// The part of a filter that looks at headers only.
#[derive(Clone, Debug, Default)]
pub(super) struct HeaderFilter {
    kinds: KindSet,
    topics: Option<Box<[Topic]>>,
    sources: Option<Box<[Source]>>,
    trace: Option<Hash>,
}

impl HeaderFilter {
    #[inline(always)]
    pub(super) fn lets_pass(&self, header: &Header) -> bool {
        self.kinds.has(header.kind)
            && self.topics.as_ref().is_none_or(|topics| topics.contains(&header.topic))
            && self.sources.as_ref().is_none_or(|sources| sources.contains(&header.source))
            && self.trace.is_none_or(|trace| trace == header.trace)
    }
}

type Predicate = Box<dyn FnMut(RecordRef<'_>) -> bool + Send>;

impl Filter {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only these kinds.
    #[must_use]
    pub fn kinds(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self::of_kinds(KindSet::only(kinds))
    }

    /// All but these kinds.
    #[must_use]
    pub fn all_but(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self::of_kinds(KindSet::all_but(kinds))
    }

    fn of_kinds(kinds: KindSet) -> Self {
        Self { header: HeaderFilter { kinds, ..HeaderFilter::default() }, predicates: Vec::new() }
    }

    /// Only what has a `V`, whatever its kind.
    #[must_use]
    pub fn having<V: View>() -> Self {
        Self::kinds(V::KINDS.iter().copied())
    }

    /// Only what has a `V` that `is_wanted`, whatever its kind.
    #[must_use]
    pub fn seeing<V: View>(mut is_wanted: impl FnMut(V::Item) -> bool + Send + 'static) -> Self {
        Self::having::<V>().matching(move |record| V::of(&record).is_some_and(&mut is_wanted))
    }

    /// Only this topic; called again, also that one.
    #[must_use]
    pub fn on_topic(mut self, topic: Topic) -> Self {
        self.header.topics =
            Some(self.header.topics.unwrap_or_default().into_iter().chain([topic]).collect());
        self
    }

    /// Only from this source; called again, also from that one.
    #[must_use]
    pub fn from_source(mut self, source: Source) -> Self {
        self.header.sources =
            Some(self.header.sources.unwrap_or_default().into_iter().chain([source]).collect());
        self
    }

    /// Only what this transaction caused.
    #[must_use]
    pub fn of_trace(mut self, trace: Hash) -> Self {
        self.header.trace = Some(trace);
        self
    }

    /// Only what `is_wanted` says; called again, only what all say. It is called once for each record that passes the rest, and
    /// again if that is delivered again.
    #[must_use]
    pub fn matching(mut self, is_wanted: impl FnMut(RecordRef<'_>) -> bool + Send + 'static) -> Self {
        self.predicates.push(Box::new(is_wanted));
        self
    }

    /// What the header alone decides.
    #[inline(always)]
    pub(super) fn header(&self) -> &HeaderFilter {
        &self.header
    }

    /// What the whole record decides, of those whose header has passed.
    #[inline(always)]
    pub(super) fn lets_record_pass(&mut self, record: RecordRef<'_>) -> bool {
        self.predicates.iter_mut().all(|is_wanted| is_wanted(record))
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("header", &self.header)
            .field("predicates", &self.predicates.len())
            .finish()
    }
}
