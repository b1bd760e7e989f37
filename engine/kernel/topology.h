/* What topology.bpf.c is told by user space, and what it tells. */
#pragma once
#include <linux/types.h>

/* KVM's own counters of a vCPU that are told, as STATS of engine/events.py and in its order. */
#define BW_COUNTERS 13

/* Offsets of members, each named TYPE_MEMBER; UNKNOWN where this kernel does not tell. */
struct topology_settings {
    __u32 file_inode, file_dentry, file_private, inode_super, super_magic, dentry_name;
    __u32 task_pid, task_tgid, pid_level, pid_numbers, upid_size, upid_number;
    __u32 eventfd_id, eventfd_count, list_next;
    __u32 vcpu_kvm, vcpu_id, vcpu_pid, counters[BW_COUNTERS];
    __u32 kvm_ioeventfds, kvm_irqfds, kvm_routing, kvm_irqchip;
    __u32 ioeventfd_list, ioeventfd_address, ioeventfd_length, ioeventfd_eventfd, ioeventfd_datamatch, ioeventfd_bus,
        ioeventfd_wildcard;
    __u32 irqfd_list, irqfd_gsi, irqfd_eventfd, irqfd_resamplefd;
    __u32 table_count, table_map, route_link, route_type, route_chip, route_pin, route_low, route_high, route_data;
};

enum topology_kind {
    BW_SEEN_VM = 1,    /* fd; value: which irqchip: 0 none, 1 in the kernel, 2 split, -1: not told; tgid. Its lists follow. */
    BW_SEEN_VCPU,      /* fd; value: id, tid as who asks knows it or 0 */
    BW_SEEN_COUNTER,   /* value: id of the vCPU, which counter, count */
    BW_SEEN_IOEVENTFD, /* value: bus (enum kvm_bus), address, length, datamatch, 1 if any value will do, eventfd id */
    BW_SEEN_IRQFD,     /* value: GSI, eventfd id, id of the resamplefd or -1 */
    BW_SEEN_ROUTE,     /* value: GSI, type as in linux/kvm.h, chip or address, pin or data */
    BW_SEEN_EVENTFD,   /* fd; value: eventfd id, its count, 1 if that is known */
    BW_SEEN_HIT,       /* fd: enum hit_kind; value: address, length, value, count since the first look */
};

/* One thing that was found. vm: the kernel's own address of it in the ring, its number from 1 on in what is written;
 * of an eventfd 0. */
struct topology_record {
    __u32 kind, fd;
    __u64 vm, value[6];
};

/* What is written before the records of one look. */
struct topology_head {
    __u32 records;
    __u32 settled; /* 1: two looks, one after the other, saw the same */
    __u32 dropped; /* entries that were gone, or changing, while they were read */
    __u32 untold;  /* bits, 1 << enum topology_kind: what this kernel keeps elsewhere than we know, and is not looked for */
};
