/* The functions of the kernel that are probed where it lets them be (CONFIG_KPROBES), each as it is entered, and how many
 * arguments each must have. What is not there by its name, as the compiler has dissolved it into others, is not probed.
 *
 * What is watched is one number of 64 bits (engine/events.py): below PROBES_BIT a bit for each tracepoint, from there on
 * one for each function, and from PROBES_LACK_BIT on why there are none. */
#pragma once
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#define PROBES_BIT 32
#define PROBES_LACK_BIT 56

enum probes_lack { PROBES_LACK_NOTHING, PROBES_LACK_SUPPORT, PROBES_LACK_PERMISSION, PROBES_LACK_FUNCTIONS };

struct function {
    const char *name; /* NULL behind the last one */
    uint32_t arguments;
};

extern const struct function functions[];

/* Whether this kernel can probe functions at all. */
bool functions_can_be_probed(void);

/* Whether a probe that failed with this error failed for want of the function: there is none of the name, there are
 * several, or it must not be probed. */
static inline bool function_is_missing(int error)
{
    return error == ENOENT || error == EADDRNOTAVAIL || error == EINVAL || error == ENXIO;
}
