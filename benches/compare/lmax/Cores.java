import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the threads of a measurement run.
 *
 * @param producer number of a core, or nothing: wherever the scheduler wants
 * @param consumer the same
 */
record Cores(String producer, String consumer) {
    /** Java has no way to pin a thread: {@code taskset} does it, from outside, by the thread's number. */
    static void pinThisThread(String core) {
        if (core.isEmpty()) {
            return;
        }
        try {
            String thread = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
            Process taskset = new ProcessBuilder("taskset", "-cp", core, thread).start();
            if (taskset.waitFor() != 0) {
                System.err.println("a thread could not be pinned to core " + core);
            }
        } catch (IOException | InterruptedException failure) {
            System.err.println("a thread could not be pinned to core " + core + ": " + failure);
        }
    }
}
