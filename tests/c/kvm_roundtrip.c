/* A real guest, from the first ioctl to the last close: it rings, the I/O thread answers, half-way the ioeventfd and then
 * the irqfd are taken away while it runs, and every doorbell and interrupt is accounted for at the end.
 * argv[1]: the folder of the guests' images. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi.h"
#include "check.h"
#include "core.h"

#define DOORBELLS 3000
#define PORT 0x510
#define GSI 24
#define PATIENCE_MS 20000
#define CAPACITY 65536

struct machine {
    int kvm, vm, memory_fd, doorbell, irqfd;
    char *memory;
    struct bw_ring *vcpu_ring, *io_ring;
    struct bw_vcpu *vcpu;
    struct bw_iothread *io;
    struct bw_stamps *stamps;
    uint64_t ring, rung, handlers, covered;
};

static const struct bw_orders by_irqfd = {.path = BW_PATH_IRQFD, .signal = BW_SIGNAL_ANSWER, .running = 1};
static const struct bw_orders by_ioctl = {.path = BW_PATH_SIGNAL_MSI, .signal = BW_SIGNAL_ANSWER, .running = 1};

static void must(int result, const char *what)
{
    if (result >= 0)
        return;
    printf("%s: %s\n", what, strerror(-result));
    exit(1);
}

#define MUST(call) must((call), #call)

static void load_image(struct machine *self, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/roundtrip.bin", folder);
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(self->memory + BW_IMAGE, 1, BW_IMAGE_MAX, file) : 0;
    must(size ? 0 : -ENOENT, path);
    fclose(file);
}

static void control(struct machine *self, uint64_t offset, uint64_t value, size_t size)
{
    memcpy(self->memory + BW_CONTROL + offset, &value, size);
}

static void set_control(struct machine *self)
{
    control(self, BW_CTL_FAST, 1, 4);
    control(self, BW_CTL_RUNNING, 1, 4);
    control(self, BW_CTL_BURST, 1, 4);
    control(self, BW_CTL_IDLE, BW_IDLE_HLT, 4);
    control(self, BW_CTL_BUS, BW_BUS_PIO, 4);
    control(self, BW_CTL_LIMIT, DOORBELLS / 2, 8); /* the rest once the ioeventfd is gone, however late that is */
    control(self, BW_CTL_ADDRESS, PORT, 8);
    control(self, BW_CTL_VALUE, 7, 8);
    control(self, BW_CTL_WIDTH, 2, 4);
    control(self, BW_CTL_IOAPIC_PIN, UINT32_MAX, 4);
}

static void build(struct machine *self, const char *folder)
{
    int error = 0;
    MUST(self->kvm = bw_kvm_open());
    MUST(self->vm = bw_vm_create(self->kvm));
    MUST(bw_vm_create_irqchip(self->vm));
    MUST(self->memory_fd = bw_memory_new(BW_MEMORY_SIZE, (void **)&self->memory));
    MUST(bw_memory_prepare(self->memory, 0));
    MUST(bw_vm_set_memory(self->vm, 0, 0, BW_MEMORY_SIZE, self->memory));
    load_image(self, folder);
    set_control(self);

    struct bw_route route = {.gsi = GSI, .type = BW_ROUTE_MSI, .address_low = BW_LOCAL_APIC, .data = BW_VECTOR_MSI};
    MUST(bw_set_gsi_routing(self->vm, &route, 1));
    MUST(self->doorbell = bw_eventfd_new(0, 0));
    MUST(self->irqfd = bw_eventfd_new(0, 0));
    MUST(bw_ioeventfd(self->vm, self->doorbell, PORT, 2, 0, KVM_IOEVENTFD_FLAG_PIO));
    MUST(bw_irqfd(self->vm, self->irqfd, GSI, 0, -1));

    self->vcpu_ring = bw_ring_new(CAPACITY);
    self->io_ring = bw_ring_new(CAPACITY);
    self->stamps = bw_stamps_new(self->memory, PORT, BW_VECTOR_MSI, 0);
    self->vcpu = bw_vcpu_new(self->vm, self->kvm, 0, self->memory, self->vcpu_ring, &error);
    MUST(error);
    MUST(bw_vcpu_prepare(self->vcpu, BW_IMAGE, BW_PAGE_TABLES));
    MUST(bw_vcpu_add_doorbell(self->vcpu, BW_BUS_PIO, PORT, -1, self->doorbell));
    struct bw_wiring wiring = {.vm = self->vm,
                               .doorbell = self->doorbell,
                               .irqfd = self->irqfd,
                               .gsi = GSI,
                               .msi_address = BW_LOCAL_APIC,
                               .msi_data = BW_VECTOR_MSI,
                               .memory = self->memory,
                               .hz = 1000000000};
    self->io = bw_iothread_new(&wiring, self->io_ring, &error);
    MUST(error);
}

/* Takes what the guest has stamped; doorbells are numbered without a gap, handlers have seen all
 * interrupts up to a newest one. */
static void drain(struct machine *self)
{
    struct bw_event out[512];
    uint32_t count = bw_stamps_drain(self->stamps, bw_iothread_announced(self->io), out, 512);
    for (uint32_t i = 0; i < count; i++) {
        if (out[i].kind == BW_RING)
            CHECK_EQUAL(out[i].seq, ++self->ring);
        else if (out[i].kind == BW_RUNG)
            CHECK_EQUAL(out[i].seq, ++self->rung);
        else
            self->handlers++, self->covered = out[i].seq > self->covered ? out[i].seq : self->covered;
    }
}

static void wait_until(struct machine *self, uint64_t doorbells)
{
    for (int ms = 0; bw_iothread_received(self->io) < doorbells || self->rung < doorbells; ms++) {
        drain(self);
        usleep(1000);
        must(ms < PATIENCE_MS ? 0 : -ETIMEDOUT, "the guest's doorbells");
    }
}

static void run(struct machine *self)
{
    uint64_t detail;
    MUST(bw_iothread_start(self->io, &by_irqfd, -1));
    MUST(bw_vcpu_start(self->vcpu, -1));
    wait_until(self, DOORBELLS / 3);
    MUST(bw_ioeventfd(self->vm, self->doorbell, PORT, 2, 0, KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN));
    control(self, BW_CTL_LIMIT, DOORBELLS, 8);
    MUST(bw_signal_msi(self->vm, BW_LOCAL_APIC, 0, BW_VECTOR_NUDGE));
    wait_until(self, 2 * DOORBELLS / 3);
    MUST(bw_iothread_command(self->io, &by_ioctl, 5000));
    MUST(bw_irqfd(self->vm, self->irqfd, GSI, KVM_IRQFD_FLAG_DEASSIGN, -1));
    wait_until(self, DOORBELLS);
    for (int ms = 0; self->covered < bw_iothread_signalled(self->io) && ms < PATIENCE_MS; ms++) {
        drain(self);
        usleep(1000);
    }
    bw_vcpu_stop(self->vcpu);
    MUST(bw_vcpu_join(self->vcpu, 5000));
    MUST(bw_iothread_stop(self->io, 5000));
    CHECK_EQUAL(bw_vcpu_verdict(self->vcpu, &detail), BW_VERDICT_STOPPED);
}

/* -> events of `kind` in a ring. */
static uint64_t count_kind(struct bw_ring *ring, uint16_t kind)
{
    struct bw_event *out = calloc(CAPACITY, sizeof *out);
    uint32_t count = bw_ring_drain(ring, out, CAPACITY);
    uint64_t found = 0;
    for (uint32_t i = 0; i < count; i++)
        found += out[i].kind == kind;
    free(out);
    return found;
}

static void check(struct machine *self)
{
    uint64_t relayed = bw_vcpu_relayed(self->vcpu), signalled = bw_iothread_signalled(self->io);
    CHECK_EQUAL(self->ring, DOORBELLS);
    CHECK_EQUAL(self->rung, DOORBELLS);
    CHECK_EQUAL(bw_iothread_received(self->io), DOORBELLS);
    CHECK_EQUAL(bw_iothread_reads(self->io), signalled);
    CHECK_EQUAL(self->covered, signalled);
    CHECK_EQUAL(self->handlers <= signalled, 1);
    CHECK_EQUAL(bw_vcpu_exits(self->vcpu, KVM_EXIT_IO), relayed);
    CHECK_EQUAL(relayed > 0 && relayed < DOORBELLS, 1);
    CHECK_EQUAL(bw_iothread_refused(self->io) + (uint64_t)bw_iothread_failure(self->io), 0);
    CHECK_EQUAL(bw_stamps_lost(self->stamps) + bw_stamps_nonsense(self->stamps), 0);
    CHECK_EQUAL(bw_ring_dropped(self->vcpu_ring) + bw_ring_dropped(self->io_ring), 0);
    CHECK_EQUAL(count_kind(self->io_ring, BW_DOORBELL), bw_iothread_reads(self->io));
    CHECK_EQUAL(count_kind(self->vcpu_ring, BW_EXIT) >= relayed, 1);
    printf("%d doorbells, %llu of them relayed from user space; %llu interrupts, %llu handled\n", DOORBELLS,
           (unsigned long long)relayed, (unsigned long long)signalled, (unsigned long long)self->handlers);
}

static void tear_down(struct machine *self)
{
    MUST(bw_vcpu_free(self->vcpu));
    MUST(bw_iothread_free(self->io));
    bw_stamps_free(self->stamps);
    bw_ring_free(self->vcpu_ring);
    bw_ring_free(self->io_ring);
    const int fds[] = {self->doorbell, self->irqfd, self->vm, self->kvm, self->memory_fd};
    for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    MUST(bw_memory_free(self->memory, BW_MEMORY_SIZE));
}

int main(int argc, char **argv)
{
    static struct machine machine;
    build(&machine, argc > 1 ? argv[1] : "guests");
    run(&machine);
    check(&machine);
    tear_down(&machine);
    return failures != 0;
}
