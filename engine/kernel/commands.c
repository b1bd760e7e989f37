/* bw-kernel: what bellwire lets run with privileges, and nothing else: it sees into the kernel by read-only BPF programs.
 *
 *     bw-kernel check              whether it can, and what this kernel has to tell
 *     bw-kernel events FD [exits]  what its tracepoints tell of some processes, into a ring in shared memory
 *     bw-kernel topology PID       what a process has registered with KVM, each time that it is asked */
#include "commands.h"

#include <stddef.h>

#include "guard.h"

const struct command commands[] = {
    {"check", command_check}, {"events", command_events}, {"topology", command_topology}, {NULL, NULL}};

int commands_begin(struct failure *why)
{
    return guard_keep_bpf(why);
}
