/* What events.bpf.c is told by user space, in .rodata.settings. */
#pragma once
#ifndef __bpf__
#include <stdint.h>
typedef uint32_t u32;
#endif

struct events_settings { /* offsets in bytes; UNKNOWN: this kernel does not tell */
    u32 task_pid, task_tgid, task_mm;
    u32 says_reinjected; /* 1: kvm_inj_virq tells whether the vCPU only goes on with an injection that was cut off */
    u32 registers_di, registers_si, registers_dx; /* of struct pt_regs: the arguments of a system call */
    u32 task_files, files_table, table_files, file_content; /* from a task to what its file of a number is */
    u32 lapic_vcpu, vcpu_id;
    u32 irqfd_work, irqfd_kvm, irqfd_gsi, irqfd_list;
    u32 kvm_mm;
    u32 svm_vmcb, vmcb_exit_code, vmx_exit_reason; /* each of a vCPU's exits: of struct kvm_vcpu, and of its vmcb */
    u32 exits;                                     /* 1: exits are asked for; no offset */
    u32 ioeventfd_device, ioeventfd_eventfd; /* of struct _ioeventfd: where its part in the I/O bus is, its eventfd */
    u32 irqfd_wait, irqfd_eventfd, irqfd_route_type, irqfd_route_data; /* the copy of its route that it keeps */
    u32 eventfd_id;
    u32 resampler_notifier, resampler_kvm, notifier_gsi;
};

#define BW_LISTED 1 /* of a process only the threads that are listed */
#define BW_ALL 2    /* all of its threads */
