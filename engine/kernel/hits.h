/* What hits.bpf.c counts, and where. */
#pragma once
#include <linux/types.h>

enum hit_kind {
    BW_HIT_PIO = 1,   /* the guest wrote to a port */
    BW_HIT_MMIO,      /* the guest wrote to an address */
    BW_HIT_FAST_MMIO, /* the same, without length and value: the fast bus does not look at them */
};

/* A place that is counted. */
struct hit_place {
    __u64 address;
    __u32 kind, unused;
};

/* What is counted apart. value: what was written, where it matters. */
struct hit_key {
    __u64 address, value;
    __u32 kind, length;
};
