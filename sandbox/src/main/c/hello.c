/*
 * HELLO: what init sees of its own confinement, for the worker to judge before anything runs. Facts only;
 * what cannot be read is left out, and the worker refuses what is missing. All of it is said at once, so
 * that looking costs the worker no questions.
 */
#include "init.h"
#include <stdarg.h>
#include <sys/sysmacros.h>

#define ROOM 16384
#define DEVICES_MAX 64

static char text[ROOM];
static size_t size;

/* One line. There is room for all there can be; if not, the worker is told nothing at all. */
static void fact(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text + size, ROOM - size, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t) length >= ROOM - size) abort();
    size += (size_t) length;
}

/* The lines of a small file as one, with ';' between them. */
static void fact_of_file(const char *key, const char *path) {
    char line[512];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof line);
    close_fd(&fd);
    while (length > 0 && length < (ssize_t) sizeof line && line[length - 1] == '\n') length--;
    if (length <= 0 || length == sizeof line) return;
    for (ssize_t i = 0; i < length; i++)
        if (line[i] == '\n') line[i] = ';';
    fact("%s\t%.*s\n", key, (int) length, line);
}

static void namespaces(void) {
    static const char *const types[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    char path[32], link[64];
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        snprintf(path, sizeof path, "/proc/self/ns/%s", types[i]);
        ssize_t length = readlink(path, link, sizeof link);
        if (length > 0) fact("ns/%s\t%.*s\n", types[i], (int) length, link);
    }
}

/* Soft and hard, by the names of getrlimit(2); "unlimited" is the largest number. */
static void limits(void) {
    static const struct { const char *name; int number; } known[] = {
        {"CORE", RLIMIT_CORE}, {"FSIZE", RLIMIT_FSIZE}, {"MEMLOCK", RLIMIT_MEMLOCK}, {"MSGQUEUE", RLIMIT_MSGQUEUE},
        {"NICE", RLIMIT_NICE}, {"NOFILE", RLIMIT_NOFILE}, {"RTPRIO", RLIMIT_RTPRIO},
        {"SIGPENDING", RLIMIT_SIGPENDING}, {"STACK", RLIMIT_STACK}};
    struct rlimit limit;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (getrlimit((__rlimit_resource_t) known[i].number, &limit) == 0)
            fact("rlimit/%s\t%llu %llu\n", known[i].name, (unsigned long long) limit.rlim_cur,
                 (unsigned long long) limit.rlim_max);
}

/* One entry of /dev: a device with its numbers, or one letter. A name that is none of ours may be anything. */
static void device(int directory, const char *name) {
    struct stat st;
    for (const char *c = name; *c != 0; c++)
        if (*c < '!' || *c > '~') name = "?";
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0) fact("dev/%.32s\t?\n", name);
    else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        fact("dev/%.32s\t%c %u:%u\n", name, S_ISCHR(st.st_mode) ? 'c' : 'b', major(st.st_rdev), minor(st.st_rdev));
    else fact("dev/%.32s\t%c\n", name, S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : '-');
}

static void devices(void) {
    static _Alignas(struct dirent64) char records[8192];
    int left = DEVICES_MAX, directory = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;
    for (long count; left > 0 && (count = syscall(SYS_getdents64, directory, records, sizeof records)) > 0;)
        for (long at = 0; at < count && left > 0;) {
            struct dirent64 *record = (struct dirent64 *) (records + at);
            at += record->d_reclen;
            if (strcmp(record->d_name, ".") == 0 || strcmp(record->d_name, "..") == 0) continue;
            device(directory, record->d_name);
            if (--left == 0) fact("dev/...\t?\n");
        }
    close_fd(&directory);
}

void say_hello(void) {
    fact("protocol\t%d\npid\t%d\nuid\t%d\ngid\t%d\ndumpable\t%d\nno_new_privs\t%d\nlandlock\t%d\n", PROTOCOL_VERSION,
         getpid(), (int) getuid(), (int) getgid(), prctl(PR_GET_DUMPABLE), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
         confine_offered());
    namespaces();
    fact_of_file("uid_map", "/proc/self/uid_map");
    fact_of_file("gid_map", "/proc/self/gid_map");
    fact_of_file("oom_score_adj", "/proc/self/oom_score_adj");
    limits();
    devices();
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text + size, ROOM - size);
    close_fd(&fd);
    say_bytes(HELLO, 0, text, size + (length > 0 ? (size_t) length : 0));
}
