import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.LifecycleAware;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A consumer: adds up what comes, and reports at the end of each phase. */
final class Tally implements EventHandler<Line>, LifecycleAware {
    private final ConcurrentLinkedQueue<Milestone> milestones = new ConcurrentLinkedQueue<>();
    private final String core;
    private long sum;

    Tally(String core) {
        this.core = core;
    }

    @Override
    public void onStart() {
        Cores.pinThisThread(core);
    }

    @Override
    public void onShutdown() {}

    @Override
    public void onEvent(Line event, long sequence, boolean endOfBatch) {
        sum += event.mixed();
        if (event.number() == Line.END) {
            milestones.add(new Milestone(System.nanoTime(), sum, CoreWait.ofThisThread()));
        }
    }

    /** What it reports at the end of this phase. */
    Milestone hear(Setting setting) {
        while (true) {
            Milestone milestone = milestones.poll();
            if (milestone != null) {
                return milestone;
            }
            setting.waitOnce();
        }
    }
}
