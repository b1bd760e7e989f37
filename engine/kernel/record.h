/* What events.bpf.c writes and engine/kernel/records.py reads: a record of 48 bytes a tracepoint that fired, or a function
 * that was entered. */
#pragma once

#ifndef __bpf__
#include <stdint.h>
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

enum bw_kernel_kind { /* beside each: what a, b, c and d are */
    BW_K_PIO = 1,       /* port, value, size, 1: a write */
    BW_K_MMIO,          /* address, value, length, 2: a write, 1: a read, 0: a read that user space will answer */
    BW_K_FAST_MMIO,     /* address */
    BW_K_USER_EXIT,     /* KVM_EXIT_* reason, errno */
    BW_K_MSI,           /* address, data */
    BW_K_SET_IRQ,       /* GSI, level */
    BW_K_ACCEPTED,      /* vector, APIC ID */
    BW_K_EOI,           /* vector as 32 bits (-1: not told), number of the vCPU */
    BW_K_INJECTED,      /* vector */
    BW_K_WOKEN,         /* nanoseconds, 1: it slept */
    BW_K_WAKING,        /* thread that is woken */
    BW_K_RUNS,          /* (thread: the one that runs) */
    BW_K_WRITE,         /* number of the system call; thread: who has entered it */
    BW_K_WRITTEN,       /* number of the system call */
    BW_K_WORK_QUEUED,   /* GSI, the work */
    BW_K_WORK_STARTED,  /* GSI, the work */
    BW_K_WORK_ENDED,    /* GSI, the work */
    BW_K_IOEVENTFD_WRITE, /* address, value, the eventfd's id, length */
    BW_K_EVENTFD_SIGNAL,  /* the eventfd's id */
    BW_K_IRQFD_WAKEUP,    /* GSI, data of the message that its route is (-1: of none), the eventfd's id */
    BW_K_IRQFD_INJECT,    /* GSI, the work */
    BW_K_RESAMPLER_ACK,   /* GSI */
    /* Only where exits are asked for, and what the processes register: */
    BW_K_RUN_ENTERED = 40, /* (thread: the vCPU's, whose KVM_RUN is called) */
    BW_K_EXIT_SERVED,      /* reason as the CPU numbers it (-1: not told), 1: VMX, 2: SVM, ns until the guest goes on */
    BW_K_IOEVENTFD,        /* address, datamatch, how, the eventfd's id and from bit 32 on the VM's fd; like the next two
                            * it is told if KVM has done it, of the time when it was asked for */
    BW_K_IRQFD,            /* GSI, id of the resamplefd, how, the eventfd's id and from bit 32 on the VM's fd */
    BW_K_ROUTES,           /* how many, -, how, from bit 32 on the VM's fd: all that there are, each of which follows: */
    BW_K_ROUTE             /* GSI and from bit 32 on type as in linux/kvm.h, address or chip, data or pin */
};

/* How something is registered: length of an ioeventfd, from bit 8 on flags as in linux/kvm.h, from bit 16 on how long the
 * call took, in pieces of 1 << BW_TOOK_SHIFT ns, from bit 32 on the process that has called. */
#define BW_TOOK_SHIFT 14

struct bw_kernel_record {
    u64 time;   /* ns of CLOCK_MONOTONIC; in the shared ring: TSC */
    u16 kind;
    u16 cpu;
    u32 thread; /* that it happened in */
    u64 a, b, c, d;
};
