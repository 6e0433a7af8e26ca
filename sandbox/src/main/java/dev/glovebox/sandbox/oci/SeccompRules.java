package dev.glovebox.sandbox.oci;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The system calls a sandbox may make, as data.
///
/// The list is one of *permission*: what is not in it answers `EPERM`. It is narrower than the
/// lists container engines ship, since nothing inside holds a capability: no new namespaces, no
/// mounts, no tracing of other processes, no io_uring, no keys, no bpf, and of the socket families
/// only UNIX, INET, INET6 and the routing part of NETLINK, each with its ordinary protocol. What
/// was measured to run under it: python, node, npm, git, gcc, java, maven, ripgrep, tmux.
///
/// Only the machine's own architecture is named, so calls by the 32-bit and x32 entries die with
/// `SIGSYS`. Calls newer than the list answer `ENOSYS`, on which the C library falls back; `clone3`
/// too, because its flags are in memory, where a filter cannot look.
///
/// A comparison in a filter is of 64 bits while the kernel looks at the lower 32 of a socket family
/// or an ioctl number. So a number is only ever *permitted* by an exact or a masked match, never
/// forbidden by one: with a forbidding match, upper bits that the kernel ignores would pass.
public final class SeccompRules {
    private static final int EPERM = 1;
    private static final int ENOSYS = 38;
    private static final long ANY_NEW_NAMESPACE = 0x7E02_0000L;
    private static final long UINT_MAX = 0xFFFF_FFFFL;
    private static final int INT_BITS = 32;
    private static final int RESOURCES = 16;
    private static final int RLIMIT_CORE = 4;

    /// `ioctl(2)` numbers that reach into a terminal someone else reads: TIOCSTI, TIOCLINUX,
    /// TIOCSETD.
    static final List<Long> FORBIDDEN_IOCTLS = List.of(0x5412L, 0x541CL, 0x5423L);

    /// Permitted whatever their arguments.
    static final List<String> ALLOWED =
            words(
                    """
                    accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown
                    clock_getres clock_gettime clock_nanosleep close close_range connect
                    copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
                    epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit
                    exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat
                    fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr
                    fsetxattr fstat fstatfs fsync ftruncate futex futex_waitv futimesat
                    get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
                    geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid
                    getpriority getrandom getresgid getresuid getrlimit getrusage getsid
                    getsockname getsockopt gettid gettimeofday getuid getxattr inotify_add_watch
                    inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents
                    io_pgetevents io_setup io_submit ioprio_get ioprio_set kill
                    landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown
                    lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr
                    lstat madvise membarrier memfd_create mincore mkdir mkdirat mknod mknodat mlock
                    mlock2 mlockall mmap mprotect mremap msgctl msgget msgrcv msgsnd msync munlock
                    munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open
                    pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
                    prctl pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readahead
                    readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages
                    removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction
                    rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
                    rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
                    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
                    sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr
                    sched_setparam sched_setscheduler sched_yield seccomp select semctl semget
                    semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list
                    set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer
                    setpgid setpriority setregid setresgid setresuid setreuid setsid
                    setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack
                    signalfd signalfd4 splice stat statfs statx symlink symlinkat sync
                    sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete
                    timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
                    timerfd_settime times tkill truncate umask uname unlink unlinkat utime
                    utimensat utimes vfork wait4 waitid write writev
                    """);

    /// Answered with `ENOSYS`, so that the C library takes the older way.
    static final List<String> UNKNOWN =
            words(
                    """
                    clone3 cachestat fchmodat2 futex_requeue futex_wait futex_wake getxattrat
                    listmount listxattrat lsm_get_self_attr lsm_list_modules lsm_set_self_attr
                    map_shadow_stack memfd_secret mseal open_tree_attr process_madvise
                    process_mrelease removexattrat set_mempolicy_home_node setxattrat statmount
                    uretprobe file_getattr file_setattr
                    """);

    /// Whose first argument is who gets the signal. Linux lets nobody inside signal pid 1; gVisor
    /// does, and a pid 1 that is stopped answers no call any more.
    private static final List<String> SIGNALS =
            List.of("kill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "tgkill", "tkill");

    private static final long INIT = 1;

    /// As gVisor of 2022 spells them: `pselect6`, which `select(3)` makes, is `pselect` there.
    private static final List<String> GVISOR_ALLOWED =
            Stream.concat(
                            ALLOWED.stream().filter(name -> !SIGNALS.contains(name)),
                            Stream.of("pselect"))
                    .toList();

    private SeccompRules() {}

    /// What a debugger needs besides, where it may be used.
    static final List<String> TRACING = words("ptrace process_vm_readv process_vm_writev kcmp");

    private static final int ADDR_NO_RANDOMIZE = 0x4_0000;

    private static final Map<String, Object> STRICT = rules(thisMachine(), false, false);
    private static final Map<String, Object> WITH_TRACING = rules(thisMachine(), true, false);
    private static final Map<String, Object> STRICT_GVISOR = rules(thisMachine(), false, true);
    private static final Map<String, Object> TRACING_GVISOR = rules(thisMachine(), true, true);

    /// The `linux.seccomp` object of an OCI runtime configuration, as the list that a process of
    /// these privileges gets; empty for the root of gVisor's kernel, which is the filter.
    ///
    /// @param ownKernel whether gVisor applies it
    public static Optional<Map<String, Object>> of(Privileges privileges, boolean ownKernel) {
        if (ownKernel && privileges.equals(Privileges.KERNEL_ROOT)) {
            return Optional.empty();
        }
        if (privileges.tracing()) {
            return Optional.of(ownKernel ? TRACING_GVISOR : WITH_TRACING);
        }
        return Optional.of(ownKernel ? STRICT_GVISOR : STRICT);
    }

    /// The narrowest list.
    static Map<String, Object> forThisMachine() {
        return STRICT;
    }

    /// Like [#forThisMachine], for a named architecture of Java's spelling.
    static Map<String, Object> forArchitecture(String architecture) {
        return rules(architecture, false, false);
    }

    private static Map<String, Object> rules(
            String architecture, boolean tracing, boolean ownKernel) {
        List<Map<String, Object>> rules = new ArrayList<>();
        rules.add(
                Map.of("names", ownKernel ? GVISOR_ALLOWED : ALLOWED, "action", "SCMP_ACT_ALLOW"));
        rules.add(unknown(ownKernel));
        rules.add(allow("clone", masked(0, ANY_NEW_NAMESPACE, 0)));
        if (ownKernel) {
            rules.add(allow("prlimit64", equal(0, 0)));
            rules.add(Map.of("names", List.of("setrlimit"), "action", "SCMP_ACT_ALLOW"));
            for (long[] maskAndValue : allBut(List.of(INIT))) {
                for (String name : SIGNALS) {
                    rules.add(allow(name, masked(0, maskAndValue[0], maskAndValue[1])));
                }
            }
        } else {
            rules.addAll(resourceLimits());
        }
        for (long personality : new long[] {0, 8, 0x2_0000, 0x2_0008, UINT_MAX}) {
            rules.add(allow("personality", equal(0, personality)));
        }
        if (tracing) {
            rules.add(Map.of("names", TRACING, "action", "SCMP_ACT_ALLOW"));
            rules.add(allow("personality", equal(0, ADDR_NO_RANDOMIZE)));
        }
        rules.addAll(sockets());
        for (long[] maskAndValue : allBut(FORBIDDEN_IOCTLS)) {
            rules.add(allow("ioctl", masked(1, maskAndValue[0], maskAndValue[1])));
        }
        return Map.of(
                "defaultAction",
                "SCMP_ACT_ERRNO",
                "defaultErrnoRet",
                EPERM,
                "architectures",
                List.of(name(architecture)),
                "syscalls",
                List.copyOf(rules));
    }

    /// Limits of the calling process alone, and never that of core files: the 1 byte it has from
    /// its start keeps crashes from the program of the host they may be piped to, which 0 does not
    /// (`core(5)`). Programs that set it to 0 are told they did, since some refuse to run if they
    /// cannot (gpg).
    private static List<Map<String, Object>> resourceLimits() {
        List<Map<String, Object>> rules = new ArrayList<>();
        for (int resource = 0; resource < RESOURCES; resource++) {
            if (resource != RLIMIT_CORE) {
                rules.add(allow("setrlimit", equal(0, resource)));
                rules.add(allow("prlimit64", List.of(equal(0, 0), equal(1, resource))));
            }
        }
        rules.add(allow("prlimit64", List.of(equal(0, 0), equal(1, RLIMIT_CORE), equal(2, 0))));
        rules.add(pretend("setrlimit", List.of(equal(0, RLIMIT_CORE))));
        rules.add(
                pretend("prlimit64", List.of(equal(0, 0), equal(1, RLIMIT_CORE), different(2, 0))));
        return rules;
    }

    /// gVisor of 2022 ignores which errno a rule asks for; asked to tell a tracer that is not
    /// there, it answers `ENOSYS` as Linux does, `seccomp(2)`.
    private static Map<String, Object> unknown(boolean ownKernel) {
        return ownKernel
                ? Map.of("names", UNKNOWN, "action", "SCMP_ACT_TRACE")
                : Map.of("names", UNKNOWN, "action", "SCMP_ACT_ERRNO", "errnoRet", ENOSYS);
    }

    private static String thisMachine() {
        return System.getProperty("os.arch", "");
    }

    private static List<Map<String, Object>> sockets() {
        List<Map<String, Object>> rules = new ArrayList<>();
        rules.add(allow("socket", equal(0, 1)));
        for (int family : new int[] {2, 10}) {
            for (int protocol : new int[] {0, 6, 17}) {
                rules.add(allow("socket", List.of(equal(0, family), equal(2, protocol))));
            }
        }
        rules.add(allow("socket", List.of(equal(0, 16), equal(2, 0))));
        rules.add(allow("socketpair", equal(0, 1)));
        return rules;
    }

    /// All 32-bit numbers except some, as pairs of mask and value: walks down the bits from the
    /// top, and where a half holds none of the exceptions, that half is one pair.
    static List<long[]> allBut(List<Long> exceptions) {
        List<long[]> pairs = new ArrayList<>();
        split(pairs, exceptions, INT_BITS - 1, 0, 0);
        return pairs;
    }

    private static void split(
            List<long[]> pairs, List<Long> exceptions, int bit, long mask, long value) {
        if (exceptions.stream().noneMatch(e -> (e & mask) == value)) {
            pairs.add(new long[] {mask, value});
            return;
        }
        if (bit >= 0) {
            long one = 1L << bit;
            split(pairs, exceptions, bit - 1, mask | one, value);
            split(pairs, exceptions, bit - 1, mask | one, value | one);
        }
    }

    private static String name(String architecture) {
        return switch (architecture.toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> "SCMP_ARCH_X86_64";
            case "aarch64" -> "SCMP_ARCH_AARCH64";
            default ->
                    throw new IllegalArgumentException(
                            "no system call list for the architecture " + architecture);
        };
    }

    private static Map<String, Object> allow(String name, Map<String, Object> argument) {
        return allow(name, List.of(argument));
    }

    private static Map<String, Object> allow(String name, List<Map<String, Object>> arguments) {
        return Map.of("names", List.of(name), "action", "SCMP_ACT_ALLOW", "args", arguments);
    }

    /// Answers success and does nothing.
    private static Map<String, Object> pretend(String name, List<Map<String, Object>> arguments) {
        return Map.of(
                "names",
                List.of(name),
                "action",
                "SCMP_ACT_ERRNO",
                "errnoRet",
                0,
                "args",
                arguments);
    }

    private static Map<String, Object> different(int index, long value) {
        return Map.of("index", index, "value", value, "op", "SCMP_CMP_NE");
    }

    private static Map<String, Object> equal(int index, long value) {
        return Map.of("index", index, "value", value, "op", "SCMP_CMP_EQ");
    }

    private static Map<String, Object> masked(int index, long mask, long value) {
        return Map.of("index", index, "value", mask, "valueTwo", value, "op", "SCMP_CMP_MASKED_EQ");
    }

    private static List<String> words(String text) {
        return List.of(text.strip().split("\\s+", -1));
    }
}
