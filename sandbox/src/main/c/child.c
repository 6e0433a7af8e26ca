/*
 * Between fork and exec. vfork(2), because init must stay able to start a process when the memory
 * limit is nearly reached, and because the child can then report its failure through memory. The
 * child touches nothing of init's but `failure`, and calls only async-signal-safe functions.
 */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile struct { int error; const char *step; } failure;

static _Noreturn void fail(const char *step) {
    failure.error = errno;
    failure.step = step;
    _exit(127);
}

/* Default handlers and an empty mask: init ignores SIGPIPE and blocks SIGCHLD, its children must not. */
static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct launch *l) {
    if (setsid() < 0)
        fail("setsid");
    if (l->terminal && ioctl(l->stdio[0], TIOCSCTTY, 0) < 0)
        fail("TIOCSCTTY");
    for (int fd = 0; fd < 3; fd++)
        if (dup2(l->stdio[fd], fd) < 0)
            fail("dup2");
    /* Everything is CLOEXEC already; closing here as well means chdir and exec cannot name it either. */
    if (close_range(3, ~0U, 0) < 0 && errno != ENOSYS && errno != EPERM)
        fail("close_range");
    umask(022);
    if (chdir(l->cwd) < 0)
        fail("chdir");
    reset_signals();
    environ = l->envp; /* execvp searches the PATH of the request, never one of ours */
    execvp(l->argv[0], l->argv);
    fail("exec");
}

pid_t launch(const struct launch *l, int *error, const char **step) {
    char **own = environ;
    failure.error = 0;
    failure.step = "fork";
    pid_t pid = vfork();
    if (pid == 0)
        become(l);
    *error = pid < 0 ? errno : failure.error;
    *step = failure.step;
    environ = own;
    if (pid > 0 && *error != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        return -1;
    }
    return pid;
}
