/* What both programs begin with: no more rights than they need, then the command that is asked for.
 *
 * What goes wrong is one line on stderr: a code, the number of the system's error, and what it is about. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "guard.h"

static int run(int count, char **arguments, struct failure *why)
{
    if (guard_begin(why) < 0 || commands_begin(why) < 0)
        return -1;
    for (const struct command *one = commands; count > 1 && one->name; one++)
        if (!strcmp(arguments[1], one->name))
            return one->run(count - 2, arguments + 2, why);
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
