/* What events.bpf.c is told by user space, in .rodata.settings. */
#pragma once
#ifndef __bpf__
#include <stdint.h>
typedef uint32_t u32;
#endif

struct events_settings { /* offsets in bytes; UNKNOWN: this kernel does not tell */
    u32 task_pid, task_tgid, task_mm;
    u32 registers_si; /* of struct pt_regs: the second argument of a system call */
    u32 lapic_vcpu, vcpu_id;
    u32 irqfd_work, irqfd_kvm, irqfd_gsi, irqfd_list;
    u32 kvm_mm;
    u32 svm_vmcb, vmcb_exit_code, vmx_exit_reason; /* each of a vCPU's exits: of struct kvm_vcpu, and of its vmcb */
    u32 exits;                                     /* 1: exits are asked for; no offset */
};

#define BW_LISTED 1 /* of a process only the threads that are listed */
#define BW_ALL 2    /* all of its threads */
