import org.jspecify.annotations.NullMarked;

/// The kernel: the only room that calls foreign functions and reads `/proc` and cgroupfs.
@NullMarked
module dev.glovebox.linux {
    requires static transitive org.jspecify;

    exports dev.glovebox.linux;
    exports dev.glovebox.linux.cgroup;
    exports dev.glovebox.linux.disk;
    exports dev.glovebox.linux.mount;
    exports dev.glovebox.linux.net;
}
