/*
 * Atomic replace. The new content goes to a temporary file beside the target and takes its name in one
 * rename: whoever reads, and whenever we are killed, the target is the old file or the new one. Content
 * longer than a frame arrives in pieces, so an open write has a slot, found by the id of its request.
 * Only the first failure or the commit answers: the worker may send open, data and commit in one breath.
 */
#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct write { bool used, sync; uint32_t id; int directory, file; char name[256], temp[48]; } writes[MAX_WRITES];

static struct write *find(bool used, uint32_t id) {
    for (struct write *w = writes; w < writes + MAX_WRITES; w++)
        if (w->used == used && (!used || w->id == id))
            return w;
    return NULL;
}

static void release(struct write *w, bool remove) {
    if (w->file >= 0)
        close(w->file);
    if (remove)
        unlinkat(w->directory, w->temp, 0);
    close(w->directory);
    w->used = false;
}

/* The directory and last name of the file to replace; a link is followed to the file it leads to. */
static int find_target(char *path, bool parents, char **name, mode_t *mode) {
    static char resolved[4096 + 16];
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        if (canonical(path, resolved, sizeof resolved) < 0)
            return -1;
        path = resolved;
    }
    int directory = open_parent(path, parents, name);
    if (directory < 0)
        return -1;
    if (fstatat(directory, *name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        *mode = st.st_mode & 0777;
        errno = S_ISREG(st.st_mode) ? ENOENT : S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    }
    if (errno == ENOENT && strlen(*name) < sizeof writes[0].name)
        return directory;
    int error = errno == ENOENT ? ENAMETOOLONG : errno;
    close(directory);
    return errno = error, -1;
}

static int open_temp(struct write *w, mode_t mode) {
    static uint32_t counter;
    do
        snprintf(w->temp, sizeof w->temp, ".glovebox-%d-%u.tmp", (int) getpid(), counter++);
    while ((w->file = openat(w->directory, w->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0
           && errno == EEXIST);
    return w->file < 0 ? -1 : fchmod(w->file, mode);
}

bool write_open(const struct request *r) {
    char *name;
    mode_t mode = r->mode;
    struct write *w = find(false, 0);
    if (find(true, r->id) != NULL)
        return false;
    if (w == NULL) {
        answer_error(r->id, EAGAIN, "too many open writes");
        return true;
    }
    w->directory = find_target(r->path, r->flags & WRITE_PARENTS, &name, &mode);
    if (w->directory < 0) {
        answer_error(r->id, errno, "write");
        return true;
    }
    w->used = true;
    w->sync = r->flags & WRITE_SYNC;
    w->id = r->id;
    snprintf(w->name, sizeof w->name, "%s", name);
    if (open_temp(w, mode) < 0) {
        answer_error(r->id, errno, "write");
        release(w, w->file >= 0);
    }
    return true;
}

void write_data(const struct request *r) {
    struct write *w = find(true, r->id);
    for (size_t done = 0; w != NULL && done < r->size;) {
        ssize_t count = write(w->file, r->data + done, r->size - done);
        if (count < 0) {
            answer_error(r->id, errno, "write");
            release(w, true);
            return;
        }
        done += (size_t) count;
    }
}

void write_commit(const struct request *r) {
    struct write *w = find(true, r->id);
    if (w == NULL)
        return; /* its failure was told already */
    bool stored = !w->sync || fsync(w->file) == 0;
    bool renamed = stored && renameat(w->directory, w->temp, w->directory, w->name) == 0;
    if (renamed)
        answer_ok(r->id);
    else
        answer_error(r->id, errno, stored ? "rename" : "fsync");
    release(w, !renamed);
}

void write_abort(const struct request *r) {
    struct write *w = find(true, r->id);
    if (w != NULL)
        release(w, true);
}
