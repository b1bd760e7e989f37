/* What every guest program is built from: out, stamps, waiting. Included once by each guests/<program>.c. */
#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

typedef uint32_t u32;
typedef uint64_t u64;

#define TEXT_OF(macro) TEXT(macro)
#define TEXT(words) #words
#define CONTROL(type, offset) (*(const volatile type *)(BW_CONTROL + (offset)))
#define STATUS(type, offset) (*(volatile type *)(BW_STATUS + (offset)))

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define X2APIC_SPURIOUS 0x80f
#define X2APIC_LVT_TIMER 0x832
#define LVT_TSC_DEADLINE (2u << 17)
#define BY_HAND (~0ull) /* BW_CTL_PERIOD: only on demand */

/* Registers that the interrupt handlers own, see start.S. */
register u64 kept_stamp asm("r12");
register u64 irq_above asm("r14");
register u64 way_to_idle asm("r13");
#define IRQ_SEEN ((u32)(irq_above >> 32)) /* the lower half of the newest interrupt that was announced to a handler */

/* In registers because an access to memory is dear where KVM emulates it. */
register u64 rung asm("r15");       /* doorbells rung so far */
register u64 ring_slot asm("rbx"); /* next slot of the doorbells' stamps */

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

/* How to idle from now on. Where a host can nudge, a guest that halts looks only then; one that spins does each time. */
static inline void choose_way_to_idle(void)
{
    asm volatile("call choose_way_to_idle" : "=r"(way_to_idle) : : "memory", "cc");
}

/* Waits for an interrupt, or a while: the only place where interrupts are let in, and only one. */
static inline void idle(void)
{
#ifndef BARE
    if (kept_stamp)
        asm volatile("call write_kept_stamp" : : "r"(kept_stamp) : "rax", "memory", "cc");
#endif
#ifdef NOBODY_NUDGES
    choose_way_to_idle();
#endif
    asm volatile("call *%[way]"
                 : [way] "+r"(way_to_idle), "+r"(irq_above), "=r"(kept_stamp) : : "rax", "rcx", "rdx", "memory", "cc");
}

#define RING_TIMES ((volatile u32 *)BW_RING_TIMES)
#define RING_HANDLERS ((volatile u64 *)BW_RING_HANDLERS)
#define RING_TURNS ((volatile u64 *)BW_RING_TURNS)

/* The next doorbell comes later than now: for who has waited, however long. */
static inline void mark_turn(void)
{
#ifndef BARE
    RING_TURNS[ring_slot] = rdtsc();
#endif
}

/* A doorbell: time, store, time; then both times go to memory, when the host is already waking. No lfence: the store
 * leaves the guest, which serializes, so the first RDTSC is done before it and the second begins after it. Lower halves
 * only: each instruction more is half a microsecond of the signal's way where KVM emulates it. */
#ifndef BARE
#define TIME_PIO "rdtsc; xchg %%eax, %%esi; mov %%edi, %%edx;"
#define TIME_MMIO "rdtsc; mov %%eax, %%esi;"
#define TIME_AFTER "; rdtsc"
#else
#define TIME_PIO "mov %%esi, %%eax; mov %%edi, %%edx;"
#define TIME_MMIO ""
#define TIME_AFTER ""
#endif

#define RING_PIO(instruction)                                                                                          \
    do {                                                                                                               \
        before = (u32)value;                                                                                           \
        asm volatile(TIME_PIO instruction TIME_AFTER                                                                   \
                     : "+S"(before), "=a"(after) : "D"((u32)address) : "rdx", "memory");                               \
    } while (0)
#define RING_MMIO(instruction, modifier)                                                                               \
    asm volatile(TIME_MMIO instruction " %" modifier "[value], (%[address])" TIME_AFTER                                \
                 : "=&S"(before), "=&a"(after) : [address] "r"(address), [value] "r"(value) : "rdx", "memory")

/* Writes the doorbell's slot, with the kept stamp of a handler. A guest that takes no interrupts while it rings leaves that
 * place as it was, 0. */
static inline void publish(u32 before, u32 after, bool with_handler)
{
#ifndef BARE
    RING_TIMES[2 * ring_slot] = before;
    RING_TIMES[2 * ring_slot + 1] = after;
    if (with_handler) {
        RING_HANDLERS[ring_slot] = kept_stamp;
        kept_stamp = 0;
    }
    asm volatile("incw %w0" : "+r"(ring_slot) : : "cc"); /* 16 bits: behind slot BW_STAMP_SLOTS - 1 comes 0 */
    STATUS(u64, BW_ST_RUNG) = rung; /* x86 keeps stores in order: the slot is complete when it counts */
#else
    (void)before, (void)after, (void)with_handler;
#endif
}

static inline void ring(u32 bus_and_width, bool with_handler)
{
    u64 address = CONTROL(u64, BW_CTL_ADDRESS), value = CONTROL(u64, BW_CTL_VALUE);
    u32 before, after;
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
    publish(before, after, with_handler);
}

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

/* What turn() says. Where no host can wake the guest from HLT, it wakes by itself now and then, to look again; the timer is
 * set whatever turn() has seen, for the control page may have changed since. */
static inline u32 next_turn(void)
{
    u32 burst = turn();
#ifdef NOBODY_NUDGES
    u64 now = rdtsc(), look = now + CONTROL(u64, BW_CTL_LOOK);
    if (!burst)
        wrmsr(MSR_TSC_DEADLINE, now < next_tick && next_tick < look ? next_tick : look);
#endif
    return burst;
}

/* The program, as a loop that never ends. `bus_and_width`, the doorbell's, does not change: the compiler makes one loop for
 * each, so that ringing takes no decision. */
#define MAIN_LOOP(bus_and_width)                                                                                       \
    static inline __attribute__((always_inline, noreturn)) void main_loop(u32 bus_and_width);                          \
    void guest_main(void)                                                                                              \
    {                                                                                                                  \
        switch (CONTROL(u32, BW_CTL_BUS) << 4 | CONTROL(u32, BW_CTL_WIDTH)) {                                          \
        case 0x01: main_loop(0x01);                                                                                    \
        case 0x02: main_loop(0x02);                                                                                    \
        case 0x04: main_loop(0x04);                                                                                    \
        case 0x11: main_loop(0x11);                                                                                    \
        case 0x12: main_loop(0x12);                                                                                    \
        case 0x14: main_loop(0x14);                                                                                    \
        default: main_loop(0x18);                                                                                      \
        }                                                                                                              \
    }                                                                                                                  \
    static inline void main_loop(u32 bus_and_width)

/* What stands behind it is done for ever, each time that doorbells are to be rung: so many as `burst` says. In between it
 * idles. `first` comes before each look whether it is time. */
#define EACH_TURN(burst) EACH_TURN_AFTER(burst, (void)0)
#define EACH_TURN_AFTER(burst, first)                                                                                  \
    for (u32 burst;;)                                                                                                  \
        if (first, !(burst = next_turn())) {                                                                           \
            idle();                                                                                                    \
            mark_turn();                                                                                               \
        } else
/* Whether another doorbell of the burst is to be rung: the limit may end it early. */
#define MORE(burst) (--(burst) && may_ring())

/* Where no host announces interrupts, the guest that rings does: it stores the doorbell's number before it rings, in the
 * control page of the guest that will be interrupted. */
#define ANNOUNCE(control_page) (*(volatile u64 *)((control_page) + BW_CTL_IRQ) = rung + 1)

/* Until the host has answered all doorbells. An answer is an interrupt: its word in memory alone, which comes first, does
 * not count. */
static inline void wait_for_answer(void)
{
    u64 before = irq_above;
    idle();
    while (irq_above == before || CONTROL(u64, BW_CTL_ANSWERED) < rung)
        idle();
}

/* -- boot: interrupt table, local APIC, one IOAPIC pin ----------------------------------------------------------- */

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    u32 offset_high, zero;
};

static struct gate idt[256] __attribute__((aligned(16)));

extern const char fault_table[], handler_interrupt[], handler_other[], handler_ack[], handler_no_eoi[], handler_nudge[],
    handler_wakeup[], handler_ignore[];

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

void boot(void); /* start.S calls it, */
void guest_main(void); /* then this, which each program has */

void boot(void)
{
    for (u32 vector = 0; vector < 32; vector++)
        set_gate(vector, fault_table + 16 * 2 * vector);
    set_gate(BW_VECTOR_TIMER, handler_wakeup);
    set_gate(BW_VECTOR_NUDGE, handler_nudge);
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
    ring_slot = 0;
    rung = 0;
    mark_turn();
    choose_way_to_idle(); /* now that a nudge is not lost */
#ifndef NOBODY_NUDGES /* else it has more to do before it is ready */
    STATUS(u32, BW_ST_READY) = 1;
#endif
}
