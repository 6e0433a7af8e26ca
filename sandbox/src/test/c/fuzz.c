/*
 * Fuzzing glovebox-init with a fixed seed, under ASan and UBSan.
 *
 *   fuzz decode ROUNDS SEED      mutated frames into request_decode, from buffers of the exact size
 *   fuzz live ROUNDS SEED DIR    mutated streams into the whole program, a fresh process each time
 *
 * Mutated frames may ask for anything, so live mode is linked with wrappers (fuzz.sh) that let the
 * program change files only below DIR and start only `cat` and `true`.
 */
#include "../../main/c/init.h"

int init_main(int argc, char **argv); /* main() of glovebox-init.c, renamed by fuzz.sh */

static uint64_t state;
static char area[256];

static uint32_t random_below(uint32_t limit) { /* splitmix64 */
    uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (uint32_t) ((z ^ (z >> 31)) % limit);
}

/* ---- valid frames to start from ---- */

struct bytes { uint8_t at[1 << 18]; size_t size; };

struct shape {
    uint8_t type, flags, number;
    uint16_t mode, rows, columns;
    uint32_t id, amount, amount_err, zeros;
    const char *strings[4], *variables[3], *data;
};

static void put(struct bytes *b, uint64_t value, int width) {
    while (width-- > 0) b->at[b->size++] = (uint8_t) (value >> 8 * width);
}

static size_t put_strings(struct bytes *b, const char *const *strings, size_t most) {
    size_t count = 0;
    for (; count < most && strings[count] != NULL; count++) {
        memcpy(b->at + b->size, strings[count], strlen(strings[count]) + 1);
        b->size += strlen(strings[count]) + 1;
    }
    return count;
}

static void put_frame(struct bytes *b, const struct shape *s) {
    struct bytes head = {.size = 0};
    size_t start = b->size;
    b->size += REQUEST_HEAD;
    size_t strings = put_strings(b, s->strings, 4), variables = put_strings(b, s->variables, 3);
    if (s->data != NULL) memcpy(b->at + b->size, s->data, strlen(s->data)), b->size += strlen(s->data);
    memset(b->at + b->size, 0, s->zeros);
    b->size += s->zeros;
    put(&head, (uint32_t) s->type << 24 | (uint32_t) (b->size - start - REQUEST_HEAD), 4);
    put(&head, s->id, 4);
    put(&head, 0, 8);
    put(&head, s->amount, 4);
    put(&head, s->amount_err, 4);
    put(&head, s->mode, 2);
    put(&head, s->rows, 2);
    put(&head, s->columns, 2);
    put(&head, strings, 2);
    put(&head, variables, 2);
    put(&head, s->flags, 1);
    put(&head, s->number, 1);
    memcpy(b->at + start, head.at, REQUEST_HEAD);
}

static void put_session(struct bytes *b) {
    static char deep[300], file[300], moved[300];
    snprintf(deep, sizeof deep, "%s/a/b/c", area);
    snprintf(file, sizeof file, "%s/a/file", area);
    snprintf(moved, sizeof moved, "%s/moved", area);
    const struct shape shapes[] = {
        {.type = CONFINE, .id = 14, .strings = {area, "/dev/shm"}},
        {.type = START, .id = 1, .amount = 4000, .amount_err = 10, .strings = {"/", "cat", "/etc/passwd", "-"},
         .variables = {"PATH=/usr/bin:/bin", "A=b"}},
        {.type = START, .id = 2, .flags = TERMINAL, .rows = 24, .columns = 80, .amount = 100, .strings = {"/", "cat"}},
        {.type = START, .id = 3, .flags = MERGE, .amount = 100, .strings = {"/", "true"}},
        {.type = STDIN, .id = 1, .data = "hello\n"},
        {.type = STDIN, .id = 2, .data = "hello\n"},
        {.type = STDIN, .id = 2, .zeros = 5000}, /* also enough ends for more strings than there may be */
        {.type = STDIN, .id = 2, .zeros = 60000},
        {.type = CREDIT, .id = 1, .number = 1, .amount = 100000},
        {.type = RESIZE, .id = 2, .rows = 1, .columns = 2},
        {.type = CLOSE, .id = 2},
        {.type = CLOSE, .id = 1, .number = 2},
        {.type = SIGNAL, .id = 1, .number = 15},
        {.type = END_ALL, .id = 15},
        {.type = MKDIR, .id = 4, .flags = PARENTS, .mode = 0700, .strings = {deep}},
        {.type = WRITE_OPEN, .id = 5, .flags = PARENTS, .mode = 0600, .strings = {file}},
        {.type = WRITE_DATA, .id = 5, .data = "content"},
        {.type = WRITE_COMMIT, .id = 5},
        {.type = READ, .id = 6, .amount = 100000, .strings = {file}},
        {.type = READ, .id = 7, .flags = PROC, .amount = 100000, .strings = {"/proc/self/mountinfo"}},
        {.type = LIST, .id = 8, .amount = 100, .strings = {"/usr/bin"}},
        {.type = STAT, .id = 9, .strings = {"/etc/passwd"}},
        {.type = REALPATH, .id = 10, .strings = {"/proc/self/exe"}},
        {.type = RENAME, .id = 11, .strings = {file, moved}},
        {.type = WRITE_OPEN, .id = 12, .mode = 0600, .strings = {moved}},
        {.type = WRITE_ABORT, .id = 12},
        {.type = REMOVE, .id = 13, .flags = RECURSIVE, .strings = {deep}},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (random_below(shapes[i].zeros > 0 ? 2 : 8) > 0) put_frame(b, &shapes[i]);
}

/* ---- mutation ---- */

static void mutate(struct bytes *b) {
    static const uint32_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x10001, 0x7fffffff, 0xffffffff};
    uint32_t at = random_below((uint32_t) b->size), length = random_below(64) + 1;
    if (at + length > b->size) length = (uint32_t) b->size - at;
    switch (random_below(6)) {
    case 0: b->at[at] ^= (uint8_t) (1 << random_below(8)); break;
    case 1: b->at[at] = (uint8_t) random_below(256); break;
    case 2: b->size = at + 1; break;
    case 3: /* four bytes become an edge */
        for (uint32_t i = 0, edge = edges[random_below(10)]; i < 4 && at + i < b->size; i++)
            b->at[at + i] = (uint8_t) (edge >> (24 - 8 * i));
        break;
    case 4: /* a piece is gone */
        memmove(b->at + at, b->at + at + length, b->size - at - length);
        b->size -= length;
        break;
    case 5: /* a piece comes twice */
        if (b->size + length > sizeof b->at / 2) break;
        memmove(b->at + at + length, b->at + at, b->size - at);
        b->size += length;
        break;
    }
}

static struct bytes stream;

static void new_stream(void) {
    stream.size = 0;
    put_session(&stream);
    for (uint32_t i = random_below(6); i > 0 && stream.size > 1; i--) mutate(&stream);
}

/* ---- decode ---- */

static size_t touch(const struct request *r) {
    size_t sum = 0;
    for (char *const *s = r->strings; *s != NULL; s++) sum += strlen(*s);
    for (char *const *s = r->variables; *s != NULL; s++) sum += strlen(*s);
    for (size_t i = 0; i < r->size; i++) sum += r->data[i];
    return sum;
}

static int decode(long rounds) {
    struct request *request = malloc(sizeof *request); /* on the heap, where ASan sees its end */
    size_t ready = 0, malformed = 0, sum = 0;
    for (long round = 0; round < rounds; round++) {
        new_stream();
        uint8_t *exact = malloc(stream.size);
        memcpy(exact, stream.at, stream.size);
        for (size_t at = 0, used = 0; at < stream.size; at += used) {
            enum verdict verdict = request_decode(exact + at, stream.size - at, request, &used);
            malformed += verdict == MALFORMED;
            if (verdict != READY) break;
            ready++;
            sum += touch(request);
        }
        free(exact);
    }
    free(request);
    printf("decoded %zu, malformed %zu, sum %zu\n", ready, malformed, sum);
    return ready > 0 && malformed > 0 ? 0 : 1;
}

/* ---- live ---- */

static bool inside(const char *path) {
    return strncmp(path, area, strlen(area)) == 0 && path[strlen(area)] == '/' && strstr(path, "..") == NULL;
}

static bool inside_fd(int fd) {
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof path - 2) > 0 && inside(strcat(path, "/"));
}

#define REFUSE return errno = EACCES, -1
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode) {
    if (!inside(path)) REFUSE;
    return __real_mkdir(path, mode);
}
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to) {
    if (!inside(from) || !inside(to)) REFUSE;
    return __real_rename(from, to);
}
int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to) {
    if (!inside_fd(a) || !inside_fd(b)) REFUSE;
    return __real_renameat(a, from, b, to);
}
int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags) {
    if (!inside_fd(fd)) REFUSE;
    return __real_unlinkat(fd, name, flags);
}
int __real_mknodat(int fd, const char *name, mode_t mode, dev_t device);
int __wrap_mknodat(int fd, const char *name, mode_t mode, dev_t device) {
    if (!inside_fd(fd)) REFUSE;
    return __real_mknodat(fd, name, mode, device);
}
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode) {
    if (!inside_fd(fd)) REFUSE;
    return __real_fchmod(fd, mode);
}
int __wrap_openat(int fd, const char *name, int flags, ...) { /* only temporary files are made with it */
    if (flags & O_CREAT && !inside_fd(fd)) REFUSE;
    return (int) syscall(SYS_openat, fd, name, flags, 0600);
}
int __real_execvp(const char *file, char *const argv[]);
int __wrap_execvp(const char *file, char *const argv[]) {
    if (strcmp(file, "cat") != 0 && strcmp(file, "true") != 0) REFUSE;
    return __real_execvp(file, argv);
}

/* Sends the stream in pieces while reading whatever comes; false if the other side hangs. */
static bool feed(int fd) {
    static uint8_t sink[1 << 16];
    size_t sent = 0;
    bool patient = random_below(2) == 0, done = false;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = (short) (POLLIN | (sent < stream.size ? POLLOUT : 0))};
        int ready = poll(&p, 1, done ? 20000 : sent < stream.size ? 20000 : patient ? 3 : 0);
        if (ready == 0 && (done || sent < stream.size)) return false;
        if (ready == 0) shutdown(fd, SHUT_WR), done = true;
        if (p.revents & (POLLIN | POLLHUP | POLLERR) && recv(fd, sink, sizeof sink, MSG_DONTWAIT) <= 0) return true;
        if (p.revents & POLLOUT && sent < stream.size) {
            size_t most = random_below(3) == 0 ? stream.size - sent : random_below(50) + 1;
            if (most > stream.size - sent) most = stream.size - sent;
            ssize_t count = send(fd, stream.at + sent, most, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count < 0 && errno != EAGAIN) return true;
            sent += count > 0 ? (size_t) count : 0;
        }
    }
}

static int live(long rounds) {
    int served = 0, refused = 0;
    for (long round = 0; round < rounds; round++) {
        int ends[2], status;
        new_stream();
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return 1;
        pid_t pid = fork();
        if (pid == 0) {
            char *argv[] = {"glovebox-init", NULL};
            if (dup2(ends[1], 0) < 0) _exit(98);
            close(ends[0]);
            close(ends[1]);
            exit(init_main(1, argv));
        }
        close(ends[1]);
        bool alive = feed(ends[0]);
        close(ends[0]);
        if (!alive) kill(pid, SIGABRT);
        if (waitpid(pid, &status, 0) < 0) return 1;
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        served += code == 0;
        refused += code == 76;
        if (code != 0 && code != 76) {
            printf("round %ld: init ended with %d\n", round, code);
            return 1;
        }
    }
    printf("served %d, refused %d\n", served, refused);
    return served > 0 && refused > 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc < 4) return 64;
    state = strtoull(argv[3], NULL, 10);
    snprintf(area, sizeof area, "%s", argc > 4 ? argv[4] : "/nowhere");
    return strcmp(argv[1], "decode") == 0 ? decode(atol(argv[2])) : live(atol(argv[2]));
}
