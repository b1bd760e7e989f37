/* What the interrupt controllers in the kernel hold (api.rst, 4.57 KVM_GET_LAPIC, 4.26 KVM_GET_IRQCHIP), and the
 * interrupt that goes past all of them (4.16 KVM_INTERRUPT). */
#include <errno.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core.h"

_Static_assert(sizeof(struct kvm_lapic_state) == BW_LAPIC_SIZE, "the registers of a local APIC");
_Static_assert(KVM_IOAPIC_NUM_PINS == BW_IOAPIC_PINS, "the pins of the IOAPIC");

int bw_vcpu_get_lapic(int vcpu, uint8_t *registers)
{
    return ioctl(vcpu, KVM_GET_LAPIC, registers) < 0 ? -errno : 0;
}

int bw_vcpu_set_lapic(int vcpu, const uint8_t *registers)
{
    return ioctl(vcpu, KVM_SET_LAPIC, registers) < 0 ? -errno : 0;
}

int bw_vcpu_interrupt(int vcpu, uint32_t vector)
{
    struct kvm_interrupt interrupt = {.irq = vector};
    return ioctl(vcpu, KVM_INTERRUPT, &interrupt) < 0 ? -errno : 0;
}

int bw_vm_get_ioapic(int vm, struct bw_ioapic *ioapic)
{
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};
    if (ioctl(vm, KVM_GET_IRQCHIP, &chip) < 0)
        return -errno;
    ioapic->irr = chip.chip.ioapic.irr;
    for (int pin = 0; pin < BW_IOAPIC_PINS; pin++)
        ioapic->pins[pin] = chip.chip.ioapic.redirtbl[pin].bits;
    return 0;
}

/* The whole chip is written back, so what arrives in between is undone: for a guest that is not running. */
int bw_vm_set_ioapic_pin(int vm, uint32_t pin, uint64_t entry)
{
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};
    if (pin >= BW_IOAPIC_PINS)
        return -EINVAL;
    if (ioctl(vm, KVM_GET_IRQCHIP, &chip) < 0)
        return -errno;
    chip.chip.ioapic.redirtbl[pin].bits = entry;
    return ioctl(vm, KVM_SET_IRQCHIP, &chip) < 0 ? -errno : 0;
}
