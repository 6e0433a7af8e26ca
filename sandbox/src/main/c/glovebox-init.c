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
 *   3. serves requests in one thread around one poll(2): frames in, processes and files, frames out;
 *   4. leaves when the connection ends or is misused, and takes every process with it. There is nothing
 *      to come back to: a sandbox whose worker is gone has no purpose, and one that cannot parse its
 *      worker has no safe way on.
 *
 * It allocates nothing: every table and buffer is static, and what does not fit waits (the inbox is not
 * read, pipes are not drained) or is refused with an errno. It has no privilege to misuse either: no
 * capabilities, no_new_privs, and the seccomp list of every other process of the sandbox.
 */
#define _GNU_SOURCE
#include "files.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTROL 0 /* the connection to the worker */
#define EXIT_USAGE 64
#define EXIT_SETUP 71
#define EXIT_VIOLATION 76

static _Noreturn void die(const char *step) {
    fprintf(stderr, "glovebox-init: %s: %s\n", step, strerror(errno));
    exit(EXIT_SETUP);
}

/* ---- outside: becoming the runtime ---- */

static _Noreturn void dial(const char *path, char **command) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        die(path);
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
        die(path);
    if (dup2(fd, CONTROL) < 0) /* dup2 clears CLOEXEC ... */
        die("dup2");
    if (fd == CONTROL && fcntl(fd, F_SETFD, 0) < 0) /* ... unless fd 0 was free */
        die("fcntl");
    execvp(command[0], command);
    die(command[0]);
}

/* ---- inside: setting up ---- */

static int hide_and_listen(void) {
    struct stat st;
    sigset_t child;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* what the worker's shell ignored, no child shall; some refuse, rightly */
    if (fstat(CONTROL, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        errno = ENOTSOCK;
        die("fd 0");
    }
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        die("prctl");
    if (fcntl(CONTROL, F_SETFD, FD_CLOEXEC) < 0 || clearenv() != 0)
        die("fd 0");
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_SETMASK, &child, NULL) < 0)
        die("signals");
    int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (signals < 0 || null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        die("descriptors");
    close(null);
    umask(0); /* modes are what the request says; children get 022 */
    return signals;
}

static void put_line(const char *key, const char *value) {
    frame_put(key, strlen(key));
    frame_put("\t", 1);
    frame_put(value, strlen(value));
    frame_put("\n", 1);
}

static void put_number(const char *key, long value) {
    char text[24];
    snprintf(text, sizeof text, "%ld", value);
    put_line(key, text);
}

static void put_namespaces(void) {
    static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    char path[32], target[64];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length > 0) {
            target[length] = 0;
            put_line(path + strlen("/proc/self/"), target);
        }
    }
}

/* Facts for the worker to judge; what cannot be read is left out, and the worker refuses what is missing. */
static void say_hello(void) {
    frame_begin(HELLO, 0);
    put_number("protocol", PROTOCOL_VERSION);
    put_number("pid", getpid());
    put_number("uid", getuid());
    put_number("gid", getgid());
    put_number("dumpable", prctl(PR_GET_DUMPABLE));
    put_namespaces();
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char status[8192];
    ssize_t length = fd < 0 ? 0 : read(fd, status, sizeof status);
    if (length > 0)
        frame_put(status, (size_t) length);
    if (fd >= 0)
        close(fd);
    frame_end();
}

/* ---- serving ---- */

/* False = a violation: something a correct worker never sends. */
static bool handle(const struct request *r) {
    switch (r->type) {
    case START: return process_start(r);
    case STDIN: return process_stdin(r);
    case CREDIT: return process_credit(r);
    case CLOSE: process_close(r); return true;
    case SIGNAL: process_signal(r); return true;
    case RESIZE: process_resize(r); return true;
    case READ: file_read(r); return true;
    case LIST: file_list(r); return true;
    case STAT: file_stat(r); return true;
    case MKDIR: file_mkdir(r); return true;
    case REMOVE: file_remove(r); return true;
    case RENAME: file_rename(r); return true;
    case REALPATH: file_realpath(r); return true;
    case WRITE_OPEN: return write_open(r);
    case WRITE_DATA: write_data(r); return true;
    case WRITE_COMMIT: write_commit(r); return true;
    case WRITE_ABORT: write_abort(r); return true;
    }
    return false;
}

/* Handles what has arrived, while each answer has room. False = violation. */
static bool handle_inbox(void) {
    static struct request request;
    while (outbox_fits()) {
        enum verdict verdict = inbox_next(&request);
        if (verdict == FRAME_INCOMPLETE)
            return true;
        if (verdict == FRAME_MALFORMED || !handle(&request))
            return false;
    }
    return true;
}

static void forget_signals(int signals) {
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) > 0)
        continue;
}

static void wait_for_work(struct poll_set *set, int signals) {
    bool starved = outbox_starved();
    set->count = 0;
    poll_add(set, CONTROL, (short) ((inbox_has_space() ? POLLIN : 0) | (outbox_waiting() ? POLLOUT : 0)));
    poll_add(set, signals, POLLIN);
    processes_watch(set);
    if (poll(set->fds, set->count, starved && outbox_fits() ? 0 : -1) < 0 && errno != EINTR)
        set->count = 0;
}

/* Until the worker is gone (0) or breaks the rules (EXIT_VIOLATION). */
static int serve(int signals) {
    static struct poll_set set;
    say_hello();
    while (outbox_send(CONTROL)) {
        wait_for_work(&set, signals);
        if (poll_ready(&set, 0) & ~POLLOUT && inbox_has_space()) {
            ssize_t count = inbox_receive(CONTROL);
            if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
                return 0;
        }
        if (!handle_inbox())
            return EXIT_VIOLATION;
        if (poll_ready(&set, 1) != 0) {
            forget_signals(signals);
            processes_reap();
        }
        processes_pump(&set);
        files_pump();
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 4 && strcmp(argv[1], "--dial") == 0 && strcmp(argv[3], "--") == 0)
        dial(argv[2], argv + 4);
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "--serve") != 0)) {
        fprintf(stderr, "usage: glovebox-init [--serve]\n       glovebox-init --dial SOCKET -- COMMAND...\n");
        return EXIT_USAGE;
    }
    int reason = serve(hide_and_listen());
    if (reason != 0) {
        frame_begin(FATAL, 0);
        frame_end();
        outbox_send(CONTROL);
    }
    processes_kill_all();
    return reason;
}
