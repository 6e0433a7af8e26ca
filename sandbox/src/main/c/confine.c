/*
 * The second layer: Landlock (Linux 5.13, landlock(7)), which init puts on itself, and so on every
 * process it starts from then on. The first layer is what is mounted and how; this one says the same in
 * another part of the kernel, so that a mount whose flags a runtime has lost, or a hole in the list of
 * system calls, is not yet a way out:
 *
 *   - nothing is written, made, removed or renamed outside the places the worker names; device nodes
 *     are made nowhere; an ioctl(2) reaches the devices every sandbox has, and no other;
 *   - no mount is made, moved or taken away (a Landlock domain forbids that by itself);
 *   - no signal and no abstract UNIX socket leads out of the domain.
 *
 * One domain for init and all its children, not one for each child: children of several tool calls
 * signal and trace each other, and a START costs nothing. PID 1 loses nothing by it, since the kernel
 * delivers no signal from inside that it has no handler for. The rules are paths as they are mounted
 * at that moment, and a mount that comes later is not covered by the rule of the directory it hides;
 * so the worker asks once all mounts are there, and before the first START.
 *
 * Reading and executing are not restricted: what must not be read is not there.
 */
#include "init.h"
#include <sys/sysmacros.h>

/* From linux/landlock.h, since the system's copy may be older than the kernel. */
enum { WRITE_FILE = 1 << 1, REMOVE_ANY = 1 << 4 | 1 << 5, MAKE_CHAR = 1 << 6, MAKE_BLOCK = 1 << 11,
       MAKE_ANY = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12, /* directory, file, socket, FIFO, link */
       REFER = 1 << 13, TRUNCATE = 1 << 14, IOCTL_DEV = 1 << 15 };
enum { SCOPE_ABSTRACT_UNIX = 1, SCOPE_SIGNAL = 2 };
enum { LOG_SAME_EXEC_OFF = 1, LOG_SUBDOMAINS_OFF = 4 };
enum { GET_VERSION = 1, PATH_BENEATH = 1 };
enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_IOCTL_DEV = 5, ABI_SCOPE = 6, ABI_LOG = 7, ABI_NEWEST = 7 };

struct ruleset { uint64_t files, network, scoped; };
struct rule { uint64_t allowed; int32_t directory; } __attribute__((packed));

/* The nodes of /dev that every sandbox has; `pts` with all in it. */
static const char *const devices[] = {"full", "null", "ptmx", "pts", "random", "tty", "urandom", "zero"};

int confine_offered(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, GET_VERSION);
    /* ABI 1 forbids every rename from one directory to another, which git needs. */
    return abi < ABI_REFER ? 0 : abi > ABI_NEWEST ? ABI_NEWEST : (int) abi;
}

static uint64_t known(int abi, uint64_t rights) {
    return rights & ~(uint64_t) ((abi < ABI_TRUNCATE ? TRUNCATE : 0) | (abi < ABI_IOCTL_DEV ? IOCTL_DEV : 0));
}

/* Permits what a place is for: all in a directory, and of a file and a device what there is to do with one. */
static int permit(int ruleset, int abi, const char *path, bool device) {
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC), result = -1;
    if (fd < 0) return -1;
    if (fstat(fd, &st) == 0) {
        uint64_t rights = WRITE_FILE | TRUNCATE | (device ? IOCTL_DEV : 0);
        if (S_ISDIR(st.st_mode) && !device) rights |= REMOVE_ANY | MAKE_ANY | REFER;
        struct rule rule = {known(abi, rights), fd};
        result = (int) syscall(SYS_landlock_add_rule, ruleset, PATH_BENEATH, &rule, 0);
    }
    close_fd(&fd);
    return result;
}

/*
 * The error of making a device node, which nobody here may: EPERM for want of the capability, and before
 * that is looked at EACCES by Landlock. Not the node 0, 0 that is free for everybody: Linux 6.1 lets it pass.
 */
static int refusal_of_device(const char *place) {
    static const char name[] = ".glovebox-probe";
    int directory = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC), error = 0;
    if (directory < 0) return errno;
    if (mknodat(directory, name, S_IFCHR | 0600, makedev(1, 3)) < 0) error = errno;
    else unlinkat(directory, name, 0);
    close_fd(&directory);
    return error;
}

static int enter(int abi, char *const *places, const char **step) {
    struct ruleset rules = {known(abi, WRITE_FILE | REMOVE_ANY | MAKE_CHAR | MAKE_BLOCK | MAKE_ANY | REFER | TRUNCATE | IOCTL_DEV),
                            0, abi < ABI_SCOPE ? 0 : SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL};
    char path[32];
    int result = 0, ruleset = (int) syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    *step = "ruleset";
    if (ruleset < 0) return -1;
    for (size_t i = 0; result == 0 && i < sizeof devices / sizeof devices[0]; i++) {
        snprintf(path, sizeof path, "/dev/%s", devices[i]);
        result = permit(ruleset, abi, path, true);
        if (result < 0 && errno == ENOENT) result = 0;
        *step = devices[i];
    }
    for (; result == 0 && *places != NULL; places++) {
        *step = *places;
        result = permit(ruleset, abi, *places, false);
    }
    if (result == 0) {
        *step = "restrict";
        /* What is refused is no line in the host's log, or an agent could fill it. */
        result = (int) syscall(SYS_landlock_restrict_self, ruleset,
                               abi < ABI_LOG ? 0 : LOG_SAME_EXEC_OFF | LOG_SUBDOMAINS_OFF);
    }
    close_fd(&ruleset);
    return result;
}

/* Answers with the ABI in force, 0 if the kernel offers none; and believes only what it has tried. */
void confine(const struct request *r) {
    static bool done;
    const char *step = "not in force";
    int abi = confine_offered();
    violated = done || processes_started(); /* out of the domain we could not even kill it */
    for (size_t i = 0; i < r->string_count; i++) violated |= r->strings[i][0] != '/';
    if (violated) return;
    done = true;
    if (abi > 0) {
        int before = refusal_of_device(r->strings[0]);
        int result = enter(abi, r->strings, &step);
        if (result == 0 && (before == EACCES || refusal_of_device(r->strings[0]) != EACCES)) {
            step = "not in force";
            errno = EPROTO;
            result = -1;
        }
        if (result < 0) {
            answer(r->id, -1, step);
            return;
        }
    }
    say_number(RESULT, r->id, (uint64_t) abi, 4);
}
