/*
 * Frames in, frames out, with all memory static: whatever the other side sends, the inbox is two
 * frames and the outbox four. Decoding is apart from acting, so that the fuzzer can feed it alone;
 * it trusts no length, count or terminator, and a frame with even one byte too many is malformed.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static struct { uint8_t bytes[2 * FRAME_MAX]; size_t start, end; } inbox;
static struct { uint8_t bytes[4 * FRAME_MAX]; size_t start, end, frame; bool starved; } outbox;

/* ---- reading a payload: a cursor that turns bad once and stays bad ---- */

struct cursor { uint8_t *at, *end; bool bad; };

static uint64_t take(struct cursor *c, size_t width) {
    if ((size_t) (c->end - c->at) < width) {
        c->bad = true;
        return 0;
    }
    uint64_t value = 0;
    while (width-- > 0)
        value = value << 8 | *c->at++;
    return value;
}

static char *take_string(struct cursor *c) {
    uint8_t *nul = c->bad ? NULL : memchr(c->at, 0, (size_t) (c->end - c->at));
    if (nul == NULL) {
        c->bad = true;
        return NULL;
    }
    char *string = (char *) c->at;
    c->at = nul + 1;
    return string;
}

/* Paths are absolute by contract: a relative one would depend on the directory init happens to be in. */
static char *take_path(struct cursor *c) {
    char *path = take_string(c);
    if (path != NULL && path[0] != '/')
        c->bad = true;
    return path;
}

static void take_strings(struct cursor *c, char **into, size_t count) {
    if (count > MAX_STRINGS) {
        c->bad = true;
        count = 0;
    }
    for (size_t i = 0; i < count; i++)
        into[i] = take_string(c);
    into[count] = NULL;
}

static void take_rest(struct cursor *c, struct request *r) {
    r->data = c->at;
    r->size = (size_t) (c->end - c->at);
    c->at = c->end;
}

static void take_start(struct cursor *c, struct request *r) {
    r->flags = (uint8_t) take(c, 1);
    r->rows = (uint16_t) take(c, 2);
    r->columns = (uint16_t) take(c, 2);
    r->amount = (uint32_t) take(c, 4);
    r->amount_err = (uint32_t) take(c, 4);
    size_t arguments = take(c, 2), variables = take(c, 2);
    r->path = take_path(c);
    take_strings(c, r->argv, arguments);
    take_strings(c, r->envp, variables);
    c->bad |= arguments == 0 || r->amount > CREDIT_MAX || r->amount_err > CREDIT_MAX;
}

static void take_flags_mode_path(struct cursor *c, struct request *r) {
    r->flags = (uint8_t) take(c, 1);
    r->mode = (uint32_t) take(c, 4);
    r->path = take_path(c);
    c->bad |= (r->mode & ~0777U) != 0;
}

/* Fields of each request, in wire order; an unknown type is malformed. */
static void take_payload(struct cursor *c, struct request *r) {
    switch (r->type) {
    case START: take_start(c, r); break;
    case STDIN: case WRITE_DATA: take_rest(c, r); break;
    case CLOSE: r->number = (uint8_t) take(c, 1); c->bad |= r->number > 2; break;
    case CREDIT:
        r->number = (uint8_t) take(c, 1);
        r->amount = (uint32_t) take(c, 4);
        c->bad |= r->number < 1 || r->number > 2 || r->amount > CREDIT_MAX;
        break;
    case SIGNAL: r->number = (uint8_t) take(c, 1); c->bad |= r->number < 1 || r->number > 64; break;
    case RESIZE: r->rows = (uint16_t) take(c, 2); r->columns = (uint16_t) take(c, 2); break;
    case READ: r->flags = (uint8_t) take(c, 1); r->offset = take(c, 8); /* fall through */
    case LIST: r->amount = (uint32_t) take(c, 4); r->path = take_path(c); break;
    case STAT: case REMOVE: r->flags = (uint8_t) take(c, 1); /* fall through */
    case REALPATH: r->path = take_path(c); break;
    case MKDIR: case WRITE_OPEN: take_flags_mode_path(c, r); break;
    case RENAME: r->path = take_path(c); r->target = take_path(c); break;
    case WRITE_COMMIT: case WRITE_ABORT: break;
    default: c->bad = true;
    }
}

enum verdict request_decode(uint8_t *bytes, size_t length, struct request *r, size_t *used) {
    struct cursor header = {bytes, bytes + length, false};
    uint8_t type = (uint8_t) take(&header, 1);
    size_t size = take(&header, 3);
    uint32_t id = (uint32_t) take(&header, 4);
    if (header.bad)
        return FRAME_INCOMPLETE;
    if (size > FRAME_PAYLOAD_MAX)
        return FRAME_MALFORMED;
    if (length - FRAME_HEADER < size)
        return FRAME_INCOMPLETE;
    struct cursor payload = {header.at, header.at + size, false};
    r->type = type;
    r->id = id;
    take_payload(&payload, r);
    *used = FRAME_HEADER + size;
    return payload.bad || payload.at != payload.end ? FRAME_MALFORMED : FRAME_READY;
}

/* ---- inbox ---- */

bool inbox_has_space(void) {
    return inbox.end - inbox.start < FRAME_MAX;
}

ssize_t inbox_receive(int socket) {
    memmove(inbox.bytes, inbox.bytes + inbox.start, inbox.end - inbox.start);
    inbox.end -= inbox.start;
    inbox.start = 0;
    /* No control buffer: the kernel closes any descriptor that was sent along (unix(7)). */
    ssize_t count = recv(socket, inbox.bytes + inbox.end, sizeof inbox.bytes - inbox.end, MSG_DONTWAIT);
    if (count > 0)
        inbox.end += (size_t) count;
    return count;
}

enum verdict inbox_next(struct request *request) {
    size_t used = 0;
    enum verdict verdict =
        request_decode(inbox.bytes + inbox.start, inbox.end - inbox.start, request, &used);
    if (verdict == FRAME_READY)
        inbox.start += used;
    return verdict;
}

/* ---- outbox ---- */

/* Room for one full frame and the few small ones (credit, closed) that can come with it. */
bool outbox_fits(void) {
    bool fits = sizeof outbox.bytes - (outbox.end - outbox.start) >= FRAME_MAX + 1024;
    outbox.starved |= !fits;
    return fits;
}

bool outbox_waiting(void) {
    return outbox.end > outbox.start;
}

bool outbox_starved(void) {
    bool starved = outbox.starved;
    outbox.starved = false;
    return starved;
}

bool outbox_send(int socket) {
    while (outbox_waiting()) {
        ssize_t count = send(socket, outbox.bytes + outbox.start, outbox.end - outbox.start,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        outbox.start += (size_t) count;
    }
    outbox.start = outbox.end = 0; /* start low again, so that few pages are ever touched */
    return true;
}

uint8_t *frame_begin(enum answer_type type, uint32_t id) {
    if (sizeof outbox.bytes - outbox.end < FRAME_MAX) {
        memmove(outbox.bytes, outbox.bytes + outbox.start, outbox.end - outbox.start);
        outbox.end -= outbox.start;
        outbox.start = 0;
    }
    outbox.frame = outbox.end;
    frame_put_u32((uint32_t) type << 24);
    frame_put_u32(id);
    return outbox.bytes + outbox.end;
}

void frame_put(const void *bytes, size_t size) {
    memcpy(outbox.bytes + outbox.end, bytes, size);
    outbox.end += size;
}

void frame_put_u8(uint8_t value) {
    outbox.bytes[outbox.end++] = value;
}

void frame_put_u32(uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        frame_put_u8((uint8_t) (value >> shift));
}

void frame_put_u64(uint64_t value) {
    frame_put_u32((uint32_t) (value >> 32));
    frame_put_u32((uint32_t) value);
}

void frame_took(size_t size) {
    outbox.end += size;
}

void frame_end(void) {
    size_t size = outbox.end - outbox.frame - FRAME_HEADER;
    for (int i = 0; i < 3; i++)
        outbox.bytes[outbox.frame + 1 + (size_t) i] = (uint8_t) (size >> (16 - 8 * i));
}

void frame_cancel(void) {
    outbox.end = outbox.frame;
}

void answer_ok(uint32_t id) {
    frame_begin(RESULT, id);
    frame_end();
}

void answer_error(uint32_t id, int error, const char *step) {
    const char *name = strerrorname_np(error);
    name = name == NULL ? "EIO" : name;
    frame_begin(ERROR, id);
    frame_put(name, strlen(name) + 1);
    frame_put(step, strlen(step));
    frame_end();
}
