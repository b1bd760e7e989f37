/* `bw-kernel check`: does all that takes a privilege once, and says which tracepoints this kernel has, and which functions
 * it lets be probed. Output: a line "tracepoint NAME yes" for each; "no": it has none, "otherwise": it hands out something
 * else. Then such lines of functions, or "functions none": it was built without probes, or "functions refused". */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "functions.h"
#include "object.h"
#include "offsets.h"
#include "tracepoints.h"
#include "trial.h"

static void tell_tracepoint(const struct kernel_types *types, const struct tracepoint *one)
{
    uint32_t found = arguments_of(types, one->name);
    const char *answer = found == BW_UNKNOWN ? "no" : found < one->arguments ? "otherwise" : "yes";
    printf("tracepoint %s %s\n", one->name, answer);
}

/* Whether a function can be probed, as that is tried; -1: probes are refused. */
static int tell_function(const struct kernel_types *types, const struct function *one, const struct bpf_program *probe)
{
    uint32_t found = parameters_of(types, one->name);
    const char *answer = found == BW_UNKNOWN ? "no" : found < one->arguments ? "otherwise" : "yes";
    struct bpf_link *link = *answer == 'y' ? bpf_program__attach_kprobe(probe, false, one->name) : NULL;
    if (*answer == 'y' && !link && !function_is_missing(errno))
        return -1;
    printf("function %s %s\n", one->name, *answer == 'y' && !link ? "no" : answer);
    bpf_link__destroy(link);
    return 0;
}

static void tell_functions(const struct kernel_types *types)
{
    struct trial_settings settings = {BW_UNKNOWN};
    struct failure unused;
    struct bpf_object *object = functions_can_be_probed() ? object_open("probe", &settings, sizeof settings, &unused) : NULL;
    if (!object) {
        printf("functions none\n");
        return;
    }
    int result = object_load(object, &unused);
    for (const struct function *one = functions; result == 0 && one->name; one++)
        result = tell_function(types, one, bpf_object__next_program(object, NULL));
    if (result < 0)
        printf("functions refused\n");
    bpf_object__close(object);
}

/* Loads the trial program, and attaches it for a moment. */
static int try_one(const struct kernel_types *types, struct failure *why)
{
    struct trial_settings settings = {offset_of(types, "task_struct", "pid")};
    struct bpf_object *object = object_open("trial", &settings, sizeof settings, why);
    if (!object)
        return -1;
    int result = object_load(object, why);
    if (result == 0) {
        struct bpf_link *link = bpf_program__attach(bpf_object__next_program(object, NULL));
        if (!link)
            result = fail(why, errno == ENOENT ? "no-kvm" : "refused", errno, "attach");
        bpf_link__destroy(link);
    }
    bpf_object__close(object);
    return result;
}

int command_check(int count, char **arguments, struct failure *why)
{
    (void)arguments;
    if (count)
        return fail(why, "usage", 0, "");
    struct kernel_types types;
    if (kernel_types_open(&types, why) < 0)
        return -1;
    int result = try_one(&types, why);
    for (const struct tracepoint *one = tracepoints; result == 0 && one->name; one++)
        tell_tracepoint(&types, one);
    if (result == 0)
        tell_functions(&types);
    kernel_types_close(&types);
    return result;
}
