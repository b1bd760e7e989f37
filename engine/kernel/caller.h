/* Who has started this program, and which processes it asks for: lines of standard input, whose end ends this program.
 *
 * "process PID": what its guests do, and all of its threads; "process PID THREAD ...": of its threads those for
 * themselves. Standard output answers each: "process PID", or what is wrong with it as main.c would write it. */
#pragma once
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"

#define BW_MOST_PROCESSES 64
#define BW_LONGEST_LINE 16384

struct process {
    pid_t number;
    unsigned threads; /* that are named; 0: all of them are meant */
    uint32_t thread[BW_LONGEST_LINE / 2];
};

struct caller {
    int (*begin)(void *watch, const struct process *process, struct failure *why); /* -1: it cannot be watched */
    void (*forget)(void *watch, pid_t process); /* it has ended: its number may be another one's soon */
    void *watch;
    struct pollfd pidfds[BW_MOST_PROCESSES];
    pid_t pids[BW_MOST_PROCESSES];
    unsigned count;
    char line[BW_LONGEST_LINE]; /* of standard input, as far as it has come */
    size_t length;
};

/* Says that this program watches, and that it takes no CPU away from whom it watches. */
void caller_begin(void);
/* Forgets who has ended, and waits so long for what the caller says, and does it. Whether the caller goes on. */
bool caller_turn(struct caller *caller, int milliseconds);
