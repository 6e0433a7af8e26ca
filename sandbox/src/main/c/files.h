/* File operations with the agent's own rights. Each answers its request, now or through files_pump. */
#ifndef GLOVEBOX_FILES_H
#define GLOVEBOX_FILES_H

#include "wire.h"

void file_stat(const struct request *r);
void file_mkdir(const struct request *r);
void file_remove(const struct request *r);
void file_rename(const struct request *r);
void file_realpath(const struct request *r);
void file_read(const struct request *r);
void file_list(const struct request *r);
void files_pump(void);                    /* goes on with reads and lists while there is room */

bool write_open(const struct request *r); /* false = the id is in use: a violation */
void write_data(const struct request *r);
void write_commit(const struct request *r);
void write_abort(const struct request *r);

/* Shared steps; each returns a descriptor or 0, or -1 with errno. */
int open_parent(char *path, bool create, char **name); /* cuts `path` at its last slash */
int make_directories(char *path, mode_t mode);
int canonical(const char *path, char *into, size_t size);
int remove_tree(int parent, const char *name, bool *more);

#endif
