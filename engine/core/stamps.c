/* Reads the stamps that a guest leaves in shared memory, and believes none of them.
 *
 * The guest writes a slot, then its counter; x86 keeps the order of stores, so a slot below the counter is complete. The
 * guest does not wait for us: if it is a whole ring ahead, slots were overwritten and count as lost. After copying a
 * slot the counter is read again: if the guest has come around to this slot meanwhile, the copy may be torn and counts as
 * lost too. A time from before the session or the previous doorbell, or in the future, or an interrupt that the host never
 * announced, cannot be true and counts as nonsense.
 *
 * A slot carries the lower halves of its times. The whole time is completed from something that is certainly earlier, by
 * less than the lower half's range (1.6 s at 2.6 GHz): the guest's own stamp before, the turn it has marked, or a look of
 * this reader at which the slot's predecessor was not yet written, or its interrupt not yet announced, or at least the slot
 * itself was not there. If all that is too long ago, as when nobody has read for seconds, times still follow one from another
 * where the last of them would lie ahead if one range more had passed anywhere, be it doorbells or handlers on their own. Else,
 * as after a stop of the whole process, the time is not known, and the stamp counts as lost; with a handler's on its own all
 * that came meanwhile does, for what it answered would seem to be answered by a later one. A number is completed from the
 * newest that is announced, which it is never far behind.
 *
 * Where a doorbell interrupts a guest with no host in between, the guest that rings announces: it stores the number first,
 * then rings, then counts. So it can have announced one more than it has counted, and nothing beyond is believed. */
#include <stdlib.h>

#include <stdint.h>

#include "abi.h"
#include "ring.h"

#define IN_USE (BW_STAMP_SLOTS - 1) /* the slot after the newest may be half written */
#define LEAP (1ull << 40)           /* more than any guest counts between two drains */
#define RANGE (1ull << 32)          /* of a lower half, in cycles */
#define LOOK_AGE (1ull << 30)       /* the older look is at most two of these ago: less than RANGE - SLACK */
#define FAR (1u << 30)              /* no handler saw a number that is so many behind the newest one */
#define OTHER (1u << 31)            /* turned around in a number: the other vector */
#define SLACK (1ull << 30)          /* by so much the guest's clock may trail, and a number be counted after it was seen,
                                     * unless the guest is kept from its processor just then */

/* How far everything was at a time: what has come since is later. */
struct look {
    uint64_t tsc, rung, handled, announced;
};

enum completed { KNOWN, UNKNOWN, NONSENSE };

/* The stamp of a handler, read: the lower half of its time, and the whole number that it saw announced. */
struct handled {
    uint32_t low, vector;
    uint64_t irq;
};

/* A stamp is not older: by what the guest stamped before it; by a look, too. */
struct bound {
    uint64_t sure, likely;
};

struct bw_stamps {
    const volatile char *memory;
    uint32_t doorbell_id, addresses, vector;
    uint64_t rung, alone, windows;                     /* slots read of each ring */
    uint64_t handled, lost, nonsense, last_irq;
    uint64_t since, last_rung, last_alone;    /* nothing true is older: at all, of doorbells, of handlers on their own */
    struct look looks[2];                     /* the newest one, and one that is older */
    int follows;                              /* each time in the ring that is read follows from the one before */
    uint64_t offset;                          /* the guest's TSC is ahead of ours by so much: slots are read less this */
    const struct bw_stamps *announcer;        /* the guest that announces this one's interrupts; NULL: the host does */
};

struct bw_stamps *bw_stamps_new(const void *memory, uint32_t doorbell_id, uint32_t vector, uint64_t since)
{
    struct bw_stamps *self = calloc(1, sizeof *self);
    if (self)
        *self = (struct bw_stamps){.memory = memory, .doorbell_id = doorbell_id, .addresses = 1, .vector = vector,
                                   .since = since, .last_rung = since, .last_alone = since,
                                   .looks = {{.tsc = since}, {.tsc = since}}};
    return self;
}

void bw_stamps_set_addresses(struct bw_stamps *self, uint32_t addresses)
{
    self->addresses = addresses;
}

void bw_stamps_set_offset(struct bw_stamps *self, int64_t cycles)
{
    self->offset = (uint64_t)cycles;
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

/* Whether what was copied of a slot cannot have been overwritten meanwhile. */
static int is_whole(const struct bw_stamps *self, uint32_t count_offset, uint64_t index)
{
    return counter(self, count_offset) - index <= IN_USE;
}

/* Copies a slot of two words. -> 1, or 0 if the guest has overwritten it, or may be doing so. */
static int copy_slot(const struct bw_stamps *self, uint64_t address, uint32_t count_offset, uint64_t index, uint64_t *words)
{
    const volatile uint64_t *slot = (const volatile uint64_t *)(self->memory + address);
    words[0] = __atomic_load_n(&slot[0], __ATOMIC_ACQUIRE);
    words[1] = __atomic_load_n(&slot[1], __ATOMIC_ACQUIRE);
    return is_whole(self, count_offset, index);
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

/* The newest interrupt that is announced; where a guest announces, the newest whose doorbell it has counted. */
static uint64_t announced_by_now(const struct bw_stamps *self, const uint64_t *announced)
{
    const struct bw_stamps *guest = self->announcer;
    if (!guest)
        return __atomic_load_n(announced, __ATOMIC_ACQUIRE);
    uint64_t head = counter(guest, BW_ST_RUNG);
    return head - guest->rung > LEAP ? guest->rung : head;
}

/* The newest that a handler can have seen. */
static uint64_t most_announced(const struct bw_stamps *self, const uint64_t *announced)
{
    return announced_by_now(self, announced) + (self->announcer != NULL);
}

/* -- whole times ------------------------------------------------------------------------------------------------------ */

/* Notes how far everything is; the clock first, so that what comes beyond is later than it says. */
static void look_around(struct bw_stamps *self, const uint64_t *announced)
{
    struct look look = {.tsc = bw_tsc()};
    look.rung = counter(self, BW_ST_RUNG);
    look.handled = counter(self, BW_ST_HANDLED);
    look.announced = announced_by_now(self, announced);
    if (look.tsc - self->looks[1].tsc > 2 * LOOK_AGE)
        self->looks[1] = self->looks[0];
    self->looks[0] = look;
}

static uint64_t later(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

static uint64_t slack_before(const struct look *look)
{
    return look->tsc - (look->tsc < SLACK ? look->tsc : SLACK);
}

/* `sure` where times follow; else that, or a later look at which neither the stamp's predecessor in its ring nor its interrupt
 * was there yet. If that leaves more than one time, as of an interrupt that was held for seconds: the older look at which the
 * slot itself was not there, for a guest writes its slot within SLACK. */
static struct bound bound_of(const struct bw_stamps *self, uint64_t sure, uint64_t index, const uint64_t *far, uint64_t irq)
{
    if (self->follows)
        return (struct bound){sure, sure};
    for (int i = 0; i < 2; i++)
        if (index > far[i] || irq > self->looks[i].announced)
            return (struct bound){sure, later(sure, slack_before(&self->looks[i]))};
    int within = self->looks[0].tsc - sure < RANGE - SLACK;
    return (struct bound){sure, within ? sure : later(sure, slack_before(&self->looks[1]))};
}

static struct bound not_before(struct bound bound, uint64_t tsc)
{
    return (struct bound){later(bound.sure, tsc), later(bound.likely, tsc)};
}

/* The first time with this lower half that is not before `bound`. */
static uint64_t first_time(uint32_t low, uint64_t bound)
{
    return bound + (uint32_t)(low - (uint32_t)bound);
}

/* The time with this lower half that is not before `bound` and not after `now`: where times follow, the first. */
static enum completed complete(const struct bw_stamps *self, uint32_t low, uint64_t bound, uint64_t now, uint64_t *tsc)
{
    if (bound > now)
        return NONSENSE;
    if (now - bound >= RANGE && !self->follows)
        return UNKNOWN;
    *tsc = first_time(low, bound);
    return *tsc <= now ? KNOWN : NONSENSE;
}

/* The same from `likely`, which is a look's; if there is no such time, the guest was kept from its processor between its
 * clock and its counter for longer than SLACK, and only what is `sure` bounds it. */
static enum completed complete_from(const struct bw_stamps *self, uint32_t low, struct bound bound, uint64_t now, uint64_t *tsc)
{
    enum completed completed = complete(self, low, bound.likely, now, tsc);
    return completed == NONSENSE && bound.sure < bound.likely ? complete(self, low, bound.sure, now, tsc) : completed;
}

/* A lower half of the guest's clock as one of ours. */
static uint32_t ours_of_low(const struct bw_stamps *self, uint32_t low)
{
    return low - (uint32_t)self->offset;
}

/* -> 1: the time is known, 0: its `events` are counted as what they are */
static int count_unless_known(struct bw_stamps *self, enum completed completed, uint32_t events)
{
    if (completed == UNKNOWN)
        self->lost += events;
    if (completed == NONSENSE)
        self->nonsense += events;
    return completed == KNOWN;
}

/* -- events ----------------------------------------------------------------------------------------------------------- */

/* A handler's stamp, its number completed from the newest that is announced: read now, after the slot, as the interrupt may
 * have been announced since this drain began. -> 1, or 0: nobody has announced such a one */
static int read_handler(struct bw_stamps *self, uint64_t stamp, const uint64_t *announced, struct handled *handled)
{
    uint64_t newest = most_announced(self, announced);
    uint32_t behind = (uint32_t)newest - (uint32_t)(stamp >> 32), turned = behind < FAR ? 0 : OTHER;
    behind ^= turned;
    if (behind >= FAR || behind > newest) {
        self->nonsense++;
        return 0;
    }
    *handled = (struct handled){(uint32_t)stamp, turned ? BW_VECTOR_OTHER : self->vector, newest - behind};
    return 1;
}

static uint32_t add_handler(struct bw_stamps *self, const struct handled *handled, struct bound bound, uint64_t now,
                            struct bw_event *out)
{
    uint64_t tsc = 0;
    if (!count_unless_known(self, complete_from(self, ours_of_low(self, handled->low), bound, now, &tsc), 1))
        return 0;
    if (handled->irq > self->last_irq)
        self->last_irq = handled->irq;
    self->handled++;
    *out = guest_event(tsc, BW_HANDLER, handled->vector, handled->irq);
    return 1;
}

static uint32_t add_window(struct bw_stamps *self, uint64_t tsc, uint64_t irq, uint64_t now, const uint64_t *announced,
                           struct bw_event *out)
{
    tsc -= self->offset;
    if (tsc < self->since || tsc > now || irq > most_announced(self, announced)) {
        self->nonsense++;
        return 0;
    }
    *out = guest_event(tsc, BW_WINDOW, 0, irq);
    return 1;
}

static uint32_t add_ring(struct bw_stamps *self, uint64_t times, struct bound bound, uint64_t now, struct bw_event *out)
{
    uint64_t before = 0, after = 0;
    if (!times) { /* never written: the two times of a doorbell are not the same */
        self->nonsense += 2;
        return 0;
    }
    uint32_t low_before = ours_of_low(self, (uint32_t)times), low_after = ours_of_low(self, (uint32_t)(times >> 32));
    if (!count_unless_known(self, complete_from(self, low_before, bound, now, &before), 2) ||
        !count_unless_known(self, complete(self, low_after, before, now, &after), 2))
        return 0;
    self->last_rung = after;
    uint32_t id = self->doorbell_id + (uint32_t)(self->rung % self->addresses) * BW_ADDRESS_STRIDE;
    out[0] = guest_event(before, BW_RING, id, self->rung + 1);
    out[1] = guest_event(after, BW_RUNG, id, self->rung + 1);
    return 2;
}

/* A doorbell's slot: a handler that ran before it, and the doorbell. */
static uint32_t add_slot(struct bw_stamps *self, uint64_t times, uint64_t stamp, uint64_t turn, uint64_t now,
                         const uint64_t *announced, struct bw_event *out)
{
    const uint64_t far[] = {self->looks[0].rung, self->looks[1].rung};
    struct handled handled = {0};
    int answers = stamp && read_handler(self, stamp, announced, &handled);
    struct bound bound = bound_of(self, self->last_rung, self->rung, far, handled.irq);
    uint32_t count = answers ? add_handler(self, &handled, bound, now, out) : 0;
    if (count)
        bound = not_before(bound, out->tsc);
    turn -= self->offset;
    if (turn <= now)
        bound = not_before(bound, turn);
    return count + add_ring(self, times, bound, now, out + count);
}

/* -- the rings -------------------------------------------------------------------------------------------------------- */

/* Copies a word of a slot. */
static uint64_t word(const struct bw_stamps *self, uint64_t ring, uint64_t index)
{
    return __atomic_load_n((const volatile uint64_t *)(self->memory + ring) + index % BW_STAMP_SLOTS, __ATOMIC_ACQUIRE);
}

/* The first time with this lower half of the guest's clock that is not before `tsc`. */
static uint64_t next_time(const struct bw_stamps *self, uint64_t low, uint64_t tsc)
{
    return first_time(ours_of_low(self, (uint32_t)low), tsc);
}

/* Whether times follow one from another, up to this last one. Each is later than the one before it, by what their lower
 * halves say or by whole ranges more; if one range more would make the last later than now, there was none. */
static int is_only_way(uint64_t last, uint64_t now)
{
    return last <= now && now - last < RANGE;
}

/* Whether all times of doorbells up to `head` follow from the last one that was read. */
static int rings_follow(const struct bw_stamps *self, uint64_t head, uint64_t now)
{
    uint64_t tsc = self->last_rung;
    for (uint64_t index = self->rung; index != head; index++) {
        uint64_t times = word(self, BW_RING_TIMES, index), stamp = word(self, BW_RING_HANDLERS, index);
        tsc = stamp ? next_time(self, stamp, tsc) : tsc;
        tsc = next_time(self, times >> 32, next_time(self, times, tsc));
    }
    return is_whole(self, BW_ST_RUNG, self->rung) && is_only_way(tsc, now);
}

/* The same of the handlers on their own. */
static int handlers_follow(const struct bw_stamps *self, uint64_t head, uint64_t now)
{
    uint64_t tsc = self->last_alone;
    if (head - self->alone > IN_USE)
        return 0;
    for (uint64_t index = self->alone; index != head; index++)
        tsc = next_time(self, word(self, BW_HANDLER_STAMPS, index), tsc);
    return is_whole(self, BW_ST_HANDLED, self->alone) && is_only_way(tsc, now);
}

/* Whether whatever is not yet read is too old for its lower half to tell, after a time such as `last`. */
static int is_far(uint64_t last, uint64_t now)
{
    return now >= last && now - last >= RANGE;
}

static uint32_t drain_rung(struct bw_stamps *self, const uint64_t *announced, struct bw_event *out, uint32_t most)
{
    uint32_t count = 0;
    uint64_t head = counter(self, BW_ST_RUNG), now = tsc_after_loads();
    if (!begin(self, &self->rung, head, 2))
        return 0;
    self->follows = is_far(self->last_rung, now) && rings_follow(self, head, now);
    for (; self->rung != head && count + 3 <= most; self->rung++) {
        uint64_t times = word(self, BW_RING_TIMES, self->rung), stamp = word(self, BW_RING_HANDLERS, self->rung);
        uint64_t turn = word(self, BW_RING_TURNS, self->rung);
        if (is_whole(self, BW_ST_RUNG, self->rung))
            count += add_slot(self, times, stamp, turn, now, announced, out + count);
        else
            self->lost += stamp ? 3 : 2;
    }
    self->follows = 0;
    return count;
}

static uint32_t drain_handled(struct bw_stamps *self, const uint64_t *announced, struct bw_event *out, uint32_t most)
{
    uint32_t count = 0;
    uint64_t head = counter(self, BW_ST_HANDLED), now = tsc_after_loads();
    const uint64_t far[] = {self->looks[0].handled, self->looks[1].handled};
    if (!begin(self, &self->alone, head, 1))
        return 0;
    self->follows = is_far(self->last_alone, now) && handlers_follow(self, head, now);
    for (; self->alone != head && count < most; self->alone++) {
        uint64_t stamp = word(self, BW_HANDLER_STAMPS, self->alone);
        struct handled handled;
        if (!is_whole(self, BW_ST_HANDLED, self->alone)) {
            self->lost++;
            continue;
        }
        if (!read_handler(self, stamp, announced, &handled))
            continue;
        struct bound bound = bound_of(self, self->last_alone, self->alone, far, handled.irq);
        uint32_t added = add_handler(self, &handled, bound, now, out + count);
        if (added)
            self->last_alone = out[count].tsc;
        count += added;
    }
    self->follows = 0;
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
        if (!copy_slot(self, address, BW_ST_WINDOWS, self->windows, slot))
            self->lost++;
        else
            count += add_window(self, slot[0], slot[1], now, announced, out + count);
    }
    return count;
}

/* Counts all that is new in a ring as lost; a counter that leaps is left to whoever reads the ring. */
static void pass_over(struct bw_stamps *self, uint64_t *done, uint64_t head, uint32_t events_a_slot)
{
    if (head - *done > LEAP)
        return;
    self->lost += (head - *done) * events_a_slot;
    *done = head;
}

/* What came while nobody looked for longer than a lower half tells, if handlers on their own are among it that do not follow
 * one from another: only a look would bound those. */
static void pass_over_undated(struct bw_stamps *self)
{
    uint64_t rung = counter(self, BW_ST_RUNG), handled = counter(self, BW_ST_HANDLED), now = tsc_after_loads();
    if (handled == self->alone || now - self->looks[0].tsc < RANGE)
        return;
    if (handlers_follow(self, handled, now))
        return;
    pass_over(self, &self->rung, rung, 2);
    pass_over(self, &self->alone, handled, 1);
}

uint32_t bw_stamps_drain(struct bw_stamps *self, const uint64_t *announced, struct bw_event *out, uint32_t most)
{
    pass_over_undated(self);
    uint32_t count = drain_rung(self, announced, out, most / 2);
    count += drain_handled(self, announced, out + count, (most - count) / 2);
    count += drain_windows(self, announced, out + count, most - count);
    look_around(self, announced);
    return count;
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
