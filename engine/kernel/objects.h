/* The BPF objects in this program; objects.S, which engine/build.py writes, names each NAME.bpf.c of this folder. */
#pragma once

struct embedded {
    const char *name; /* NULL behind the last one */
    const char *start, *end;
};

extern const struct embedded embedded_objects[];
