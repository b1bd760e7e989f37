/* bw-kernel: what bellwire lets run with privileges, and nothing else: it sees into the kernel by read-only BPF programs.
 *
 *     bw-kernel check              whether it can, and what this kernel has to tell
 *     bw-kernel events FD [exits]  what its tracepoints tell of some processes, into a ring in shared memory
 *     bw-kernel topology PID       what a process has registered with KVM, each time that it is asked
 *
 * What goes wrong is one line on stderr: a code, the number of the system's error, and what it is about. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "guard.h"

static const struct {
    const char *name;
    int (*run)(int count, char **arguments, struct failure *why);
} COMMANDS[] = {{"check", command_check}, {"events", command_events}, {"topology", command_topology}};

static int run(int count, char **arguments, struct failure *why)
{
    if (guard_begin(why) < 0 || guard_keep_bpf(why) < 0)
        return -1;
    for (size_t at = 0; count > 1 && at < sizeof COMMANDS / sizeof *COMMANDS; at++)
        if (!strcmp(arguments[1], COMMANDS[at].name))
            return COMMANDS[at].run(count - 2, arguments + 2, why);
    return fail(why, "usage", 0, "");
}

int main(int count, char **arguments)
{
    struct failure why = {"", 0, ""};
    if (run(count, arguments, &why) == 0)
        return fflush(stdout) ? 1 : 0;
    fprintf(stderr, "%s %d %s\n", why.code, why.error, why.about);
    return 1;
}
