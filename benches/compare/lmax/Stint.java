import com.lmax.disruptor.RingBuffer;

/** Sends from the calling thread, as fast as it goes: events of the numbers from 0 on, and at last one of the number END. */
final class Stint {
    /** The clock is looked at once in about so many events. */
    private static final int BETWEEN_LOOKS = 8_192;

    /** With the last. */
    final long events;

    final long start;

    /**
     * @param batch events that become visible at once
     * @param least how many events to send, at least
     * @param nanos for how long to send, at least
     */
    Stint(Setting setting, RingBuffer<Line> ring, int batch, long least, long nanos) {
        int some = (BETWEEN_LOOKS + batch - 1) / batch * batch;
        start = System.nanoTime();
        long next = 0;
        while (next < least || System.nanoTime() - start < nanos) {
            if (batch == 1) {
                sendEach(setting, ring, next, next + some);
            } else {
                sendBatches(setting, ring, next, next + some, batch);
            }
            next += some;
        }
        long last = setting.claim(ring, batch);
        for (int place = 1; place < batch; place++) {
            ring.get(last - batch + place).set(next++);
        }
        ring.get(last).set(Line.END);
        ring.publish(last - batch + 1, last);
        events = next + 1;
    }

    /** All events, mixed and added up. */
    long sum() {
        Line line = new Line();
        line.set(Line.END);
        long sum = line.mixed();
        for (long number = 0; number < events - 1; number++) {
            line.set(number);
            sum += line.mixed();
        }
        return sum;
    }

    private static void sendEach(Setting setting, RingBuffer<Line> ring, long first, long end) {
        for (long number = first; number < end; number++) {
            long sequence = setting.claim(ring, 1);
            ring.get(sequence).set(number);
            ring.publish(sequence);
        }
    }

    /** A whole number of batches. */
    private static void sendBatches(Setting setting, RingBuffer<Line> ring, long first, long end, int batch) {
        long number = first;
        while (number < end) {
            long last = setting.claim(ring, batch);
            for (long sequence = last - batch + 1; sequence <= last; sequence++) {
                ring.get(sequence).set(number++);
            }
            ring.publish(last - batch + 1, last);
        }
    }
}
