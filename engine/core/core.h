#pragma once
/* The C interface of the engine. cffi parses this very file, so it has no #include and no macro with arguments.
 *
 * Guarantees:
 * - Functions return 0 or a positive result, or -errno. None prints, none exits (but where C++ would abort: no_memory.c),
 *   none calls Python.
 * - A handle has one owner, who calls the matching _free once, after every thread that uses it was joined.
 * - A ring has one producer thread and one consumer thread. Events come out in the order they were pushed; what finds
 *   the ring full is counted as dropped, never overwritten, never half written.
 * - The vCPU thread and the I/O thread allocate nothing, take no lock and print nothing once they run.
 * - What a guest wrote is checked before it is used: a guest can make its own stamps worthless, nothing else.
 */

/* -- events (engine/events.py says what they mean) ---------------------------------------------------------------- */

struct bw_event {
    uint64_t tsc;
    uint16_t kind;
    uint8_t lane;
    uint8_t vm;
    uint32_t id;
    uint64_t seq;
    uint64_t arg;
};

enum bw_kind {
    BW_RING = 1,
    BW_RUNG = 2,
    BW_HANDLER = 3,
    BW_EXIT = 4,
    BW_ENTRY = 5,
    BW_DOORBELL = 6,
    BW_IRQFD = 7,
    BW_IRQ_IOCTL = 8,
    BW_WAIT = 9,
    BW_RESAMPLE = 15,
    BW_SUBMIT = 16,
    BW_BUFFERS = 17,
    BW_WINDOW = 18,
    BW_FETCH = 22
};

enum bw_lane { BW_LANE_GUEST = 0, BW_LANE_VCPU = 1, BW_LANE_IO_THREAD = 3 };

uint64_t bw_tsc(void);

/* -- where there is no memory (no_memory.c) ------------------------------------------------------------------------ */

/* From now on a library in C++ that ends the process because it found no memory has it write the sentence to standard
 * error and exit with `code`. -ENOENT: there is no C++ that could. */
int bw_end_without_memory(const char *sentence, int code);

/* -- ring (ring.c) ------------------------------------------------------------------------------------------------ */

struct bw_ring;
struct bw_ring *bw_ring_new(uint32_t capacity); /* a power of two; NULL: no memory, or not a power of two */
void bw_ring_free(struct bw_ring *ring);
int bw_ring_push(struct bw_ring *ring, const struct bw_event *event); /* 1 pushed, 0 dropped */
uint32_t bw_ring_drain(struct bw_ring *ring, struct bw_event *out, uint32_t most);
uint64_t bw_ring_pushed(const struct bw_ring *ring);
uint64_t bw_ring_dropped(const struct bw_ring *ring);

/* A thread that pushes `count` events as fast as `per_second` allows: to measure rings (synthetic.c). */
struct bw_synthetic;
struct bw_synthetic *bw_synthetic_start(struct bw_ring *ring, uint64_t count, uint64_t per_second);
int bw_synthetic_running(const struct bw_synthetic *synthetic);
void bw_synthetic_free(struct bw_synthetic *synthetic); /* joins */

/* -- virtual machine (vm.c): one function an ioctl ----------------------------------------------------------------- */

int bw_kvm_open(void);              /* -> fd of /dev/kvm */
int bw_kvm_check_extension(int kvm_or_vm, int capability);
int bw_kvm_api_version(int kvm);
int bw_vm_create(int kvm);          /* -> VM fd */
int bw_vm_create_irqchip(int vm);
int bw_vm_enable_split_irqchip(int vm, uint32_t pins); /* local APICs in the kernel; pins of the IOAPIC outside of it */
int bw_vm_set_memory(int vm, uint32_t slot, uint64_t address, uint64_t size, void *memory);
int bw_vm_stats_fd(int vm_or_vcpu); /* KVM_GET_STATS_FD -> fd */
int bw_memory_new(uint64_t size, void **memory); /* zeroed, shared -> fd of the memfd */
int bw_memory_free(void *memory, uint64_t size);
/* Page tables and descriptor table for 64-bit mode, as abi.h places them; `base`: the memory's guest-physical address,
 * which the page tables show at 0. */
int bw_memory_prepare(void *memory, uint64_t base);

/* -- ioeventfd.c ---------------------------------------------------------------------------------------------------- */

int bw_eventfd_new(uint32_t count, int flags); /* -> fd */
int bw_ioeventfd(int vm, int fd, uint64_t address, uint32_t length, uint64_t datamatch, uint32_t flags);

/* -- irqfd.c ------------------------------------------------------------------------------------------------------- */

struct bw_route {
    uint32_t gsi;
    uint32_t type; /* BW_ROUTE_* */
    uint32_t pin;
    uint32_t address_low;
    uint32_t address_high;
    uint32_t data;
};

#define BW_ROUTE_MSI 0
#define BW_ROUTE_IOAPIC 1
#define BW_ROUTE_PIC_MASTER 2
#define BW_ROUTE_PIC_SLAVE 3

int bw_irqfd(int vm, int fd, uint32_t gsi, uint32_t flags, int resamplefd);
int bw_set_gsi_routing(int vm, const struct bw_route *routes, uint32_t count); /* replaces the whole table */
int bw_irq_line(int vm, uint32_t gsi, uint32_t level); /* KVM_IRQ_LINE_STATUS -> 1 delivered, 0 not */
int bw_irq_line_status(int vm, uint32_t gsi, uint32_t level, int32_t *status); /* the same, its status told apart */
int bw_signal_msi(int vm, uint32_t address_low, uint32_t address_high, uint32_t data);

/* -- irqchip.c: what the interrupt controllers in the kernel hold ---------------------------------------------------- */

#define BW_LAPIC_SIZE 1024
#define BW_IOAPIC_PINS 24

struct bw_ioapic {
    uint32_t irr;      /* a bit a pin: its line is high, or its edge waits */
    uint64_t pins[24]; /* redirection entries */
};

/* Calls to a vCPU wait while it runs; calls to a VM never do. */
int bw_vcpu_get_lapic(int vcpu, uint8_t *registers); /* BW_LAPIC_SIZE bytes, as Intel SDM vol. 3, 11.4.1 places them */
int bw_vcpu_set_lapic(int vcpu, const uint8_t *registers);
int bw_vcpu_interrupt(int vcpu, uint32_t vector); /* KVM_INTERRUPT */
int bw_vm_get_ioapic(int vm, struct bw_ioapic *ioapic);
int bw_vm_set_ioapic_pin(int vm, uint32_t pin, uint64_t entry);

/* -- coalesced.c: writes that wait in a ring until somebody looks ------------------------------------------------------ */

struct bw_coalesced_write {
    uint64_t address;
    uint64_t value;
    uint32_t length;
    uint32_t pio;
};

int bw_coalesced_zone(int vm, uint64_t address, uint32_t size, uint32_t pio, int on);
struct bw_coalesced;
struct bw_coalesced *bw_coalesced_new(int vm, int vcpu, int *error); /* the ring of the VM, seen through a vCPU */
uint32_t bw_coalesced_room(const struct bw_coalesced *ring);         /* writes that it holds */
/* Takes the oldest writes, one taker at a time; the guest may write meanwhile. -> how many */
uint32_t bw_coalesced_take(struct bw_coalesced *ring, struct bw_coalesced_write *out, uint32_t most);
void bw_coalesced_free(struct bw_coalesced *ring);

/* -- the arguments of the calls above, as the kernel gets them: made here and nowhere else ------------------------------- */

struct kvm_ioeventfd bw_ioeventfd_struct(int fd, uint64_t address, uint32_t length, uint64_t datamatch, uint32_t flags);
struct kvm_irqfd bw_irqfd_struct(int fd, uint32_t gsi, uint32_t flags, int resamplefd);
struct kvm_irq_routing_entry bw_routing_entry_struct(const struct bw_route *route);
struct kvm_irq_level bw_irq_line_struct(uint32_t gsi, uint32_t level);
struct kvm_msi bw_msi_struct(uint32_t address_low, uint32_t address_high, uint32_t data);
struct kvm_coalesced_mmio_zone bw_coalesced_zone_struct(uint64_t address, uint32_t size, uint32_t pio);
struct kvm_enable_cap bw_split_irqchip_struct(uint32_t pins);
struct kvm_userspace_memory_region bw_memory_struct(uint32_t slot, uint64_t address, uint64_t size, void *memory);

/* -- vCPU (vcpu.c) -------------------------------------------------------------------------------------------------- */

/* The life of a vCPU thread. */
#define BW_VCPU_CREATED 0
#define BW_VCPU_RUNNING 1
#define BW_VCPU_ENDED 2

/* Why it ended. */
#define BW_VERDICT_NONE 0
#define BW_VERDICT_STOPPED 1  /* bw_vcpu_stop */
#define BW_VERDICT_GUEST 2    /* the guest wrote its exit port; detail: the value */
#define BW_VERDICT_SHUTDOWN 3 /* triple fault */
#define BW_VERDICT_INTERNAL 4 /* KVM_EXIT_INTERNAL_ERROR; detail: suberror */
#define BW_VERDICT_ENTRY 5    /* KVM_EXIT_FAIL_ENTRY; detail: hardware reason */
#define BW_VERDICT_RUN 6      /* KVM_RUN failed; detail: errno */
#define BW_VERDICT_UNKNOWN 7  /* an exit nobody here serves; detail: exit reason */

#define BW_EXIT_REASONS 64
#define BW_INSTRUCTION_MAX 15 /* bytes */

struct bw_vcpu;
struct bw_vcpu *bw_vcpu_new(int vm, int kvm, uint32_t id, void *memory, struct bw_ring *ring, int *error);
int bw_vcpu_fd(const struct bw_vcpu *vcpu);
int bw_vcpu_prepare(struct bw_vcpu *vcpu, uint64_t entry, uint64_t cr3); /* CPUID, 64-bit mode, registers */
int bw_vcpu_tsc_offset(struct bw_vcpu *vcpu, int64_t *offset); /* cycles that the guest is ahead; -errno: not told */
int bw_vcpu_tsc_khz(struct bw_vcpu *vcpu); /* KVM_GET_TSC_KHZ */
/* Before the thread starts. Writes of this value (-1: any) that leave to user space at this address are relayed to
 * eventfd, as a VMM does without an ioeventfd. -ENOSPC: there are BW_QUEUES_MAX already */
int bw_vcpu_add_doorbell(struct bw_vcpu *vcpu, int bus, uint64_t address, int64_t value, int eventfd);
/* So are the coalesced writes at these addresses, whenever KVM_RUN returns. The ring outlives the thread. */
void bw_vcpu_set_coalesced(struct bw_vcpu *vcpu, struct bw_coalesced *ring);
/* A write to BW_PORT_ACK lowers the line of this GSI, and signals eventfd if the number written is a new one. */
void bw_vcpu_set_ack(struct bw_vcpu *vcpu, int vm, uint32_t gsi, int eventfd);
int bw_vcpu_start(struct bw_vcpu *vcpu, int cpu); /* cpu -1: any */
int bw_vcpu_thread_id(const struct bw_vcpu *vcpu); /* the kernel's number; 0: it has not run yet */
void bw_vcpu_stop(struct bw_vcpu *vcpu);          /* immediate_exit + signal; does not wait */
void bw_vcpu_kick(struct bw_vcpu *vcpu); /* signal: ends the KVM_RUN under way, if there is one; the thread runs on */
int bw_vcpu_join(struct bw_vcpu *vcpu, uint32_t milliseconds); /* -ETIMEDOUT: still running, try again */
int bw_vcpu_state(const struct bw_vcpu *vcpu);
int bw_vcpu_verdict(const struct bw_vcpu *vcpu, uint64_t *detail);
/* Once it has ended: the first bytes (BW_INSTRUCTION_MAX at most) of the instruction that KVM could not emulate. -> how many,
 * 0: not told */
uint32_t bw_vcpu_instruction(const struct bw_vcpu *vcpu, uint8_t *bytes);
uint64_t bw_vcpu_exits(const struct bw_vcpu *vcpu, uint32_t reason);
uint64_t bw_vcpu_relayed(const struct bw_vcpu *vcpu); /* doorbells relayed to the eventfd */
int bw_vcpu_free(struct bw_vcpu *vcpu);               /* -EBUSY while its thread runs */

/* -- uring.c: a file read by io_uring, whose completion signals an eventfd --------------------------------------------- */

struct bw_uring;
/* Reads `file`, so many blocks of BW_BLOCK_SIZE, into `buffer`; each 8 bytes of it must be their own number. */
struct bw_uring *bw_uring_new(int file, uint64_t blocks, void *buffer, int eventfd, int *error);
int bw_uring_read(struct bw_uring *uring, uint64_t number); /* block number % blocks; waits until it is read -> 1 */
uint64_t bw_uring_completed(const struct bw_uring *uring);
uint64_t bw_uring_wrong(const struct bw_uring *uring); /* of these, those after which the buffer held something else */
void bw_uring_free(struct bw_uring *uring);

/* -- virtqueue.c: the device's side of a split virtqueue ---------------------------------------------------------------- */

/* Guest-physical addresses of its three parts, all of which lie within the memory, aligned as virtio has it. */
struct bw_vring {
    uint32_t size;      /* descriptors, a power of two up to 32768 */
    uint32_t event_idx; /* whether VIRTIO_F_EVENT_IDX is negotiated */
    uint64_t descriptors, available, used;
};

#define BW_REQUEST_MAX 4096 /* bytes of one request */

/* `id` of BW_BUFFERS */
#define BW_BUFFERS_ADDED 0
#define BW_BUFFERS_USED 1

/* What was wrong with what the driver wrote */
#define BW_VIRTQUEUE_INDEX 1    /* the available index is ahead by more than the queue holds, or runs backwards */
#define BW_VIRTQUEUE_HEAD 2     /* an entry of the available ring is no descriptor */
#define BW_VIRTQUEUE_NEXT 3     /* nor is a next descriptor */
#define BW_VIRTQUEUE_LOOP 4     /* a chain is longer than the queue */
#define BW_VIRTQUEUE_ADDRESS 5  /* a buffer is outside of the memory */
#define BW_VIRTQUEUE_ORDER 6    /* a readable descriptor follows a writable one */
#define BW_VIRTQUEUE_LENGTH 7   /* a request is longer than BW_REQUEST_MAX */
#define BW_VIRTQUEUE_INDIRECT 8 /* an indirect descriptor, which was not negotiated */

struct bw_virtqueue;
/* One thread uses it; counters and fault can be read by others. `ring`: where events go, or NULL. */
struct bw_virtqueue *bw_virtqueue_new(void *memory, uint64_t memory_size, const struct bw_vring *vring,
                                      struct bw_ring *ring);
void bw_virtqueue_set_work(struct bw_virtqueue *queue, uint64_t cycles); /* TSC cycles that each buffer takes */
int bw_virtqueue_serve(struct bw_virtqueue *queue); /* one buffer -> 1 served, 0 none there, or the queue is broken */
int bw_virtqueue_wants_interrupt(struct bw_virtqueue *queue); /* for what was served since the last call */
void bw_virtqueue_stop_kicks(struct bw_virtqueue *queue);     /* the device is awake */
int bw_virtqueue_ask_for_kick(struct bw_virtqueue *queue);    /* before it sleeps -> 1: do not, buffers have come */
uint64_t bw_virtqueue_available(const struct bw_virtqueue *queue); /* buffers that the device has seen */
uint64_t bw_virtqueue_used(const struct bw_virtqueue *queue);      /* and served */
int bw_virtqueue_fault(const struct bw_virtqueue *queue);          /* BW_VIRTQUEUE_*, or 0 */
void bw_virtqueue_free(struct bw_virtqueue *queue);

/* -- vhost.c: the kernel's own workers for virtqueues, one function an ioctl ----------------------------------------- */

struct bw_vhost_memory { /* struct vhost_memory with its one region: all of the guest's memory, from address 0 */
    uint32_t nregions;
    uint32_t padding;
    uint64_t guest_phys_addr;
    uint64_t memory_size;
    uint64_t userspace_addr;
    uint64_t flags_padding;
};

int bw_vhost_open(const char *path); /* -> fd */
int bw_vhost_set_owner(int vhost);   /* starts the worker, a thread of the kernel */
int bw_vhost_get_features(int vhost, uint64_t *features);
int bw_vhost_set_features(int vhost, uint64_t features);
int bw_vhost_set_mem_table(int vhost, uint64_t size, void *memory);
int bw_vhost_set_vring_num(int vhost, uint32_t queue, uint32_t size);
int bw_vhost_set_vring_base(int vhost, uint32_t queue, uint32_t index);
int bw_vhost_get_vring_base(int vhost, uint32_t queue); /* -> available index that the worker came to */
int bw_vhost_set_vring_addr(int vhost, uint32_t queue, const struct bw_vring *vring, void *memory);
int bw_vhost_set_vring_kick(int vhost, uint32_t queue, int eventfd);
int bw_vhost_set_vring_call(int vhost, uint32_t queue, int eventfd);
int bw_vhost_set_vring_err(int vhost, uint32_t queue, int eventfd); /* signalled if the driver breaks the rules */
int bw_vhost_net_set_backend(int vhost, uint32_t queue, int tap);   /* tap -1: stops the queue, once it is at rest */
int bw_vhost_vsock_set_guest_cid(int vhost, uint64_t cid);
int bw_vhost_vsock_set_running(int vhost, int on);

struct bw_vhost_memory bw_vhost_memory_struct(uint64_t size, void *memory);
struct vhost_vring_state bw_vhost_state_struct(uint32_t queue, uint32_t number);
struct vhost_vring_addr bw_vhost_addr_struct(uint32_t queue, const struct bw_vring *vring, void *memory);
struct vhost_vring_file bw_vhost_file_struct(uint32_t queue, int fd);

/* -- tap.c ------------------------------------------------------------------------------------------------------------- */

/* A tap device in a network of its own, and the other end: a packet socket that gets the frames of BW_FRAME_TYPE. */
int bw_tap_new(int *tap, int *frames);

/* -- vsock.c ----------------------------------------------------------------------------------------------------------- */

/* Asks a guest for a connection, which it grants whenever it likes. room: bytes that it may send before they are read. -> fd
 * that never blocks */
int bw_vsock_connect(uint32_t cid, uint32_t port, uint64_t room);

/* -- I/O thread (iothread.c) ------------------------------------------------------------------------------------------ */

#define BW_PATH_IRQFD 0
#define BW_PATH_IRQ_LINE 1
#define BW_PATH_SIGNAL_MSI 2
#define BW_PATH_URING 3 /* the kernel signals the irqfd, once it has read a block of a file */

#define BW_SIGNAL_NEVER 0   /* doorbells are read, nothing is answered */
#define BW_SIGNAL_ANSWER 1  /* one interrupt for each read of the doorbell */
#define BW_SIGNAL_PACED 2   /* interrupts at the pace, doorbells are read as they come */
#define BW_SIGNAL_DEVICE 3  /* a virtqueue is served after each read, and interrupts where its driver wants it */

#define BW_PERIOD_FLAT_OUT 0
#define BW_PERIOD_BY_HAND 0xffffffffffffffff

/* What the thread does; changed as a whole, by bw_iothread_command only. */
struct bw_orders {
    uint32_t path;    /* BW_PATH_* */
    uint32_t signal;  /* BW_SIGNAL_* */
    uint64_t period;  /* TSC cycles between bursts */
    uint32_t burst;   /* interrupts a burst */
    uint32_t running; /* 0: the pace is held */
    uint64_t limit;   /* paced interrupts in all; 0xffffffffffffffff: no limit */
    uint64_t singles; /* interrupts asked for by hand so far */
};

struct bw_wiring {
    int vm;
    int doorbell; /* eventfd, or -1 */
    int irqfd;    /* eventfd, or -1 */
    uint32_t gsi;
    uint32_t msi_address;
    uint32_t msi_data;
    void *memory;
    uint64_t hz; /* TSC cycles a second */
};

struct bw_iothread;
struct bw_iothread *bw_iothread_new(const struct bw_wiring *wiring, struct bw_ring *ring, int *error);
/* Each before the thread starts: more doorbells than one, counted each for itself; more irqfds than one, written in turn;
 * a line instead of edges: raised once, and not again until `resamplefd` tells that the guest has seen it. */
int bw_iothread_set_queues(struct bw_iothread *thread, const int *doorbells, uint32_t count); /* -EINVAL: too many */
int bw_iothread_set_irqfds(struct bw_iothread *thread, const int *irqfds, uint32_t count);    /* -EINVAL: too many */
void bw_iothread_set_level(struct bw_iothread *thread, int resamplefd);
void bw_iothread_set_uring(struct bw_iothread *thread, struct bw_uring *uring); /* before it starts; outlives it */
void bw_iothread_set_virtqueue(struct bw_iothread *thread, struct bw_virtqueue *virtqueue); /* the same */
int bw_iothread_start(struct bw_iothread *thread, const struct bw_orders *orders, int cpu);
/* Hands over new orders and waits until they are in force: afterwards no signal takes the old path. -ETIMEDOUT */
int bw_iothread_command(struct bw_iothread *thread, const struct bw_orders *orders, uint32_t milliseconds);
int bw_iothread_stop(struct bw_iothread *thread, uint32_t milliseconds); /* and joins; -ETIMEDOUT: still running */
int bw_iothread_thread_id(const struct bw_iothread *thread); /* the kernel's number; 0: it has not run yet */
uint64_t bw_iothread_reads(const struct bw_iothread *thread);
uint64_t bw_iothread_received(const struct bw_iothread *thread);
uint64_t bw_iothread_signalled(const struct bw_iothread *thread);
const uint64_t *bw_iothread_announced(const struct bw_iothread *thread); /* where that number stands */
uint64_t bw_iothread_refused(const struct bw_iothread *thread); /* interrupts that the kernel did not take */
int bw_iothread_failure(const struct bw_iothread *thread);      /* errno that ended or troubled it, or 0 */
int bw_iothread_free(struct bw_iothread *thread);               /* -EBUSY while it runs */

/* -- the guest's stamps (stamps.c) ------------------------------------------------------------------------------------- */

struct bw_stamps;
/* Stamps from before `since`, a TSC, cannot be true. */
struct bw_stamps *bw_stamps_new(const void *memory, uint32_t doorbell_id, uint32_t vector, uint64_t since);
/* The guest rings at so many addresses in turn. */
void bw_stamps_set_addresses(struct bw_stamps *stamps, uint32_t addresses);
/* From now on this guest's interrupts are announced by the doorbells of another one, or of itself; outlived by it. */
void bw_stamps_follow(struct bw_stamps *stamps, const struct bw_stamps *announcer);
/* This guest's TSC is ahead of the host's by so many cycles, less than 0: behind. Before the first drain. */
void bw_stamps_set_offset(struct bw_stamps *stamps, int64_t cycles);
/* New stamps as events RING, RUNG, WINDOW and HANDLER (arg 0: what a handler covers is known once they are sorted), not sorted.
 * `announced`: where the number of interrupts signalled so far stands, the most that a handler can have seen; not read
 * if another guest announces. */
uint32_t bw_stamps_drain(struct bw_stamps *stamps, const uint64_t *announced, struct bw_event *out, uint32_t most);
uint64_t bw_stamps_rung(const struct bw_stamps *stamps);     /* doorbells drained or lost */
uint64_t bw_stamps_handled(const struct bw_stamps *stamps);  /* handlers drained */
uint64_t bw_stamps_last_irq(const struct bw_stamps *stamps); /* newest interrupt that a handler has seen */
uint64_t bw_stamps_lost(const struct bw_stamps *stamps);     /* events overwritten before they were drained */
uint64_t bw_stamps_nonsense(const struct bw_stamps *stamps); /* events that cannot be true */
void bw_stamps_free(struct bw_stamps *stamps);

/* -- the bare loop (bare.c): what the instrumentation is compared with -------------------------------------------------- */

/* Reads `doorbell` and answers through `irqfd`, `rounds` times, by plain blocking read() and write(); stores the TSC
 * after each read. -> rounds done, or -errno. */
int64_t bw_bare_loop(int doorbell, int irqfd, void *memory, uint64_t rounds, uint64_t *tsc, int cpu);
