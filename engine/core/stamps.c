/* Reads the stamps that a guest leaves in shared memory, and believes none of them.
 *
 * The guest writes a slot, then its counter; x86 keeps the order of stores, so a slot below the counter is complete. The
 * guest does not wait for us: if it is a whole ring ahead, slots were overwritten and count as lost. After copying a
 * slot the counter is read again: if the guest has come around to this slot meanwhile, the copy may be torn and counts as
 * lost too. A time that lies before the previous one of its ring, or in the future, or an interrupt that the host never
 * announced, cannot be true and counts as nonsense. */
#include <stdlib.h>

#include <stdint.h>

#include "abi.h"
#include "ring.h"

#define SLOT_WORDS (BW_STAMP_SIZE / 8)
#define IN_USE (BW_STAMP_SLOTS - 1) /* the slot after the newest may be half written */

struct bw_stamps {
    const volatile char *memory;
    uint32_t doorbell_id, vector;
    uint64_t rung, handled, lost, nonsense;
    uint64_t last_rung, last_handler, last_irq;
};

struct bw_stamps *bw_stamps_new(const void *memory, uint32_t doorbell_id, uint32_t vector, uint64_t since)
{
    struct bw_stamps *self = calloc(1, sizeof *self);
    if (self)
        *self = (struct bw_stamps){.memory = memory, .doorbell_id = doorbell_id, .vector = vector,
                                   .last_rung = since, .last_handler = since};
    return self;
}

void bw_stamps_free(struct bw_stamps *self)
{
    free(self);
}

static uint64_t counter(const struct bw_stamps *self, uint32_t offset)
{
    return __atomic_load_n((const volatile uint64_t *)(self->memory + BW_STATUS + offset), __ATOMIC_ACQUIRE);
}

/* Copies slot `index`. -> 1, or 0 if the guest has overwritten it, or may be doing so. */
static int copy_slot(const struct bw_stamps *self, uint32_t ring, uint32_t offset, uint64_t index, uint64_t *first,
                     uint64_t *second)
{
    const volatile uint64_t *slot =
        (const volatile uint64_t *)(self->memory + ring) + (index % BW_STAMP_SLOTS) * SLOT_WORDS;
    *first = __atomic_load_n(&slot[0], __ATOMIC_ACQUIRE);
    *second = __atomic_load_n(&slot[1], __ATOMIC_ACQUIRE);
    return counter(self, offset) - index <= IN_USE;
}

static struct bw_event guest_event(uint64_t tsc, uint16_t kind, uint32_t id, uint64_t seq, uint64_t arg)
{
    return (struct bw_event){tsc, kind, BW_LANE_GUEST, 0, id, seq, arg};
}

/* How far a counter has come, and where to begin: `done`, or later if the guest has lapped us. A counter that runs
 * backwards or leaps by more than memory could have seen is nonsense, and so is all behind it. */
static uint64_t first_slot(struct bw_stamps *self, uint64_t *done, uint64_t head, uint32_t events_a_slot)
{
    if (head - *done > (1ull << 40)) {
        self->nonsense++;
        return head;
    }
    if (head - *done > IN_USE) {
        self->lost += (head - *done - IN_USE) * events_a_slot;
        *done = head - IN_USE;
    }
    return *done;
}

static uint32_t drain_rung(struct bw_stamps *self, uint64_t now, struct bw_event *out, uint32_t most)
{
    uint32_t count = 0;
    uint64_t head = counter(self, BW_ST_RUNG), ring, rung;
    if (first_slot(self, &self->rung, head, 2) == head)
        return 0;
    for (; self->rung != head && count + 2 <= most; self->rung++) {
        if (!copy_slot(self, BW_RING_STAMPS, BW_ST_RUNG, self->rung, &ring, &rung))
            self->lost += 2;
        else if (ring < self->last_rung || rung < ring || rung > now)
            self->nonsense += 2;
        else {
            out[count++] = guest_event(ring, BW_RING, self->doorbell_id, self->rung + 1, 0);
            out[count++] = guest_event(rung, BW_RUNG, self->doorbell_id, self->rung + 1, 0);
            self->last_rung = rung;
        }
    }
    return count;
}

static uint32_t drain_handled(struct bw_stamps *self, uint64_t now, uint64_t announced, struct bw_event *out,
                              uint32_t most)
{
    uint32_t count = 0;
    uint64_t head = counter(self, BW_ST_HANDLED), tsc, irq;
    if (first_slot(self, &self->handled, head, 1) == head)
        return 0;
    for (; self->handled != head && count < most; self->handled++) {
        if (!copy_slot(self, BW_HANDLER_STAMPS, BW_ST_HANDLED, self->handled, &tsc, &irq))
            self->lost++;
        else if (tsc < self->last_handler || tsc > now || irq < self->last_irq || irq > announced)
            self->nonsense++;
        else {
            out[count++] = guest_event(tsc, BW_HANDLER, self->vector, irq, irq - self->last_irq);
            self->last_handler = tsc;
            self->last_irq = irq;
        }
    }
    return count;
}

uint32_t bw_stamps_drain(struct bw_stamps *self, uint64_t announced, struct bw_event *out, uint32_t most)
{
    uint64_t now = bw_tsc() + (1ull << 20); /* stamps may be newer than this look at the clock, by a little */
    uint32_t count = drain_rung(self, now, out, most / 2);
    return count + drain_handled(self, now, announced, out + count, most - count);
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
