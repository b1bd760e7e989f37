/* The ring in shared memory by which records leave this program: a page of counters, then the records.
 *
 * One process writes, one reads (engine/kernel/records.py). head counts the records written, tail those taken; both only
 * grow. A record is there before head says so; it may be written over once tail says that it was taken. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#include "failure.h"
#include "record.h"

#define BW_SHARED_PAGE 4096
#define BW_SHARED_RECORDS (1u << 17)

struct shared {
    _Alignas(64) _Atomic uint64_t head;
    _Atomic uint64_t complete;    /* TSC: every record of an earlier time is there */
    _Atomic uint64_t lost;        /* records that found the kernel's ring full */
    _Atomic uint64_t error;       /* cycles by which times may be off */
    _Atomic uint64_t tracepoints; /* that are listened to, and functions that are probed: a bit each (functions.h) */
    _Alignas(64) _Atomic uint64_t tail; /* the reader's */
    _Alignas(BW_SHARED_PAGE) struct bw_kernel_record records[BW_SHARED_RECORDS];
};

/* Of a memfd of that size which nobody can make smaller. NULL: why. */
struct shared *shared_open(int fd, struct failure *why);
uint64_t shared_room(const struct shared *shared);
void shared_put(struct shared *shared, const struct bw_kernel_record *record); /* there must be room */
