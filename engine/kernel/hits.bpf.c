/* How often a VM's doorbells were rung, place by place: counted where it happens.
 *
 * Guarantees:
 * - What is not at a place that user space has named is passed over: one look into a table.
 * - A doorbell counts if a thread of the VMM's has rung it, a vCPU.
 * - No count is ever lower than before: the oldest one goes if there are too many, and begins anew. */
#include "bpf.h"
#include "hits.h"

#define WRITES_PIO 1  /* KVM_PIO_OUT */
#define WRITES_MMIO 2 /* KVM_TRACE_MMIO_WRITE */

char LICENSE[] SEC("license") = "GPL";

const volatile struct {
    u32 unused;
} settings SETTINGS = {0};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, struct hit_place);
    __type(value, u32); /* 1: the value that is written matters */
} places SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct hit_key);
    __type(value, u64);
} hits SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u32);
} vmm SEC(".maps"); /* its tgid */

static __always_inline int is_vmm(void)
{
    u32 first = 0;
    u32 *tgid = bpf_map_lookup_elem(&vmm, &first);
    return tgid && *tgid == (u32)(bpf_get_current_pid_tgid() >> 32);
}

static __always_inline void add(struct hit_key *key, u64 count)
{
    u64 *known = bpf_map_lookup_elem(&hits, key);
    if (known)
        __sync_fetch_and_add(known, count);
    else
        bpf_map_update_elem(&hits, key, &count, BPF_NOEXIST);
}

/* What was written, zero-extended, as KVM compares it. */
static __always_inline u64 value_at(const void *from, u32 length)
{
    return length == 1 ? read1(from, 0) : length == 2 ? (u16)read4(from, 0) : length == 4 ? read4(from, 0) : read8(from, 0);
}

/* A write of the guest's. `from`: where its value is. */
static __always_inline void written(u32 kind, u64 address, u32 length, const void *from, u64 count)
{
    struct hit_place place = {.address = address, .kind = kind};
    u32 *matters = bpf_map_lookup_elem(&places, &place);
    if (!matters || !is_vmm())
        return;
    struct hit_key key = {.address = address, .kind = kind, .length = length};
    if (*matters)
        key.value = value_at(from, length);
    add(&key, count);
}

SEC("raw_tp/kvm_pio")
int on_pio(struct bpf_raw_tracepoint_args *arguments)
{
    if ((u32)arguments->args[0] == WRITES_PIO)
        written(BW_HIT_PIO, (u32)arguments->args[1], (u32)arguments->args[2], (void *)arguments->args[4],
                (u32)arguments->args[3]);
    return 0;
}

SEC("raw_tp/kvm_mmio")
int on_mmio(struct bpf_raw_tracepoint_args *arguments)
{
    if ((u32)arguments->args[0] == WRITES_MMIO)
        written(BW_HIT_MMIO, arguments->args[2], (u32)arguments->args[1], (void *)arguments->args[3], 1);
    return 0;
}

SEC("raw_tp/kvm_fast_mmio")
int on_fast_mmio(struct bpf_raw_tracepoint_args *arguments)
{
    written(BW_HIT_FAST_MMIO, arguments->args[0], 0, 0, 1);
    return 0;
}
