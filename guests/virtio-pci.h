/* The part of a virtio driver that finds its device on the PCI bus, and hands it the virtqueue of virtio.h (virtio 1.2, 3.1.1
 * and 4.1). Included after virtio.h. */
static const u32 bar_address[] = {[1] = BW_PCI_TABLE, [4] = BW_PCI_REGISTERS, [5] = 0};
#include "pci.h"
#define VIRTIO_VENDOR 0x1af4

/* virtio_pci_common_cfg (virtio 1.2, 4.1.4.3) */
enum common {
    DRIVER_FEATURE_SELECT = 8,
    DRIVER_FEATURE = 12,
    CONFIG_VECTOR = 16,
    DEVICE_STATUS = 20,
    QUEUE_SELECT = 22,
    QUEUE_SIZE = 24,
    QUEUE_VECTOR = 26,
    QUEUE_ENABLE = 28,
    QUEUE_NOTIFY_OFF = 30,
    QUEUE_DESCRIPTORS = 32,
    QUEUE_DRIVER = 40,
    QUEUE_DEVICE = 48,
};
#define ACKNOWLEDGE 1
#define DRIVER 2
#define FEATURES_OK 8
#define DRIVER_OK 4
#define NO_VECTOR 0xffff

static u64 common_registers, notify_registers;
static u32 notify_multiplier;

/* virtio_pci_cap (virtio 1.2, 4.1.4). */
static void read_virtio_capability(u32 at)
{
    u64 address = in_bar(pci_read(at + 4) & 0xff, pci_read(at + 8));
    switch (pci_read(at + 3) & 0xff) {
    case 1: common_registers = address; break;
    case 2: notify_registers = address, notify_multiplier = pci_read(at + 16); break;
    }
}

static void negotiate(u64 common)
{
    REGISTER(uint8_t, common + DEVICE_STATUS) = 0;
    REGISTER(uint8_t, common + DEVICE_STATUS) = ACKNOWLEDGE;
    REGISTER(uint8_t, common + DEVICE_STATUS) = ACKNOWLEDGE | DRIVER;
    for (u32 half = 0; half < 2; half++) {
        REGISTER(u32, common + DRIVER_FEATURE_SELECT) = half;
        REGISTER(u32, common + DRIVER_FEATURE) = half; /* bit 32: VIRTIO_F_VERSION_1 */
    }
    REGISTER(uint8_t, common + DEVICE_STATUS) = ACKNOWLEDGE | DRIVER | FEATURES_OK;
    if (!(REGISTER(uint8_t, common + DEVICE_STATUS) & FEATURES_OK))
        amiss(BW_DEVICE_FEATURES);
}

/* A 64-bit register as two halves. */
static void write_address(u64 at, u32 address)
{
    REGISTER(u32, at) = address;
    REGISTER(u32, at + 4) = 0;
}

static void hand_over_queue(u64 common)
{
    REGISTER(u16, common + CONFIG_VECTOR) = NO_VECTOR;
    REGISTER(u16, common + QUEUE_SELECT) = 0;
    REGISTER(u16, common + QUEUE_SIZE) = BW_VIRTQUEUE_SIZE;
    REGISTER(u16, common + QUEUE_VECTOR) = 0;
    if (REGISTER(u16, common + QUEUE_VECTOR) == NO_VECTOR)
        amiss(BW_DEVICE_MESSAGES);
    write_address(common + QUEUE_DESCRIPTORS, BW_VIRTQUEUE_DESCRIPTORS);
    write_address(common + QUEUE_DRIVER, BW_VIRTQUEUE_AVAILABLE);
    write_address(common + QUEUE_DEVICE, BW_VIRTQUEUE_USED);
    REGISTER(u16, common + QUEUE_ENABLE) = 1;
    REGISTER(uint8_t, common + DEVICE_STATUS) = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
}

static void set_up_device(void)
{
    if ((pci_read(0) & 0xffff) != VIRTIO_VENDOR)
        amiss(BW_DEVICE_NONE);
    place_bars();
    read_capabilities(read_virtio_capability);
    negotiate(common_registers);
    REGISTER(u16, common_registers + QUEUE_SELECT) = 0;
    u64 doorbell = notify_registers + (u64)notify_multiplier * REGISTER(u16, common_registers + QUEUE_NOTIFY_OFF);
    if (doorbell != CONTROL(u64, BW_CTL_ADDRESS))
        amiss(BW_DEVICE_DOORBELL);
    hand_over_queue(common_registers);
}
