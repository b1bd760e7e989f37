/* `bw-kernel check`: does all that takes a privilege once, and says which tracepoints this kernel has. Output: a line
 * "tracepoint NAME yes" for each; "no": it has none, "otherwise": it hands out something else. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
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
    kernel_types_close(&types);
    return result;
}
