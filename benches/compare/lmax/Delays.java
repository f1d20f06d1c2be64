import java.util.Arrays;

/** How long events were under way: counts, to the nanosecond up to some microseconds, and to 2^-10 of the delay beyond. */
final class Delays {
    private static final int EXACT_BITS = 11;

    private final int[] counts = new int[(64 - EXACT_BITS) << EXACT_BITS];
    private long recorded;
    private long max;

    void record(long delay) {
        counts[place(delay)]++;
        recorded++;
        max = Math.max(max, delay);
    }

    void clear() {
        Arrays.fill(counts, 0);
        recorded = 0;
        max = 0;
    }

    long max() {
        return max;
    }

    /** The delay that so large a share of the events does not exceed, or a little more. */
    long quantile(double share) {
        long rank = Math.max(1, (long) Math.ceil(share * recorded));
        for (int place = 0; place < counts.length; place++) {
            rank -= counts[place];
            if (rank <= 0) {
                return Math.min(highest(place), max);
            }
        }
        return max;
    }

    /** As many places for each power of two as there are exact ones, less the half that is there already. */
    private static int place(long delay) {
        int shift = Math.max(0, Long.SIZE - EXACT_BITS - Long.numberOfLeadingZeros(delay));
        return (shift << (EXACT_BITS - 1)) + (int) (delay >>> shift);
    }

    private static long highest(int place) {
        int shift = Math.max(0, (place >> (EXACT_BITS - 1)) - 1);
        long shifted = place - ((long) shift << (EXACT_BITS - 1));
        return ((shifted + 1) << shift) - 1;
    }
}
