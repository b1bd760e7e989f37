/* The part of a driver that finds its device on the PCI bus of a VMM that knows nothing of us, and has it send messages. No
 * firmware ran before it: the driver says itself where the device answers. Included after guest.h by the driver of a
 * device, before which bar_address[] says where each BAR of that device shall be; 0: nowhere. */
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
#define BARS 6

#define REGISTER(type, address) (*(volatile type *)(address))

static void out32(uint16_t port, u32 value)
{
    asm volatile("outl %0, %1" : : "a"(value), "d"(port));
}

static u32 in32(uint16_t port)
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

/* Memory BARs, the upper half of a 64-bit one is 0. */
static void place_bars(void)
{
    for (u32 bar = 0; bar < BARS; bar++) {
        u32 offset = PCI_BARS + 4 * bar, kind = pci_read(offset);
        if (!bar_address[bar] || kind & 1)
            continue;
        pci_write(offset, bar_address[bar]);
        if ((kind & 6) == 4)
            pci_write(PCI_BARS + 4 * ++bar, 0);
    }
    pci_write(PCI_COMMAND, (pci_read(PCI_COMMAND) & 0xffff) | COMMAND_MEMORY_AND_MASTER);
}

/* Where something is that a capability names by its BAR and the offset in there. */
static u64 in_bar(u32 bar, u32 offset)
{
    return (u64)bar_address[bar % BARS] + offset;
}

/* Every message is BW_VECTOR_MSI for the local APIC 0 (PCI 3.0, 6.8.2). */
static void enable_messages(u32 at)
{
    u32 table = pci_read(at + 4), entries = (pci_read(at) >> 16 & 0x7ff) + 1;
    u64 entry = in_bar(table & 7, table & ~7u);
    pci_write(at, (pci_read(at) | MSI_X_ENABLE) & ~MSI_X_MASK);
    for (; entries--; entry += 16) {
        REGISTER(u32, entry) = BW_LOCAL_APIC;
        REGISTER(u32, entry + 4) = 0;
        REGISTER(u32, entry + 8) = BW_VECTOR_MSI;
        REGISTER(u32, entry + 12) = 0; /* not masked */
    }
}

/* Enables messages; read_other() is called for each capability that is the vendor's. */
static void read_capabilities(void (*read_other)(u32 at))
{
    bool messages = false;
    u32 left = 48; /* so many fit: a list that runs in circles ends too */
    for (u32 at = pci_read(PCI_CAPABILITIES) & 0xfc; at && left; at = pci_read(at + 1) & 0xfc, left--) {
        u32 id = pci_read(at) & 0xff;
        if (id == VENDOR_SPECIFIC && read_other)
            read_other(at);
        if (id == MSI_X)
            enable_messages(at), messages = true;
    }
    if (!messages)
        amiss(BW_DEVICE_MESSAGES);
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
