package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.ProcessStat;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// What a process of a sandbox has started since a moment, wherever that has gone: into groups and
/// sessions of its own, or orphaned, so that pid 1 is its parent.
///
/// Nobody can change who started it and when. So a process is spared that was there before, and one
/// that descends from such a process or from another that the worker has started; all others are of
/// the process in question. An orphan has lost its descent: it counts as offspring unless it was
/// there before, though it may be one of somebody else's, started since.
///
/// @param root the process in question
/// @param others that the worker has started in the sandbox
/// @param since a tick of [ProcessStat#now]
public record Offspring(int root, Set<Integer> others, long since) {
    public Offspring {
        others = Set.copyOf(others);
    }

    /// What is started from now on is started since this moment.
    public static long moment() {
        return ProcessStat.now();
    }

    /// The offspring among these processes, and the root.
    ///
    /// @param pids of all processes of a sandbox, none of which can fork now
    /// @param root its pid inside
    /// @param others theirs
    public static Set<Integer> among(Set<Integer> pids, int root, Set<Integer> others, long since) {
        List<ProcessStat> all =
                pids.stream().map(ProcessStat::of).flatMap(Optional::stream).toList();
        Set<Integer> known = all.stream().map(ProcessStat::pid).collect(Collectors.toSet());
        Map<Integer, Integer> started = new HashMap<>(); // by init itself, by their pids inside
        all.stream()
                .filter(one -> known.contains(one.parent()))
                .filter(one -> isInit(one.parent(), all, known))
                .forEach(one -> started.put(one.pidInside(), one.pid()));
        return new Offspring(
                        started.getOrDefault(root, 0),
                        others.stream()
                                .map(inside -> started.getOrDefault(inside, 0))
                                .collect(Collectors.toSet()),
                        since)
                .of(all);
    }

    private static boolean isInit(int pid, List<ProcessStat> all, Set<Integer> known) {
        return all.stream()
                .filter(one -> one.pid() == pid)
                .noneMatch(one -> known.contains(one.parent()));
    }

    /// Its pids, the root among them.
    Set<Integer> of(Collection<ProcessStat> processes) {
        Map<Integer, ProcessStat> known = new HashMap<>();
        processes.forEach(process -> known.put(process.pid(), process));
        Set<Integer> found = new TreeSet<>();
        for (ProcessStat process : processes) {
            if (isOurs(process, known)) {
                found.add(process.pid());
            }
        }
        return found;
    }

    /// Goes up from parent to parent; whose parent is not of the sandbox is its pid 1.
    private boolean isOurs(ProcessStat process, Map<Integer, ProcessStat> known) {
        ProcessStat at = process;
        while (at.pid() != root) {
            ProcessStat parent = known.get(at.parent());
            if (parent == null) {
                return at.pid() != process.pid();
            }
            if (others.contains(at.pid()) || at.started() < since) {
                return false;
            }
            at = parent;
        }
        return true;
    }
}
