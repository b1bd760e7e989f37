/* bw-tracefs: what bw-kernel's tracepoints tell, for root where there can be no BPF: by instances of tracefs.
 *
 *     bw-tracefs check         whether it can, and what this kernel has to tell; removes instances of who was killed
 *     bw-tracefs events FD     what its tracepoints tell of some processes, into a ring in shared memory */
#include "commands.h"

#include <stddef.h>
#include <stdio.h>

#include "tracepoints.h"
#include "tracing.h"

int command_check(int count, char **arguments, struct failure *why)
{
    static struct tracing tracing;
    (void)arguments;
    if (count)
        return fail(why, "usage", 0, "");
    int result = tracing_begin(&tracing, why);
    for (int bit = 0; result == 0 && tracepoints[bit].name; bit++)
        if (tracing.known >> bit & 1)
            printf("tracepoint %s %s\n", tracepoints[bit].name, tracing.listened >> bit & 1 ? "yes" : "no");
    tracing_end();
    return result;
}

const struct command commands[] = {{"check", command_check}, {"events", command_events}, {NULL, NULL}};

int commands_begin(struct failure *why)
{
    (void)why;
    return 0;
}
