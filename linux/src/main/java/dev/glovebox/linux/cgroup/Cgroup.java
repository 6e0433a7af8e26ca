package dev.glovebox.linux.cgroup;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/// One control group: who is in it, what it uses, and how to end it.
///
/// Killing is by group, never by process id: on version 2 through `cgroup.kill` (Linux 5.14), else
/// by freezing the group, waiting until all of it stands, so that nothing can fork away, signalling
/// all that is in it, and thawing. What does not stand in time is signalled all the same, and again
/// until nothing is left.
public final class Cgroup {
    private static final System.Logger LOG = System.getLogger(Cgroup.class.getName());

    /// That of a group that has been given none.
    public static final int WEIGHT = 100;

    /// The weight of a group that has been given none, in version 1's measure.
    private static final long SHARES = 1024;

    private static final long POLL_NANOS = 500_000;

    /// Until all of a group that is to be killed stands. One that waits for a device does not.
    private static final Duration STAND = Duration.ofMillis(200);

    private static final String SWAP_MAX = "memory.swap.max";

    private final String path;
    private final List<Cgroups.Hierarchy> hierarchies;

    Cgroup(String path, List<Cgroups.Hierarchy> hierarchies) {
        this.path = path;
        this.hierarchies = List.copyOf(hierarchies);
    }

    /// From the top of each hierarchy, such as `/glovebox/ab12/s1`.
    public String path() {
        return path;
    }

    /// Whether it is there in any hierarchy.
    public boolean exists() {
        return !directories().isEmpty();
    }

    /// Names of the groups directly below.
    public Set<String> children() {
        Set<String> names = new TreeSet<>();
        for (Path directory : directories()) {
            subdirectories(directory).forEach(child -> names.add(child.getFileName().toString()));
        }
        return names;
    }

    /// Process ids in this group or one below, as this process sees them.
    public Set<Integer> processes() {
        Set<Integer> pids = new TreeSet<>();
        for (Path directory : directories()) {
            for (Path group : deepestFirst(directory)) {
                read(group.resolve("cgroup.procs"))
                        .ifPresent(text ->
                                text.lines()
                                        .map(Integer::valueOf)
                                        .filter(pid -> pid > 0)
                                        .forEach(pids::add));
            }
        }
        return pids;
    }

    /// Bytes of memory charged to the group now; 0 if the group is gone.
    public long memoryUsed() {
        return number("memory", "memory.usage_in_bytes", "memory.current");
    }

    /// Processes and threads in the group now; 0 if the group is gone.
    public long tasks() {
        return number("pids", "pids.current", "pids.current");
    }

    /// Most bytes of memory the group may use; 0 if the group is gone.
    public long memoryLimit() {
        return number("memory", "memory.limit_in_bytes", "memory.max");
    }

    /// Most processes and threads the group may have; 0 if the group is gone.
    public long tasksLimit() {
        return number("pids", "pids.max", "pids.max");
    }

    /// Most bytes of memory and swap together; empty where this kernel counts no swap.
    public OptionalLong memoryWithSwapLimit() {
        if (controller("memory").isPresent()) {
            long limit = number("memory", "memory.memsw.limit_in_bytes", "");
            return limit == 0 ? OptionalLong.empty() : OptionalLong.of(limit);
        }
        return text("memory", "", SWAP_MAX).isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of(saturated(memoryLimit(), number("memory", "", SWAP_MAX)));
    }

    private static long saturated(long one, long other) {
        return one > Long.MAX_VALUE - other ? Long.MAX_VALUE : one + other;
    }

    /// Processor time the group may use; empty if it has no limit, or is gone.
    public Optional<CpuBandwidth> cpuLimit() {
        String[] words;
        if (controller("cpu").isPresent()) {
            words =
                    new String[] {
                        text("cpu", "cpu.cfs_quota_us", "").orElse("-1").strip(),
                        text("cpu", "cpu.cfs_period_us", "").orElse("0").strip()
                    };
        } else {
            words = text("cpu", "", "cpu.max").orElse("max 0").strip().split(" ", 2);
        }
        return words[0].matches("\\d+")
                ? Optional.of(new CpuBandwidth(Long.parseLong(words[0]), Long.parseLong(words[1])))
                : Optional.empty();
    }

    /// What of devices the group may use, as version 1 writes it, such as `c 1:3 rw`; none on
    /// version 2, where a program of the kernel's decides.
    public List<String> devices() {
        return controller("devices")
                .map(directory -> directory.resolve("devices.list"))
                .flatMap(Cgroup::read)
                .map(text -> text.lines().toList())
                .orElse(List.of());
    }

    /// How many processes of the group the kernel killed for want of memory, since it was made; 0
    /// if the group is gone.
    public long oomKills() {
        return text("memory", "memory.oom_control", "memory.events")
                .map(text -> counter(text, "oom_kill"))
                .orElse(0L);
    }

    /// Sets what the group may use, also while processes are in it.
    ///
    /// @param memoryBytes most memory, with no swap besides
    /// @param cpus processors' worth of time
    /// @param pids most processes and threads
    /// @throws IOException if the group is gone, or uses more memory already
    public void limit(long memoryBytes, double cpus, int pids) throws IOException {
        CpuBandwidth cpu = CpuBandwidth.of(cpus);
        if (controller("memory").isPresent()) {
            limitMemory(memoryBytes);
            set("pids", "pids.max", pids);
            set("cpu", "cpu.cfs_quota_us", -1); // else the new period may not go with the old quota
            set("cpu", "cpu.cfs_period_us", cpu.periodMicros());
            set("cpu", "cpu.cfs_quota_us", cpu.quotaMicros());
            return;
        }
        Path unified =
                hierarchies.stream()
                        .map(this::directory)
                        .findFirst()
                        .orElseThrow(() -> new IOException("no control groups"));
        Files.writeString(unified.resolve("memory.max"), String.valueOf(memoryBytes));
        Files.writeString(unified.resolve("pids.max"), String.valueOf(pids));
        Files.writeString(unified.resolve("cpu.max"), cpu.quotaMicros() + " " + cpu.periodMicros());
    }

    /// Version 1. Memory with swap can never be less than memory without, so which is written first
    /// depends on whether there is to be more or less of it.
    private void limitMemory(long bytes) throws IOException {
        String memory = "memory.limit_in_bytes";
        String withSwap = "memory.memsw.limit_in_bytes";
        boolean more = bytes > memoryLimit();
        if (!text("memory", withSwap, withSwap).isPresent()) {
            set("memory", memory, bytes);
            return;
        }
        set("memory", more ? withSwap : memory, bytes);
        set("memory", more ? memory : withSwap, bytes);
    }

    /// Limits how fast the group reads from and writes to a disk.
    ///
    /// On version 1 what is written without being synced goes to the disk by the kernel's own hand
    /// and is not limited; on version 2 it is, where the file system can (ext4, btrfs, xfs).
    ///
    /// @param device `MAJOR:MINOR` of a whole disk
    /// @throws IOException if this host does not offer it, or the group is not there
    public void limitDisk(String device, long bytesPerSecond) throws IOException {
        Optional<Path> legacy = controller("blkio");
        if (legacy.isPresent()) {
            String line = device + " " + bytesPerSecond;
            for (String direction : List.of("read", "write")) {
                Files.writeString(
                        legacy.get().resolve("blkio.throttle." + direction + "_bps_device"), line);
            }
            return;
        }
        Path file =
                unifiedFile("io.max").orElseThrow(() -> new IOException("no controller of disks"));
        Files.writeString(
                file,
                String.format(
                        Locale.ROOT, "%s rbps=%d wbps=%d", device, bytesPerSecond, bytesPerSecond));
    }

    /// Sets whether its processes run only while nobody in the groups beside it wants to
    /// (`cpu.idle`, Linux 5.15; `SCHED_IDLE` for a group). Whoever wakes up there takes the
    /// processor from them at once, without waiting for the end of their turn.
    ///
    /// @throws IOException if the kernel does not offer it, or the group is gone
    public void idle(boolean idle) throws IOException {
        setProcessors(idleFile(), idle ? 1 : 0);
    }

    /// Whether it is so; false if the kernel does not offer it, or the group is gone.
    public boolean isIdle() {
        return idleFile().flatMap(Cgroup::read).map(text -> text.strip().equals("1")).orElse(false);
    }

    /// Whether the kernel offers it for this group.
    public boolean offersIdle() {
        return idleFile().filter(Files::exists).isPresent();
    }

    private Optional<Path> idleFile() {
        return processorsFile("cpu.idle", "cpu.idle");
    }

    /// Sets how much of the processors it gets beside the groups that lie in the same one, while
    /// all want them. Not of one that is idle.
    ///
    /// @param weight 1 to 10,000 (`cpu.weight`; version 1 has `cpu.shares`); [#WEIGHT] unless set
    /// @throws IOException if there is no controller of processors, or the group is idle or gone
    public void weight(int weight) throws IOException {
        long value = controller("cpu").isPresent() ? SHARES * weight / WEIGHT : weight;
        setProcessors(processorsFile("cpu.shares", "cpu.weight"), value);
    }

    /// What [#weight(int)] has set; 0 if there is no controller of processors, or the group is
    /// gone.
    public int weight() {
        long weight = number("cpu", "cpu.shares", "cpu.weight");
        return (int) (controller("cpu").isPresent() ? weight * WEIGHT / SHARES : weight);
    }

    private Optional<Path> processorsFile(String legacyName, String name) {
        return controller("cpu")
                .map(directory -> directory.resolve(legacyName))
                .or(() -> unifiedPath(name));
    }

    private static void setProcessors(Optional<Path> file, long value) throws IOException {
        Files.writeString(
                file.orElseThrow(() -> new IOException("no controller of processors")),
                String.valueOf(value),
                StandardOpenOption.WRITE);
    }

    private void set(String controller, String file, long value) throws IOException {
        Path directory =
                controller(controller)
                        .orElseThrow(() -> new IOException("no hierarchy for " + controller));
        Files.writeString(directory.resolve(file), String.valueOf(value));
    }

    /// Processor time the group has used since it was made, user and system; zero if the group is
    /// gone.
    public Duration cpuTime() {
        Optional<Path> legacy = controller("cpuacct").map(d -> d.resolve("cpuacct.usage"));
        long nanos =
                legacy.isPresent()
                        ? legacy.flatMap(Cgroup::read)
                                .map(text -> Long.parseLong(text.strip()))
                                .orElse(0L)
                        : text("cpu", "cpu.stat", "cpu.stat")
                                .map(text -> 1000 * counter(text, "usage_usec"))
                                .orElse(0L);
        return Duration.ofNanos(nanos);
    }

    /// Kills everything in the group and removes it from every hierarchy, groups below included. If
    /// it is idle it ceases to be, as its processes need the processors to leave.
    ///
    /// @param deadline how long to keep trying
    /// @return whether it is gone
    public boolean destroy(Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        if (isIdle()) {
            ask(() -> idle(false), true);
        }
        for (boolean first = true; true; first = false) {
            kill(first);
            boolean gone = true;
            for (Path directory : directories()) {
                for (Path group : deepestFirst(directory)) {
                    gone &= removed(group);
                }
            }
            if (gone) {
                return true;
            }
            if (System.nanoTime() > end) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /// Stops everything in the group and the groups below where it is, and waits until all stand.
    ///
    /// Version 1: `freezer.state`; version 2: `cgroup.freeze` (Linux 5.2). A frozen process can
    /// still be killed with the group ([#destroy]). The calling process must not be in the group.
    ///
    /// @param deadline how long to wait; a process that waits for a device cannot be stopped
    /// @return whether all stand; if not, they have been let go again
    /// @throws IOException if the group is gone or this host cannot freeze
    public boolean freeze(Duration deadline) throws IOException {
        Freezer freezer = freezer();
        if (freezer.reaches(true, deadline)) {
            return true;
        }
        freezer.ask(false);
        return false;
    }

    /// Lets everything in the group go on.
    ///
    /// @param deadline how long to wait until it does
    /// @return whether it does
    /// @throws IOException if the group is gone or this host cannot freeze
    public boolean thaw(Duration deadline) throws IOException {
        return freezer().reaches(false, deadline);
    }

    /// Kills some of the group while all of it stands, so that none can fork away. A group that was
    /// frozen before stays so, and those that are killed leave when it is thawed.
    ///
    /// @param choice of the process ids it is given
    /// @param deadline how long to wait until all stand
    /// @return whether all stood; if not, nothing was killed
    /// @throws IOException if the group is gone or this host cannot freeze
    public boolean killSome(UnaryOperator<Set<Integer>> choice, Duration deadline)
            throws IOException {
        Freezer freezer = freezer();
        boolean before = freezer.stands();
        if (!before && !freeze(deadline)) {
            return false;
        }
        try {
            signal(choice.apply(processes()));
            return true;
        } finally {
            if (!before) {
                freezer.ask(false);
            }
        }
    }

    private Freezer freezer() throws IOException {
        return freezerIfAny().orElseThrow(() -> new IOException("no freezer for group " + path));
    }

    private Optional<Freezer> freezerIfAny() {
        return Freezer.of(controller("freezer"), unifiedFile("cgroup.freeze"));
    }

    private Optional<Path> unifiedFile(String name) {
        return unifiedPath(name).filter(Files::exists);
    }

    private Optional<Path> unifiedPath(String name) {
        return unified().map(hierarchy -> directory(hierarchy).resolve(name));
    }

    /// Removes the group if nobody and no group is in it.
    public void removeIfEmpty() {
        directories().forEach(Cgroup::removed);
    }

    /// Reads the value of one `name value` line, as in `memory.events`; 0 if it is not there.
    static long counter(String text, String name) {
        return text.lines()
                .map(line -> line.split(" ", -1))
                .filter(words -> words.length == 2 && words[0].equals(name))
                .map(words -> Long.parseLong(words[1]))
                .findFirst()
                .orElse(0L);
    }

    /// @param tell whether a failure is to be told
    private void kill(boolean tell) {
        unifiedFile("cgroup.kill").ifPresent(file -> ask(() -> Files.writeString(file, "1"), tell));
        if (processes().isEmpty()) {
            return;
        }
        Optional<Freezer> freezer = freezerIfAny();
        freezer.ifPresent(each ->
                ask(
                        () -> {
                            if (!each.reaches(true, STAND)) {
                                LOG.log(Level.DEBUG, "not all of {0} stands", path);
                            }
                        },
                        tell));
        signal(processes());
        freezer.ifPresent(each -> ask(() -> each.ask(false), tell));
    }

    /// A handle knows when its process has started. So one that is still in the group once we have
    /// its handle is who is signalled, and never a stranger with a number that was used again.
    private void signal(Set<Integer> pids) {
        List<ProcessHandle> handles =
                pids.stream().map(ProcessHandle::of).flatMap(Optional::stream).toList();
        Set<Integer> still = processes();
        long self = ProcessHandle.current().pid();
        for (ProcessHandle handle : handles) {
            if (handle.pid() != self && still.contains(Math.toIntExact(handle.pid()))) {
                handle.destroyForcibly();
            }
        }
    }

    @FunctionalInterface
    private interface Wish {
        void ask() throws IOException;
    }

    /// Asks the kernel; of a group that has gone away meanwhile nothing is to be asked any more.
    private void ask(Wish wish, boolean tell) {
        try {
            wish.ask();
        } catch (IOException e) {
            if (tell && exists()) {
                LOG.log(Level.WARNING, "cannot stop or kill control group " + path, e);
            }
        }
    }

    private long number(String controller, String legacyName, String name) {
        return text(controller, legacyName, name)
                .map(String::strip)
                .map(text -> text.equals("max") ? Long.MAX_VALUE : Long.parseLong(text))
                .orElse(0L);
    }

    private Optional<String> text(String controller, String legacyName, String name) {
        Optional<Path> legacy = controller(controller).map(d -> d.resolve(legacyName));
        if (legacy.isPresent()) {
            return read(legacy.get());
        }
        return unifiedPath(name).flatMap(Cgroup::read);
    }

    /// Where this group is in the version 1 hierarchy of a controller.
    Optional<Path> controller(String name) {
        return hierarchies.stream()
                .filter(h -> h.controllers().contains(name))
                .map(this::directory)
                .findFirst();
    }

    /// The version 2 hierarchy, if there is one.
    Optional<Cgroups.Hierarchy> unified() {
        return hierarchies.stream().filter(Cgroups.Hierarchy::unified).findFirst();
    }

    /// Where another group is in the version 1 hierarchy of a controller.
    Path sibling(String controller, String other) {
        return new Cgroup(other, hierarchies).controller(controller).orElseThrow();
    }

    private Path directory(Cgroups.Hierarchy hierarchy) {
        return hierarchy.directory().resolve(path.substring(1));
    }

    private List<Path> directories() {
        return hierarchies.stream().map(this::directory).filter(Files::isDirectory).toList();
    }

    private static List<Path> deepestFirst(Path directory) {
        List<Path> all = new ArrayList<>();
        for (Path child : subdirectories(directory)) {
            all.addAll(deepestFirst(child));
        }
        all.add(directory);
        return all;
    }

    private static List<Path> subdirectories(Path directory) {
        try (DirectoryStream<Path> children =
                Files.newDirectoryStream(directory, Files::isDirectory)) {
            List<Path> found = new ArrayList<>();
            children.forEach(found::add);
            return found;
        } catch (IOException e) {
            return List.of(); // the group went away meanwhile, and all below with it
        }
    }

    private static boolean removed(Path group) {
        try {
            Files.deleteIfExists(group);
            return true;
        } catch (IOException e) {
            return false; // EBUSY while a killed process is still leaving
        }
    }

    private static Optional<String> read(Path file) {
        try {
            return Optional.of(Files.readString(file));
        } catch (IOException e) {
            return Optional.empty(); // ENODEV: the group is just being removed
        }
    }
}
