// rings, listens
/* A driver for QEMU's ivshmem-doorbell (QEMU: docs/specs/ivshmem-spec): two guests of VMMs that know nothing of each other
 * share one page, and each has a register that interrupts the other. The same program runs in both; the control page tells
 * which one rings. Before each doorbell it stores its number in the page, where the other one's handler reads it. */
#define NOBODY_NUDGES
#include "guest.h"

static const u32 bar_address[] = {BW_PCI_REGISTERS, BW_PCI_TABLE, BW_PEER_CONTROL, 0, 0, 0};
#include "pci.h"

#define IVSHMEM 0x11101af4 /* device and vendor */

asm(".globl announced; .set announced, " TEXT_OF(BW_PEER_CONTROL) " + " TEXT_OF(BW_CTL_IRQ_ABOVE)); /* start.S */

static void set_up_device(void)
{
    if (pci_read(0) != IVSHMEM)
        amiss(BW_DEVICE_NONE);
    place_bars();
    if (BW_PCI_REGISTERS + BW_IVSHMEM_DOORBELL != CONTROL(u64, BW_CTL_ADDRESS))
        amiss(BW_DEVICE_DOORBELL);
    u32 peer = (u32)CONTROL(u64, BW_CTL_VALUE) >> BW_IVSHMEM_PEER_SHIFT;
    if (REGISTER(u32, (u64)BW_PCI_REGISTERS + BW_IVSHMEM_POSITION) != 1 - peer)
        amiss(BW_DEVICE_PEER);
    read_capabilities(0);
}

MAIN_LOOP(bus_and_width)
{
    set_up_device();
    compare_clocks();
    STATUS(u32, BW_ST_READY) = 1;
    EACH_TURN(burst)
        do {
            ANNOUNCE(BW_PEER_CONTROL);
            ring(bus_and_width, false);
        } while (MORE(burst));
}
