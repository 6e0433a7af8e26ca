/*
 * What the worker asks of files, done as the agent's uid inside the agent's walls: a planted link or
 * FIFO can cost nobody but the agent. So there is no containment check here, but two promises: no
 * request can block on something that is not a file, and none holds memory that grows with the file.
 * A long read or list is a transfer: a descriptor and a rest, moved on whenever the outbox has room.
 */
#include "init.h"

/* ---- shared steps ---- */

void close_fd(int *fd) {
    int error = errno;
    if (*fd >= 0) close(*fd);
    *fd = -1;
    errno = error;
}

int open_parent(char *path, bool create, char **name) {
    char *slash = strrchr(path, '/');
    *name = slash + 1;
    if (**name == 0 || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) return errno = EINVAL, -1;
    *slash = 0;
    if (create && make_directories(path, 0700) < 0) return -1;
    return open(*path == 0 ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* mkdir -p: each prefix in turn, what cannot be made passed over; the last must be a directory in the end. */
int make_directories(char *path, mode_t mode) {
    struct stat st;
    for (char *slash = strchr(path + (*path == '/'), '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, mode);
        *slash = '/';
    }
    if (*path == 0 || mkdir(path, mode) == 0) return 0;
    int error = errno;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : (errno = error, -1);
}

/* The kernel's own name of what the path leads to; checked, since a removed file is named "... (deleted)". */
int canonical(const char *path, char *into, size_t size) {
    char link[40];
    struct stat opened, named;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, into, size - 1);
    int result = length < 0 ? -1 : fstat(fd, &opened);
    close_fd(&fd);
    if (result < 0) return -1;
    into[length] = 0;
    if (lstat(into, &named) < 0) return -1;
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino ? 0 : (errno = ENOENT, -1);
}

static void put_stat(const struct stat *st) {
    const uint64_t facts[] = {st->st_mode, st->st_uid, st->st_gid, st->st_dev, st->st_ino, st->st_nlink,
                              (uint64_t) st->st_size, (uint64_t) st->st_mtim.tv_sec, (uint64_t) st->st_mtim.tv_nsec};
    frame_numbers(facts, sizeof facts / sizeof facts[0]);
}

/* ---- operations of one step ---- */

void file_stat(const struct request *r) {
    struct stat st;
    if (fstatat(AT_FDCWD, r->strings[0], &st, r->flags & FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
        answer(r->id, -1, "stat");
        return;
    }
    frame_begin(RESULT, r->id);
    put_stat(&st);
    frame_end();
}

void file_mkdir(const struct request *r) {
    char *path = r->strings[0];
    answer(r->id, r->flags & PARENTS ? make_directories(path, r->mode) : mkdir(path, r->mode), "mkdir");
}

void file_rename(const struct request *r) {
    answer(r->id, rename(r->strings[0], r->strings[1]), "rename");
}

void file_realpath(const struct request *r) {
    char path[4096 + 16];
    if (canonical(r->strings[0], path, sizeof path) < 0) answer(r->id, -1, "realpath");
    else say_bytes(RESULT, r->id, path, strlen(path));
}

/* Answers whether something is left: a big tree is removed in batches, so that nobody else waits for it. */
void file_remove(const struct request *r) {
    char *name;
    bool more = false;
    int parent = open_parent(r->strings[0], false, &name);
    int result = parent < 0 ? -1 : unlink_entry(parent, name);
    if (result < 0 && r->flags & RECURSIVE && (errno == ENOTEMPTY || errno == EEXIST))
        result = remove_tree(parent, name, &more);
    close_fd(&parent);
    if (result < 0) answer(r->id, -1, "remove");
    else say_number(RESULT, r->id, more, 1);
}

/* ---- transfers ---- */

static struct transfer { bool used, list; uint32_t id, left; int fd; uint64_t offset; } transfers[TRANSFERS_MAX];

static void transfer_begin(const struct request *r, int fd, bool list) {
    for (struct transfer *t = transfers; fd >= 0 && t < transfers + TRANSFERS_MAX; t++)
        if (!t->used) {
            *t = (struct transfer) {true, list, r->id, r->amount, fd, r->offset};
            return;
        }
    if (fd >= 0) errno = EAGAIN;
    close_fd(&fd);
    answer(r->id, -1, list ? "list" : "read");
}

/* The last frame: an error, or for a list whether it was cut. */
static void transfer_end(struct transfer *t, int result, bool cut) {
    if (result < 0) answer(t->id, -1, t->list ? "list" : "read");
    else say_number(RESULT, t->id, cut, 1);
    close_fd(&t->fd);
    t->used = false;
}

/* Only regular files. Those of /proc pass for such, and would show init's own insides: by a flag only. */
static int check_readable(int fd, bool proc) {
    struct stat st, root;
    if (fstat(fd, &st) < 0 || stat("/proc", &root) < 0) return -1;
    errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISREG(st.st_mode) ? EACCES : EINVAL;
    return S_ISREG(st.st_mode) && (st.st_dev == root.st_dev) == proc ? 0 : -1;
}

void file_read(const struct request *r) {
    int fd = open(r->strings[0], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && check_readable(fd, r->flags & PROC) < 0) close_fd(&fd);
    transfer_begin(r, fd, false);
}

void file_list(const struct request *r) {
    transfer_begin(r, open(r->strings[0], O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC), true);
}

static void read_part(struct transfer *t) {
    uint32_t most = t->left < PAYLOAD_MAX ? t->left : PAYLOAD_MAX;
    ssize_t count = most == 0 ? 0 : pread(t->fd, frame_begin(PART, t->id), most, (off_t) t->offset);
    if (count > 0) {
        frame_took((size_t) count);
        frame_end();
        t->offset += (uint64_t) count;
        t->left -= (uint32_t) count;
        return;
    }
    if (most > 0) frame_cancel();
    transfer_end(t, (int) count, false);
}

/* 16 KiB of directory records always fit one frame: a record has at least 24 bytes, an entry 72 more than its name. */
static void list_part(struct transfer *t) {
    static _Alignas(struct dirent64) char records[16384];
    struct stat st;
    long count = syscall(SYS_getdents64, t->fd, records, sizeof records);
    bool cut = false;
    frame_begin(PART, t->id);
    for (long at = 0; at < count && !cut;) {
        struct dirent64 *record = (struct dirent64 *) (records + at);
        at += record->d_reclen;
        if (strcmp(record->d_name, ".") == 0 || strcmp(record->d_name, "..") == 0) continue;
        if (fstatat(t->fd, record->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) continue; /* removed just now */
        cut = t->left == 0;
        if (cut) continue;
        put_stat(&st);
        frame_put(record->d_name, strlen(record->d_name) + 1);
        t->left--;
    }
    frame_end();
    if (cut || count <= 0) transfer_end(t, (int) count, cut);
}

void files_pump(void) {
    for (struct transfer *t = transfers; t < transfers + TRANSFERS_MAX; t++)
        while (t->used && outbox_fits()) (t->list ? list_part : read_part)(t);
}
