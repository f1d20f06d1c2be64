import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.LifecycleAware;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.dsl.Disruptor;
import java.util.Locale;
import java.util.concurrent.LinkedBlockingQueue;

/** One event there and one back, over two rings: always one event is under way. The clock is looked at once a round trip. */
final class PingPong {
    private PingPong() {}

    /** One measurement, as a JSON object. */
    static String measure(Setting setting, long nanos) throws InterruptedException {
        Disruptor<Line> pings = setting.disruptor();
        Disruptor<Line> pongs = setting.disruptor();
        Answering answering = new Answering(setting, pongs.getRingBuffer());
        Serving serving = new Serving(setting, pings.getRingBuffer(), nanos);
        pings.handleEventsWith(answering);
        pongs.handleEventsWith(serving);
        pongs.start();
        send(setting, pings.start(), Serving.FIRST);

        double[] served = {-serving.coreWaits.take(), -answering.coreWaits.take()};
        served[0] += serving.coreWaits.take();
        served[1] += answering.coreWaits.take();
        pings.halt();
        pongs.halt();
        double seconds = serving.nanos / 1e9;
        Delays delays = serving.delays;
        return Report.of(
                serving.trips,
                seconds,
                served,
                String.format(
                        Locale.ROOT,
                        "{\"what\":\"latency\",\"p50\":%d,\"p90\":%d,\"p99\":%d,\"p999\":%d,\"max\":%d,"
                                + "\"offered\":null,\"sent\":%f}",
                        delays.quantile(0.5) / 2,
                        delays.quantile(0.9) / 2,
                        delays.quantile(0.99) / 2,
                        delays.quantile(0.999) / 2,
                        delays.max() / 2,
                        serving.trips / seconds));
    }

    private static void send(Setting setting, RingBuffer<Line> ring, long number) {
        long sequence = setting.claim(ring, 1);
        ring.get(sequence).set(number);
        ring.publish(sequence);
    }

    /** Handles pings: each answer is made of all words of what it answers. */
    private static final class Answering implements EventHandler<Line>, LifecycleAware {
        /** Before and after what is measured. */
        final LinkedBlockingQueue<Double> coreWaits = new LinkedBlockingQueue<>();

        private final Setting setting;
        private final RingBuffer<Line> pongs;

        Answering(Setting setting, RingBuffer<Line> pongs) {
            this.setting = setting;
            this.pongs = pongs;
        }

        @Override
        public void onStart() {
            Cores.pinThisThread(setting.cores().consumer());
        }

        @Override
        public void onShutdown() {}

        @Override
        public void onEvent(Line ping, long sequence, boolean endOfBatch) {
            if (ping.number() == Line.END) {
                coreWaits.add(CoreWait.ofThisThread());
            }
            send(setting, pongs, ping.mixed());
        }
    }

    /** Handles pongs, and sends a ping after each. */
    private static final class Serving implements EventHandler<Line>, LifecycleAware {
        static final long FIRST = 0;
        private static final long WARM_UP_NANOS = 20_000_000;

        /** As those of {@link Answering}. */
        final LinkedBlockingQueue<Double> coreWaits = new LinkedBlockingQueue<>();

        final Delays delays = new Delays();
        long trips;
        long nanos;

        private enum Stage {
            WARMING_UP,
            /** The first mark is under way. */
            WARM,
            MEASURING,
            /** The second mark is under way. */
            DONE,
        }

        private final Setting setting;
        private final RingBuffer<Line> pings;
        private final Line question = new Line();
        private final Line answer = new Line();
        private Stage stage = Stage.WARMING_UP;
        private long stageStart = System.nanoTime();
        private long stageNanos = WARM_UP_NANOS;
        private long lastLook = stageStart;
        private long number = FIRST;

        Serving(Setting setting, RingBuffer<Line> pings, long nanos) {
            this.setting = setting;
            this.pings = pings;
            this.nanos = nanos;
        }

        @Override
        public void onStart() {
            Cores.pinThisThread(setting.cores().producer());
        }

        @Override
        public void onShutdown() {}

        @Override
        public void onEvent(Line pong, long sequence, boolean endOfBatch) {
            long got = pong.mixed();
            long now = System.nanoTime();
            question.set(number);
            answer.set(question.mixed());
            if (got != answer.mixed()) {
                // Nobody waits for this thread's exceptions.
                System.err.println("a ping or its answer was lost, doubled or damaged");
                Runtime.getRuntime().halt(1);
            }
            if (now - stageStart >= stageNanos) {
                turn(now);
                return;
            }
            delays.record(now - lastLook);
            lastLook = now;
            ping(number + 1);
        }

        private void ping(long number) {
            this.number = number;
            send(setting, pings, number);
        }

        private void turn(long now) {
            switch (stage) {
                case WARMING_UP -> mark(Stage.WARM);
                case WARM -> {
                    coreWaits.add(CoreWait.ofThisThread());
                    delays.clear();
                    stage = Stage.MEASURING;
                    stageStart = System.nanoTime();
                    stageNanos = nanos;
                    lastLook = stageStart;
                    ping(FIRST + 1);
                }
                case MEASURING -> {
                    trips = number - FIRST;
                    nanos = now - stageStart;
                    mark(Stage.DONE);
                }
                case DONE -> coreWaits.add(CoreWait.ofThisThread());
            }
        }

        private void mark(Stage stage) {
            this.stage = stage;
            stageNanos = 0;
            ping(Line.END);
        }
    }
}
