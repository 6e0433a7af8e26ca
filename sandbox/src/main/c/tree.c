/*
 * rm -r without recursion, without path names and without following a link. We hold one descriptor,
 * that of the directory we are in; going down is openat with O_NOFOLLOW, going up is "..", and the
 * directory we come up into must be the one we went down from, or somebody has moved the tree under
 * us and we stop. The way is remembered in a fixed array, so the depth has a limit and the memory too.
 */
#include "init.h"

#define DEPTH_MAX 32768
#define BATCH 512 /* removals until the worker is asked to ask again */

static struct place { dev_t device; ino_t inode; } way[DEPTH_MAX];

/* Moves to `name`: ".." or an entry. What we are about to empty is made writable (a Go module cache is not). */
static int step(int *directory, const char *name, int depth, bool down) {
    struct stat st;
    if (depth >= DEPTH_MAX) return errno = ENAMETOOLONG, -1;
    int next = openat(*directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (next < 0) return -1;
    close(*directory);
    *directory = next;
    if (fstat(next, &st) < 0) return -1;
    if (!down) return st.st_dev == way[depth].device && st.st_ino == way[depth].inode ? 0 : (errno = ESTALE, -1);
    way[depth] = (struct place) {st.st_dev, st.st_ino};
    return (st.st_mode & 0200) != 0 ? 0 : fchmod(next, 0700);
}

int unlink_entry(int directory, const char *name) {
    int result = unlinkat(directory, name, 0);
    return result < 0 && (errno == EISDIR || errno == EPERM) ? unlinkat(directory, name, AT_REMOVEDIR) : result;
}

/* Removes entries until the directory is empty (0), a full subdirectory was entered (1) or an error (-1). */
static int clear(int *directory, int depth, int *budget) {
    static _Alignas(struct dirent64) char records[8192];
    while (*budget > 0) {
        long count = syscall(SYS_getdents64, *directory, records, sizeof records);
        if (count <= 0) return (int) count;
        for (long at = 0; at < count && *budget > 0;) {
            struct dirent64 *record = (struct dirent64 *) (records + at);
            const char *name = record->d_name;
            at += record->d_reclen;
            if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
            if (unlink_entry(*directory, name) == 0) --*budget;
            else if (errno == ENOTEMPTY || errno == EEXIST) return step(directory, name, depth + 1, true) < 0 ? -1 : 1;
            else if (errno != ENOENT) return -1;
        }
    }
    return 0;
}

/* The top is entry 0 of the way. An emptied directory is left behind and removed from above, when met again. */
static int walk(int *directory, const char *name, int *budget) {
    int depth = 0, result = step(directory, name, 0, true);
    while (result >= 0 && *budget > 0) {
        result = clear(directory, depth, budget);
        if (result == 1) depth++;
        if (result != 0 || *budget == 0) continue;
        if (depth == 0) return 0;
        result = step(directory, "..", --depth, false);
    }
    return result < 0 ? -1 : 0;
}

int remove_tree(int parent, const char *name, bool *more) {
    int budget = BATCH;
    int directory = fcntl(parent, F_DUPFD_CLOEXEC, 3);
    int result = directory < 0 ? -1 : walk(&directory, name, &budget);
    close_fd(&directory);
    *more = result == 0 && budget == 0;
    return result < 0 || *more ? result : unlinkat(parent, name, AT_REMOVEDIR);
}
