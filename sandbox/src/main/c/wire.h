/*
 * The wire between the worker and glovebox-init: numbers, limits and the two buffers.
 * PROTOCOL.md is the same in prose; wire.c is the only code that touches raw frame bytes.
 */
#ifndef GLOVEBOX_WIRE_H
#define GLOVEBOX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROTOCOL_VERSION 1
#define FRAME_HEADER 8
#define FRAME_PAYLOAD_MAX 65536
#define FRAME_MAX (FRAME_HEADER + FRAME_PAYLOAD_MAX)
#define STDIN_WINDOW 65536
#define CREDIT_MAX (1U << 30)
#define MAX_STRINGS 2048
#define MAX_PROCESSES 64
#define MAX_WRITES 16
#define MAX_TRANSFERS 16

enum request_type {
    START = 0x01, STDIN = 0x02, CLOSE = 0x03, CREDIT = 0x04, SIGNAL = 0x05, RESIZE = 0x06,
    READ = 0x10, LIST = 0x11, STAT = 0x12, MKDIR = 0x13, REMOVE = 0x14, RENAME = 0x15,
    REALPATH = 0x16, WRITE_OPEN = 0x17, WRITE_DATA = 0x18, WRITE_COMMIT = 0x19, WRITE_ABORT = 0x1a
};

enum answer_type {
    HELLO = 0x80, RESULT = 0x81, ERROR = 0x82, PART = 0x83, STDOUT = 0x84, STDERR = 0x85,
    CLOSED = 0x86, GRANT = 0x87, EXIT = 0x88, FATAL = 0x8f
};

enum start_flag { START_PTY = 1, START_MERGE = 2 };
enum read_flag { READ_PROC = 1 };
enum stat_flag { STAT_FOLLOW = 1 };
enum mkdir_flag { MKDIR_PARENTS = 1 };
enum remove_flag { REMOVE_RECURSIVE = 1 };
enum write_flag { WRITE_PARENTS = 1, WRITE_SYNC = 2 };

/* One decoded request. Strings and data point into the inbox and live until the next receive. */
struct request {
    enum request_type type;
    uint32_t id;
    uint8_t flags;
    uint8_t number;               /* a stream or a signal */
    uint16_t rows, columns;
    uint32_t amount, amount_err;  /* bytes, entries or credit */
    uint32_t mode;
    uint64_t offset;
    const uint8_t *data;
    size_t size;
    char *path, *target;
    char *argv[MAX_STRINGS + 1];
    char *envp[MAX_STRINGS + 1];
};

enum verdict { FRAME_READY, FRAME_INCOMPLETE, FRAME_MALFORMED };

/* Decodes the first frame of a buffer. `used` is its whole length; the buffer may be changed by later use. */
enum verdict request_decode(uint8_t *bytes, size_t length, struct request *request, size_t *used);

/* Inbox: what the worker sent and nobody has handled yet. */
bool inbox_has_space(void);
ssize_t inbox_receive(int socket);      /* as recv(2): 0 = the worker is gone, -1 = errno */
enum verdict inbox_next(struct request *request);

/* Outbox: what the worker has not taken yet. Nobody may start a frame unless outbox_fits(). */
bool outbox_fits(void);
bool outbox_waiting(void);
bool outbox_starved(void);              /* somebody was refused room since the last question */
bool outbox_send(int socket);           /* false = the connection is broken */
uint8_t *frame_begin(enum answer_type type, uint32_t id); /* room for FRAME_PAYLOAD_MAX bytes */
void frame_put(const void *bytes, size_t size);
void frame_put_u8(uint8_t value);
void frame_put_u32(uint32_t value);
void frame_put_u64(uint64_t value);
void frame_took(size_t size);           /* payload bytes written in place */
void frame_end(void);
void frame_cancel(void);
void answer_ok(uint32_t id);
void answer_error(uint32_t id, int error, const char *step);

#endif
