/* What every BPF program here begins with. No types of the kernel: where they keep what is read, user space finds out
 * (offsets.h) and tells in .rodata.settings, so that one object fits every kernel. */
#pragma once
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;

#define UNKNOWN 0xffffffffu /* an offset that this kernel does not tell */
#define SETTINGS __attribute__((section(".rodata.settings")))

/* A member of 8, 4 or 1 bytes at an offset; 0 if it cannot be read, or its place is not known. */
static __always_inline u64 read8(const void *base, u32 offset)
{
    u64 value = 0;
    if (base && offset != UNKNOWN)
        bpf_probe_read_kernel(&value, sizeof value, (const char *)base + offset);
    return value;
}

static __always_inline u32 read4(const void *base, u32 offset)
{
    u32 value = 0;
    if (base && offset != UNKNOWN)
        bpf_probe_read_kernel(&value, sizeof value, (const char *)base + offset);
    return value;
}

static __always_inline u8 read1(const void *base, u32 offset)
{
    u8 value = 0;
    if (base && offset != UNKNOWN)
        bpf_probe_read_kernel(&value, sizeof value, (const char *)base + offset);
    return value;
}

static __always_inline void *read_pointer(const void *base, u32 offset)
{
    return (void *)read8(base, offset);
}
