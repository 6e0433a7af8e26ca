/*
 * What the parts of glovebox-init share: the numbers of the protocol (PROTOCOL.md says what they mean),
 * the limits, and who does what. Everything is static; there is one connection and one thread.
 */
#pragma once

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL_VERSION 1
#define PAYLOAD_MAX 65536
#define ANSWER_HEAD 8
#define REQUEST_HEAD 36
#define STDIN_WINDOW 65536
#define CREDIT_MAX (1U << 30)
#define STRINGS_MAX 2048
#define PROCESSES_MAX 64
#define WRITES_MAX 16
#define TRANSFERS_MAX 16

enum request_type {
    START = 1, STDIN, CLOSE, CREDIT, SIGNAL, RESIZE, CONFINE, END_ALL,
    READ = 16, LIST, STAT, MKDIR, REMOVE, RENAME, REALPATH, WRITE_OPEN, WRITE_DATA, WRITE_COMMIT, WRITE_ABORT
};
enum answer_type { HELLO = 128, RESULT, ERROR, PART, STDOUT, STDERR, CLOSED, GRANT, EXIT, FATAL = 143 };
enum flag { TERMINAL = 1, MERGE = 2, PROC = 1, FOLLOW = 1, PARENTS = 1, RECURSIVE = 1, SYNC = 2 };

/* One request. Every type has the same shape, so the decoder has no cases that could be wrong. */
struct request {
    enum request_type type;
    uint32_t id, amount, amount_err;
    uint64_t offset;
    uint16_t mode, rows, columns;
    uint8_t flags, number;
    char *strings[STRINGS_MAX + 1];   /* a path first; ended by NULL */
    char *variables[STRINGS_MAX + 1];
    size_t string_count;
    const uint8_t *data;              /* these point into the inbox, until the next receive */
    size_t size;
};

/* wire.c: bytes to requests, answers to bytes. */
enum verdict { READY, INCOMPLETE, MALFORMED };
enum verdict request_decode(uint8_t *bytes, size_t length, struct request *request, size_t *used);
bool inbox_has_space(void);
ssize_t inbox_receive(int socket);       /* as recv(2): 0 = the worker is gone */
enum verdict inbox_next(struct request *request);
bool outbox_fits(void);                  /* nobody starts a frame without having asked */
bool outbox_starved(void);               /* somebody was refused since this was last asked */
bool outbox_waiting(void);
bool outbox_send(int socket);            /* false = the connection is broken */
uint8_t *frame_begin(enum answer_type type, uint32_t id); /* room for PAYLOAD_MAX bytes, to use with frame_took */
void frame_took(size_t size);
void frame_put(const void *bytes, size_t size);
void frame_number(uint64_t value, int width);
void frame_numbers(const uint64_t *values, size_t count); /* 8 bytes each */
void frame_end(void), frame_cancel(void);
void say_number(enum answer_type type, uint32_t id, uint64_t value, int width); /* a whole frame */
void say_bytes(enum answer_type type, uint32_t id, const void *bytes, size_t size);
void answer(uint32_t id, int result, const char *step); /* result < 0: the error is in errno */

/* What a request does. It answers, now or later; what a correct worker never sends it calls a violation. */
typedef void action(const struct request *r);
extern bool violated; /* glovebox-init.c: once set, the loop ends everything */

/* process.c */
action process_start, process_stdin, process_credit, process_close, process_signal, process_resize, process_end_all;
nfds_t processes_watch(struct pollfd *into, bool *resting); /* at most 3 * PROCESSES_MAX; resting: look again in 1 ms */
bool processes_started(void);            /* ever */
void processes_reap(void), processes_pump(void), processes_kill_all(void);

/* child.c: a process with these three descriptors; -1 = errno and the step that failed. */
void children_go_first(void);            /* when memory runs out; once, before init hides */
pid_t launch(const struct request *r, const int stdio[3], const char **step);

/* hello.c */
void say_hello(void);

/* confine.c */
action confine;
int confine_offered(void);               /* the ABI of Landlock to use here, 0 = none */

/* files.c, write.c, tree.c: what returns an int gives a descriptor or 0, or -1 with errno. */
action file_read, file_list, file_stat, file_mkdir, file_remove, file_rename, file_realpath;
action write_open, write_data, write_commit, write_abort;
void files_pump(void);                   /* goes on with reads and lists while there is room */
int open_parent(char *path, bool create, char **name); /* cuts `path` at its last slash */
int make_directories(char *path, mode_t mode);
int canonical(const char *path, char *into, size_t size);
int remove_tree(int parent, const char *name, bool *more);
int unlink_entry(int parent, const char *name); /* a file, or an empty directory */
void close_fd(int *fd);                  /* leaves -1 and errno as it was */
