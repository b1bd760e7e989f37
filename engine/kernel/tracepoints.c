#include <stddef.h>

#include "tracepoints.h"

const struct tracepoint tracepoints[] = {
    {"kvm_pio", 5},
    {"kvm_mmio", 4},
    {"kvm_fast_mmio", 1},
    {"kvm_userspace_exit", 2},
    {"kvm_msi_set_irq", 2},
    {"kvm_set_irq", 3},
    {"kvm_apic_accept_irq", 4},
    {"kvm_eoi", 2},
    {"kvm_inj_virq", 1},
    {"kvm_vcpu_wakeup", 3},
    {"sched_waking", 1},
    {"sched_switch", 3},
    {"workqueue_queue_work", 3},
    {"workqueue_execute_start", 1},
    {"workqueue_execute_end", 1},
    {"sys_enter", 2},
    {"sys_exit", 2},
    {"kvm_exit", 2},
    {"kvm_entry", 1},
    {NULL, 0},
};
