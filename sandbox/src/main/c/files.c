/*
 * What the worker asks of files, done as the agent's uid inside the agent's walls: a planted link or
 * FIFO can cost nobody but the agent. So there is no containment check here, but two promises: no
 * request can block on something that is not a file, and none holds memory that grows with the file.
 * A long read or list is a transfer: a descriptor and a rest, moved on whenever the outbox has room.
 */
#define _GNU_SOURCE
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* ---- shared steps ---- */

int open_parent(char *path, bool create, char **name) {
    char *slash = strrchr(path, '/');
    *name = slash + 1;
    if (**name == 0 || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
        return errno = EINVAL, -1;
    const char *parent = slash == path ? "/" : path;
    *slash = 0;
    if (create && make_directories(path, 0700) < 0)
        return -1;
    return open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* mkdir -p: each prefix in turn, what exists is passed over; the last must be a directory in the end. */
int make_directories(char *path, mode_t mode) {
    struct stat st;
    for (char *slash = strchr(path + (*path == '/'), '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int made = mkdir(path, mode);
        *slash = '/';
        if (made < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            return -1;
    }
    if (*path == 0 || mkdir(path, mode) == 0)
        return 0;
    int error = errno;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    return errno = error, -1;
}

/* The kernel's own name of what the path leads to; checked, since a removed file is named "... (deleted)". */
int canonical(const char *path, char *into, size_t size) {
    char link[40];
    struct stat opened, named;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, into, size - 1);
    bool known = length > 0 && (size_t) length < size - 1 && fstat(fd, &opened) == 0;
    int error = length < 0 ? errno : ENAMETOOLONG;
    close(fd);
    if (!known)
        return errno = error, -1;
    into[length] = 0;
    if (lstat(into, &named) < 0)
        return -1;
    if (named.st_dev != opened.st_dev || named.st_ino != opened.st_ino)
        return errno = ENOENT, -1;
    return 0;
}

static void answer(uint32_t id, int result, const char *step) {
    if (result < 0)
        answer_error(id, errno, step);
    else
        answer_ok(id);
}

/* ---- operations of one step ---- */

void file_stat(const struct request *r) {
    struct stat st;
    if (fstatat(AT_FDCWD, r->path, &st, r->flags & STAT_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
        answer_error(r->id, errno, "stat");
        return;
    }
    frame_begin(RESULT, r->id);
    frame_put_u32(st.st_mode);
    frame_put_u32(st.st_uid);
    frame_put_u32(st.st_gid);
    frame_put_u64(st.st_dev);
    frame_put_u64(st.st_ino);
    frame_put_u64(st.st_nlink);
    frame_put_u64((uint64_t) st.st_size);
    frame_put_u64((uint64_t) st.st_mtim.tv_sec);
    frame_put_u32((uint32_t) st.st_mtim.tv_nsec);
    frame_end();
}

void file_mkdir(const struct request *r) {
    bool parents = r->flags & MKDIR_PARENTS;
    answer(r->id, parents ? make_directories(r->path, r->mode) : mkdir(r->path, r->mode), "mkdir");
}

void file_rename(const struct request *r) {
    answer(r->id, rename(r->path, r->target), "rename");
}

void file_realpath(const struct request *r) {
    char path[4096 + 16];
    if (canonical(r->path, path, sizeof path) < 0) {
        answer_error(r->id, errno, "realpath");
        return;
    }
    frame_begin(RESULT, r->id);
    frame_put(path, strlen(path));
    frame_end();
}

/* Answers whether something is left: a big tree is removed in batches, so that nobody else waits for it. */
void file_remove(const struct request *r) {
    char *name;
    bool more = false;
    int parent = open_parent(r->path, false, &name);
    int result = parent < 0 ? -1 : unlinkat(parent, name, 0);
    if (parent >= 0 && result < 0 && (errno == EISDIR || errno == EPERM))
        result = r->flags & REMOVE_RECURSIVE ? remove_tree(parent, name, &more) : unlinkat(parent, name, AT_REMOVEDIR);
    int error = errno;
    if (parent >= 0)
        close(parent);
    if (result < 0) {
        answer_error(r->id, error, "remove");
        return;
    }
    frame_begin(RESULT, r->id);
    frame_put_u8(more);
    frame_end();
}

/* ---- transfers ---- */

static struct transfer { bool used, list; uint32_t id, left; int fd; uint64_t offset; } transfers[MAX_TRANSFERS];

static void transfer_begin(const struct request *r, int fd, bool list) {
    for (struct transfer *t = transfers; t < transfers + MAX_TRANSFERS; t++)
        if (!t->used) {
            *t = (struct transfer) {true, list, r->id, r->amount, fd, r->offset};
            return;
        }
    close(fd);
    answer_error(r->id, EAGAIN, "too many transfers");
}

static void transfer_fail(struct transfer *t, const char *step) {
    answer_error(t->id, errno, step);
    close(t->fd);
    t->used = false;
}

/* The last frame: for a list whether it was cut, for a read the size of the file as the kernel tells it. */
static void transfer_done(struct transfer *t, bool cut) {
    struct stat st;
    if (fstat(t->fd, &st) < 0) {
        transfer_fail(t, "stat");
        return;
    }
    frame_begin(RESULT, t->id);
    frame_put_u64(t->list ? cut : (uint64_t) st.st_size);
    frame_end();
    close(t->fd);
    t->used = false;
}

/* Only regular files. Those of /proc pass for such, and would show init's own insides: by a flag only. */
static int check_readable(int fd, bool proc) {
    struct stat st;
    struct statfs fs;
    if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
        return -1;
    if (!S_ISREG(st.st_mode))
        return errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL, -1;
    if ((fs.f_type == PROC_SUPER_MAGIC) != proc)
        return errno = EACCES, -1;
    return 0;
}

void file_read(const struct request *r) {
    int fd = open(r->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && check_readable(fd, r->flags & READ_PROC) == 0) {
        transfer_begin(r, fd, false);
        return;
    }
    answer_error(r->id, errno, "read");
    if (fd >= 0)
        close(fd);
}

void file_list(const struct request *r) {
    int fd = open(r->path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        answer_error(r->id, errno, "list");
    else
        transfer_begin(r, fd, true);
}

static void read_part(struct transfer *t) {
    uint32_t most = t->left < FRAME_PAYLOAD_MAX ? t->left : FRAME_PAYLOAD_MAX;
    uint8_t *payload = frame_begin(PART, t->id);
    ssize_t count = pread(t->fd, payload, most, (off_t) t->offset);
    if (count <= 0) {
        frame_cancel();
        if (count < 0)
            transfer_fail(t, "read");
        else
            transfer_done(t, false);
        return;
    }
    frame_took((size_t) count);
    frame_end();
    t->offset += (uint64_t) count;
    t->left -= (uint32_t) count;
}

static bool put_entry(int directory, const char *name) {
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false; /* removed between the two calls */
    frame_put_u32(st.st_mode);
    frame_put_u64((uint64_t) st.st_size);
    frame_put_u64((uint64_t) st.st_mtim.tv_sec);
    frame_put_u32((uint32_t) st.st_mtim.tv_nsec);
    frame_put(name, strlen(name) + 1);
    return true;
}

/* 32 KiB of directory records always fit one frame: an entry is at most 25 bytes longer than its name. */
static void list_part(struct transfer *t) {
    static _Alignas(struct dirent64) char records[32768];
    long count = syscall(SYS_getdents64, t->fd, records, sizeof records);
    bool cut = false;
    if (count < 0) {
        transfer_fail(t, "list");
        return;
    }
    frame_begin(PART, t->id);
    for (long at = 0; at < count && !cut;) {
        struct dirent64 *record = (struct dirent64 *) (records + at);
        at += record->d_reclen;
        bool dots = strcmp(record->d_name, ".") == 0 || strcmp(record->d_name, "..") == 0;
        cut = t->left == 0 && !dots;
        if (!cut && put_entry(t->fd, record->d_name))
            t->left--;
    }
    frame_end();
    if (cut || count == 0)
        transfer_done(t, cut);
}

void files_pump(void) {
    for (struct transfer *t = transfers; t < transfers + MAX_TRANSFERS; t++)
        while (t->used && outbox_fits()) {
            if (t->list)
                list_part(t);
            else if (t->left > 0)
                read_part(t);
            else
                transfer_done(t, false);
        }
}
