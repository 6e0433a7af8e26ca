/*
 * glovebox-init: the only program of ours inside a sandbox, and the only thing the worker talks to.
 *
 * Its life. On the host the same binary runs as `glovebox-init --dial PATH -- RUNTIME run --detach ...`:
 * it connects to the worker's listener, makes the connection its fd 0 and becomes the runtime, which
 * hands fd 0 on to PID 1 of the sandbox, and that is this program without arguments. So the connection
 * comes from outside as an open descriptor, and no path inside leads to it. PID 1 then
 *
 *   1. hides: it is not dumpable, so the agent, which has the same uid, cannot look at its memory,
 *      descriptors or environment; stdout and stderr of the runtime are let go;
 *   2. says HELLO with what it sees of its own confinement, for the worker to check before anything runs;
 *      and once all mounts are there, it confines itself a second time (confine.c);
 *   3. serves requests in one thread around one poll(2): frames in, processes and files, frames out;
 *   4. leaves when the connection ends or is misused, and takes every process with it. There is nothing
 *      to come back to: a sandbox whose worker is gone has no purpose, and one that cannot parse its
 *      worker has no safe way on.
 *
 * It allocates nothing: every table and buffer is static, and what does not fit waits (the inbox is not
 * read, pipes are not drained) or is refused with an errno. It has no privilege to misuse either: no
 * capabilities, no_new_privs, and the seccomp list of every other process of the sandbox.
 */
#include "init.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

bool violated;

#define CONTROL 0 /* the connection to the worker */
enum { EXIT_USAGE = 64, EXIT_SETUP = 71, EXIT_VIOLATION = 76 };

static _Noreturn void die(const char *step) {
    fprintf(stderr, "glovebox-init: %s: %s\n", step, strerror(errno));
    exit(EXIT_SETUP);
}

/* ---- outside: becoming the runtime ---- */

static _Noreturn void dial(const char *path, char **command) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    errno = ENAMETOOLONG;
    if (strlen(path) >= sizeof address.sun_path) die(path);
    strcpy(address.sun_path, path);
    close(CONTROL); /* so that the socket becomes it */
    if (socket(AF_UNIX, SOCK_STREAM, 0) != CONTROL) die("socket");
    if (connect(CONTROL, (struct sockaddr *) &address, sizeof address) < 0) die(path);
    execvp(command[0], command);
    die(command[0]);
}

/* ---- inside: setting up ---- */

static int hide_and_listen(void) {
    struct stat st;
    sigset_t child;
    if (fstat(CONTROL, &st) < 0 || !S_ISSOCK(st.st_mode)) errno = ENOTSOCK, die("fd 0");
    children_go_first();
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) die("prctl");
    if (fcntl(CONTROL, F_SETFD, FD_CLOEXEC) < 0 || clearenv() != 0) die("fd 0");
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* what the worker's shell ignored, no child shall; some refuse, rightly */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_SETMASK, &child, NULL) < 0) die("signals");
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (null >= 0 && null < 3) null = open("/dev/null", O_RDWR | O_CLOEXEC); /* 1 and 2 may not be there */
    int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0 || null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) die("descriptors");
    close(null);
    umask(0); /* modes are what the request says; children get 022 */
    return signals;
}

/*
 * The newest system call that every library in use for the list of the sandbox has a name for (Linux 5.17).
 * What it has no name for, crun answers with EPERM, and a C library that is newer than the list takes the
 * older way only on ENOSYS. This is no defence, so it may fail: what is refused stays refused.
 */
static void newer_calls_are_unknown(void) {
    enum { NEWEST = 450 };
    struct sock_filter steps[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                                  BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST, 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog filter = {sizeof steps / sizeof steps[0], steps};
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* ---- serving ---- */

/* What each type is made of: who acts, how many strings (the first an absolute path), and whether data may follow. */
static const struct { action *act; size_t strings; bool data; } types[256] = {
    [START] = {process_start, 2, false}, /* and arguments without number */
    [CONFINE] = {confine, 1, false},     /* and more places */
    [STDIN] = {process_stdin, 0, true},
    [CLOSE] = {process_close, 0, false},
    [CREDIT] = {process_credit, 0, false},
    [SIGNAL] = {process_signal, 0, false},
    [RESIZE] = {process_resize, 0, false},
    [END_ALL] = {process_end_all, 0, false},
    [READ] = {file_read, 1, false},
    [LIST] = {file_list, 1, false},
    [STAT] = {file_stat, 1, false},
    [MKDIR] = {file_mkdir, 1, false},
    [REMOVE] = {file_remove, 1, false},
    [RENAME] = {file_rename, 2, false},
    [REALPATH] = {file_realpath, 1, false},
    [WRITE_OPEN] = {write_open, 1, false},
    [WRITE_DATA] = {write_data, 0, true},
    [WRITE_COMMIT] = {write_commit, 0, false},
    [WRITE_ABORT] = {write_abort, 0, false},
};

/* False = a violation: something a correct worker never sends. */
static bool handle(const struct request *r) {
    size_t strings = types[r->type].strings;
    if (types[r->type].act == NULL || (r->size > 0 && !types[r->type].data)) return false;
    bool more = r->type == START || r->type == CONFINE;
    if (more ? r->string_count < strings : r->string_count != strings) return false;
    if (strings > 0 && r->strings[0][0] != '/') return false; /* relative to what? */
    types[r->type].act(r);
    return !violated;
}

/* Handles what has arrived, while each answer has room. False = violation. */
static bool handle_inbox(void) {
    static struct request request;
    while (outbox_fits()) {
        enum verdict verdict = inbox_next(&request);
        if (verdict == INCOMPLETE) return true;
        if (verdict == MALFORMED || !handle(&request)) return false;
    }
    return true;
}

/* Sleeps until the socket, a child or a stream has something; the set is made anew from the state each time. */
static void wait_for_work(int signals) {
    static struct pollfd set[2 + 3 * PROCESSES_MAX];
    short wanted = (short) ((inbox_has_space() ? POLLIN : 0) | (outbox_waiting() ? POLLOUT : 0));
    set[0] = (struct pollfd) {.fd = CONTROL, .events = wanted};
    set[1] = (struct pollfd) {.fd = signals, .events = POLLIN};
    bool more = outbox_starved() && outbox_fits(); /* there was no room, and now there is */
    bool resting;
    nfds_t count = 2 + processes_watch(set + 2, &resting);
    poll(set, count, more ? 0 : resting ? 1 : -1);
}

/* Until the worker is gone (0) or breaks the rules (EXIT_VIOLATION). */
static int serve(int signals) {
    struct signalfd_siginfo info;
    say_hello(); /* first: it tells of the filter of the runtime, not of ours */
    newer_calls_are_unknown();
    while (outbox_send(CONTROL)) {
        wait_for_work(signals);
        ssize_t count = inbox_has_space() ? inbox_receive(CONTROL) : 1;
        if (count == 0 || (count < 0 && errno != EAGAIN)) return 0;
        if (!handle_inbox()) return EXIT_VIOLATION;
        while (read(signals, &info, sizeof info) > 0) continue;
        processes_reap();
        processes_pump();
        files_pump();
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 4 && strcmp(argv[1], "--dial") == 0 && strcmp(argv[3], "--") == 0) dial(argv[2], argv + 4);
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "--serve") != 0)) {
        fprintf(stderr, "usage: glovebox-init [--serve]\n       glovebox-init --dial SOCKET -- COMMAND...\n");
        return EXIT_USAGE;
    }
    int reason = serve(hide_and_listen());
    if (reason != 0) {
        say_bytes(FATAL, 0, "", 0);
        outbox_send(CONTROL);
    }
    processes_kill_all();
    return reason;
}
