/* What this program can be asked: one function and one file each. -1: why. */
#pragma once
#include "failure.h"

int command_events(int count, char **arguments, struct failure *why);
int command_check(int count, char **arguments, struct failure *why);
int command_topology(int count, char **arguments, struct failure *why);
