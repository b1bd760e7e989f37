#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "counting.h"
#include "hits.h"
#include "object.h"

#define PIO_BUS 1  /* enum kvm_bus */

int counting_begin(struct counting *counting, struct failure *why)
{
    uint32_t settings = 0;
    struct bpf_program *program;
    size_t attached = 0;
    counting->object = object_open("hits", &settings, sizeof settings, why);
    if (!counting->object)
        return -1;
    if (object_load(counting->object, why) < 0)
        return -1;
    bpf_object__for_each_program(program, counting->object) {
        struct bpf_link *link = bpf_program__attach(program);
        if (!link && errno != ENOENT)
            return fail(why, "refused", errno, "attach");
        if (link && attached < COUNTING_PROGRAMS)
            counting->links[attached++] = link;
    }
    return attached ? 0 : fail(why, "no-kvm", 0, "");
}

void counting_end(struct counting *counting)
{
    for (size_t at = 0; at < COUNTING_PROGRAMS; at++)
        bpf_link__destroy(counting->links[at]);
    bpf_object__close(counting->object);
}

/* A place keeps that a value matters once one of its doorbells has said so. */
static void name_place(int places, struct hit_place place, uint32_t matters)
{
    uint32_t known = 0;
    if (bpf_map_lookup_elem(places, &place, &known) < 0 || known < matters)
        bpf_map_update_elem(places, &place, &matters, BPF_ANY);
}

void counting_watch(struct counting *counting, const struct topology_record *records, size_t count)
{
    int places = object_map(counting->object, "places"), vmm = object_map(counting->object, "vmm");
    uint32_t first = 0;
    for (const struct topology_record *record = records; record < records + count; record++) {
        const __u64 *value = record->value;
        if (record->kind == BW_SEEN_VM) {
            uint32_t tgid = (uint32_t)value[1];
            bpf_map_update_elem(vmm, &first, &tgid, BPF_ANY);
        } else if (record->kind == BW_SEEN_IOEVENTFD) {
            uint32_t kind = value[0] == PIO_BUS ? BW_HIT_PIO : BW_HIT_MMIO;
            name_place(places, (struct hit_place){.address = value[1], .kind = kind}, !value[4]);
            if (kind == BW_HIT_MMIO)
                name_place(places, (struct hit_place){.address = value[1], .kind = BW_HIT_FAST_MMIO}, 0);
        }
    }
}

void counting_tell(struct counting *counting, int (*take)(void *, void *, size_t), void *context)
{
    int hits = object_map(counting->object, "hits");
    struct hit_key key, next;
    uint64_t count;
    for (void *before = NULL; bpf_map_get_next_key(hits, before, &next) == 0; before = &key) {
        key = next;
        if (bpf_map_lookup_elem(hits, &key, &count) < 0)
            continue;
        struct topology_record record = {
            .kind = BW_SEEN_HIT, .fd = key.kind, .value = {key.address, key.length, key.value, count}};
        take(context, &record, sizeof record);
    }
}
