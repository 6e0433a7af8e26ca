/*
 * rm -r without recursion, without path names and without following a link. We hold one descriptor,
 * that of the directory we are in; going down is openat with O_NOFOLLOW, going up is "..", and the
 * directory we come up into must be the one we went down from, or somebody has moved the tree under
 * us and we stop. The way is remembered in a fixed array, so the depth has a limit and the memory too.
 */
#define _GNU_SOURCE
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH_MAX 32768
#define BATCH 512 /* removals until the worker is asked to ask again */

static struct { dev_t device; ino_t inode; } way[DEPTH_MAX];

static bool remember(int directory, int depth) {
    struct stat st;
    if (fstat(directory, &st) < 0)
        return false;
    way[depth].device = st.st_dev;
    way[depth].inode = st.st_ino;
    return true;
}

static bool is_remembered(int directory, int depth) {
    struct stat st;
    return fstat(directory, &st) == 0 && st.st_dev == way[depth].device && st.st_ino == way[depth].inode;
}

/* One removal; a directory we own but may not write (a Go module cache) is made writable first. */
static int unlink_entry(int directory, const char *name) {
    int result = unlinkat(directory, name, 0);
    if (result < 0 && errno == EACCES) {
        int self = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (self >= 0 && fchmod(self, 0700) == 0)
            result = unlinkat(directory, name, 0);
        else
            errno = EACCES;
        int error = errno;
        if (self >= 0)
            close(self);
        errno = error;
    }
    if (result < 0 && (errno == EISDIR || errno == EPERM))
        result = unlinkat(directory, name, AT_REMOVEDIR);
    return result;
}

/* Moves the walk to `name` ("..", or an entry). */
static int step(int *directory, const char *name, int depth) {
    if (depth >= DEPTH_MAX)
        return errno = ENAMETOOLONG, -1;
    int next = openat(*directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (next < 0)
        return -1;
    close(*directory);
    *directory = next;
    return 0;
}

/* Removes entries until the directory is empty (0), a full subdirectory was entered (1) or an error (-1). */
static int clear(int *directory, int depth, int *budget) {
    static _Alignas(struct dirent64) char records[8192];
    for (;;) {
        long count = syscall(SYS_getdents64, *directory, records, sizeof records);
        if (count <= 0)
            return (int) count;
        for (long at = 0; at < count && *budget > 0;) {
            struct dirent64 *record = (struct dirent64 *) (records + at);
            at += record->d_reclen;
            if (strcmp(record->d_name, ".") == 0 || strcmp(record->d_name, "..") == 0)
                continue;
            if (unlink_entry(*directory, record->d_name) == 0)
                --*budget;
            else if (errno == ENOTEMPTY || errno == EEXIST)
                return step(directory, record->d_name, depth + 1) < 0 ? -1 : 1;
            else if (errno != ENOENT)
                return -1;
        }
        if (*budget == 0)
            return 0;
    }
}

static int walk(int *directory, int *budget) {
    int depth = 0;
    if (!remember(*directory, 0))
        return -1;
    while (*budget > 0) {
        int result = clear(directory, depth, budget);
        if (result < 0)
            return -1;
        if (result == 1) {
            if (!remember(*directory, ++depth))
                return -1;
        } else if (*budget > 0) {
            if (depth == 0)
                return 0;
            if (step(directory, "..", 0) < 0)
                return -1;
            if (!is_remembered(*directory, --depth))
                return errno = ESTALE, -1;
        }
    }
    return 0;
}

int remove_tree(int parent, const char *name, bool *more) {
    int budget = BATCH;
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return -1;
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (directory < 0)
        return -1;
    int result = walk(&directory, &budget);
    int error = errno;
    close(directory);
    *more = result == 0 && budget == 0;
    if (result == 0 && !*more)
        return unlinkat(parent, name, AT_REMOVEDIR);
    return errno = error, result;
}
