/* What every guest program is built from: out, stamps, waiting. Included once by each guests/<program>.c. */
#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

typedef uint32_t u32;
typedef uint64_t u64;

#define CONTROL(type, offset) (*(const volatile type *)(BW_CONTROL + (offset)))
#define STATUS(type, offset) (*(volatile type *)(BW_STATUS + (offset)))

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define X2APIC_SPURIOUS 0x80f
#define X2APIC_LVT_TIMER 0x832
#define LVT_TSC_DEADLINE (2u << 17)
#define BY_HAND (~0ull) /* BW_CTL_PERIOD: only on demand */

/* Registers that the interrupt handlers own, see start.S. */
register u64 kept_low asm("r12");
register u64 kept_high asm("r13");
register u64 irq_seen asm("r14");

/* In registers because an access to memory is dear where KVM emulates it. */
register u64 rung asm("r15");       /* doorbells rung so far */
register u64 ring_stamp asm("rbx"); /* next slot of the doorbell's stamps */

static u32 singles;   /* single doorbells served so far */
static u64 next_tick; /* TSC of the next turn */

static inline u64 rdtsc(void)
{
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdmsr(u32 msr)
{
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

/* Waits for an interrupt, or a while: the only place where interrupts are let in, and only one. */
static inline void idle(void)
{
    if (kept_high)
        asm volatile("call write_kept_stamp" : "+r"(kept_high) : "r"(kept_low), "r"(irq_seen) : "rax", "memory", "cc");
    if (CONTROL(u32, BW_CTL_IDLE) == BW_IDLE_HLT)
        asm volatile("call idle_halted"
                     : "+r"(irq_seen), "+r"(kept_low), "+r"(kept_high) : : "rax", "rcx", "rdx", "memory", "cc");
    else
        asm volatile("call idle_spinning"
                     : "+r"(irq_seen), "+r"(kept_low), "+r"(kept_high) : : "rax", "rcx", "rdx", "memory", "cc");
}

/* A doorbell: time, store, time; then both times go to memory, when the host is already waking. No lfence: the store
 * leaves the guest, which serializes, so the first RDTSC is done before it and the second begins after it. */
#ifndef BARE
#define TIME_PIO "rdtsc; xchg %%eax, %%esi; xchg %%edx, %%edi;"
#define TIME_MMIO "rdtsc; mov %%eax, %%esi; mov %%edx, %%edi;"
#define STAMPS                                                                                                         \
    "rdtsc; mov %%esi, 0(%[slot]); mov %%edi, 4(%[slot]); mov %%eax, 8(%[slot]); mov %%edx, 12(%[slot]);"
#else
#define TIME_PIO "mov %%esi, %%eax; mov %%edi, %%edx;"
#define TIME_MMIO ""
#define STAMPS ""
#endif

#define RING_PIO(instruction)                                                                                          \
    do {                                                                                                               \
        u32 low = (u32)value, high = (u32)address; /* become the time */                                               \
        asm volatile(TIME_PIO instruction ";" STAMPS                                                                   \
                     : "+S"(low), "+D"(high) : [slot] "r"(ring_stamp) : "rax", "rdx", "memory");                       \
    } while (0)
#define RING_MMIO(instruction, modifier)                                                                               \
    asm volatile(TIME_MMIO instruction " %" modifier "[value], (%[address]);" STAMPS                                   \
                 : : [slot] "r"(ring_stamp), [address] "r"(address), [value] "r"(value)                                \
                 : "rax", "rdx", "rsi", "rdi", "memory")

/* The kept stamp of a handler goes into the doorbell's slot. A guest that takes no interrupts while it rings leaves the
 * place as it was, 0. */
static inline void publish(bool with_handler)
{
#ifndef BARE
    if (with_handler) {
        *(volatile u32 *)(ring_stamp + 16) = (u32)kept_low;
        *(volatile u32 *)(ring_stamp + 20) = (u32)kept_high;
        *(volatile u64 *)(ring_stamp + 24) = irq_seen;
        kept_high = 0;
    }
    ring_stamp = (ring_stamp + BW_RING_STAMP_SIZE) & ~(u64)BW_RING_STAMP_WRAP;
    STATUS(u64, BW_ST_RUNG) = rung; /* x86 keeps stores in order: the slot is complete when it counts */
#else
    (void)with_handler;
#endif
}

static inline void ring(u32 bus_and_width, bool with_handler)
{
    u64 address = CONTROL(u64, BW_CTL_ADDRESS), value = CONTROL(u64, BW_CTL_VALUE);
    switch (bus_and_width) {
    case 0x01: RING_PIO("outb %%al, %%dx"); break;
    case 0x02: RING_PIO("outw %%ax, %%dx"); break;
    case 0x04: RING_PIO("outl %%eax, %%dx"); break;
    case 0x11: RING_MMIO("movb", "b"); break;
    case 0x12: RING_MMIO("movw", "w"); break;
    case 0x14: RING_MMIO("movl", "k"); break;
    default: RING_MMIO("movq", "q"); break;
    }
    rung++;
    publish(with_handler);
}

/* Calls a program's main loop with the doorbell's bus and width, which do not change: the compiler makes one loop for
 * each, so that ringing takes no decision. */
#define WITH_BUS_AND_WIDTH(loop)                                                                                       \
    switch (CONTROL(u32, BW_CTL_BUS) << 4 | CONTROL(u32, BW_CTL_WIDTH)) {                                              \
    case 0x01: loop(0x01);                                                                                             \
    case 0x02: loop(0x02);                                                                                             \
    case 0x04: loop(0x04);                                                                                             \
    case 0x11: loop(0x11);                                                                                             \
    case 0x12: loop(0x12);                                                                                             \
    case 0x14: loop(0x14);                                                                                             \
    default: loop(0x18);                                                                                               \
    }
#define MAIN_LOOP static inline __attribute__((always_inline, noreturn)) void

static inline bool may_ring(void)
{
    return rung != CONTROL(u64, BW_CTL_LIMIT);
}

/* How many doorbells to ring now: 0 if it is not yet time. */
static inline u32 turn(void)
{
    if (!may_ring())
        return 0;
    if (CONTROL(u32, BW_CTL_FAST)) /* flat out, nothing else to look at */
        return CONTROL(u32, BW_CTL_BURST);
    if (CONTROL(u32, BW_CTL_SINGLES) != singles) {
        singles++;
        return 1;
    }
    u64 period = CONTROL(u64, BW_CTL_PERIOD);
    if (!CONTROL(u32, BW_CTL_RUNNING) || period == BY_HAND)
        return 0;
    u64 now = rdtsc();
    if (now >= next_tick) {
        next_tick += period;
        if (next_tick + 16 * period < now || next_tick > now + period) /* far behind, or the pace changed */
            next_tick = now + period;
        return CONTROL(u32, BW_CTL_BURST);
    }
    if (next_tick > now + period)
        next_tick = now + period;
    if (CONTROL(u32, BW_CTL_IDLE) == BW_IDLE_HLT)
        wrmsr(MSR_TSC_DEADLINE, next_tick);
    return 0;
}

/* Until the host has answered all doorbells. An answer is an interrupt: its word in memory alone, which comes first, does
 * not count. */
static inline void wait_for_answer(void)
{
    u64 before = irq_seen;
    do
        idle();
    while (irq_seen == before || CONTROL(u64, BW_CTL_ANSWERED) < rung);
}

/* -- boot: interrupt table, local APIC, one IOAPIC pin ----------------------------------------------------------- */

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    u32 offset_high, zero;
};

static struct gate idt[256] __attribute__((aligned(16)));

extern const char fault_table[], handler_interrupt[], handler_other[], handler_ack[], handler_no_eoi[], handler_wakeup[],
    handler_ignore[];

static void set_gate(u32 vector, const char *handler)
{
    u64 offset = (u64)handler;
    idt[vector] = (struct gate){(uint16_t)offset, 8, 0x8e00, (uint16_t)(offset >> 16), (u32)(offset >> 32), 0};
}

/* A pin to the local APIC 0 (82093AA datasheet, 3.1 and 3.2.4). */
static void route_ioapic_pin(u32 pin, u32 entry)
{
    volatile u32 *select = (volatile u32 *)BW_IOAPIC, *window = (volatile u32 *)(BW_IOAPIC + 0x10);
    *select = 0x11 + 2 * pin;
    *window = 0;
    *select = 0x10 + 2 * pin;
    *window = entry;
}

void boot(void);
void boot(void)
{
    for (u32 vector = 0; vector < 32; vector++)
        set_gate(vector, fault_table + 16 * 2 * vector);
    set_gate(BW_VECTOR_TIMER, handler_wakeup);
    set_gate(BW_VECTOR_NUDGE, handler_wakeup);
    set_gate(BW_VECTOR_MSI, handler_interrupt);
    set_gate(BW_VECTOR_IOAPIC, handler_interrupt);
    set_gate(BW_VECTOR_OTHER, handler_other);
    set_gate(BW_VECTOR_ACK, handler_ack);
    set_gate(BW_VECTOR_NO_EOI, handler_no_eoi);
    set_gate(0xff, handler_ignore);
    struct {
        uint16_t limit;
        u64 base;
    } __attribute__((packed)) pointer = {sizeof idt - 1, (u64)idt};
    asm volatile("lidt %0" : : "m"(pointer));
    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0xc00); /* x2APIC */
    wrmsr(X2APIC_SPURIOUS, 0x1ff);
    wrmsr(X2APIC_LVT_TIMER, LVT_TSC_DEADLINE | BW_VECTOR_TIMER);
    if (CONTROL(u32, BW_CTL_IOAPIC_PIN) != ~0u)
        route_ioapic_pin(CONTROL(u32, BW_CTL_IOAPIC_PIN), CONTROL(u32, BW_CTL_IOAPIC_ENTRY));
    next_tick = rdtsc();
    ring_stamp = BW_RING_STAMPS;
    rung = 0;
    STATUS(u32, BW_ST_READY) = 1;
}
