//! Who is compared: one file each, which says how its library carries events. The work is the same for all.

use std::thread;
use std::time::Duration;

use core_affinity::CoreId;

use crate::carrier::{Carrier, Graph, Lossy, Shape};
use crate::schedule::Schedule;
use crate::workloads::{Measured, Sends, Task, Workload, graph, offered, one_to_one, optional, ping_pong};
use crate::{Outcome, yardsticks};

mod array_queue;
mod by_shape;
mod crossbeam_channel;
mod disrupt_rs;
mod disruptor;
mod gil;
mod lmax;
mod omango;
mod polling;
mod ringbuf;
mod ringbus;
mod ringfire;
mod rtrb;
mod tokio_broadcast;
mod waits_elsewhere;

/// The first is what the others are measured by.
pub(crate) const ALL: &[Contender] = &[
    Contender::own("ringbus")
        .carries::<ringbus::Plain>()
        .graphs::<ringbus::Plain>()
        .loses::<ringbus::Plain>()
        .measures::<ringbus::WithOnlookers>(),
    Contender::setting("ringbus, unpaced").carries::<ringbus::Unpaced>(),
    #[cfg(feature = "shared")]
    Contender::setting("ringbus, shared").carries::<ringbus::InFile>().loses::<ringbus::InFile>(),
    Contender::rival("disruptor").carries::<disruptor::Spinning>().graphs::<disruptor::Spinning>(),
    Contender::rival("disruptor, spin hints").carries::<disruptor::Hinting>(),
    Contender::rival("disrupt-rs").carries::<disrupt_rs::Spinning>().graphs::<disrupt_rs::Spinning>(),
    Contender::rival("disrupt-rs, spin hints").carries::<disrupt_rs::Hinting>(),
    Contender::rival("LMAX Disruptor").measures::<lmax::Lmax>(),
    Contender::rival("rtrb").carries::<rtrb::Items>(),
    Contender::rival("rtrb, chunks").carries::<rtrb::Chunks>().only_batches(),
    Contender::rival("gil").carries::<gil::Items>(),
    Contender::rival("gil, batches").carries::<gil::Batches>().only_batches(),
    Contender::rival("ringbuf").carries::<ringbuf::Items>(),
    Contender::rival("ringbuf, slices").carries::<ringbuf::Slices>().only_batches(),
    Contender::rival("omango").carries::<omango::Omango>(),
    Contender::rival("crossbeam-channel").carries::<crossbeam_channel::CrossbeamChannel>(),
    Contender::rival("crossbeam-queue")
        .carries::<array_queue::CrossbeamQueue>()
        .loses::<array_queue::CrossbeamQueue>(),
    Contender::rival("ringfire")
        .carries::<ringfire::Ringfire>()
        .loses::<ringfire::Ringfire>()
        .measures::<ringfire::FanOut>(),
    Contender::rival("tokio broadcast").loses::<tokio_broadcast::TokioBroadcast>(),
    Contender::yardstick("line hand-off").measures::<yardsticks::HandOff>(),
    Contender::yardstick("streaming").measures::<yardsticks::Streaming>(),
    Contender::yardstick("streaming, one core").measures::<yardsticks::StreamingOnOneCore>(),
    Contender::yardstick("stamped ring").carries::<yardsticks::Stamped>(),
];

/// What a contender is to the comparison, in the order of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// ringbus, with what its builders choose.
    Own,
    /// ringbus with another choice, named by the label.
    Setting,
    Rival,
    /// No library: what the machine can do.
    Yardstick,
}

/// A library, in one way of using it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// It stands for its library where batches are sent, and nowhere else.
    only_batches: bool,
    carries: Option<Carries>,
    graphs: Option<MeasureGraph>,
    loses: Option<fn(&Workload, Duration) -> Measured>,
    measures: Option<Measures>,
}

type MeasureGraph = fn(Shape, Sends, &Workload, Duration) -> Measured;

/// The workloads of a [`Carrier`].
#[derive(Clone, Copy, Debug)]
struct Carries {
    one_to_one: fn(Sends, &Workload, Duration) -> Measured,
    ping_pong: fn(&Workload, Duration) -> Measured,
    offered: fn(Schedule, &Workload, Duration) -> Measured,
}

/// A [`Measure`].
#[derive(Clone, Copy, Debug)]
struct Measures {
    takes: fn(&Workload) -> bool,
    measure: fn(&Workload, Duration) -> Outcome<Measured>,
}

/// One measurement of such a duration.
type Run<'a> = Box<dyn FnOnce(Duration) -> Outcome<Measured> + 'a>;

/// What measures a workload in a way of its own: another program, or what is no carrier.
pub(crate) trait Measure {
    /// Whether it can do this one, here.
    fn takes(workload: &Workload) -> bool;

    /// Takes about as long as `duration`, apart from warming up.
    fn measure(workload: &Workload, duration: Duration) -> Outcome<Measured>;
}

impl Contender {
    const fn own(name: &'static str) -> Self {
        Self::new(name, Kind::Own)
    }

    const fn setting(name: &'static str) -> Self {
        Self::new(name, Kind::Setting)
    }

    const fn rival(name: &'static str) -> Self {
        Self::new(name, Kind::Rival)
    }

    const fn yardstick(name: &'static str) -> Self {
        Self::new(name, Kind::Yardstick)
    }

    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, only_batches: false, carries: None, graphs: None, loses: None, measures: None }
    }

    const fn carries<C: Carrier>(self) -> Self {
        let carries = Carries {
            one_to_one: one_to_one::measure::<C>,
            ping_pong: ping_pong::measure::<C>,
            offered: offered::measure::<C>,
        };
        Self { carries: Some(carries), ..self }
    }

    const fn graphs<G: Graph>(self) -> Self {
        Self { graphs: Some(graph::measure::<G>), ..self }
    }

    const fn loses<L: Lossy>(self) -> Self {
        Self { loses: Some(optional::measure::<L>), ..self }
    }

    const fn measures<M: Measure>(self) -> Self {
        Self { measures: Some(Measures { takes: M::takes, measure: M::measure }), ..self }
    }

    /// Another contender is this library's fastest way with single events, and takes part with batches too.
    const fn only_batches(self) -> Self {
        Self { only_batches: true, ..self }
    }

    pub(crate) fn takes(&self, workload: &Workload) -> bool {
        self.run(workload).is_some()
    }

    /// `None`: it cannot do that.
    pub(crate) fn measure(&self, workload: &Workload, duration: Duration) -> Option<Outcome<Measured>> {
        Some(self.run(workload)?(duration))
    }

    fn run<'a>(&self, workload: &'a Workload) -> Option<Run<'a>> {
        if let Some(measures) = self.measures
            && (measures.takes)(workload)
        {
            return Some(Box::new(move |duration| (measures.measure)(workload, duration)));
        }
        if self.only_batches && workload.sends() == Sends::Single {
            return None;
        }
        let run: Box<dyn FnOnce(Duration) -> Measured> = match workload.task {
            Task::OneToOne(sends) => {
                let run = self.carries?.one_to_one;
                Box::new(move |duration| run(sends, workload, duration))
            }
            Task::Graph(shape, sends) => {
                let run = self.graphs?;
                Box::new(move |duration| run(shape, sends, workload, duration))
            }
            Task::PingPong => {
                let run = self.carries?.ping_pong;
                Box::new(move |duration| run(workload, duration))
            }
            Task::Paced(schedule) | Task::Load(schedule) => {
                let run = self.carries?.offered;
                Box::new(move |duration| run(schedule, workload, duration))
            }
            Task::Optional => {
                let run = self.loses?;
                Box::new(move |duration| run(workload, duration))
            }
            Task::Onlookers(_) => return None,
        };
        Some(Box::new(move |duration| Ok(run(duration))))
    }
}

/// The contender of that name.
pub(crate) fn find(name: &str) -> Result<&'static Contender, String> {
    ALL.iter().find(|contender| contender.name == name).ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|contender| contender.name).collect();
        format!("there is no contender {name:?}; there are {}", names.join("; "))
    })
}

/// Runs a consumer on a thread of its own, for libraries that leave that to their users.
pub(crate) fn consume(core: Option<CoreId>, body: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        if let Some(core) = core
            && !core_affinity::set_for_current(core)
        {
            eprintln!("the consumer's thread could not be pinned to core {}", core.id);
        }
        body();
    });
}
