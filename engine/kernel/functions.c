#include <stddef.h>
#include <unistd.h>

#include "functions.h"

#define PROBES "/sys/bus/event_source/devices/kprobe/type"

const struct function functions[] = {
    {"ioeventfd_write", 5},
    {"eventfd_signal_mask", 1},
    {"irqfd_wakeup", 4},
    {"irqfd_inject", 1},
    {"irqfd_resampler_ack", 1},
    {NULL, 0},
};

bool functions_can_be_probed(void)
{
    return access(PROBES, R_OK) == 0;
}
