#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caller.h"
#include "guard.h"

void caller_begin(void)
{
    struct sched_param none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    printf("ready\n");
    fflush(stdout);
}

/* -1: the line says something else. */
static int read_process(char *words, struct process *process)
{
    char *rest = NULL, *word = strtok_r(words, " ", &rest);
    if (!word || strcmp(word, "process") || !(word = strtok_r(NULL, " ", &rest)))
        return -1;
    process->number = atoi(word);
    process->threads = 0;
    while ((word = strtok_r(NULL, " ", &rest)))
        process->thread[process->threads++] = (uint32_t)atoi(word);
    return process->number > 0 ? 0 : -1;
}

static int add(struct caller *caller, char *words, struct failure *why)
{
    static struct process process;
    if (read_process(words, &process) < 0 || caller->count == BW_MOST_PROCESSES)
        return fail(why, "usage", 0, "");
    int fd = guard_process(process.number, why);
    if (fd < 0)
        return -1;
    caller->pidfds[caller->count] = (struct pollfd){.fd = fd, .events = POLLIN};
    caller->pids[caller->count++] = process.number;
    if (caller->begin(caller->watch, &process, why) < 0)
        return -1;
    printf("process %d\n", (int)process.number);
    return 0;
}

static void forget_ended(struct caller *caller)
{
    if (poll(caller->pidfds, caller->count, 0) <= 0)
        return;
    for (unsigned at = caller->count; at-- > 0;) {
        if (!caller->pidfds[at].revents)
            continue;
        caller->forget(caller->watch, caller->pids[at]);
        close(caller->pidfds[at].fd);
        caller->pidfds[at] = caller->pidfds[--caller->count];
        caller->pids[at] = caller->pids[caller->count];
    }
}

/* Does what the whole lines of standard input say. -> whether there may be more. */
static bool listen_to(struct caller *caller)
{
    ssize_t count = read(STDIN_FILENO, caller->line + caller->length, sizeof caller->line - 1 - caller->length);
    if (count <= 0)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    caller->length += (size_t)count;
    caller->line[caller->length] = 0;
    for (char *end; (end = strchr(caller->line, '\n'));) {
        *end = 0;
        struct failure why = {"", 0, ""};
        if (add(caller, caller->line, &why) < 0)
            printf("%s %d %s\n", why.code, why.error, why.about);
        caller->length -= (size_t)(end + 1 - caller->line);
        memmove(caller->line, end + 1, caller->length + 1);
    }
    fflush(stdout);
    return caller->length < sizeof caller->line - 1;
}

bool caller_turn(struct caller *caller, int milliseconds)
{
    struct pollfd said = {.fd = STDIN_FILENO, .events = POLLIN};
    forget_ended(caller);
    if (poll(&said, 1, milliseconds) > 0 && !listen_to(caller))
        return false;
    return guard_has_caller();
}
