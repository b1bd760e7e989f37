/* What a program can be asked for: one function and one file each. -1: why. */
#pragma once
#include "failure.h"

struct command {
    const char *name; /* NULL: there is no more */
    int (*run)(int count, char **arguments, struct failure *why);
};

/* Each program's own. */
extern const struct command commands[];
int commands_begin(struct failure *why);

int command_events(int count, char **arguments, struct failure *why);
int command_check(int count, char **arguments, struct failure *why);
int command_topology(int count, char **arguments, struct failure *why);
