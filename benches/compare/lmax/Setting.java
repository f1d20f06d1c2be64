import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
import com.lmax.disruptor.dsl.Disruptor;
import com.lmax.disruptor.dsl.ProducerType;
import com.lmax.disruptor.util.DaemonThreadFactory;

/**
 * How a ring is built.
 *
 * @param capacity slots, a power of two
 * @param yields whether a side that waits gives its core up: there are more threads than cores
 * @param cores where its threads run
 */
record Setting(int capacity, boolean yields, Cores cores) {
    Disruptor<Line> disruptor() {
        WaitStrategy strategy = yields ? new YieldingWaitStrategy() : new BusySpinWaitStrategy();
        return new Disruptor<>(Line::new, capacity, DaemonThreadFactory.INSTANCE, ProducerType.SINGLE, strategy);
    }

    /** Claims so many slots and returns the last. While there is no room, {@code next} alone would sleep by {@code parkNanos}. */
    long claim(RingBuffer<Line> ring, int count) {
        while (!ring.hasAvailableCapacity(count)) {
            waitOnce();
        }
        return ring.next(count);
    }

    /** After a fruitless look. */
    void waitOnce() {
        if (yields) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
