/* Where the running kernel keeps what we read: byte offsets of members, out of the types that it describes itself (BTF).
 *
 * Guarantees:
 * - A type or a member that is not there is BW_UNKNOWN, "this kernel does not tell", and never an end of the program: a
 *   BPF program is loaded whether it can read a member or not, and leaves out what it cannot.
 * - KVM's types are looked for in KVM's own modules first, then in the kernel. */
#pragma once
#include <stdint.h>

#include "failure.h"

#define BW_UNKNOWN UINT32_MAX

struct btf;

struct kernel_types {
    struct btf *kernel;
    struct btf *kvm; /* of the module; NULL where KVM is part of the kernel, or the module does not tell */
    struct btf *vendor; /* the same of its part for Intel's or AMD's CPUs */
};

int kernel_types_open(struct kernel_types *types, struct failure *why);
void kernel_types_close(struct kernel_types *types);

/* The offset of a member of a struct in bytes; `path` may lead into members: "f_path.dentry". Members of unions and
 * structs without a name are found by their own names. */
uint32_t offset_of(const struct kernel_types *types, const char *type, const char *path);

/* How many arguments a tracepoint hands to a raw BPF program; BW_UNKNOWN if this kernel does not tell. */
uint32_t arguments_of(const struct kernel_types *types, const char *tracepoint);

/* How many arguments a function has; BW_UNKNOWN if this kernel does not tell, or has none of that name. */
uint32_t parameters_of(const struct kernel_types *types, const char *function);

/* The length of a struct in bytes. */
uint32_t size_of(const struct kernel_types *types, const char *type);
