/**
 * The last event of a phase has been handled.
 *
 * @param at by {@link System#nanoTime}
 * @param sum of all events since the start
 * @param coreWait of the thread, see {@link CoreWait}
 */
record Milestone(long at, long sum, double coreWait) {}
