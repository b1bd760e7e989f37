/* bw-tracefs: what bw-kernel's tracepoints tell, for root where there can be no BPF: by instances of tracefs.
 *
 *     bw-tracefs check         whether it can, and what this kernel has to tell; removes instances of who was killed
 *     bw-tracefs events FD     what its tracepoints tell of some processes, into a ring in shared memory
 *
 * What goes wrong is one line on stderr: a code, the number of the system's error, and what it is about. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "guard.h"
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

static int run(int count, char **arguments, struct failure *why)
{
    if (guard_begin(why) < 0)
        return -1;
    if (count > 1 && !strcmp(arguments[1], "check"))
        return command_check(count - 2, arguments + 2, why);
    if (count > 1 && !strcmp(arguments[1], "events"))
        return command_events(count - 2, arguments + 2, why);
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
