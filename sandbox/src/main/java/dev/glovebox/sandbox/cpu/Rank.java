package dev.glovebox.sandbox.cpu;

import dev.glovebox.linux.cgroup.Cgroup;
import java.io.IOException;
import java.lang.System.Logger.Level;

/// When one sandbox gets the processors: with the others, or after them ([Cgroup#idle]), as
/// [Precedence] says; or before them, while it is being stopped or ended.
///
/// A process has to run once more to stand still or to die. One that has its turn after the others,
/// or has just moved to a processor, where the scheduler takes its group for one of next to no
/// weight at first, waits for that for seconds while others are busy. Thread-safe.
public final class Rank {
    private static final System.Logger LOG = System.getLogger(Rank.class.getName());
    private static final int MOST = 10_000;

    private final Cgroup group;
    private boolean after;
    private boolean hurried;

    /// What the kernel has been told last.
    private Place told = Place.WITH;

    private enum Place {
        BEFORE,
        WITH,
        AFTER
    }

    /// With the others, at first.
    ///
    /// @param group of the sandbox, of which nobody else sets this
    public Rank(Cgroup group) {
        this.group = group;
    }

    /// Before the others until [#calm], whatever is said.
    public synchronized void hurry() {
        hurried = true;
        tell();
    }

    /// As was said last.
    public synchronized void calm() {
        hurried = false;
        tell();
    }

    /// @param last whether it is to have its turn after the others
    synchronized void say(boolean last) {
        after = last;
        tell();
    }

    private void tell() {
        Place place = hurried ? Place.BEFORE : after ? Place.AFTER : Place.WITH;
        if (place == told) {
            return;
        }
        try {
            if (told == Place.AFTER) {
                group.idle(false);
            }
            if (told == Place.BEFORE || place == Place.BEFORE) {
                group.weight(place == Place.BEFORE ? MOST : Cgroup.WEIGHT);
            }
            if (place == Place.AFTER) {
                group.idle(true);
            }
            told = place;
            LOG.log(Level.DEBUG, "{0} runs {1} others", group.path(), place);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "control group " + group.path() + " is gone", e);
        }
    }
}
