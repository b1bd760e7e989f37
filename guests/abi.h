/* The machine as a guest sees it: addresses, ports, vectors and the layout of what it shares with its host.
 * #defines with plain numbers only: this file is read by C, by the assembler and by cffi.
 * All addresses are guest-physical; the page tables map them one to one. */

/* Memory: one slot from 0, prepared by engine/kvm/vm.py */
#define BW_PAGE_SIZE 0x1000
#define BW_MEMORY_SIZE 0x800000
#define BW_PAGE_TABLES 0x1000
#define BW_GDT 0x7000
#define BW_CONTROL 0x8000
#define BW_STATUS 0x9000
#define BW_IMAGE 0x10000
#define BW_IMAGE_MAX 0x40000
#define BW_STACK_TOP 0x80000

/* Where a machine reads a file to: a block's content is the number of each of its 8 bytes in the file */
#define BW_BLOCK 0x100000
#define BW_BLOCK_SIZE 4096

/* A split virtqueue (virtio 1.2, 2.7) between this guest and whoever is its device. Each of the buffers has room for one
 * request and its answer. */
#define BW_VIRTQUEUE_SIZE 64
#define BW_VIRTQUEUE_DESCRIPTORS 0x110000
#define BW_VIRTQUEUE_AVAILABLE 0x111000
#define BW_VIRTQUEUE_USED 0x112000
#define BW_VIRTQUEUE_BUFFERS 0x113000
#define BW_VIRTQUEUE_BUFFER_SIZE 16

/* A disk */
#define BW_SECTOR_SIZE 512
#define BW_SECTORS 128

/* A network card: each frame is an Ethernet header and the frame's number, again and again. The type is one that IEEE 802
 * leaves to local experiments. A header of virtio (virtio 1.2, 5.1.6) stands before it in the guest's memory. */
#define BW_FRAME_TYPE 0x88b5
#define BW_FRAME_SIZE 78
#define BW_FRAME_PAYLOAD 14
#define BW_NET_HEADER_SIZE 12

/* A socket: bytes of each packet that carries some, and the guest's port; and the queue that the host's packets come by */
#define BW_VSOCK_PAYLOAD 64
#define BW_VSOCK_PORT 1024
#define BW_RECEIVING_DESCRIPTORS 0x118000
#define BW_RECEIVING_AVAILABLE 0x119000
#define BW_RECEIVING_USED 0x11a000
#define BW_RECEIVING_BUFFERS 0x11c000

/* The memory of another vCPU of the VM, times its number; its own page tables show it that at address 0, so that every
 * program runs on any vCPU. */
#define BW_VCPU_MEMORY 0x1000000

/* Behind the memory, where a machine maps it: the page in which this guest announces its doorbells, BW_CONTROL of another
 * VM; or one that two VMs share by ivshmem, laid out in the same way */
#define BW_PEER_CONTROL 0x800000

/* Rings that the guest writes and the engine reads. To store is dear where KVM emulates the guest, so a time is its lower
 * half, which the reader completes (engine/core/stamps.c).
 * - Doorbells: slot n of three arrays. {u32 before, u32 after}: lower halves. Handler: the stamp of an interrupt handler
 *   that ran since the doorbell before; 0 if none did. Turn: a whole time before the doorbell, written only by who has
 *   waited; else anything older. BW_ST_RUNG counts.
 * - Handlers: the stamps of those that did not find a doorbell to go with. BW_ST_HANDLED counts.
 * The stamp of a handler is {u32 time, u32 irq}: lower halves, of when it began and of what it saw announced, whose highest
 * bit is turned around if it took BW_VECTOR_OTHER. Once in 2^32 that of an interrupt which nobody announced is 0, too. */
#define BW_STAMP_SLOTS 0x10000
#define BW_RING_TIMES 0x400000
#define BW_RING_HANDLERS 0x480000
#define BW_RING_TURNS 0x500000
#define BW_HANDLER_STAMPS 0x200000
/* - Windows: {u64 before, u64 irq}, a whole time: when a guest that held interrupts off lets them in. BW_ST_WINDOWS counts.
 *   The wrap bit is clear within the ring and set just behind its end, so that one AND wraps the pointer. */
#define BW_WINDOW_STAMPS 0x600000
#define BW_WINDOW_STAMP_SIZE 16
#define BW_WINDOW_STAMP_WRAP 0x100000

/* Where a PC has its interrupt controllers: the registers of the IOAPIC (82093AA datasheet, 3.1); those of each local APIC,
 * and from there on the addresses of messages to them (Intel SDM vol. 3, 11.4.1 and 11.11) */
#define BW_IOAPIC 0xfec00000
#define BW_LOCAL_APIC 0xfee00000

/* Where nothing is: no RAM, no device, and nobody has registered it */
#define BW_STORM_ADDRESS 0xd0002000
#define BW_STORM_VALUE 0xbad

/* Ports and vectors */
#define BW_PORT_EXIT 0x5f0
#define BW_PORT_ACK 0x5f4 /* the device's: who writes here has seen the interrupt whose number is written */
#define BW_VECTOR_TIMER 0x20
#define BW_VECTOR_MSI 0x40
#define BW_VECTOR_IOAPIC 0x41
#define BW_VECTOR_OTHER 0x42 /* as BW_VECTOR_MSI, but the stamp tells */
#define BW_VECTOR_ACK 0x43   /* whose handler writes BW_PORT_ACK */
#define BW_VECTOR_NO_EOI 0x44 /* whose handler forgets to end the interrupt */
#define BW_VECTOR_NUDGE 0x50  /* of a higher priority than those, or a guest that is never without one would not see it */

/* BW_CONTROL: the host writes, the guest reads */
#define BW_CTL_FAST 0x00
#define BW_CTL_RUNNING 0x04
#define BW_CTL_PERIOD 0x08
#define BW_CTL_BURST 0x10
#define BW_CTL_IDLE 0x14 /* looked at when the host nudges; who spins looks now and then, and who cannot be nudged, always */
#define BW_CTL_SINGLES 0x18
#define BW_CTL_BUS 0x1c
#define BW_CTL_LIMIT 0x20
#define BW_CTL_ADDRESS 0x28
#define BW_CTL_VALUE 0x30
#define BW_CTL_WIDTH 0x38
#define BW_CTL_IOAPIC_PIN 0x3c
#define BW_CTL_IOAPIC_ENTRY 0x40 /* low half of the pin's redirection entry */
#define BW_CTL_QUEUES 0x44       /* the values 0 to this - 1 are written in turn */
#define BW_CTL_ADDRESSES 0x48    /* so many addresses are written in turn, BW_ADDRESS_STRIDE apart */
#define BW_CTL_HOLD 0x50         /* TSC cycles that interrupts are held off for */
#define BW_CTL_EVENT_IDX 0x58    /* 1: VIRTIO_F_EVENT_IDX is negotiated */
#define BW_CTL_STORM 0x5c        /* so often storm.c reads and writes BW_STORM_ADDRESS before each turn */
#define BW_CTL_CRASH 0x60        /* 1: crash.c ends by a triple fault */
#define BW_CTL_LOOK 0x68         /* TSC cycles after which a guest that nobody can wake looks at this page again */
#define BW_CTL_CLOCK 0x70        /* rises by 1: the guest stores its TSC, then this number; BW_CLOCK_DONE: that is all */
#define BW_CTL_CID 0x78          /* the guest's address as a socket has it */
/* on a cache line of its own: the newest interrupt announced, the newest doorbell answered. Half a word before the number is
 * always 0: who reads 64 bits there has the number's lower half above nothing, and one addition puts a time below it. */
#define BW_CTL_IRQ_ABOVE 0x84
#define BW_CTL_IRQ 0x88
#define BW_CTL_ANSWERED 0x90

/* BW_STATUS: the guest writes, the host reads and does not trust */
#define BW_ST_READY 0x00
#define BW_ST_FAULT 0x04
#define BW_ST_DEVICE 0x08 /* BW_DEVICE_*: what a driver did not find at its device */
#define BW_ST_RUNG 0x40
#define BW_ST_HANDLED 0x80
#define BW_ST_WINDOWS 0xc0
/* buffers: made available, taken back, and of these those that came back wrong */
#define BW_ST_BUFFERS_ADDED 0x100
#define BW_ST_BUFFERS_TAKEN 0x108
#define BW_ST_BUFFERS_WRONG 0x110
/* sectors: written, read and found right, and requests that failed or brought something else */
#define BW_ST_SECTORS_WRITTEN 0x118
#define BW_ST_SECTORS_COMPARED 0x120
#define BW_ST_SECTORS_WRONG 0x128

/* the guest's TSC, stored after BW_CTL_CLOCK was seen to have this number and before the number is stored */
#define BW_ST_CLOCK 0x140
#define BW_ST_CLOCK_TSC 0x148

#define BW_CLOCK_DONE 0xffffffff

/* A device on the PCI bus: where the VMM plugs it in, and where its driver, who has no firmware before it, lets its registers
 * answer, those of virtio (virtio 1.2, 4.1) or ivshmem, and the table of its messages. */
#define BW_PCI_SLOT 4
#define BW_PCI_REGISTERS 0xfe000000
#define BW_PCI_TABLE 0xfe010000
/* Registers of ivshmem (QEMU: docs/specs/ivshmem-spec): its number among the peers; who writes the other one, a peer's
 * number and below it 16 bits of a vector, interrupts that peer */
#define BW_IVSHMEM_POSITION 8
#define BW_IVSHMEM_DOORBELL 12
#define BW_IVSHMEM_PEER_SHIFT 16
/* What was amiss with it */
#define BW_DEVICE_NONE 1     /* not it in the slot */
#define BW_DEVICE_MESSAGES 2 /* no MSI-X */
#define BW_DEVICE_FEATURES 3 /* it refuses VIRTIO_F_VERSION_1 alone */
#define BW_DEVICE_DOORBELL 4 /* its doorbell is not at BW_CTL_ADDRESS */
#define BW_DEVICE_PEER 5     /* it has no number yet, or that of whom BW_CTL_VALUE rings */

#define BW_QUEUES_MAX 8
#define BW_ADDRESS_STRIDE 8

#define BW_BUS_PIO 0
#define BW_BUS_MMIO 1
#define BW_IDLE_HLT 0
#define BW_IDLE_SPIN 1
