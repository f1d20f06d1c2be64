import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** For how long threads were ready to run and had no core. */
final class CoreWait {
    private static final Path SCHEDSTAT = Path.of("/proc/thread-self/schedstat");

    private CoreWait() {}

    /** Of this thread since its start, seconds; not a number where the kernel does not tell. */
    static double ofThisThread() {
        try {
            return Long.parseLong(Files.readString(SCHEDSTAT).split(" ")[1]) / 1e9;
        } catch (IOException unknown) {
            return Double.NaN;
        }
    }
}
