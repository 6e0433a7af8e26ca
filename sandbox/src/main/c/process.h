/* The processes of the sandbox: a fixed table, their pipes or terminals, and the credit of each stream. */
#ifndef GLOVEBOX_PROCESS_H
#define GLOVEBOX_PROCESS_H

#include <poll.h>
#include <sys/ioctl.h>

#include "wire.h"

#define POLL_MAX (2 + 3 * MAX_PROCESSES)

/* The descriptors of one poll(2) call; rebuilt each time from the state, so that it cannot go stale. */
struct poll_set { struct pollfd fds[POLL_MAX]; nfds_t count; };
int poll_add(struct poll_set *set, int fd, short events); /* index for poll_ready, -1 if fd < 0 */
short poll_ready(const struct poll_set *set, int index);

bool process_start(const struct request *request);   /* false = the id is in use: a violation */
bool process_stdin(const struct request *request);   /* false = more than the credit: a violation */
bool process_credit(const struct request *request);  /* false = absurd credit: a violation */
void process_close(const struct request *request);
void process_signal(const struct request *request);
void process_resize(const struct request *request);
void processes_reap(void);
void processes_watch(struct poll_set *set);
void processes_pump(const struct poll_set *set);
void processes_kill_all(void);

/* child.c: everything between fork and exec. */
struct launch {
    char *const *argv, **envp;
    const char *cwd;
    int stdio[3];  /* all the same descriptor for a terminal */
    bool terminal;
};
pid_t launch(const struct launch *launch, int *error, const char **step);

#endif
