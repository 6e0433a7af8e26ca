package dev.glovebox.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// How gladly the kernel kills a process when memory runs out: `oom_score_adj`, `proc(5)`.
public final class OomScore {
    private OomScore() {}

    /// Sets it, for the process and all that it will start. Set by a process with
    /// `CAP_SYS_RESOURCE`, as this one is, it is also the least that they can set themselves.
    ///
    /// @param pid as this process sees it; one that is gone is no error
    /// @param score -1,000 (never) to 1,000 (before all others)
    public static void set(int pid, int score) {
        Path process = Path.of("/proc/" + pid);
        try {
            Files.writeString(process.resolve("oom_score_adj"), String.valueOf(score));
        } catch (IOException e) {
            if (Files.exists(process)) {
                throw new IllegalStateException("cannot set the score of process " + pid, e);
            }
        }
    }
}
