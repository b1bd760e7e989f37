/* The tracepoints that are listened to, and how many arguments each of them must hand out: a kernel that hands out
 * fewer means something else by the name, and is not listened to. */
#pragma once
#include <stdint.h>

struct tracepoint {
    const char *name; /* NULL behind the last one */
    uint32_t arguments;
};

extern const struct tracepoint tracepoints[];
