/*
 * What becomes of every system call there is, known or not:
 *
 *   attack numbers       "number errno" a line for 0 to 600; 1000 + N = signal N, 2000 = not tried
 *
 * All arguments are -1, so that what is let through fails or does nothing. Each is made by a child of
 * its own, which an alarm ends if it waits.
 */
#include "attack.h"

#define LAST 600

static bool tried(long number) {
    /* They would end or copy the child in a way that says nothing of what the filter does. */
    static const long not[] = {SYS_exit, SYS_exit_group, SYS_rt_sigreturn,
#ifdef __x86_64__
                               SYS_fork, SYS_vfork
#endif
    };
    for (size_t i = 0; i < sizeof not / sizeof not[0]; i++)
        if (not[i] == number)
            return false;
    return true;
}

static long act(long number) {
    alarm(1);
    return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
}

void numbers(void) {
    for (long number = 0; number <= LAST; number++)
        printf("%ld %d\n", number, tried(number) ? in_child(act, number) : 2000);
}
