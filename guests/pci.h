/* The part of a virtio driver that finds its device on the PCI bus of a VMM that knows nothing of us, and hands it the
 * virtqueue of virtio.h (virtio 1.2, 3.1.1 and 4.1). No firmware ran before it: the driver says itself where the device
 * answers. Included after virtio.h. */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_BARS 0x10
#define PCI_CAPABILITIES 0x34
#define PCI_COMMAND 0x04
#define COMMAND_MEMORY_AND_MASTER 6
#define VENDOR_SPECIFIC 0x09 /* capabilities: of virtio, */
#define MSI_X 0x11           /* and of messages */
#define MSI_X_ENABLE (1u << 31)
#define MSI_X_MASK (1u << 30)
#define VIRTIO_VENDOR 0x1af4

#define REGISTER(type, address) (*(volatile type *)(address))

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

static u64 bar_address[6];
static u64 common_registers, notify_registers;
static u32 notify_multiplier;

static void out32(u16 port, u32 value)
{
    asm volatile("outl %0, %1" : : "a"(value), "d"(port));
}

static u32 in32(u16 port)
{
    u32 value;
    asm volatile("inl %1, %0" : "=a"(value) : "d"(port));
    return value;
}

static u32 pci_read(u32 offset)
{
    out32(PCI_ADDRESS, 1u << 31 | BW_PCI_SLOT << 11 | (offset & ~3u));
    return in32(PCI_DATA) >> 8 * (offset & 3);
}

static void pci_write(u32 offset, u32 value)
{
    out32(PCI_ADDRESS, 1u << 31 | BW_PCI_SLOT << 11 | offset);
    out32(PCI_DATA, value);
}

/* The driver goes no further: the host reads why. */
static __attribute__((noreturn)) void amiss(u32 what)
{
    extern __attribute__((noreturn)) void leave_guest(void);
    STATUS(u32, BW_ST_DEVICE) = what;
    leave_guest();
}

/* 32-bit and 64-bit memory, each where abi.h has a place for it: what is prefetchable there are virtio's registers. */
static void place_bars(void)
{
    for (u32 bar = 0; bar < 6; bar++) {
        u32 offset = PCI_BARS + 4 * bar, kind = pci_read(offset);
        pci_write(offset, ~0u);
        u32 size = pci_read(offset);
        if (!size || kind & 1)
            continue;
        bool wide = (kind & 6) == 4;
        bar_address[bar] = wide ? BW_PCI_REGISTERS : BW_PCI_TABLE;
        pci_write(offset, (u32)bar_address[bar]);
        if (wide)
            pci_write(PCI_BARS + 4 * ++bar, 0);
    }
    pci_write(PCI_COMMAND, (pci_read(PCI_COMMAND) & 0xffff) | COMMAND_MEMORY_AND_MASTER);
}

/* virtio_pci_cap (virtio 1.2, 4.1.4). */
static void read_virtio_capability(u32 at)
{
    u64 address = bar_address[(pci_read(at + 4) & 0xff) % 6] + pci_read(at + 8);
    switch (pci_read(at + 3) & 0xff) {
    case 1: common_registers = address; break;
    case 2: notify_registers = address, notify_multiplier = pci_read(at + 16); break;
    }
}

/* Every message is BW_VECTOR_MSI for the local APIC 0 (PCI 3.0, 6.8.2). */
static void enable_messages(u32 at)
{
    u32 table = pci_read(at + 4), entries = (pci_read(at) >> 16 & 0x7ff) + 1;
    u64 entry = bar_address[(table & 7) % 6] + (table & ~7u);
    pci_write(at, (pci_read(at) | MSI_X_ENABLE) & ~MSI_X_MASK);
    for (; entries--; entry += 16) {
        REGISTER(u32, entry) = BW_LOCAL_APIC;
        REGISTER(u32, entry + 4) = 0;
        REGISTER(u32, entry + 8) = BW_VECTOR_MSI;
        REGISTER(u32, entry + 12) = 0; /* not masked */
    }
}

static void read_capabilities(void)
{
    bool messages = false;
    u32 left = 48; /* so many fit: a list that runs in circles ends too */
    for (u32 at = pci_read(PCI_CAPABILITIES) & 0xfc; at && left; at = pci_read(at + 1) & 0xfc, left--) {
        u32 id = pci_read(at) & 0xff;
        if (id == VENDOR_SPECIFIC)
            read_virtio_capability(at);
        if (id == MSI_X)
            enable_messages(at), messages = true;
    }
    if (!messages)
        amiss(BW_DEVICE_MESSAGES);
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
    read_capabilities();
    negotiate(common_registers);
    REGISTER(u16, common_registers + QUEUE_SELECT) = 0;
    u64 doorbell = notify_registers + (u64)notify_multiplier * REGISTER(u16, common_registers + QUEUE_NOTIFY_OFF);
    if (doorbell != CONTROL(u64, BW_CTL_ADDRESS))
        amiss(BW_DEVICE_DOORBELL);
    hand_over_queue(common_registers);
}

/* Answers the host, who asks for the time, until it knows by how much our TSC differs from its own. */
static void compare_clocks(void)
{
    for (u32 answered = 0, asked; (asked = CONTROL(u32, BW_CTL_CLOCK)) != BW_CLOCK_DONE;)
        if (asked != answered) {
            STATUS(u64, BW_ST_CLOCK_TSC) = rdtsc();
            STATUS(u32, BW_ST_CLOCK) = answered = asked;
        }
}
