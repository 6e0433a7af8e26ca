/*
 * Between fork and exec. vfork(2), because init must stay able to start a process when the memory
 * limit is nearly reached, and because the child can then report its failure through memory. The
 * child touches nothing of init's but `failure` and `environ`, and calls only async-signal-safe functions.
 */
#include "init.h"

static volatile struct { int error; const char *step; } failure;

static _Noreturn void fail(const char *step) {
    failure.error = errno;
    failure.step = step;
    _exit(127);
}

static _Noreturn void become(const struct request *r, const int stdio[3]) {
    sigset_t none;
    sigemptyset(&none);
    if (setsid() < 0) fail("setsid");
    if (r->flags & TERMINAL && ioctl(stdio[0], TIOCSCTTY, 0) < 0) fail("TIOCSCTTY");
    for (int fd = 0; fd < 3; fd++)
        if (dup2(stdio[fd], fd) < 0) fail("dup2");
    /* Everything is CLOEXEC already; closed here as well, chdir and exec cannot name it either. */
    if (close_range(3, INT_MAX, 0) < 0 && errno != ENOSYS && errno != EPERM) fail("close_range");
    umask(022);
    if (chdir(r->strings[0]) < 0) fail("chdir");
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    environ = (char **) r->variables; /* execvp searches the PATH of the request, never one of ours */
    execvp(r->strings[1], (char **) r->strings + 1);
    fail("exec");
}

pid_t launch(const struct request *r, const int stdio[3], const char **step) {
    char **own = environ;
    failure.error = 0;
    failure.step = "fork";
    pid_t pid = vfork();
    if (pid == 0) become(r, stdio);
    environ = own;
    *step = failure.step;
    if (pid < 0 || failure.error == 0) return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    errno = failure.error;
    return -1;
}
