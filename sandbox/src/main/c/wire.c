/*
 * Frames in, frames out, with all memory static: whatever the other side sends, the inbox is two
 * frames and the outbox four. Decoding is apart from acting, so that the fuzzer can feed it alone; it
 * trusts no length, count or terminator.
 */
#include "init.h"

#define FRAME_MAX (REQUEST_HEAD + PAYLOAD_MAX)

static struct { uint8_t bytes[2 * FRAME_MAX]; size_t start, end; } inbox;
static struct { uint8_t bytes[4 * FRAME_MAX]; size_t start, end, frame; bool starved; } outbox;

/* ---- requests ---- */

struct head {
    uint32_t type_and_size, id;
    uint64_t offset;
    uint32_t amount, amount_err;
    uint16_t mode, rows, columns, strings, variables;
    uint8_t flags, number;
} __attribute__((packed));
_Static_assert(sizeof(struct head) == REQUEST_HEAD, "the head is its wire form");

/* Points `into` at `count` strings that end within the bytes; returns what follows them, or NULL. */
static uint8_t *take_strings(uint8_t *at, const uint8_t *end, char **into, size_t count) {
    if (at == NULL || count > STRINGS_MAX) return NULL;
    into[count] = NULL;
    for (size_t i = 0; i < count; i++) {
        uint8_t *nul = memchr(at, 0, (size_t) (end - at));
        if (nul == NULL) return NULL;
        into[i] = (char *) at;
        at = nul + 1;
    }
    return at;
}

enum verdict request_decode(uint8_t *bytes, size_t length, struct request *r, size_t *used) {
    struct head head;
    if (length < sizeof head) return INCOMPLETE;
    memcpy(&head, bytes, sizeof head);
    size_t size = be32toh(head.type_and_size) & 0xffffff;
    if (size > PAYLOAD_MAX) return MALFORMED;
    if (length - sizeof head < size) return INCOMPLETE;
    *used = sizeof head + size;
    r->type = be32toh(head.type_and_size) >> 24;
    r->id = be32toh(head.id);
    r->offset = be64toh(head.offset);
    r->amount = be32toh(head.amount);
    r->amount_err = be32toh(head.amount_err);
    r->mode = be16toh(head.mode);
    r->rows = be16toh(head.rows);
    r->columns = be16toh(head.columns);
    r->flags = head.flags;
    r->number = head.number;
    r->string_count = be16toh(head.strings);
    uint8_t *end = bytes + *used;
    uint8_t *rest = take_strings(bytes + sizeof head, end, r->strings, r->string_count);
    rest = take_strings(rest, end, r->variables, be16toh(head.variables));
    if (rest == NULL || (r->mode & ~0777) != 0) return MALFORMED;
    r->data = rest;
    r->size = (size_t) (end - rest);
    return READY;
}

bool inbox_has_space(void) {
    return inbox.end - inbox.start < FRAME_MAX;
}

ssize_t inbox_receive(int socket) {
    memmove(inbox.bytes, inbox.bytes + inbox.start, inbox.end - inbox.start);
    inbox.end -= inbox.start;
    inbox.start = 0;
    /* No control buffer: the kernel closes any descriptor that was sent along (unix(7)). */
    ssize_t count = recv(socket, inbox.bytes + inbox.end, sizeof inbox.bytes - inbox.end, MSG_DONTWAIT);
    if (count > 0) inbox.end += (size_t) count;
    return count;
}

enum verdict inbox_next(struct request *request) {
    size_t used = 0;
    enum verdict verdict = request_decode(inbox.bytes + inbox.start, inbox.end - inbox.start, request, &used);
    if (verdict == READY) inbox.start += used;
    return verdict;
}

/* ---- answers ---- */

/* Room for one full frame and the few small ones (credit, closed) that can come with it. */
bool outbox_fits(void) {
    bool fits = sizeof outbox.bytes - (outbox.end - outbox.start) >= FRAME_MAX + 1024;
    outbox.starved |= !fits;
    return fits;
}

bool outbox_starved(void) {
    bool starved = outbox.starved;
    outbox.starved = false;
    return starved;
}

bool outbox_waiting(void) {
    return outbox.end > outbox.start;
}

bool outbox_send(int socket) {
    while (outbox_waiting()) {
        size_t waiting = outbox.end - outbox.start;
        ssize_t count = send(socket, outbox.bytes + outbox.start, waiting, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN || errno == EINTR;
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
    frame_number((uint32_t) type << 24, 4);
    frame_number(id, 4);
    return outbox.bytes + outbox.end;
}

void frame_took(size_t size) {
    outbox.end += size;
}

void frame_put(const void *bytes, size_t size) {
    memcpy(outbox.bytes + outbox.end, bytes, size);
    outbox.end += size;
}

void frame_number(uint64_t value, int width) {
    while (width-- > 0) outbox.bytes[outbox.end++] = (uint8_t) (value >> 8 * width);
}

void frame_numbers(const uint64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++) frame_number(values[i], 8);
}

/* Writes the length where frame_begin has left zeros. */
void frame_end(void) {
    size_t end = outbox.end, size = end - outbox.frame - ANSWER_HEAD;
    outbox.end = outbox.frame + 1;
    frame_number(size, 3);
    outbox.end = end;
}

void frame_cancel(void) {
    outbox.end = outbox.frame;
}

void say_number(enum answer_type type, uint32_t id, uint64_t value, int width) {
    frame_begin(type, id);
    frame_number(value, width);
    frame_end();
}

void say_bytes(enum answer_type type, uint32_t id, const void *bytes, size_t size) {
    frame_begin(type, id);
    frame_put(bytes, size);
    frame_end();
}

void answer(uint32_t id, int result, const char *step) {
    const char *name = strerrorname_np(errno);
    if (name == NULL) name = "EIO";
    frame_begin(result < 0 ? ERROR : RESULT, id);
    if (result < 0) frame_put(name, strlen(name) + 1);
    if (result < 0) frame_put(step, strlen(step));
    frame_end();
}
