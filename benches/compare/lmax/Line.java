/** The event: eight words, made from a number as the other contenders' are. Allocated once for each slot, and overwritten. */
final class Line {
    /** The number of the last event of a phase. No other has it. */
    static final long END = -1;

    /** 2^64 over the golden ratio: its multiples have no pattern. */
    private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

    private long a, b, c, d, e, f, g, h;

    void set(long number) {
        a = number ^ SPREAD;
        b = number ^ 2 * SPREAD;
        c = number ^ 3 * SPREAD;
        d = number ^ 4 * SPREAD;
        e = number ^ 5 * SPREAD;
        f = number ^ 6 * SPREAD;
        g = number ^ 7 * SPREAD;
        h = number ^ 8 * SPREAD;
    }

    /** What it was made from. */
    long number() {
        return a ^ SPREAD;
    }

    /** All words, mixed: what each consumer adds up. */
    long mixed() {
        return ((a + b) ^ (c + d)) + ((e + f) ^ (g + h));
    }
}
