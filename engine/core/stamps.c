/* Reads the stamps that a guest leaves in shared memory, and believes none of them.
 *
 * The guest writes a slot, then its counter; x86 keeps the order of stores, so a slot below the counter is complete. The
 * guest does not wait for us: if it is a whole ring ahead, slots were overwritten and count as lost. After copying a
 * slot the counter is read again: if the guest has come around to this slot meanwhile, the copy may be torn and counts as
 * lost too. A time from before the session or the previous doorbell, or in the future, or an interrupt that the host never
 * announced, cannot be true and counts as nonsense.
 *
 * Where a doorbell interrupts a guest with no host in between, the guest that rings announces: it stores the number first,
 * then rings, then counts. So it can have announced one more than it has counted, and nothing beyond is believed. */
#include <stdlib.h>

#include <stdint.h>

#include "abi.h"
#include "ring.h"

#define IN_USE (BW_STAMP_SLOTS - 1) /* the slot after the newest may be half written */
#define LEAP (1ull << 40)           /* more than any guest counts between two drains */

struct bw_stamps {
    const volatile char *memory;
    uint32_t doorbell_id, addresses, vector;
    uint64_t rung, alone, windows;                     /* slots read of each ring */
    uint64_t handled, lost, nonsense, last_irq;
    uint64_t since, last_rung;                /* nothing true is older */
    const struct bw_stamps *announcer;        /* the guest that announces this one's interrupts; NULL: the host does */
};

struct bw_stamps *bw_stamps_new(const void *memory, uint32_t doorbell_id, uint32_t vector, uint64_t since)
{
    struct bw_stamps *self = calloc(1, sizeof *self);
    if (self)
        *self = (struct bw_stamps){.memory = memory, .doorbell_id = doorbell_id, .addresses = 1, .vector = vector,
                                   .since = since, .last_rung = since};
    return self;
}

void bw_stamps_set_addresses(struct bw_stamps *self, uint32_t addresses)
{
    self->addresses = addresses;
}

void bw_stamps_follow(struct bw_stamps *self, const struct bw_stamps *announcer)
{
    self->announcer = announcer;
}

void bw_stamps_free(struct bw_stamps *self)
{
    free(self);
}

static uint64_t counter(const struct bw_stamps *self, uint32_t offset)
{
    return __atomic_load_n((const volatile uint64_t *)(self->memory + BW_STATUS + offset), __ATOMIC_ACQUIRE);
}

/* The clock once the counter was read: no stamp that it covers is newer. RDTSC alone may run ahead of a load. */
static uint64_t tsc_after_loads(void)
{
    __builtin_ia32_lfence();
    return bw_tsc();
}

/* Copies a slot. -> 1, or 0 if the guest has overwritten it, or may be doing so. */
static int copy_slot(const struct bw_stamps *self, uint64_t address, uint32_t count_offset, uint64_t index,
                     uint64_t *words, uint32_t count)
{
    const volatile uint64_t *slot = (const volatile uint64_t *)(self->memory + address);
    for (uint32_t i = 0; i < count; i++)
        words[i] = __atomic_load_n(&slot[i], __ATOMIC_ACQUIRE);
    return counter(self, count_offset) - index <= IN_USE;
}

static struct bw_event guest_event(uint64_t tsc, uint16_t kind, uint32_t id, uint64_t seq)
{
    return (struct bw_event){tsc, kind, BW_LANE_GUEST, 0, id, seq, 0};
}

/* Where to begin: `done`, or later if the guest has lapped us. A counter that runs backwards or leaps by more than memory
 * could have seen is nonsense, and so is all behind it. -> 0: nothing to read. */
static int begin(struct bw_stamps *self, uint64_t *done, uint64_t head, uint32_t events_a_slot)
{
    if (head - *done > LEAP) {
        self->nonsense++;
        return 0;
    }
    if (head - *done > IN_USE) {
        self->lost += (head - *done - IN_USE) * events_a_slot;
        *done = head - IN_USE;
    }
    return *done != head;
}

/* The newest interrupt that can have been announced by now. */
static uint64_t most_announced(const struct bw_stamps *self, const uint64_t *announced)
{
    const struct bw_stamps *guest = self->announcer;
    if (!guest)
        return __atomic_load_n(announced, __ATOMIC_ACQUIRE);
    uint64_t head = counter(guest, BW_ST_RUNG);
    return (head - guest->rung > LEAP ? guest->rung : head) + 1;
}

static uint32_t add_handler(struct bw_stamps *self, uint64_t tsc, uint64_t irq, uint64_t now, const uint64_t *announced,
                            struct bw_event *out)
{
    uint32_t vector = tsc & BW_STAMP_OTHER_VECTOR ? BW_VECTOR_OTHER : self->vector;
    tsc &= ~BW_STAMP_OTHER_VECTOR;
    /* Read now, after the slot: the interrupt may have been announced since this drain began. */
    if (tsc < self->since || tsc > now || irq > most_announced(self, announced)) {
        self->nonsense++;
        return 0;
    }
    if (irq > self->last_irq)
        self->last_irq = irq;
    self->handled++;
    *out = guest_event(tsc, BW_HANDLER, vector, irq);
    return 1;
}

static uint32_t add_window(struct bw_stamps *self, uint64_t tsc, uint64_t irq, uint64_t now, const uint64_t *announced,
                           struct bw_event *out)
{
    if (tsc < self->since || tsc > now || irq > most_announced(self, announced)) {
        self->nonsense++;
        return 0;
    }
    *out = guest_event(tsc, BW_WINDOW, 0, irq);
    return 1;
}

static uint32_t add_ring(struct bw_stamps *self, uint64_t before, uint64_t after, uint64_t now, struct bw_event *out)
{
    if (before < self->last_rung || after < before || after > now) {
        self->nonsense += 2;
        return 0;
    }
    self->last_rung = after;
    uint32_t id = self->doorbell_id + (uint32_t)(self->rung % self->addresses) * BW_ADDRESS_STRIDE;
    out[0] = guest_event(before, BW_RING, id, self->rung + 1);
    out[1] = guest_event(after, BW_RUNG, id, self->rung + 1);
    return 2;
}

static uint32_t drain_rung(struct bw_stamps *self, const uint64_t *announced, struct bw_event *out, uint32_t most)
{
    uint32_t count = 0;
    uint64_t head = counter(self, BW_ST_RUNG), now = tsc_after_loads(), slot[4];
    if (!begin(self, &self->rung, head, 2))
        return 0;
    for (; self->rung != head && count + 3 <= most; self->rung++) {
        uint64_t address = BW_RING_STAMPS + self->rung % BW_STAMP_SLOTS * BW_RING_STAMP_SIZE;
        if (!copy_slot(self, address, BW_ST_RUNG, self->rung, slot, 4)) {
            self->lost += slot[2] >> 32 ? 3 : 2;
            continue;
        }
        if (slot[2] >> 32) /* the guest clears the upper half when it has no handler's stamp to send along */
            count += add_handler(self, slot[2], slot[3], now, announced, out + count);
        count += add_ring(self, slot[0], slot[1], now, out + count);
    }
    return count;
}

static uint32_t drain_handled(struct bw_stamps *self, const uint64_t *announced, struct bw_event *out, uint32_t most)
{
    uint32_t count = 0;
    uint64_t head = counter(self, BW_ST_HANDLED), now = tsc_after_loads(), slot[2];
    if (!begin(self, &self->alone, head, 1))
        return 0;
    for (; self->alone != head && count < most; self->alone++) {
        uint64_t address = BW_HANDLER_STAMPS + self->alone % BW_STAMP_SLOTS * BW_HANDLER_STAMP_SIZE;
        if (!copy_slot(self, address, BW_ST_HANDLED, self->alone, slot, 2))
            self->lost++;
        else
            count += add_handler(self, slot[0], slot[1], now, announced, out + count);
    }
    return count;
}

static uint32_t drain_windows(struct bw_stamps *self, const uint64_t *announced, struct bw_event *out, uint32_t most)
{
    uint32_t count = 0;
    uint64_t head = counter(self, BW_ST_WINDOWS), now = tsc_after_loads(), slot[2];
    if (!begin(self, &self->windows, head, 1))
        return 0;
    for (; self->windows != head && count < most; self->windows++) {
        uint64_t address = BW_WINDOW_STAMPS + self->windows % BW_STAMP_SLOTS * BW_WINDOW_STAMP_SIZE;
        if (!copy_slot(self, address, BW_ST_WINDOWS, self->windows, slot, 2))
            self->lost++;
        else
            count += add_window(self, slot[0], slot[1], now, announced, out + count);
    }
    return count;
}

uint32_t bw_stamps_drain(struct bw_stamps *self, const uint64_t *announced, struct bw_event *out, uint32_t most)
{
    uint32_t count = drain_rung(self, announced, out, most / 2);
    count += drain_handled(self, announced, out + count, (most - count) / 2);
    return count + drain_windows(self, announced, out + count, most - count);
}

uint64_t bw_stamps_rung(const struct bw_stamps *self)
{
    return self->rung;
}

uint64_t bw_stamps_handled(const struct bw_stamps *self)
{
    return self->handled;
}

uint64_t bw_stamps_last_irq(const struct bw_stamps *self)
{
    return self->last_irq;
}

uint64_t bw_stamps_lost(const struct bw_stamps *self)
{
    return self->lost;
}

uint64_t bw_stamps_nonsense(const struct bw_stamps *self)
{
    return self->nonsense;
}
