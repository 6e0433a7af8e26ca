/* What the files of the attacking program share. */
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int in_child(long (*act)(long), long argument); /* its errno, 0 = success, 1000 + N = signal N */
void say(const char *name, int error);          /* "name error", a line */
void numbers(void);                             /* attack_numbers.c */
