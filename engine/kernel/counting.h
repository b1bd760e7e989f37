/* Counts how often what a look has seen is used, from the first look on: hits.bpf.c. */
#pragma once
#include <stddef.h>

#include "failure.h"
#include "topology.h"

struct bpf_object;
struct bpf_link;

#define COUNTING_PROGRAMS 4

struct counting {
    struct bpf_object *object; /* NULL: nothing is counted */
    struct bpf_link *links[COUNTING_PROGRAMS];
};

/* -1: why. A tracepoint that this kernel does not have is not listened to. */
int counting_begin(struct counting *counting, struct failure *why);
void counting_end(struct counting *counting);

/* From now on the doorbells among these records are counted. */
void counting_watch(struct counting *counting, const struct topology_record *records, size_t count);

/* Calls `take` for each count, as a BW_SEEN_HIT. */
void counting_tell(struct counting *counting, int (*take)(void *, void *, size_t), void *context);
