#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "object.h"
#include "objects.h"

#define LOCKDOWN "/sys/kernel/security/lockdown"

static const struct embedded *embedded_of(const char *name)
{
    for (const struct embedded *one = embedded_objects; one->name; one++)
        if (!strcmp(one->name, name))
            return one;
    return NULL;
}

/* Nothing is printed but by main(). */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level, (void)format, (void)arguments;
    return 0;
}

struct bpf_object *object_open(const char *name, const void *settings, size_t size, struct failure *why)
{
    libbpf_set_print(say_nothing);
    const struct embedded *one = embedded_of(name);
    struct bpf_object *object = one ? bpf_object__open_mem(one->start, (size_t)(one->end - one->start), NULL) : NULL;
    if (!object) {
        fail(why, "refused", errno, "open");
        return NULL;
    }
    struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.settings");
    if (map && bpf_map__set_initial_value(map, settings, size) == 0)
        return object;
    bpf_object__close(object);
    fail(why, "refused", EINVAL, "settings");
    return NULL;
}

/* Whether the kernel lets nobody read its memory, root neither (kernel_lockdown(7)). */
static int locked_down(void)
{
    char line[128] = "";
    FILE *file = fopen(LOCKDOWN, "re");
    if (!file)
        return 0;
    char *read = fgets(line, sizeof line, file);
    fclose(file);
    return read && strstr(line, "[confidentiality]");
}

int object_load(struct bpf_object *object, struct failure *why)
{
    if (bpf_object__load(object) == 0)
        return 0;
    int error = errno;
    return fail(why, locked_down() ? "lockdown" : "refused", error, "load");
}

int object_map(const struct bpf_object *object, const char *name)
{
    return bpf_object__find_map_fd_by_name(object, name);
}
