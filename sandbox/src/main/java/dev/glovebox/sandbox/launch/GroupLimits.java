package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.linux.cgroup.CpuBandwidth;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/// What the control group of a sandbox must allow: the one thing that is looked at from outside, as
/// pid 1 cannot read the limits it is under.
///
/// @param memoryBytes with and without swap
/// @param tasks processes and threads
public record GroupLimits(long memoryBytes, double cpus, int tasks) {
    /// Threads of gVisor's own, 30 to 50 at rest, which count as processes of the sandbox.
    private static final int KERNEL_TASKS = 96;

    private static final long PAGE = 4096;

    /// Lines of `devices.list` that may be: null, zero, full, random, urandom, tty, ptmx and
    /// terminals; and what runc permits beside: to make a node of anything, which needs a
    /// capability that nobody inside has, and the one of tunnels, which is not there.
    private static final Pattern DEVICE =
            Pattern.compile(
                    "c 1:[35789] rwm?|c 5:[02] rwm?|c 136:\\* rwm?|[bc] \\*:\\* m|c 10:200 rwm");

    /// Of a sandbox with these limits.
    public static GroupLimits of(RuntimeName runtime, Limits limits) {
        int tasks = runtime == RuntimeName.RUNSC ? limits.pids() + KERNEL_TASKS : limits.pids();
        return new GroupLimits(limits.memoryBytes(), limits.cpus(), tasks);
    }

    /// What is not as it must be, one line each.
    List<String> mismatches(Cgroup group) {
        List<String> found = new ArrayList<>();
        if (group.tasks() < 1 || group.memoryUsed() == 0) {
            found.add("control group " + group.path() + " is empty");
        }
        long pages = memoryBytes / PAGE * PAGE; // as the kernel keeps it
        expect("memory limit", group.memoryLimit(), pages, found);
        OptionalLong withSwap = group.memoryWithSwapLimit();
        if (withSwap.isPresent()) {
            expect("limit of memory and swap", withSwap.getAsLong(), pages, found);
        }
        expect("process limit", group.tasksLimit(), tasks, found);
        Optional<CpuBandwidth> wanted = Optional.of(CpuBandwidth.of(cpus));
        if (!group.cpuLimit().equals(wanted)) {
            found.add("processor limit is " + group.cpuLimit() + ", must be " + wanted);
        }
        group.devices().stream()
                .filter(line -> !DEVICE.matcher(line).matches())
                .forEach(line -> found.add("devices of the control group: " + line));
        return found;
    }

    private static void expect(String what, long is, long wanted, List<String> found) {
        if (is != wanted) {
            found.add(String.format(Locale.ROOT, "%s is %d, must be %d", what, is, wanted));
        }
    }
}
