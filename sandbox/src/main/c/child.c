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

/*
 * When the sandbox runs out of memory the kernel kills who holds most, and what a process has in pipes or in files
 * without a name does not count as its own: beside such a one init is the largest, and with it the sandbox would go.
 * So each child is born with a higher score than init's. A child cannot set it itself, since until exec it is as
 * hidden as init is and its files in /proc are not its own; so init has it while the child is made, and all who
 * descend from the child inherit it.
 */
enum { SCORE_MAX = 1000, ABOVE_INIT = 100 };

static struct { int fd; char own[16], child[16]; } score = {.fd = -1};

void children_go_first(void) {
    score.fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    ssize_t length = score.fd < 0 ? -1 : read(score.fd, score.own, sizeof score.own - 1);
    int own = length > 0 ? atoi(score.own) : SCORE_MAX;
    if (own > SCORE_MAX - ABOVE_INIT) close_fd(&score.fd);
    snprintf(score.own, sizeof score.own, "%d", own);
    snprintf(score.child, sizeof score.child, "%d", own + ABOVE_INIT);
}

static void set_score(const char *value) {
    int before = errno;
    if (score.fd >= 0 && pwrite(score.fd, value, strlen(value), 0) < 0) close_fd(&score.fd);
    errno = before;
}

pid_t launch(const struct request *r, const int stdio[3], const char **step) {
    char **own = environ;
    failure.error = 0;
    failure.step = "fork";
    set_score(score.child);
    pid_t pid = vfork();
    if (pid == 0) become(r, stdio);
    set_score(score.own);
    environ = own;
    *step = failure.step;
    if (pid < 0 || failure.error == 0) return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    errno = failure.error;
    return -1;
}
