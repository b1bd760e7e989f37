/* Coalesced MMIO and PIO: writes to a zone go to a ring in the kernel and the guest runs on; nobody is woken (api.rst,
 * 4.116 KVM_(UN)REGISTER_COALESCED_MMIO). User space takes them when it leaves KVM_RUN for another reason, or just looks.
 *
 * The ring is one page a VM, which every vCPU's mapping shows. KVM fills the slot, then moves `last` behind a write
 * barrier; the taker reads the slot, then moves `first`. A ring that is full makes the write leave to user space. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"

struct bw_coalesced {
    struct kvm_coalesced_mmio_ring *page;
    size_t size;
    uint32_t slots;
};

struct kvm_coalesced_mmio_zone bw_coalesced_zone_struct(uint64_t address, uint32_t size, uint32_t pio)
{
    return (struct kvm_coalesced_mmio_zone){.addr = address, .size = size, .pio = pio};
}

int bw_coalesced_zone(int vm, uint64_t address, uint32_t size, uint32_t pio, int on)
{
    struct kvm_coalesced_mmio_zone zone = bw_coalesced_zone_struct(address, size, pio);
    return ioctl(vm, on ? KVM_REGISTER_COALESCED_MMIO : KVM_UNREGISTER_COALESCED_MMIO, &zone) < 0 ? -errno : 0;
}

static int map_ring(struct bw_coalesced *ring, int vm, int vcpu)
{
    int page_number = ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO); /* the page of the ring, or 0 */
    if (page_number <= 0)
        return page_number < 0 ? -errno : -EOPNOTSUPP;
    ring->size = (size_t)sysconf(_SC_PAGESIZE);
    ring->slots = (ring->size - sizeof *ring->page) / sizeof ring->page->coalesced_mmio[0];
    void *page = mmap(NULL, ring->size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, page_number * (off_t)ring->size);
    ring->page = page;
    return page == MAP_FAILED ? -errno : 0;
}

struct bw_coalesced *bw_coalesced_new(int vm, int vcpu, int *error)
{
    struct bw_coalesced *ring = calloc(1, sizeof *ring);
    *error = ring ? map_ring(ring, vm, vcpu) : -ENOMEM;
    if (*error < 0) {
        free(ring);
        return NULL;
    }
    return ring;
}

uint32_t bw_coalesced_room(const struct bw_coalesced *ring)
{
    return ring->slots - 1; /* one stays free, to tell full from empty */
}

static struct bw_coalesced_write write_of(const struct kvm_coalesced_mmio *slot)
{
    struct bw_coalesced_write write = {.address = slot->phys_addr, .length = slot->len, .pio = slot->pio};
    memcpy(&write.value, slot->data, write.length < sizeof write.value ? write.length : sizeof write.value);
    return write;
}

uint32_t bw_coalesced_take(struct bw_coalesced *ring, struct bw_coalesced_write *out, uint32_t most)
{
    uint32_t first = ring->page->first, count = 0;
    uint32_t last = __atomic_load_n(&ring->page->last, __ATOMIC_ACQUIRE) % ring->slots;
    for (; first != last && count < most; first = (first + 1) % ring->slots)
        out[count++] = write_of(&ring->page->coalesced_mmio[first]);
    __atomic_store_n(&ring->page->first, first, __ATOMIC_RELEASE);
    return count;
}

void bw_coalesced_free(struct bw_coalesced *ring)
{
    munmap(ring->page, ring->size);
    free(ring);
}
