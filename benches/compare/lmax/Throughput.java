import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.dsl.Disruptor;
import java.util.Locale;

/** As fast as it goes, from one thread to one other or to three that get all. */
final class Throughput {
    /** Before anything is measured: often enough round the ring that nothing is touched for the first time later. */
    private static final int LAPS = 4;

    private static final long WARM_UP_NANOS = 20_000_000;

    private Throughput() {}

    /** How the consumers hang together. */
    enum Shape {
        ONE_TO_ONE,
        ONE_TO_THREE,
        PIPELINE;

        private Tally[] connect(Disruptor<Line> disruptor, String core) {
            if (this == ONE_TO_ONE) {
                Tally only = new Tally(core);
                disruptor.handleEventsWith(only);
                return new Tally[] {only};
            }
            Tally[] three = {new Tally(core), new Tally(core), new Tally(core)};
            if (this == ONE_TO_THREE) {
                disruptor.handleEventsWith(three);
            } else {
                disruptor.handleEventsWith(three[0]).then(three[1]).then(three[2]);
            }
            return three;
        }
    }

    /** One measurement, as a JSON object. */
    static String measure(Setting setting, Shape shape, int batch, long nanos) {
        Disruptor<Line> disruptor = setting.disruptor();
        Tally[] tallies = shape.connect(disruptor, setting.cores().consumer());
        RingBuffer<Line> ring = disruptor.start();

        Stint warmUp = new Stint(setting, ring, batch, (long) LAPS * setting.capacity(), WARM_UP_NANOS);
        double[] waited = new double[tallies.length + 1];
        for (int consumer = 0; consumer < tallies.length; consumer++) {
            waited[consumer] = -tallies[consumer].hear(setting).coreWait();
        }
        waited[tallies.length] = -CoreWait.ofThisThread();
        Stint stint = new Stint(setting, ring, batch, 1, nanos);
        waited[tallies.length] += CoreWait.ofThisThread();
        long expected = warmUp.sum() + stint.sum();
        long end = stint.start;
        for (int consumer = 0; consumer < tallies.length; consumer++) {
            Milestone milestone = tallies[consumer].hear(setting);
            if (milestone.sum() != expected) {
                throw new IllegalStateException("an event was lost, doubled or damaged");
            }
            waited[consumer] += milestone.coreWait();
            end = Math.max(end, milestone.at());
        }
        disruptor.halt();

        double seconds = (end - stint.start) / 1e9;
        return Report.of(
                stint.events,
                seconds,
                waited,
                String.format(
                        Locale.ROOT,
                        "{\"what\":\"throughput\",\"events_per_second\":%f}",
                        stint.events / seconds));
    }
}
