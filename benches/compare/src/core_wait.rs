//! For how long threads were ready to run and had no core: whether somebody else disturbed the measurement.

use crate::schedstat::SchedStat;

/// Of one thread, from the first of its statistics to the second, seconds. `None`: the kernel does not tell.
pub(crate) fn between([before, after]: [Option<SchedStat>; 2]) -> Option<f64> {
    Some((after?.waiting - before?.waiting).as_secs_f64())
}

/// Of the thread that waited longest.
pub(crate) fn longest(threads: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    threads.into_iter().try_fold(0.0, |longest: f64, seconds| Some(longest.max(seconds?)))
}
