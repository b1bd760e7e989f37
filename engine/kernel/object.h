/* A BPF object of this program: one purpose each, compiled from NAME.bpf.c and carried in the program itself. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

struct bpf_object;

/* Opens one; what its programs have to know is copied into its section .rodata.settings. NULL: why. */
struct bpf_object *object_open(const char *name, const void *settings, size_t size, struct failure *why);

/* Loads its programs into the kernel; they do nothing until they are attached. -1: why. */
int object_load(struct bpf_object *object, struct failure *why);

/* The file descriptor of one of its maps; -1: it has none of that name. */
int object_map(const struct bpf_object *object, const char *name);
