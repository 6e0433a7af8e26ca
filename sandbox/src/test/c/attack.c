/*
 * What an attacker inside a sandbox would try, as a static program of the tests.
 *
 *   attack calls           every forbidden system call with harmless arguments: "name errno" a line, 0 = it succeeded
 *   attack sockets         every socket family and some protocols: "family/protocol errno" a line
 *   attack numbers         every number a system call can have: "number errno" a line (attack_numbers.c)
 *   attack entries         the 32-bit and x32 system call entries: "name signal N" or "name errno N"
 *   attack forks           forks until refused: "forks N errno E", then ends its children
 *   attack eat MIB         touches that much memory
 *   attack input           pushes a byte into its terminal (TIOCSTI): "tiocsti E", "tiocsti-high E"
 *   attack open PATH       "open E"
 *   attack uid             "uid R E"
 *   attack realtime        asks for real-time scheduling and the highest niceness: "fifo E", "rr E", "nice E"
 *   attack key NAME        makes a key of the kernel that everybody may see, says "key SERIAL", and keeps it until its input ends
 *
 * The same program on the host, as root, is the positive control: there the arguments are refused for
 * what they are (EFAULT, EINVAL), which shows that the kernel has the call.
 */
#include "attack.h"

#define BAD ((void *) 1)

int in_child(long (*act)(long), long argument) {
    fflush(stdout);
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        errno = 0;
        _exit(act(argument) < 0 ? errno : 0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return -1;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static long do_unshare(long flags) { return unshare((int) flags); }

static long do_clone(long flags) {
    long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return pid;
}

static long do_traceme(long unused) { return syscall(SYS_ptrace, 0 * unused, 0, 0, 0); }

void say(const char *name, int error) { printf("%s %d\n", name, error); }

static void call6(const char *name, long number, long a, long b, long c, long d, long e) {
    errno = 0;
    long result = syscall(number, a, b, c, d, e, 0L);
    say(name, result < 0 ? errno : 0);
}

static void calls(void) {
    static const struct { const char *name; long flag; } spaces[] = {
        {"user", CLONE_NEWUSER}, {"ns", CLONE_NEWNS}, {"net", CLONE_NEWNET}, {"pid", CLONE_NEWPID},
        {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}};
    say("unshare-time", in_child(do_unshare, CLONE_NEWTIME));
    char name[64];
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        snprintf(name, sizeof name, "unshare-%s", spaces[i].name);
        say(name, in_child(do_unshare, spaces[i].flag));
        snprintf(name, sizeof name, "clone-%s", spaces[i].name);
        say(name, in_child(do_clone, spaces[i].flag));
    }
    say("ptrace", in_child(do_traceme, 0));
    long bad = (long) BAD;
#define TRY(n, ...) call6(#n, SYS_##n, __VA_ARGS__)
    TRY(setns, -1, 0, 0, 0, 0);
    TRY(clone3, 0, 0, 0, 0, 0);
    TRY(mount, bad, bad, bad, 0, 0);
    TRY(umount2, bad, 0, 0, 0, 0);
    TRY(pivot_root, bad, bad, 0, 0, 0);
    TRY(chroot, bad, 0, 0, 0, 0);
    TRY(fsopen, bad, 0, 0, 0, 0);
    TRY(fsconfig, -1, 99, 0, 0, 0);
    TRY(fsmount, -1, 0, 0, 0, 0);
    TRY(fspick, -1, bad, 0, 0, 0);
    TRY(open_tree, -1, bad, 0, 0, 0);
    TRY(move_mount, -1, bad, -1, bad, 0);
    TRY(mount_setattr, -1, bad, 0, bad, 32);
    TRY(open_by_handle_at, -1, bad, 0, 0, 0);
    TRY(name_to_handle_at, -1, bad, bad, bad, 0);
    TRY(bpf, 9999, bad, 8, 0, 0);
    TRY(perf_event_open, bad, 0, 0, -1, 0);
    TRY(userfaultfd, 0x7fffffff, 0, 0, 0, 0);
    TRY(io_uring_setup, 1, bad, 0, 0, 0);
    TRY(io_uring_enter, -1, 0, 0, 0, 0);
    TRY(io_uring_register, -1, 0, 0, 0, 0);
    TRY(keyctl, 9999, 0, 0, 0, 0);
    TRY(add_key, bad, bad, 0, 0, 0);
    TRY(request_key, bad, bad, 0, 0, 0);
    TRY(fanotify_init, 0xffff, 0, 0, 0, 0);
    TRY(process_vm_readv, 1, bad, 1, bad, 1);
    TRY(process_vm_writev, 1, bad, 1, bad, 1);
    TRY(kcmp, 0, 0, 99, 0, 0);
    TRY(pidfd_getfd, -1, 0, 99, 0, 0);
    TRY(init_module, 0, 0, bad, 0, 0);
    TRY(finit_module, -1, bad, 0, 0, 0);
    TRY(delete_module, bad, 0, 0, 0, 0);
    TRY(kexec_load, 0, 0, 0, 0xffff, 0);
    TRY(kexec_file_load, -1, -1, 0, 0, 0xffff);
    TRY(reboot, 0, 0, 0, 0, 0);
    TRY(swapon, bad, 0, 0, 0, 0);
    TRY(swapoff, bad, 0, 0, 0, 0);
    TRY(acct, bad, 0, 0, 0, 0);
    TRY(syslog, 99, 0, 0, 0, 0);
    TRY(settimeofday, bad, 0, 0, 0, 0);
    TRY(clock_settime, 0, bad, 0, 0, 0);
    TRY(adjtimex, bad, 0, 0, 0, 0);
    TRY(sethostname, bad, 99, 0, 0, 0);
    TRY(setdomainname, bad, 99, 0, 0, 0);
    TRY(personality, 0x0040000, 0, 0, 0, 0);
    TRY(mq_open, bad, 0, 0, 0, 0);
    TRY(vmsplice, -1, bad, 1, 0, 0);
    TRY(quotactl, 0, bad, 0, 0, 0);
    TRY(move_pages, 0, 1, bad, bad, bad);
    TRY(mbind, 1, 1, 99, 0, 0);
    TRY(set_mempolicy, 99, 0, 0, 0, 0);
    TRY(migrate_pages, 0, 1, bad, bad, 0);
    TRY(process_madvise, -1, bad, 1, 0, 0);
    TRY(memfd_secret, 0x7fffffff, 0, 0, 0, 0);
    TRY(prlimit64, 1, 7, 0, 0, 0);
#ifdef __x86_64__
    TRY(iopl, 99, 0, 0, 0, 0);
    TRY(ioperm, -1, -1, 1, 0, 0);
    TRY(modify_ldt, 0, bad, 16, 0, 0);
#endif
}

static void sockets(void) {
    static const int pairs[][3] = {
        {AF_INET, SOCK_STREAM, 262}, {AF_INET, SOCK_STREAM, 132}, {AF_INET, SOCK_DGRAM, 1}, {AF_INET6, SOCK_DGRAM, 58},
        {AF_INET, SOCK_DGRAM, 136}, {AF_INET, SOCK_RAW, 255}, {AF_INET6, SOCK_RAW, 255}, {AF_INET, SOCK_DCCP, 33}};
    for (int family = 0; family < 64; family++) {
        int type = family == AF_NETLINK ? SOCK_RAW : SOCK_STREAM;
        int fd = socket(family, type, 0);
        printf("%d/0 %d\n", family, fd < 0 ? errno : 0);
        if (fd >= 0)
            close(fd);
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        int fd = socket(pairs[i][0], pairs[i][1], pairs[i][2]);
        printf("%d/%d %d\n", pairs[i][0], pairs[i][2], fd < 0 ? errno : 0);
        if (fd >= 0)
            close(fd);
    }
    for (int protocol = 1; protocol <= 22; protocol++) {
        int fd = socket(AF_NETLINK, SOCK_RAW, protocol);
        printf("%d/%d %d\n", AF_NETLINK, protocol, fd < 0 ? errno : 0);
        if (fd >= 0)
            close(fd);
    }
    int fds[2];
    printf("pair-unix %d\n", socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 ? errno : 0);
    printf("pair-vsock %d\n", socketpair(40, SOCK_STREAM, 0, fds) < 0 ? errno : 0);
}

#ifdef __x86_64__
static long legacy_entry(long number) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(38L), "c"(5L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
    errno = result < 0 ? (int) -result : 0;
    return result < 0 ? -1 : 0;
}

static long x32_entry(long number) { return syscall(number | 0x40000000L, 38, 5, 0); }
#endif

static void entries(void) {
#ifdef __x86_64__
    say("int80-getpid", in_child(legacy_entry, 20));
    say("int80-socket", in_child(legacy_entry, 359));
    say("x32-socket", in_child(x32_entry, 41));
#endif
}

static void forks(void) {
    static pid_t children[100000];
    int count = 0;
    while (count < 100000) {
        pid_t pid = fork();
        if (pid == 0) {
            pause();
            _exit(0);
        }
        if (pid < 0)
            break;
        children[count++] = pid;
    }
    printf("forks %d errno %d\n", count, errno);
    for (int i = 0; i < count; i++)
        kill(children[i], SIGKILL);
    while (wait(NULL) > 0) {
    }
}

static void realtime(void) {
    struct sched_param one = {.sched_priority = 1};
    say("fifo", sched_setscheduler(0, SCHED_FIFO, &one) < 0 ? errno : 0);
    say("rr", sched_setscheduler(0, SCHED_RR, &one) < 0 ? errno : 0);
    one.sched_priority = 0;
    say("other", sched_setscheduler(0, SCHED_OTHER, &one) < 0 ? errno : 0);
    errno = 0;
    say("nice", nice(-1) == -1 ? errno : 0);
}

/* In a session keyring of its own, so that the key goes with this process. */
static int key(const char *name) {
    char end;
    long serial = syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL);
    if (serial >= 0)
        serial = syscall(SYS_add_key, "user", name, "x", 1UL, -3 /* KEY_SPEC_SESSION_KEYRING */);
    if (serial < 0 || syscall(SYS_keyctl, 5 /* KEYCTL_SETPERM */, serial, 0x3f3f3f3f) < 0)
        return 1;
    printf("key %ld\n", serial);
    fflush(stdout);
    while (read(0, &end, 1) > 0) {
    }
    return 0;
}

static void eat(long mebibytes) {
    for (long i = 0; i < mebibytes; i++) {
        char *block = malloc(1 << 20);
        if (block == NULL)
            break;
        memset(block, 1, 1 << 20);
    }
    printf("ate %ld\n", mebibytes);
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    if (!strcmp(what, "calls"))
        calls();
    else if (!strcmp(what, "sockets"))
        sockets();
    else if (!strcmp(what, "numbers"))
        numbers();
    else if (!strcmp(what, "entries"))
        entries();
    else if (!strcmp(what, "forks"))
        forks();
    else if (!strcmp(what, "eat") && count > 2)
        eat(atol(words[2]));
    else if (!strcmp(what, "realtime"))
        realtime();
    else if (!strcmp(what, "key") && count > 2)
        return key(words[2]);
    else if (!strcmp(what, "input")) {
        call6("tiocsti", SYS_ioctl, 0, 0x5412, (long) "x", 0, 0);
        call6("tiocsti-high", SYS_ioctl, 0, 0x100005412L, (long) "x", 0, 0);
        call6("tioclinux", SYS_ioctl, 0, 0x541C, (long) "\3", 0, 0);
        call6("tcgets", SYS_ioctl, 0, 0x5401, (long) malloc(256), 0, 0);
    } else if (!strcmp(what, "open") && count > 2) {
        int fd = open(words[2], O_RDONLY | O_NONBLOCK);
        say("open", fd < 0 ? errno : 0);
    } else if (!strcmp(what, "uid"))
        printf("uid %d %d\n", getuid(), geteuid());
    else
        return 64;
    return 0;
}
