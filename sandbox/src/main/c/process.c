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
#include "init.h"

/* left: bytes to hand on after the exit; short_pieces: taken in this millisecond */
struct stream { int fd; uint32_t credit; size_t left; uint64_t millisecond; unsigned short_pieces; };

static struct process {
    bool used, exited, told, terminal, closing;
    uint32_t id;
    pid_t pid;
    struct rusage usage;
    struct stream out[2];
    int status, in;
    size_t in_start, in_end, in_consumed;  /* consumed: not yet granted again */
    uint8_t in_bytes[STDIN_WINDOW + 1];    /* one more for the end-of-file character of a terminal */
} processes[PROCESSES_MAX];

#define EACH_PROCESS(p) for (struct process *p = processes; p < processes + PROCESSES_MAX; p++) if (p->used)

static struct process *find(uint32_t id) {
    EACH_PROCESS(p) if (p->id == id) return p;
    return NULL;
}

/* ---- starting: own[] stays here, child[] goes to the child and is closed here ---- */

struct plumbing { int own[3], child[3]; };

static bool open_pipes(struct plumbing *to, bool merge) {
    for (int i = 0; i < (merge ? 2 : 3); i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0) return false;
        to->own[i] = ends[i == 0];
        to->child[i] = ends[i != 0];
        if (fcntl(to->own[i], F_SETFL, O_NONBLOCK) < 0) return false; /* ours only: flags are per end */
    }
    if (merge) to->child[2] = fcntl(to->child[1], F_DUPFD_CLOEXEC, 3);
    return to->child[2] >= 0;
}

/* Input and output get a descriptor each, so that either can be closed without hanging up the other. */
static bool open_terminal(struct plumbing *to, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    char name[64];
    to->own[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (to->own[0] < 0 || unlockpt(to->own[0]) < 0 || ptsname_r(to->own[0], name, sizeof name) != 0) return false;
    if (ioctl(to->own[0], TIOCSWINSZ, &size) < 0) return false;
    to->own[1] = fcntl(to->own[0], F_DUPFD_CLOEXEC, 3);
    for (int i = 0; i < 3; i++) to->child[i] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return to->own[1] >= 0 && to->child[0] >= 0 && to->child[1] >= 0 && to->child[2] >= 0;
}

static void adopt(struct process *p, const struct request *r, pid_t pid, const int own[3]) {
    p->used = true;
    p->exited = p->told = p->closing = false;
    p->terminal = r->flags & TERMINAL;
    p->id = r->id;
    p->pid = pid;
    p->in = own[0];
    p->in_start = p->in_end = p->in_consumed = 0;
    p->out[0] = (struct stream) {.fd = own[1], .credit = r->amount};
    p->out[1] = (struct stream) {.fd = own[2], .credit = r->amount_err};
    say_number(RESULT, r->id, (uint32_t) pid, 4);
}

static bool started;

bool processes_started(void) {
    return started;
}

static struct process *free_slot(void) {
    for (struct process *p = processes; p < processes + PROCESSES_MAX; p++)
        if (!p->used) return p;
    return errno = EAGAIN, NULL;
}

void process_start(const struct request *r) {
    struct plumbing to = {{-1, -1, -1}, {-1, -1, -1}};
    struct process *slot = free_slot();
    const char *step = "too many processes";
    pid_t pid = -1;
    started = true;
    violated = find(r->id) != NULL || r->amount > CREDIT_MAX || r->amount_err > CREDIT_MAX;
    if (violated) return;
    if (slot != NULL) {
        step = "pipes";
        if (r->flags & TERMINAL ? open_terminal(&to, r->rows, r->columns) : open_pipes(&to, r->flags & MERGE))
            pid = launch(r, to.child, &step);
    }
    if (pid > 0) adopt(slot, r, pid, to.own);
    else answer(r->id, -1, step);
    for (int i = 0; i < 3; i++) {
        close_fd(&to.child[i]);
        if (pid < 0) close_fd(&to.own[i]);
    }
}

/* ---- stdin ---- */

static void stdin_drop(struct process *p) {
    if (p->in >= 0 && !p->exited) say_number(CLOSED, p->id, 0, 1);
    close_fd(&p->in);
    p->in_start = p->in_end = 0;
}

static void stdin_flush(struct process *p) {
    while (p->in >= 0 && p->in_end > p->in_start) {
        ssize_t count = write(p->in, p->in_bytes + p->in_start, p->in_end - p->in_start);
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) break;
        p->in_start += (size_t) count;
        p->in_consumed += (size_t) count;
        if (p->in_consumed < STDIN_WINDOW / 2) continue;
        say_number(GRANT, p->id, p->in_consumed, 4);
        p->in_consumed = 0;
    }
    if (p->in_end > p->in_start) stdin_drop(p);
    p->in_start = p->in_end = 0;
    if (p->closing) close_fd(&p->in);
}

void process_stdin(const struct request *r) {
    struct process *p = find(r->id);
    if (p == NULL || p->in < 0 || p->closing) return; /* it ended while the bytes were under way */
    size_t queued = p->in_end - p->in_start;
    violated = queued + p->in_consumed + r->size > STDIN_WINDOW;
    if (violated) return;
    memmove(p->in_bytes, p->in_bytes + p->in_start, queued);
    memcpy(p->in_bytes + queued, r->data, r->size);
    p->in_start = 0;
    p->in_end = queued + r->size;
    stdin_flush(p);
}

/* A terminal cannot be half closed: its reader is told the end of file by the character for it. */
static void stdin_close(struct process *p) {
    if (p->in < 0 || p->closing) return;
    p->closing = true;
    if (p->terminal) p->in_bytes[p->in_end++] = 004;
    stdin_flush(p);
}

/* ---- stdout and stderr ---- */

static void stream_end(struct process *p, int number) {
    close_fd(&p->out[number].fd);
    say_number(CLOSED, p->id, (uint64_t) number + 1, 1);
}

static uint64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

/*
 * A million writes of one byte would be a million frames, and in the worker the calls of other sandboxes would
 * wait behind them. So a stream of which many short pieces have been taken within a millisecond is left alone for the
 * rest of it, and what is written meanwhile is one piece. The end of a command, two short writes, never waits.
 */
enum { SHORT = 256, SHORT_PIECES_MAX = 16 };

static bool stream_rests(const struct stream *s) {
    return s->short_pieces > SHORT_PIECES_MAX && s->millisecond == milliseconds();
}

static void stream_took(struct stream *s, size_t count) {
    uint64_t now = milliseconds();
    if (s->millisecond != now) s->short_pieces = 0;
    s->millisecond = now;
    if (count < SHORT) s->short_pieces++;
}

/* Moves one chunk. False = nothing more to do now: no credit, no room, or nothing there. */
static bool stream_move(struct process *p, int number) {
    struct stream *s = &p->out[number];
    size_t most = s->credit < PAYLOAD_MAX ? s->credit : PAYLOAD_MAX;
    if (p->exited && most > s->left) most = s->left;
    if (most == 0 || !outbox_fits() || (!p->exited && stream_rests(s))) return false;
    ssize_t count = read(s->fd, frame_begin(number == 0 ? STDOUT : STDERR, p->id), most);
    bool empty = count < 0 && errno == EAGAIN;
    if (count > 0) {
        frame_took((size_t) count);
        frame_end();
        s->credit -= (uint32_t) count;
        stream_took(s, (size_t) count);
        s->left -= p->exited ? (size_t) count : 0;
        return p->exited;
    }
    frame_cancel();
    if (p->exited) s->left = 0;
    else if (!empty) stream_end(p, number); /* EOF, or EIO of a terminal nobody has open */
    return false;
}

static void stream_pump(struct process *p, int number) {
    if (p->out[number].fd < 0) return;
    while (stream_move(p, number)) continue;
    if (p->exited && p->out[number].left == 0 && outbox_fits()) stream_end(p, number);
}

void process_credit(const struct request *r) {
    struct process *p = find(r->id);
    violated = r->number < 1 || r->number > 2 || r->amount > CREDIT_MAX;
    if (p != NULL && !violated) violated = (p->out[r->number - 1].credit += r->amount) > CREDIT_MAX;
}

void process_close(const struct request *r) {
    struct process *p = find(r->id);
    violated = r->number > 2;
    if (p == NULL || violated) return;
    if (r->number == 0) stdin_close(p);
    else if (p->out[r->number - 1].fd >= 0) stream_end(p, r->number - 1);
}

/* ---- signals, size, exit ---- */

/* The number of a group is not used again while we have not reaped its leader, so this hits no stranger. */
void process_signal(const struct request *r) {
    struct process *p = find(r->id);
    violated = r->number < 1 || r->number > 64;
    if (p != NULL && !p->exited && !violated) kill(-p->pid, r->number);
}

void process_resize(const struct request *r) {
    struct process *p = find(r->id);
    struct winsize size = {.ws_row = r->rows, .ws_col = r->columns};
    if (p != NULL && p->terminal && p->out[0].fd >= 0) ioctl(p->out[0].fd, TIOCSWINSZ, &size);
}

/* What is in the pipe now belongs to the process. A terminal counts unreliably: read until it is empty. */
static size_t bytes_waiting(const struct process *p, int fd) {
    int count = 0;
    if (p->terminal) return PAYLOAD_MAX;
    return fd >= 0 && ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? (size_t) count : 0;
}

/* Reaps children and the orphans that fell to us alike. */
void processes_reap(void) {
    struct rusage usage;
    int status;
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        EACH_PROCESS(p) {
            if (p->pid != pid || p->exited) continue;
            p->exited = true;
            p->status = status;
            p->usage = usage;
            stdin_drop(p);
            for (int i = 0; i < 2; i++) p->out[i].left = bytes_waiting(p, p->out[i].fd);
        }
}

static void tell_exit(struct process *p) {
    bool signalled = WIFSIGNALED(p->status);
    const struct rusage *u = &p->usage;
    const uint64_t usage[] = {(uint64_t) (u->ru_utime.tv_sec * 1000000 + u->ru_utime.tv_usec),
                              (uint64_t) (u->ru_stime.tv_sec * 1000000 + u->ru_stime.tv_usec),
                              (uint64_t) u->ru_maxrss * 1024, (uint64_t) u->ru_minflt, (uint64_t) u->ru_majflt};
    frame_begin(EXIT, p->id);
    frame_number(signalled ? UINT32_MAX : (uint32_t) WEXITSTATUS(p->status), 4);
    frame_number(signalled ? (uint32_t) WTERMSIG(p->status) : 0, 1);
    frame_numbers(usage, sizeof usage / sizeof usage[0]);
    frame_end();
    p->told = true;
}

/* A stream we could not take from now is left out altogether: poll would report it again and again. */
nfds_t processes_watch(struct pollfd *into, bool *resting) {
    nfds_t count = 0;
    *resting = false;
    bool room = outbox_fits();
    EACH_PROCESS(p) {
        if (p->in >= 0 && p->in_end > p->in_start && room)
            into[count++] = (struct pollfd) {.fd = p->in, .events = POLLOUT};
        for (int i = 0; i < 2; i++) {
            if (p->out[i].fd < 0 || p->out[i].credit == 0 || !room) continue;
            if (stream_rests(&p->out[i])) *resting = true;
            else into[count++] = (struct pollfd) {.fd = p->out[i].fd, .events = POLLIN};
        }
    }
    return count;
}

/* Tries everything that is open: with a handful of processes a vain read costs less than its bookkeeping. */
void processes_pump(void) {
    EACH_PROCESS(p) {
        if (p->in >= 0 && p->in_end > p->in_start && outbox_fits()) stdin_flush(p);
        for (int i = 0; i < 2; i++) stream_pump(p, i);
        if (p->exited && !p->told && outbox_fits()) tell_exit(p);
        if (p->told && p->out[0].fd < 0 && p->out[1].fd < 0) p->used = false;
    }
}

/* One child of ours by /proc, or none. Orphans fall to us, so this finds every descendant in time. */
static pid_t any_child(void) {
    char path[64], text[16] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int) getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    close_fd(&fd);
    return count <= 0 ? -1 : (pid_t) strtol(text, NULL, 10);
}

/* As PID 1: all but us, and what is forked meanwhile dies with the namespace when we leave. */
void processes_kill_all(void) {
    if (getpid() == 1) kill(-1, SIGKILL);
    else for (pid_t pid; (pid = any_child()) > 0; waitpid(pid, NULL, 0)) kill(pid, SIGKILL);
}

/* Unlike at our own end, who had a slot is reaped and told of as ever. */
void process_end_all(const struct request *r) {
    if (getpid() == 1) kill(-1, SIGKILL);
    else EACH_PROCESS(p) if (!p->exited) kill(-p->pid, SIGKILL);
    answer(r->id, 0, "");
}
