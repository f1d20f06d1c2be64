//! What the machine takes away from threads that spin: on each core that is measured one does nothing but read the clock. Where two looks
//! are far apart, something else had the core: an interrupt, the kernel, another program, the hypervisor.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use super::cores::Cores;
use super::gaps::Gaps;
use super::throughput::PANICS;

/// On all cores at once, because so they are used. One thread wherever it is put, where none can be pinned.
pub(crate) fn measure(cores: &Cores, duration: Duration) -> Vec<Gaps> {
    let threads = cores.chosen.len().max(1);
    let placement = cores.place(threads);
    let together = Barrier::new(threads);
    thread::scope(|scope| {
        let spinning = (0..threads).map(|thread| {
            let (placement, together) = (&placement, &together);
            scope.spawn(move || {
                placement.pin(thread);
                together.wait();
                spin(duration)
            })
        });
        let spinning: Vec<_> = spinning.collect();
        spinning.into_iter().map(|thread| thread.join().expect(PANICS)).collect()
    })
}

fn spin(duration: Duration) -> Gaps {
    let mut gaps = Gaps::new();
    let start = Instant::now();
    let end = duration.as_nanos() as u64;
    let mut last = 0;
    while last < end {
        let now = start.elapsed().as_nanos() as u64;
        gaps.look(now - last);
        last = now;
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_time_is_accounted_for_on_each_core() {
        let duration = Duration::from_millis(2);
        let cores = Cores { chosen: vec![], at_once: 1 };
        let measured = measure(&cores, duration);
        assert_eq!(measured.len(), 1);
        assert!(measured[0].watched() >= duration);
        assert!(measured[0].looks() > 0);
    }
}
