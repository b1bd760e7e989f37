/* What this program may do, and for whom.
 *
 * It may be given capabilities by its file (setcap), so that whoever can execute it can see into the kernel. Hence:
 * - It takes nothing of its caller but what it is asked on the command line and by standard input: no environment, no
 *   path, no other file but those that it was told to write to.
 * - It looks only at processes of its caller's user, and at none that has more rights than its caller (as ptrace(2)
 *   would refuse); if the caller is root, at every process.
 * - It ends with its caller. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "failure.h"

/* To be called first: forgets the environment. -1: it has more rights than its caller in another way than by its file. */
int guard_begin(struct failure *why);
/* Keeps of all privileges those that BPF needs. -1: they are not there. */
int guard_keep_bpf(struct failure *why);

/* A process that the caller may look at -> pidfd, by which nobody else can be meant later; -1. */
int guard_process(pid_t pid, struct failure *why);

/* Whether who has started this program is still there. */
bool guard_has_caller(void);
