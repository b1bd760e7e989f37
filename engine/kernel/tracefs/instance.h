/* An instance of tracefs: ring buffers of our own, in which nobody else's tracing is seen (Linux:
 * Documentation/trace/ftrace.rst, "Instances").
 *
 * Guarantees:
 * - Its clock is the TSC, as that of every event of bellwire.
 * - It is named after the process that has made it, and when that began: bellwire-PID-STARTTIME, with what it is for.
 * - If that process is killed, the kernel stops tracing and gives the memory back (`free_buffer`), and whoever asks for
 *   an instance next removes it. One that anybody still reads is never removed: the kernel refuses to. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "failure.h"

#define LONGEST_PATH 256
#define MOST_CPUS 1024

struct instance {
    char path[LONGEST_PATH]; /* "": there is none */
    int free_buffer;
    int cpus;
    int pages[MOST_CPUS]; /* trace_pipe_raw of each CPU that there is; -1 */
};

/* Sees to it that tracefs is there, for this program alone if nobody else has mounted it. */
int tracefs_begin(struct failure *why);
/* Removes the instances of processes that have ended. */
void instances_sweep(void);

/* kilobytes: of each CPU's ring buffer. It does not trace yet. */
int instance_open(struct instance *instance, const char *purpose, unsigned kilobytes, struct failure *why);
void instance_close(struct instance *instance);

/* Writes a file of it, such as "tracing_on". -1: errno. */
int instance_write(const struct instance *instance, const char *file, const char *text);
/* Adds to one that holds a list. */
int instance_add(const struct instance *instance, const char *file, const char *text);
/* To read one of it; NULL: errno. */
FILE *instance_read(const struct instance *instance, const char *file);

/* A whole file of tracefs as text, such as "events/kvm/kvm_pio/format". Whether there is one that fits. */
bool tracefs_read(const char *file, char *text, size_t size);
