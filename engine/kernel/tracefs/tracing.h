/* Two instances of tracefs, and what they have told and nobody has taken yet, as records in the order of their time.
 *
 * - One traces the threads of the processes that are asked for, and those that they begin (set_event_pid, event-fork);
 *   also the wake-ups of such threads, and switches to them, by whomever.
 * - One traces the kernel's workers that do an irqfd's work; for whom, told.h decides.
 *
 * Guarantees:
 * - Every record of an earlier time than `until` is there, as long as no CPU needs longer than from one tracing_read() to
 *   the next to write a record once it has taken its time. One that needs longer is lost, and counted.
 * - What found the kernel's ring buffers full is counted. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "record.h"
#include "told.h"

/* Room for a page more of each CPU than can be told, of both instances. */
#define MOST_RECORDS (1u << 20)

struct traced {
    struct bw_kernel_record record;
    uint64_t place; /* in the order in which they were read: of one CPU that in which they happened */
};

struct tracing {
    uint64_t known;    /* tracepoints (tracepoints.h) that this program listens to, a bit each */
    uint64_t listened; /* those of them that there are */
    uint64_t read;     /* TSC of the newest reading */
    uint64_t until;    /* TSC */
    uint64_t lost;
    uint64_t places;
    size_t count;
    struct traced traced[MOST_RECORDS];
};

/* Makes the instances, and removes those of who has been killed. -1: why; tracing_end() is to be called either way. */
int tracing_begin(struct tracing *tracing, struct failure *why);
void tracing_end(void);

/* Traces threads from now on; numbers: in decimal, with blanks between. */
int tracing_add(const char *numbers, struct failure *why);
/* Looks which threads are traced; tracing_has: whether one was. */
int tracing_look(struct failure *why);
bool tracing_has(uint32_t number);
/* Reads what there is, as far as it fits, and puts all of it in order. */
void tracing_read(struct tracing *tracing);
void tracing_pass(struct tracing *tracing, size_t count); /* the oldest ones were taken */
