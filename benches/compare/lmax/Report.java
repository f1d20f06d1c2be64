import java.util.Arrays;
import java.util.Locale;

/** A measurement, as the comparison reads it. */
final class Report {
    private Report() {}

    /** @param waited for how long each thread waited for a core, seconds */
    static String of(long events, double seconds, double[] waited, String figures) {
        double longest = Arrays.stream(waited).max().orElse(Double.NaN);
        return String.format(
                Locale.ROOT,
                "{\"events\":%d,\"seconds\":%.9f,\"core_wait_seconds\":%s,\"figures\":%s}",
                events,
                seconds,
                Double.isNaN(longest) ? "null" : String.format(Locale.ROOT, "%.9f", longest),
                figures);
    }
}
