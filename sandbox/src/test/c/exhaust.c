/*
 * What an attacker inside a sandbox would use up, as a static program of the tests.
 *
 *   exhaust descriptors       opens /dev/null until refused
 *   exhaust threads           starts threads until refused
 *   exhaust pipes             makes pipes and fills them
 *   exhaust sockets           makes socket pairs and fills them
 *   exhaust epoll             makes epoll instances, each with a watch
 *   exhaust inotify           makes inotify instances
 *   exhaust timers            makes POSIX timers
 *   exhaust signals           queues real-time signals to itself
 *   exhaust locks             takes record locks on single bytes of a file in /tmp
 *   exhaust xattrs DIR        sets extended attributes on files of DIR
 *   exhaust memfds            makes and fills files without a name
 *   exhaust segments          makes and fills System V shared memory, which outlives its maker
 *   exhaust queues            makes and fills System V message queues
 *   exhaust semaphores        makes sets of System V semaphores
 *   exhaust terminals         opens /dev/ptmx until refused
 *   exhaust names N           looks up that many names that are not there
 *   exhaust files DIR N       makes that many empty files
 *   exhaust deep DIR N        makes that many directories, each in the one before
 *   exhaust orphans N         leaves that many grandchildren to pid 1
 *   exhaust zombies N         has that many children end and waits for none, as many at a time as it may
 *   exhaust crashes N         has that many children die of SIGSEGV
 *   exhaust bytes N           writes that many bytes to standard output, one a call
 *   exhaust line MIB          writes a line of that length without its end
 *   exhaust spin              computes until it is killed
 *   exhaust bomb              forks, and each child forks, in sessions of their own, until all are killed
 *   exhaust daemons N         leaves that many grandchildren to pid 1 that wait in sessions of their own until they are killed
 *
 * Says what it reached, "NAME count errno E", and ends; a kill for want of memory on the way is an answer too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define MANY 10000000L

static char block[64 * 1024];

static void more_descriptors(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static long fill(int fd) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (write(fd, block, sizeof block) > 0) {
    }
    return 0;
}

/* Each of these does the thing once more; negative is a refusal. */

static long one_descriptor(long n) { return open("/dev/null", O_RDONLY) < 0 ? -1 : n * 0; }

static void *sleeper(void *unused) {
    for (;;)
        pause();
    return unused;
}

static long one_thread(long unused) {
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    errno = pthread_create(&thread, &small, sleeper, NULL);
    return errno ? -1 : unused * 0;
}

static long one_pipe(long unused) {
    int ends[2];
    return pipe(ends) < 0 ? -1 : fill(ends[1]) + unused * 0;
}

static long one_socket(long unused) {
    int ends[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ? -1 : fill(ends[1]) + unused * 0;
}

static long one_epoll(long n) {
    static int ends[2];
    if (n == 0 && pipe(ends) < 0)
        return -1;
    int fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    return fd < 0 ? -1 : epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event);
}

static long one_inotify(long unused) { return inotify_init() < 0 ? -1 : unused * 0; }

static long one_timer(long unused) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    return timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 ? -1 : unused * 0;
}

static long one_signal(long n) {
    if (n == 0) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        sigprocmask(SIG_BLOCK, &set, NULL);
    }
    return sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 0});
}

static long one_lock(long n) {
    static int fd = -1;
    if (n == 0)
        fd = open("/tmp/locked", O_RDWR | O_CREAT, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * n, .l_len = 1};
    return fd < 0 ? -1 : fcntl(fd, F_SETLK, &lock);
}

static const char *directory = "/tmp";

static long one_attribute(long n) {
    char path[512], name[64];
    snprintf(path, sizeof path, "%s/attributed%ld", directory, n / 8);
    if (n % 8 == 0) {
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        if (fd < 0)
            return -1;
        close(fd);
    }
    snprintf(name, sizeof name, "user.name%ld", n);
    int result = setxattr(path, name, block, 400, 0);
    return result < 0 && errno == ENOSPC && n % 8 != 0 ? 0 : result;
}

static long one_memfd(long unused) {
    int fd = memfd_create("bomb", 0);
    for (int i = 0; fd >= 0 && i < 64; i++)
        if (write(fd, block, sizeof block) < 0)
            return -1;
    return fd < 0 ? -1 : unused * 0;
}

static long one_segment(long unused) {
    int id = shmget(IPC_PRIVATE, 4 << 20, IPC_CREAT | 0600);
    char *at = id < 0 ? (void *) -1 : shmat(id, NULL, 0);
    if (at == (void *) -1)
        return -1;
    memset(at, 1, 4 << 20);
    return unused * 0;
}

static long one_queue(long unused) {
    struct { long type; char text[8000]; } message = {.type = 1};
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    while (id >= 0 && msgsnd(id, &message, sizeof message.text, IPC_NOWAIT) == 0) {
    }
    return id < 0 ? -1 : unused * 0;
}

static long one_set(long unused) { return semget(IPC_PRIVATE, 250, IPC_CREAT | 0600) < 0 ? -1 : unused * 0; }

static long one_terminal(long unused) { return open("/dev/ptmx", O_RDWR | O_NOCTTY) < 0 ? -1 : unused * 0; }

static long one_name(long n) {
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/tmp/not-there-%ld", n);
    stat(path, &status);
    return 0;
}

static long one_file(long n) {
    char path[512];
    snprintf(path, sizeof path, "%s/f%ld", directory, n);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    return fd < 0 ? -1 : close(fd);
}

static long one_deeper(long n) {
    if (n == 0 && chdir(directory) < 0)
        return -1;
    return mkdir("deeper", 0700) < 0 ? -1 : chdir("deeper");
}

/* While there are as many processes as there may be, the earlier ones have to end first. */
static pid_t fork_patiently(void) {
    pid_t pid = fork();
    while (pid < 0 && errno == EAGAIN) {
        sched_yield();
        pid = fork();
    }
    return pid;
}

static long one_orphan(long unused) {
    pid_t pid = fork_patiently();
    if (pid == 0) {
        fork();
        _exit(0);
    }
    return pid < 0 ? -1 : (waitpid(pid, NULL, 0) < 0 ? -1 : unused * 0);
}

static long one_zombie(long unused) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    if (pid < 0 && errno == EAGAIN) {
        while (waitpid(-1, NULL, 0) > 0) {
        }
        return one_zombie(unused);
    }
    return pid < 0 ? -1 : 0;
}

static long one_crash(long unused) {
    pid_t pid = vfork();
    if (pid == 0) {
        *(volatile int *) 8 = 1;
        _exit(0);
    }
    return pid < 0 ? -1 : (waitpid(pid, NULL, 0) < 0 ? -1 : unused * 0);
}

static long one_byte(long n) { return write(1, n % 80 == 79 ? "\n" : "x", 1); }

static long one_mebibyte(long unused) {
    for (int i = 0; i < 16; i++)
        for (size_t done = 0; done < sizeof block;) {
            ssize_t count = write(1, block + done, sizeof block - done);
            if (count < 0)
                return -1;
            done += (size_t) count;
        }
    return unused * 0;
}

static long one_bomb(long unused) {
    for (;;)
        if (fork() == 0)
            setsid();
    return unused;
}

static long one_daemon(long unused) {
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        if (fork() == 0)
            sleeper(NULL);
        _exit(0);
    }
    return pid < 0 ? -1 : (waitpid(pid, NULL, 0) < 0 ? -1 : unused * 0);
}

static long one_turn(long unused) { return unused * 0; }

static const struct {
    const char *name;
    long (*once)(long);
    int quiet;
} ways[] = {
    {"descriptors", one_descriptor, 0}, {"threads", one_thread, 0},   {"pipes", one_pipe, 0},
    {"sockets", one_socket, 0},         {"epoll", one_epoll, 0},      {"inotify", one_inotify, 0},
    {"timers", one_timer, 0},           {"signals", one_signal, 0},   {"locks", one_lock, 0},
    {"xattrs", one_attribute, 0},       {"memfds", one_memfd, 0},     {"segments", one_segment, 0},
    {"queues", one_queue, 0},
    {"semaphores", one_set, 0},         {"terminals", one_terminal, 0},     {"names", one_name, 0},       {"files", one_file, 0},
    {"deep", one_deeper, 0},            {"orphans", one_orphan, 0},   {"zombies", one_zombie, 0},
    {"crashes", one_crash, 0},          {"bytes", one_byte, 1},       {"line", one_mebibyte, 1},
    {"spin", one_turn, 1},              {"bomb", one_bomb, 1},        {"daemons", one_daemon, 0},
};

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    long most = what[0] == 's' && what[1] == 'p' ? __LONG_MAX__ : MANY;
    memset(block, 'x', sizeof block);
    for (int i = 2; i < count; i++) {
        if (words[i][0] == '/')
            directory = words[i];
        else
            most = atol(words[i]);
    }
    more_descriptors();
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(what, ways[i].name))
            continue;
        long n = 0;
        errno = 0;
        while (n < most && ways[i].once(n) >= 0)
            n++;
        if (!ways[i].quiet)
            printf("%s %ld errno %d\n", what, n, n < most ? errno : 0);
        return 0;
    }
    fprintf(stderr, "not known: %s\n", what);
    return 2;
}
