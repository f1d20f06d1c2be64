import java.util.Locale;

/**
 * The LMAX Disruptor on the comparison's work: one measurement, printed as a JSON object.
 *
 * <p>As its documentation says for low delays: events preallocated in the ring, one producer, handlers of the library's own
 * event processors, {@code BusySpinWaitStrategy} where each thread has a core and {@code YieldingWaitStrategy} where there
 * are more threads than cores.
 *
 * <p>The work is done several times before it is measured, on rings of their own, so that all of it has been compiled.
 */
final class Lmax {
    private static final int REHEARSALS = 5;
    private static final long REHEARSAL_NANOS = 200_000_000;

    private Lmax() {}

    /**
     * Arguments: one-to-one, one-to-three, pipeline or ping-pong; events in a batch; slots; spin or yield; seconds; the
     * producer's and the consumer's core, or none.
     */
    public static void main(String[] arguments) throws InterruptedException {
        String task = arguments[0];
        int batch = Integer.parseInt(arguments[1]);
        Cores cores = arguments.length > 5 ? new Cores(arguments[5], arguments[6]) : new Cores("", "");
        Setting setting = new Setting(Integer.parseInt(arguments[2]), arguments[3].equals("yield"), cores);
        long nanos = (long) (Double.parseDouble(arguments[4]) * 1e9);
        Cores.pinThisThread(cores.producer());
        for (int rehearsal = 0; rehearsal < REHEARSALS; rehearsal++) {
            measure(task, setting, batch, REHEARSAL_NANOS);
        }
        System.out.println(measure(task, setting, batch, nanos));
    }

    private static String measure(String task, Setting setting, int batch, long nanos) throws InterruptedException {
        if (task.equals("ping-pong")) {
            return PingPong.measure(setting, nanos);
        }
        Throughput.Shape shape = Throughput.Shape.valueOf(task.toUpperCase(Locale.ROOT).replace('-', '_'));
        return Throughput.measure(setting, shape, batch, nanos);
    }
}
