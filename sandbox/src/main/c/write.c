/*
 * Atomic replace. The new content goes to a temporary file beside the target and takes its name in one
 * rename: whoever reads, and whenever we are killed, the target is the old file or the new one. Content
 * longer than a frame arrives in pieces, so an open write has a slot, found by the id of its request.
 * Only the first failure or the commit answers: the worker may send open, data and commit in one breath.
 */
#include "init.h"

static struct write { bool used, sync; uint32_t id; int directory, file; char name[256], temp[48]; } writes[WRITES_MAX];

static struct write *find(bool used, uint32_t id) {
    for (struct write *w = writes; w < writes + WRITES_MAX; w++)
        if (w->used == used && (!used || w->id == id)) return w;
    return errno = EAGAIN, NULL;
}

static void release(struct write *w, bool remove) {
    int error = errno;
    close_fd(&w->file);
    if (remove) unlinkat(w->directory, w->temp, 0);
    close_fd(&w->directory);
    w->used = false;
    errno = error; /* that of what went wrong before */
}

/* Whether the name may be replaced: nothing there, or a regular file, whose mode is kept. */
static int check_target(int directory, const char *name, mode_t *mode) {
    struct stat st;
    if (strlen(name) >= sizeof writes[0].name) return errno = ENAMETOOLONG, -1;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : -1;
    *mode = st.st_mode & 0777;
    errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    return S_ISREG(st.st_mode) ? 0 : -1;
}

/* The directory and last name of the file to replace; a link is followed to the file it leads to. */
static int find_target(char *path, bool parents, char **name, mode_t *mode) {
    static char resolved[4096 + 16];
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        if (canonical(path, resolved, sizeof resolved) < 0) return -1;
        path = resolved;
    }
    int directory = open_parent(path, parents, name);
    if (directory >= 0 && check_target(directory, *name, mode) < 0) close_fd(&directory);
    return directory;
}

static int open_temp(struct write *w, mode_t mode) {
    static uint32_t counter;
    do {
        snprintf(w->temp, sizeof w->temp, ".glovebox-%d-%u.tmp", (int) getpid(), counter++);
        w->file = openat(w->directory, w->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    } while (w->file < 0 && errno == EEXIST);
    return w->file < 0 ? -1 : fchmod(w->file, mode);
}

void write_open(const struct request *r) {
    char *name = NULL;
    mode_t mode = r->mode;
    violated = find(true, r->id) != NULL;
    struct write *w = find(false, 0);
    int directory = w == NULL || violated ? -1 : find_target(r->strings[0], r->flags & PARENTS, &name, &mode);
    if (directory >= 0) {
        *w = (struct write) {.used = true, .sync = r->flags & SYNC, .id = r->id, .directory = directory, .file = -1};
        snprintf(w->name, sizeof w->name, "%s", name);
        if (open_temp(w, mode) == 0) return;
        release(w, w->file >= 0);
    }
    answer(r->id, -1, "write");
}

void write_data(const struct request *r) {
    struct write *w = find(true, r->id);
    for (size_t done = 0; w != NULL && done < r->size;) {
        ssize_t count = write(w->file, r->data + done, r->size - done);
        if (count < 0) {
            answer(r->id, -1, "write");
            release(w, true);
            return;
        }
        done += (size_t) count;
    }
}

void write_commit(const struct request *r) {
    struct write *w = find(true, r->id);
    if (w == NULL) return; /* its failure was told already */
    bool stored = !w->sync || fsync(w->file) == 0;
    int result = stored ? renameat(w->directory, w->temp, w->directory, w->name) : -1;
    answer(r->id, result, stored ? "rename" : "fsync");
    release(w, result < 0);
}

void write_abort(const struct request *r) {
    struct write *w = find(true, r->id);
    if (w != NULL) release(w, true);
}
