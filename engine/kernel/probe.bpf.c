/* The smallest program that a function of the kernel can be probed with: to see whether this kernel lets it be. */
#include "bpf.h"
#include "trial.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct trial_settings settings SETTINGS = {0};

SEC("kprobe")
int on_function(void *registers)
{
    (void)registers;
    return settings.pid == 0;
}
