//! How fast events stream from core to core: a buffer as long as the ring, handed over in eighths, with nothing around the events.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::Outcome;
use crate::carrier::{Carrier, Event, Handler, Sender, Setting, Wait};
use crate::contenders::{Measure, consume};
use crate::core_wait;
use crate::cores::{Side, core, pin};
use crate::event::{END, HalfLine, Line, Numbered};
use crate::record::Figures;
use crate::stint::{Extent, Stint};
use crate::workloads::{Measured, Sends, Task, Workload, one_to_one};

/// So many are handed over one by one.
const PARTS: u64 = 8;

/// Whatever the workload's batches are: an eighth of the buffer at a time.
pub(crate) struct Streaming;

impl Measure for Streaming {
    fn takes(workload: &Workload) -> bool {
        matches!(workload.task, Task::OneToOne(_))
    }

    fn measure(workload: &Workload, duration: Duration) -> Outcome<Measured> {
        Ok(one_to_one::measure::<Self>(
            Sends::Batches(workload.capacity / PARTS as usize),
            workload,
            duration,
        ))
    }
}

struct Buffer<E> {
    slots: Box<[UnsafeCell<E>]>,
    /// Parts, since the start.
    written: CachePadded<AtomicU64>,
    read: CachePadded<AtomicU64>,
    closed: AtomicBool,
}

// SAFETY: a part is written by the producer alone, while `written` and `read` say that it is free, and read by the consumer alone,
// while they say that it is full; each moves its own number when it is done.
unsafe impl<E: Event> Sync for Buffer<E> {}

impl<E: Event> Buffer<E> {
    fn new(capacity: usize) -> Self {
        Self {
            slots: (0..capacity).map(|_| UnsafeCell::new(E::zeroed())).collect(),
            written: CachePadded::default(),
            read: CachePadded::default(),
            closed: AtomicBool::new(false),
        }
    }

    fn part(&self, part: u64) -> &[UnsafeCell<E>] {
        let len = self.slots.len() / PARTS as usize;
        let start = (part % PARTS) as usize * len;
        &self.slots[start..start + len]
    }
}

pub(crate) struct StreamingSender<E> {
    buffer: Arc<Buffer<E>>,
    next: u64,
    wait: Wait,
}

impl Carrier for Streaming {
    type Sender<E: Event> = StreamingSender<E>;

    fn open<E: Event>(setting: Setting, handler: impl Handler<E>) -> Self::Sender<E> {
        let buffer = Arc::new(Buffer::new(setting.capacity));
        let reading = Arc::clone(&buffer);
        consume(setting.core, move || read(&reading, setting.wait, handler));
        StreamingSender { buffer, next: 0, wait: setting.wait }
    }
}

fn read<E: Event>(buffer: &Buffer<E>, wait: Wait, mut handler: impl Handler<E>) {
    for next in 0.. {
        // Acquire: pairs with the Release of `send_batch`, whose events are seen.
        while buffer.written.load(Ordering::Acquire) == next {
            // Acquire: pairs with the Release of `drop`; what was sent before is seen at the next look.
            if buffer.closed.load(Ordering::Acquire) && buffer.written.load(Ordering::Acquire) == next {
                return;
            }
            wait.once();
        }
        for slot in buffer.part(next) {
            // SAFETY: this part is full, and this side's until `read` is moved.
            let event = unsafe { &*slot.get() };
            if handler(event).is_break() {
                return;
            }
        }
        // Release: pairs with the Acquire of `send_batch`: this part is written again after it has been read.
        buffer.read.store(next + 1, Ordering::Release);
    }
}

impl<E: Event> Sender<E> for StreamingSender<E> {
    fn send(&mut self, _: E) {
        unreachable!("streaming hands over parts of the buffer, not single events");
    }

    /// Of a whole part.
    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        let slots = self.buffer.part(self.next);
        assert_eq!(events.len(), slots.len(), "streaming hands over whole parts of the buffer");
        // Acquire: pairs with the Release of `read`: what was in this part has been read.
        while self.next - self.buffer.read.load(Ordering::Acquire) == PARTS {
            self.wait.once();
        }
        for (slot, event) in slots.iter().zip(events) {
            // SAFETY: this part is free, and this side's until `written` is moved.
            unsafe { slot.get().write(event) };
        }
        self.next += 1;
        // Release: pairs with the Acquire of `read`, which sees the events.
        self.buffer.written.store(self.next, Ordering::Release);
    }
}

impl<E> Drop for StreamingSender<E> {
    fn drop(&mut self) {
        // Release: pairs with the Acquire of `read`, which sees all that was sent.
        self.buffer.closed.store(true, Ordering::Release);
    }
}

/// One thread writes a part and reads it, in turn: what the work costs without another core.
pub(crate) struct StreamingOnOneCore;

impl Measure for StreamingOnOneCore {
    fn takes(workload: &Workload) -> bool {
        matches!(workload.task, Task::OneToOne(_))
    }

    fn measure(workload: &Workload, duration: Duration) -> Outcome<Measured> {
        // Looks which cores there are, before this thread is bound to one of them.
        core(Side::Consumer);
        pin(Side::Producer);
        Ok(if workload.event_bytes == size_of::<HalfLine>() {
            measure_on_one_core::<HalfLine>(workload.capacity, duration)
        } else {
            measure_on_one_core::<Line>(workload.capacity, duration)
        })
    }
}

fn measure_on_one_core<E: Numbered>(capacity: usize, duration: Duration) -> Measured {
    let part = capacity / PARTS as usize;
    let mut both = Both { slots: vec![E::default(); capacity], place: 0, part, sum: 0, ends: 0 };
    let sends = Sends::Batches(part);
    let warm_up = Stint::work::<E>(&mut both, sends, Extent::warm_up(capacity));
    let stint = Stint::work::<E>(&mut both, sends, Extent::measured(duration));
    let expected = warm_up.sum::<E>().wrapping_add(stint.sum::<E>());
    assert_eq!((both.sum, both.ends), (expected, 2), "an event was lost, doubled or damaged");
    let seconds = (stint.end - stint.start).as_secs_f64();
    Measured {
        events: stint.events,
        seconds,
        core_wait_seconds: core_wait::between(stint.sched),
        figures: Figures::Throughput { events_per_second: stint.events as f64 / seconds },
    }
}

/// Both sides.
struct Both<E> {
    slots: Vec<E>,
    /// Where the next part begins.
    place: usize,
    part: usize,
    sum: u64,
    ends: u64,
}

impl<E: Numbered> Sender<E> for Both<E> {
    fn send(&mut self, _: E) {
        unreachable!("streaming hands over parts of the buffer, not single events");
    }

    #[inline(always)]
    fn send_batch(&mut self, events: impl ExactSizeIterator<Item = E>) {
        let slots = &mut self.slots[self.place..self.place + self.part];
        for (slot, event) in slots.iter_mut().zip(events) {
            *slot = event;
        }
        self.read();
    }
}

impl<E: Numbered> Both<E> {
    /// On its own, so that events go through memory. Does for each what a consumer does.
    #[inline(never)]
    fn read(&mut self) {
        for event in &self.slots[self.place..self.place + self.part] {
            self.sum = self.sum.wrapping_add(event.mixed());
            self.ends += u64::from(event.number() == END);
        }
        self.place = (self.place + self.part) % self.slots.len();
    }
}
