/* The part of a virtio driver that finds its device on the PCI bus, and hands it the virtqueues of virtio.h (virtio 1.2, 3.1.1
 * and 4.1). Included after virtio.h by a driver that has said which of the device's queues it rings, DOORBELL_QUEUE. */
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

/* Message `vector` of the device's, or NO_VECTOR, tells that it has used buffers of this queue. */
static void hand_over_queue(u16 queue, u16 vector, u32 descriptor_area, u32 driver_area, u32 device_area)
{
    u64 common = common_registers;
    REGISTER(u16, common + QUEUE_SELECT) = queue;
    REGISTER(u16, common + QUEUE_SIZE) = BW_VIRTQUEUE_SIZE;
    REGISTER(u16, common + QUEUE_VECTOR) = vector;
    if (REGISTER(u16, common + QUEUE_VECTOR) != vector)
        amiss(BW_DEVICE_MESSAGES);
    write_address(common + QUEUE_DESCRIPTORS, descriptor_area);
    write_address(common + QUEUE_DRIVER, driver_area);
    write_address(common + QUEUE_DEVICE, device_area);
    REGISTER(u16, common + QUEUE_ENABLE) = 1;
}

/* The queue that is rung, whose message is the guest's only interrupt. */
static void hand_over_doorbell_queue(void)
{
    hand_over_queue(DOORBELL_QUEUE, 0, BW_VIRTQUEUE_DESCRIPTORS, BW_VIRTQUEUE_AVAILABLE, BW_VIRTQUEUE_USED);
}

/* From now on the device serves the queues that it has. */
static void begin_device(void)
{
    REGISTER(uint8_t, common_registers + DEVICE_STATUS) = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
}

/* Up to where queues can be handed over. */
static void find_device(void)
{
    if ((pci_read(0) & 0xffff) != VIRTIO_VENDOR)
        amiss(BW_DEVICE_NONE);
    place_bars();
    read_capabilities(read_virtio_capability);
    negotiate(common_registers);
    REGISTER(u16, common_registers + CONFIG_VECTOR) = NO_VECTOR;
    REGISTER(u16, common_registers + QUEUE_SELECT) = DOORBELL_QUEUE;
    u64 doorbell = notify_registers + (u64)notify_multiplier * REGISTER(u16, common_registers + QUEUE_NOTIFY_OFF);
    if (doorbell != CONTROL(u64, BW_CTL_ADDRESS))
        amiss(BW_DEVICE_DOORBELL);
}

/* Lets interrupts in for a while, and drops them: no request is under way. */
static void let_greet(void)
{
    for (u64 until = rdtsc() + 4 * CONTROL(u64, BW_CTL_LOOK); rdtsc() < until; kept_stamp = 0) {
        wrmsr(MSR_TSC_DEADLINE, rdtsc() + CONTROL(u64, BW_CTL_LOOK));
        idle();
    }
}

/* The device has its queues: settles with the host what the time is, and takes interrupts from then on. */
static void begin(void)
{
    begin_device();
    compare_clocks();
    let_greet();
    STATUS(u32, BW_ST_READY) = 1;
}
