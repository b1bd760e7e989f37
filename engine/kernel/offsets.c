#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "offsets.h"

#define OF_KERNEL "/sys/kernel/btf/vmlinux"
#define OF_KVM "/sys/kernel/btf/kvm"
#define OF_INTEL "/sys/kernel/btf/kvm_intel"
#define OF_AMD "/sys/kernel/btf/kvm_amd"
#define LONGEST_NAME 128

int kernel_types_open(struct kernel_types *types, struct failure *why)
{
    *types = (struct kernel_types){0};
    types->kernel = btf__parse(OF_KERNEL, NULL);
    if (!types->kernel)
        return fail(why, "no-btf", errno, "");
    if (access(OF_KVM, R_OK) == 0)
        types->kvm = btf__parse_split(OF_KVM, types->kernel);
    const char *vendor = access(OF_INTEL, R_OK) == 0 ? OF_INTEL : OF_AMD;
    if (access(vendor, R_OK) == 0)
        types->vendor = btf__parse_split(vendor, types->kernel);
    return 0;
}

void kernel_types_close(struct kernel_types *types)
{
    btf__free(types->vendor);
    btf__free(types->kvm);
    btf__free(types->kernel);
    *types = (struct kernel_types){0};
}

/* The type behind const, volatile and typedefs. */
static const struct btf_type *bare(const struct btf *btf, uint32_t id)
{
    const struct btf_type *type = btf__type_by_id(btf, id);
    while (type && (btf_is_mod(type) || btf_is_typedef(type)))
        type = btf__type_by_id(btf, type->type);
    return type;
}

/* Adds the offset of a member to `offset`. Returns the member's type; 0: there is none of that name. */
static uint32_t member(const struct btf *btf, uint32_t id, const char *name, uint32_t *offset)
{
    const struct btf_type *type = bare(btf, id);
    if (!type || !btf_is_composite(type))
        return 0;
    const struct btf_member *members = btf_members(type);
    for (uint32_t at = 0; at < btf_vlen(type); at++) {
        const char *found = btf__name_by_offset(btf, members[at].name_off);
        uint32_t inside = 0, place = btf_member_bit_offset(type, at) / 8, wanted = 0;
        if (found && *found)
            wanted = strcmp(found, name) ? 0 : members[at].type;
        else
            wanted = member(btf, members[at].type, name, &inside);
        if (wanted) {
            *offset += place + inside;
            return wanted;
        }
    }
    return 0;
}

static uint32_t offset_in(const struct btf *btf, const char *type, const char *path)
{
    char names[LONGEST_NAME];
    int32_t found = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
    if (found < 0 || snprintf(names, sizeof names, "%s", path) >= (int)sizeof names)
        return BW_UNKNOWN;
    uint32_t id = (uint32_t)found, offset = 0;
    char *rest = NULL;
    for (char *name = strtok_r(names, ".", &rest); name; name = strtok_r(NULL, ".", &rest))
        if (!(id = member(btf, id, name, &offset)))
            return BW_UNKNOWN;
    return offset;
}

uint32_t offset_of(const struct kernel_types *types, const char *type, const char *path)
{
    uint32_t offset = types->kvm ? offset_in(types->kvm, type, path) : BW_UNKNOWN;
    if (offset == BW_UNKNOWN && types->vendor)
        offset = offset_in(types->vendor, type, path);
    return offset == BW_UNKNOWN ? offset_in(types->kernel, type, path) : offset;
}

/* The kernel names what a tracepoint hands out "btf_trace_NAME", a typedef of a pointer to a function whose first
 * argument is for the tracepoint's own use. */
static uint32_t arguments_in(const struct btf *btf, const char *tracepoint)
{
    char name[LONGEST_NAME];
    if (snprintf(name, sizeof name, "btf_trace_%s", tracepoint) >= (int)sizeof name)
        return BW_UNKNOWN;
    int32_t id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
    const struct btf_type *pointer = id < 0 ? NULL : bare(btf, (uint32_t)id);
    const struct btf_type *function = pointer && btf_is_ptr(pointer) ? bare(btf, pointer->type) : NULL;
    if (!function || !btf_is_func_proto(function) || !btf_vlen(function))
        return BW_UNKNOWN;
    return btf_vlen(function) - 1u;
}

uint32_t arguments_of(const struct kernel_types *types, const char *tracepoint)
{
    uint32_t count = types->kvm ? arguments_in(types->kvm, tracepoint) : BW_UNKNOWN;
    return count == BW_UNKNOWN ? arguments_in(types->kernel, tracepoint) : count;
}

static uint32_t parameters_in(const struct btf *btf, const char *function)
{
    int32_t id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
    const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type);
    return type && btf_is_func_proto(type) ? btf_vlen(type) : BW_UNKNOWN;
}

uint32_t parameters_of(const struct kernel_types *types, const char *function)
{
    uint32_t count = types->kvm ? parameters_in(types->kvm, function) : BW_UNKNOWN;
    return count == BW_UNKNOWN ? parameters_in(types->kernel, function) : count;
}

static uint32_t size_in(const struct btf *btf, const char *name)
{
    int32_t id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
    return id < 0 ? BW_UNKNOWN : btf__type_by_id(btf, (uint32_t)id)->size;
}

uint32_t size_of(const struct kernel_types *types, const char *type)
{
    uint32_t size = types->kvm ? size_in(types->kvm, type) : BW_UNKNOWN;
    return size == BW_UNKNOWN ? size_in(types->kernel, type) : size;
}
