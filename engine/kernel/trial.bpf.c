/* The smallest program that needs all that the others need: to see whether this kernel lets them be. Never attached to
 * what happens often. */
#include "bpf.h"
#include "trial.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct trial_settings settings SETTINGS = {0};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} ring SEC(".maps");

SEC("raw_tp/kvm_userspace_exit")
int on_exit(struct bpf_raw_tracepoint_args *arguments)
{
    (void)arguments;
    u32 pid = read4((void *)bpf_get_current_task(), settings.pid);
    bpf_ringbuf_output(&ring, &pid, sizeof pid, BPF_RB_NO_WAKEUP);
    return 0;
}
