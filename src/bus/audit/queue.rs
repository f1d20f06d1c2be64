//! A queue whose items can also be found by a key that several of them may share.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::iter::successors;
use std::ops::Range;

/// What can be found by a key.
pub(super) trait Keyed {
    /// Taken from the item, and never changes while it is in a queue.
    type Key: Copy + Eq + Hash;

    fn key(&self) -> Self::Key;
}

/// Items in the order they came in. Each has a number, counted from 0 for the life of the queue, and knows the next one with the
/// same key: so the index costs one entry a key, and leaves the queue with the key's last item.
pub(super) struct Queue<T: Keyed> {
    items: VecDeque<Linked<T>>,
    /// The number of the first item there is.
    first: u64,
    chains: HashMap<T::Key, Chain>,
}

struct Linked<T> {
    item: T,
    /// The number of the next item with the same key, or [`NONE`].
    next: u64,
}

/// More items than this will never be.
const NONE: u64 = u64::MAX;

/// The items of one key.
struct Chain {
    first: u64,
    last: u64,
    cut: bool,
}

impl<T: Keyed> Queue<T> {
    /// What each item costs, bytes.
    pub(super) const ITEM_BYTES: usize = size_of::<Linked<T>>();
    /// What each key costs, bytes.
    pub(super) const KEY_BYTES: usize = size_of::<(T::Key, Chain)>();

    pub(super) fn new() -> Self {
        Self { items: VecDeque::new(), first: 0, chains: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// What it costs, spare room not counted.
    pub(super) fn bytes(&self) -> usize {
        self.items.len() * Self::ITEM_BYTES + self.chains.len() * Self::KEY_BYTES
    }

    /// The numbers of what is in it.
    pub(super) fn numbers(&self) -> Range<u64> {
        self.first..self.first + self.items.len() as u64
    }

    /// Appends an item, and returns its number. If it is the only one with its key, `cut` says whether there may have been others.
    pub(super) fn push(&mut self, item: T, cut: bool) -> u64 {
        let number = self.numbers().end;
        let chain = self.chains.entry(item.key()).or_insert(Chain { first: number, last: NONE, cut });
        let last = std::mem::replace(&mut chain.last, number);
        if last != NONE {
            let index = self.index(last);
            self.items[index].next = number;
        }
        self.items.push_back(Linked { item, next: NONE });
        number
    }

    /// Takes the oldest item out.
    pub(super) fn pop_front(&mut self) -> Option<T> {
        let Linked { item, next } = self.items.pop_front()?;
        self.first += 1;
        if next == NONE {
            self.chains.remove(&item.key());
        } else {
            let chain = self.chains.get_mut(&item.key()).expect("every item is in a chain");
            (chain.first, chain.cut) = (next, true);
        }
        Some(item)
    }

    /// The item with this number. Panics if it is not in the queue.
    pub(super) fn get(&self, number: u64) -> &T {
        &self.items[self.index(number)].item
    }

    /// The item with this number. Panics if it is not in the queue.
    pub(super) fn get_mut(&mut self, number: u64) -> &mut T {
        let index = self.index(number);
        &mut self.items[index].item
    }

    /// The numbers of the items with this key, in order.
    pub(super) fn of(&self, key: &T::Key) -> impl Iterator<Item = u64> {
        let first = self.chains.get(key).map(|chain| chain.first);
        successors(first, |&number| Some(self.items[self.index(number)].next).filter(|&next| next != NONE))
    }

    /// Whether items with this key are gone, or may be, that came before those there are.
    pub(super) fn is_cut(&self, key: &T::Key) -> bool {
        self.chains.get(key).is_some_and(|chain| chain.cut)
    }

    /// The number of the first item for which `before` does not hold; it holds for all that come before some item, and for none
    /// from there on.
    pub(super) fn partition_point(&self, before: impl Fn(&T) -> bool) -> u64 {
        self.first + self.items.partition_point(|linked| before(&linked.item)) as u64
    }

    fn index(&self, number: u64) -> usize {
        (number - self.first) as usize
    }
}
