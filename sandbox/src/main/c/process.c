/*
 * One process = one slot. A slot lives from START until three things are said: EXIT, and CLOSED for
 * each output stream. Two rules shape the code:
 *
 * The end of a process is its exit, never the end of its pipes. A background child may hold a pipe
 * for ever (`setsid sleep 1000 & echo hi`), so at the exit we note how much is in the pipe, hand on
 * that much and no more, and close our end.
 *
 * Nobody's output may grow our memory. Each stream has credit granted by the worker; without credit
 * the pipe is not read, it fills, and the writer sleeps in write(2). Towards stdin the same credit
 * runs the other way: the worker may have at most STDIN_WINDOW bytes under way.
 */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct stream { int fd, slot; uint32_t credit; size_t left; }; /* left: bytes to hand on after the exit */

struct process {
    bool used, exited, told, terminal, closing;
    uint32_t id;
    pid_t pid;
    int status;
    struct rusage usage;
    struct stream out[2];
    int in, in_slot;
    uint32_t in_consumed;            /* not yet granted again */
    size_t in_start, in_end;
    uint8_t in_bytes[STDIN_WINDOW + 1]; /* one more for the end-of-file character of a terminal */
};

static struct process processes[MAX_PROCESSES];

#define EACH_PROCESS(p) \
    for (struct process *p = processes; p < processes + MAX_PROCESSES; p++) if (p->used)

static struct process *find(uint32_t id) {
    EACH_PROCESS(p)
        if (p->id == id)
            return p;
    return NULL;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void set_nonblocking(int fd) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* ---- poll set ---- */

int poll_add(struct poll_set *set, int fd, short events) {
    if (fd < 0)
        return -1;
    set->fds[set->count] = (struct pollfd) {.fd = fd, .events = events};
    return (int) set->count++;
}

short poll_ready(const struct poll_set *set, int index) {
    return index < 0 ? 0 : set->fds[index].revents;
}

/* ---- starting ---- */

/* The two sides of a process's stdio: `own` stays here, `child` goes to the child and is closed here. */
struct plumbing { int own[3], child[3]; };

static void plumbing_close(struct plumbing *pipes) {
    for (int i = 0; i < 3; i++) {
        close_fd(&pipes->own[i]);
        close_fd(&pipes->child[i]);
    }
}

static bool open_pipes(struct plumbing *to, bool merge) {
    for (int i = 0; i < (merge ? 2 : 3); i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
            return false;
        to->own[i] = ends[i == 0];
        to->child[i] = ends[i != 0];
        set_nonblocking(to->own[i]);
    }
    if (merge)
        to->child[2] = fcntl(to->child[1], F_DUPFD_CLOEXEC, 3);
    return to->child[2] >= 0;
}

/* Input and output get a descriptor each, so that either can be closed without hanging up the other. */
static bool open_terminal(struct plumbing *to, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    char name[64];
    to->own[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (to->own[0] < 0 || unlockpt(to->own[0]) < 0 || ptsname_r(to->own[0], name, sizeof name) != 0)
        return false;
    to->child[0] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (to->child[0] < 0 || ioctl(to->own[0], TIOCSWINSZ, &size) < 0)
        return false;
    to->own[1] = fcntl(to->own[0], F_DUPFD_CLOEXEC, 3);
    to->child[1] = fcntl(to->child[0], F_DUPFD_CLOEXEC, 3);
    to->child[2] = fcntl(to->child[0], F_DUPFD_CLOEXEC, 3);
    return to->own[1] >= 0 && to->child[1] >= 0 && to->child[2] >= 0;
}

static void adopt(struct process *p, const struct request *r, pid_t pid, struct plumbing *pipes) {
    p->used = true;
    p->exited = p->told = p->closing = false;
    p->terminal = r->flags & START_PTY;
    p->id = r->id;
    p->pid = pid;
    p->in = pipes->own[0];
    p->in_consumed = 0;
    p->in_start = p->in_end = 0;
    p->out[0] = (struct stream) {.fd = pipes->own[1], .slot = -1, .credit = r->amount};
    p->out[1] = (struct stream) {.fd = pipes->own[2], .slot = -1, .credit = r->amount_err};
    for (int i = 0; i < 3; i++) {
        pipes->own[i] = -1;
        close_fd(&pipes->child[i]);
    }
    frame_begin(RESULT, r->id);
    frame_put_u32((uint32_t) pid);
    frame_end();
}

static struct process *free_slot(void) {
    for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
        if (!p->used)
            return p;
    return NULL;
}

bool process_start(const struct request *r) {
    struct plumbing pipes = {{-1, -1, -1}, {-1, -1, -1}};
    struct process *slot = free_slot();
    if (find(r->id) != NULL)
        return false;
    if (slot == NULL) {
        answer_error(r->id, EAGAIN, "start: too many processes");
        return true;
    }
    bool terminal = r->flags & START_PTY;
    if (!(terminal ? open_terminal(&pipes, r->rows, r->columns) : open_pipes(&pipes, r->flags & START_MERGE))) {
        answer_error(r->id, errno, terminal ? "open terminal" : "open pipes");
        plumbing_close(&pipes);
        return true;
    }
    struct launch l = {r->argv, (char **) r->envp, r->path,
                       {pipes.child[0], pipes.child[1], pipes.child[2]}, terminal};
    int error;
    const char *step;
    pid_t pid = launch(&l, &error, &step);
    if (pid > 0) {
        adopt(slot, r, pid, &pipes);
    } else {
        answer_error(r->id, error, step);
        plumbing_close(&pipes);
    }
    return true;
}

/* ---- stdin ---- */

static void tell_stream(enum answer_type type, uint32_t id, uint8_t stream) {
    frame_begin(type, id);
    frame_put_u8(stream);
    frame_end();
}

static void stdin_drop(struct process *p) {
    close_fd(&p->in);
    p->in_start = p->in_end = 0;
    if (!p->exited)
        tell_stream(CLOSED, p->id, 0);
}

static void stdin_grant(struct process *p, size_t count) {
    p->in_consumed += (uint32_t) count;
    if (p->in_consumed < STDIN_WINDOW / 2)
        return;
    frame_begin(GRANT, p->id);
    frame_put_u32(p->in_consumed);
    frame_end();
    p->in_consumed = 0;
}

static void stdin_flush(struct process *p) {
    while (p->in >= 0 && p->in_end > p->in_start) {
        ssize_t count = write(p->in, p->in_bytes + p->in_start, p->in_end - p->in_start);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0) {
            stdin_drop(p);
            return;
        }
        p->in_start += (size_t) count;
        stdin_grant(p, (size_t) count);
    }
    p->in_start = p->in_end = 0;
    if (p->closing)
        close_fd(&p->in);
}

bool process_stdin(const struct request *r) {
    struct process *p = find(r->id);
    if (p == NULL || p->in < 0 || p->closing)
        return true; /* it ended while the bytes were under way */
    size_t queued = p->in_end - p->in_start;
    if (queued + p->in_consumed + r->size > STDIN_WINDOW)
        return false;
    memmove(p->in_bytes, p->in_bytes + p->in_start, queued);
    memcpy(p->in_bytes + queued, r->data, r->size);
    p->in_start = 0;
    p->in_end = queued + r->size;
    stdin_flush(p);
    return true;
}

/* A terminal cannot be half closed: its reader is told the end of file by the character for it. */
static void stdin_close(struct process *p) {
    if (p->in < 0 || p->closing)
        return;
    p->closing = true;
    if (p->terminal)
        p->in_bytes[p->in_end++] = 004;
    stdin_flush(p);
}

/* ---- stdout and stderr ---- */

static void stream_end(struct process *p, int number) {
    close_fd(&p->out[number].fd);
    tell_stream(CLOSED, p->id, (uint8_t) (number + 1));
}

/* Moves one chunk. False = nothing more to do now: no credit, no room, or nothing there. */
static bool stream_move(struct process *p, int number) {
    struct stream *s = &p->out[number];
    size_t most = s->credit < FRAME_PAYLOAD_MAX ? s->credit : FRAME_PAYLOAD_MAX;
    if (p->exited && most > s->left)
        most = s->left;
    if (most == 0 || !outbox_fits())
        return false;
    uint8_t *payload = frame_begin(number == 0 ? STDOUT : STDERR, p->id);
    ssize_t count = read(s->fd, payload, most);
    int error = errno;
    if (count > 0) {
        frame_took((size_t) count);
        frame_end();
        s->credit -= (uint32_t) count;
        s->left -= p->exited ? (size_t) count : 0;
        return p->exited;
    }
    frame_cancel();
    bool empty = count < 0 && (error == EAGAIN || error == EINTR);
    if (!empty || p->exited)
        s->left = 0;
    if (!empty && !p->exited)
        stream_end(p, number);
    return false;
}

static void stream_pump(struct process *p, int number, const struct poll_set *set) {
    struct stream *s = &p->out[number];
    if (s->fd < 0 || (!p->exited && poll_ready(set, s->slot) == 0))
        return;
    while (stream_move(p, number))
        continue;
    if (p->exited && s->left == 0 && outbox_fits())
        stream_end(p, number);
}

bool process_credit(const struct request *r) {
    struct process *p = find(r->id);
    if (p == NULL)
        return true;
    struct stream *s = &p->out[r->number - 1];
    s->credit += r->amount;
    return s->credit <= CREDIT_MAX;
}

void process_close(const struct request *r) {
    struct process *p = find(r->id);
    if (p == NULL)
        return;
    if (r->number == 0)
        stdin_close(p);
    else if (p->out[r->number - 1].fd >= 0)
        stream_end(p, r->number - 1);
}

/* ---- signals, size, exit ---- */

/* The number of a group is not used again while we have not reaped its leader, so this cannot hit a stranger. */
void process_signal(const struct request *r) {
    struct process *p = find(r->id);
    if (p != NULL && !p->exited)
        kill(-p->pid, r->number);
}

void process_resize(const struct request *r) {
    struct process *p = find(r->id);
    struct winsize size = {.ws_row = r->rows, .ws_col = r->columns};
    if (p != NULL && p->terminal && p->out[0].fd >= 0)
        ioctl(p->out[0].fd, TIOCSWINSZ, &size);
}

/* What is in the pipe now belongs to the process. A terminal counts unreliably: read until it is empty. */
static size_t bytes_waiting(const struct process *p, int fd) {
    int count = 0;
    if (fd < 0 || p->terminal)
        return fd < 0 ? 0 : FRAME_PAYLOAD_MAX;
    return ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? (size_t) count : 0;
}

static void process_exited(struct process *p, int status, const struct rusage *usage) {
    p->exited = true;
    p->status = status;
    p->usage = *usage;
    stdin_drop(p);
    for (int i = 0; i < 2; i++)
        p->out[i].left = bytes_waiting(p, p->out[i].fd);
}

/* Reaps children and the orphans that fell to us alike. */
void processes_reap(void) {
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
        EACH_PROCESS(p)
            if (p->pid == pid && !p->exited)
                process_exited(p, status, &usage);
}

static uint64_t micros(struct timeval t) {
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_usec;
}

static void tell_exit(struct process *p) {
    bool signalled = WIFSIGNALED(p->status);
    frame_begin(EXIT, p->id);
    frame_put_u32(signalled ? UINT32_MAX : (uint32_t) WEXITSTATUS(p->status));
    frame_put_u8(signalled ? (uint8_t) WTERMSIG(p->status) : 0);
    frame_put_u64(micros(p->usage.ru_utime));
    frame_put_u64(micros(p->usage.ru_stime));
    frame_put_u64((uint64_t) p->usage.ru_maxrss * 1024);
    frame_put_u64((uint64_t) p->usage.ru_minflt);
    frame_put_u64((uint64_t) p->usage.ru_majflt);
    frame_end();
    p->told = true;
}

void processes_watch(struct poll_set *set) {
    EACH_PROCESS(p) {
        p->in_slot = p->in_end > p->in_start ? poll_add(set, p->in, POLLOUT) : -1;
        for (int i = 0; i < 2; i++)
            p->out[i].slot = p->out[i].credit > 0 ? poll_add(set, p->out[i].fd, POLLIN) : -1;
    }
}

void processes_pump(const struct poll_set *set) {
    EACH_PROCESS(p) {
        if (poll_ready(set, p->in_slot) != 0 && outbox_fits())
            stdin_flush(p);
        for (int i = 0; i < 2; i++)
            stream_pump(p, i, set);
        if (p->exited && !p->told && outbox_fits())
            tell_exit(p);
        if (p->told && p->out[0].fd < 0 && p->out[1].fd < 0)
            p->used = false;
    }
}

/* ---- the end ---- */

/* One child of ours by /proc, -1 if there is none. Orphans fall to us, so this finds every descendant in time. */
static pid_t any_child(void) {
    char path[64], text[16];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int) getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close_fd(&fd);
    if (count <= 0)
        return -1;
    text[count] = 0;
    return (pid_t) strtol(text, NULL, 10);
}

void processes_kill_all(void) {
    if (getpid() == 1) {
        kill(-1, SIGKILL); /* all but us; what is forked meanwhile dies with the namespace when we leave */
        return;
    }
    EACH_PROCESS(p)
        if (!p->exited)
            kill(-p->pid, SIGKILL);
    for (pid_t pid = any_child(); pid > 0; pid = any_child()) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}
