/* irqfd and its kin: interrupts by eventfd (api.rst, 4.75 KVM_IRQFD), their routes (4.52 KVM_SET_GSI_ROUTING), and the
 * ioctls that are used instead (4.25 KVM_IRQ_LINE, 4.71 KVM_SIGNAL_MSI). */
#include <errno.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "core.h"

struct kvm_irqfd bw_irqfd_struct(int fd, uint32_t gsi, uint32_t flags, int resamplefd)
{
    return (struct kvm_irqfd){.fd = (uint32_t)fd, .gsi = gsi, .flags = flags, .resamplefd = (uint32_t)resamplefd};
}

int bw_irqfd(int vm, int fd, uint32_t gsi, uint32_t flags, int resamplefd)
{
    struct kvm_irqfd irqfd = bw_irqfd_struct(fd, gsi, flags, resamplefd);
    return ioctl(vm, KVM_IRQFD, &irqfd) < 0 ? -errno : 0;
}

static uint32_t chip_of(uint32_t type)
{
    return type == BW_ROUTE_IOAPIC ? KVM_IRQCHIP_IOAPIC
           : type == BW_ROUTE_PIC_MASTER ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
}

/* A type that is none of ours goes to the kernel as it is: it is the kernel that refuses. */
struct kvm_irq_routing_entry bw_routing_entry_struct(const struct bw_route *route)
{
    struct kvm_irq_routing_entry entry = {.gsi = route->gsi, .type = route->type};
    if (route->type == BW_ROUTE_MSI) {
        entry.type = KVM_IRQ_ROUTING_MSI;
        entry.u.msi.address_lo = route->address_low;
        entry.u.msi.address_hi = route->address_high;
        entry.u.msi.data = route->data;
    } else if (route->type <= BW_ROUTE_PIC_SLAVE) {
        entry.type = KVM_IRQ_ROUTING_IRQCHIP;
        entry.u.irqchip.irqchip = chip_of(route->type);
        entry.u.irqchip.pin = route->pin;
    }
    return entry;
}

int bw_set_gsi_routing(int vm, const struct bw_route *routes, uint32_t count)
{
    struct kvm_irq_routing *table = calloc(1, sizeof *table + (size_t)count * sizeof table->entries[0]);
    if (!table)
        return -ENOMEM;
    table->nr = count;
    for (uint32_t i = 0; i < count; i++)
        table->entries[i] = bw_routing_entry_struct(&routes[i]);
    int result = ioctl(vm, KVM_SET_GSI_ROUTING, table) < 0 ? -errno : 0;
    free(table);
    return result;
}

struct kvm_irq_level bw_irq_line_struct(uint32_t gsi, uint32_t level)
{
    return (struct kvm_irq_level){.irq = gsi, .level = level};
}

int bw_irq_line_status(int vm, uint32_t gsi, uint32_t level, int32_t *status)
{
    struct kvm_irq_level line = bw_irq_line_struct(gsi, level);
    int result = ioctl(vm, KVM_IRQ_LINE_STATUS, &line);
    *status = (int32_t)line.status;
    return result < 0 ? -errno : 0;
}

/* The kernel's status: 1 delivered, 0 coalesced, -1 masked; passed on as 1, 0, 0 so that -errno stays an error. */
int bw_irq_line(int vm, uint32_t gsi, uint32_t level)
{
    int32_t status;
    int result = bw_irq_line_status(vm, gsi, level, &status);
    return result < 0 ? result : status > 0;
}

struct kvm_msi bw_msi_struct(uint32_t address_low, uint32_t address_high, uint32_t data)
{
    return (struct kvm_msi){.address_lo = address_low, .address_hi = address_high, .data = data};
}

/* -> how many vCPUs took it. Where there is no such vCPU KVM returns what its delivery returned, -1, which is no errno but
 * reaches user space as EPERM. It has no EPERM of its own for this call: the guest moved its APIC, the message is lost. */
int bw_signal_msi(int vm, uint32_t address_low, uint32_t address_high, uint32_t data)
{
    struct kvm_msi msi = bw_msi_struct(address_low, address_high, data);
    int taken = ioctl(vm, KVM_SIGNAL_MSI, &msi);
    return taken >= 0 ? taken : errno == EPERM ? 0 : -errno;
}
