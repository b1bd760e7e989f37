/* The stamps of three guests: one that is honest and faster than its reader, one that writes nonsense, one that lies about
 * how far it is. The reader accounts for every stamp and hands on none that cannot be true. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "check.h"
#include "core.h"

#define DOORBELLS 400000 /* several times around the ring */
#define MOST 4096
#define ROUNDS 20000

static char *memory;
static const uint64_t none;

static void store(uint64_t address, uint64_t value)
{
    __atomic_store_n((uint64_t *)(memory + address), value, __ATOMIC_RELEASE);
}

/* The word of slot n in one of the doorbells' arrays. */
static uint64_t slot(uint64_t array, uint64_t n)
{
    return array + n % BW_STAMP_SLOTS * 8;
}

static void store_times(uint64_t n, uint64_t before, uint64_t after)
{
    store(slot(BW_RING_TIMES, n), (uint32_t)before | after << 32);
}

/* The stamp of a handler at this time that saw this number announced, as start.S makes it. */
static uint64_t handler_stamp(uint64_t tsc, uint64_t irq)
{
    return (uint32_t)tsc | irq << 32;
}

/* -- an honest guest, which notes for us when it has rung each doorbell ------------------------------------------------ */

static uint64_t rung_at[DOORBELLS];

static void *ring_doorbells(void *finished)
{
    for (uint64_t n = 0; n < DOORBELLS; n++) {
        rung_at[n] = bw_tsc();
        store_times(n, rung_at[n], rung_at[n] + 1);
        store(BW_STATUS + BW_ST_RUNG, n + 1);
    }
    atomic_store((_Atomic int *)finished, 1);
    return NULL;
}

static void check_pair(const struct bw_event *pair)
{
    CHECK_EQUAL(pair[0].kind, BW_RING);
    CHECK_EQUAL(pair[1].kind, BW_RUNG);
    CHECK_EQUAL(pair[0].seq, pair[1].seq);
    CHECK_EQUAL(pair[0].tsc, rung_at[pair[0].seq - 1]);
    CHECK_EQUAL(pair[1].tsc, rung_at[pair[0].seq - 1] + 1);
}

static void honest(void)
{
    struct bw_stamps *stamps = bw_stamps_new(memory, 0x510, BW_VECTOR_MSI, bw_tsc());
    struct bw_event out[MOST];
    _Atomic int finished = 0;
    pthread_t guest;
    pthread_create(&guest, NULL, ring_doorbells, &finished);
    uint64_t events = 0;
    for (int last = 0;;) {
        uint32_t count = bw_stamps_drain(stamps, &none, out, MOST);
        for (uint32_t i = 0; i < count; i += 2)
            check_pair(&out[i]);
        events += count;
        if (!count && last)
            break;
        last = atomic_load(&finished);
    }
    pthread_join(guest, NULL);
    CHECK_EQUAL(bw_stamps_rung(stamps), DOORBELLS);
    CHECK_EQUAL(events + bw_stamps_lost(stamps), 2 * DOORBELLS);
    CHECK_EQUAL(bw_stamps_nonsense(stamps), 0);
    printf("honest: %llu events, %llu lost\n", (unsigned long long)events, (unsigned long long)bw_stamps_lost(stamps));
    bw_stamps_free(stamps);
}

/* -- a guest that writes anything anywhere --------------------------------------------------------------------------- */

static uint64_t dice(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void scribble(void)
{
    static const uint64_t pages[] = {BW_STATUS,        BW_STATUS,     BW_CONTROL,        BW_RING_TIMES,
                                     BW_RING_HANDLERS, BW_RING_TURNS, BW_HANDLER_STAMPS, BW_WINDOW_STAMPS};
    for (int i = 0; i < 64; i++) {
        uint64_t page = pages[dice() % 8], at = dice() % (page < BW_HANDLER_STAMPS ? 512 : 65536);
        store(page + at * 8, dice() % 4 ? dice() >> dice() % 64 : bw_tsc());
    }
    if (dice() % 4 == 0)
        store(BW_STATUS + BW_ST_RUNG, dice() % 1000);
    if (dice() % 4 == 0)
        store(BW_STATUS + BW_ST_HANDLED, dice() % 1000);
    if (dice() % 4 == 0)
        store(BW_STATUS + BW_ST_WINDOWS, dice() % 1000);
}

/* Whatever the guest wrote: no time from the future, no doorbell before its predecessor, no interrupt that never was. */
static void check_plausible(const struct bw_event *event, uint64_t *last_rung, uint64_t announced, uint64_t now)
{
    CHECK_EQUAL(event->lane, BW_LANE_GUEST);
    int rung = event->kind == BW_RING || event->kind == BW_RUNG;
    CHECK_EQUAL(rung || event->kind == BW_HANDLER || event->kind == BW_WINDOW, 1);
    CHECK_EQUAL(event->tsc <= now, 1);
    if (rung) {
        CHECK_EQUAL(event->tsc >= *last_rung, 1);
        *last_rung = event->tsc;
    }
    CHECK_EQUAL(rung || event->seq <= announced, 1);
}

static void scribbling(void)
{
    struct bw_stamps *stamps = bw_stamps_new(memory, 0x510, BW_VECTOR_MSI, 0);
    uint64_t last_rung = 0, announced = 0, events = 0;
    for (int round = 0; round < ROUNDS; round++) {
        scribble();
        announced += dice() % 100;
        uint32_t most = (uint32_t)(dice() % 40);
        struct bw_event *out = malloc((most + 1) * sizeof *out); /* one too many, to see that it stays untouched */
        memset(out, 0xa5, (most + 1) * sizeof *out);
        uint32_t count = bw_stamps_drain(stamps, &announced, out, most);
        CHECK_EQUAL(count <= most, 1);
        CHECK_EQUAL(out[most].tsc, 0xa5a5a5a5a5a5a5a5);
        for (uint32_t i = 0; i < count; i++)
            check_plausible(&out[i], &last_rung, announced, bw_tsc() + (1 << 21));
        events += count;
        free(out);
    }
    CHECK_EQUAL(bw_stamps_nonsense(stamps) > 0, 1);
    printf("scribbling: %llu events passed as plausible, %llu called nonsense\n", (unsigned long long)events,
           (unsigned long long)bw_stamps_nonsense(stamps));
    bw_stamps_free(stamps);
}

/* -- a guest whose counter leaps, and runs backwards ------------------------------------------------------------------- */

static void lying(void)
{
    memset(memory, 0, BW_MEMORY_SIZE);
    struct bw_stamps *stamps = bw_stamps_new(memory, 0x510, BW_VECTOR_MSI, bw_tsc());
    struct bw_event out[MOST];
    store(BW_STATUS + BW_ST_RUNG, ~0ull);
    CHECK_EQUAL(bw_stamps_drain(stamps, &none, out, MOST), 0);
    CHECK_EQUAL(bw_stamps_nonsense(stamps), 1);
    store(BW_STATUS + BW_ST_RUNG, 3 * BW_STAMP_SLOTS); /* the ring keeps all but one slot of the last lap */
    while (bw_stamps_drain(stamps, &none, out, MOST))
        ;
    CHECK_EQUAL(bw_stamps_rung(stamps), 3 * BW_STAMP_SLOTS);
    CHECK_EQUAL(bw_stamps_lost(stamps), 2 * (2 * BW_STAMP_SLOTS + 1));
    store(BW_STATUS + BW_ST_RUNG, 5);
    CHECK_EQUAL(bw_stamps_drain(stamps, &none, out, MOST), 0);
    CHECK_EQUAL(bw_stamps_rung(stamps), 3 * BW_STAMP_SLOTS);
    bw_stamps_free(stamps);
}

/* -- a guest that another one rings ------------------------------------------------------------------------------------ */

/* The handler has seen `irq`, and the ringing guest has counted `rung` doorbells. -> 1: believed */
static uint32_t followed(uint64_t rung, uint64_t irq)
{
    void *ringing = calloc(1, BW_MEMORY_SIZE);
    memset(memory, 0, BW_MEMORY_SIZE);
    struct bw_stamps *ringer = bw_stamps_new(ringing, 0x510, 0, 0);
    struct bw_stamps *stamps = bw_stamps_new(memory, 0, BW_VECTOR_MSI, bw_tsc());
    struct bw_event out[MOST];
    bw_stamps_follow(stamps, ringer);
    *(uint64_t *)((char *)ringing + BW_STATUS + BW_ST_RUNG) = rung;
    store(BW_HANDLER_STAMPS, handler_stamp(bw_tsc(), irq));
    store(BW_STATUS + BW_ST_HANDLED, 1);
    uint32_t count = bw_stamps_drain(stamps, &none, out, MOST);
    CHECK_EQUAL(count + bw_stamps_nonsense(stamps), 1);
    bw_stamps_free(stamps);
    bw_stamps_free(ringer);
    free(ringing);
    return count;
}

static void following(void)
{
    CHECK_EQUAL(followed(0, 1), 1); /* announced, not yet counted */
    CHECK_EQUAL(followed(0, 2), 0);
    CHECK_EQUAL(followed(7, 8), 1);
    CHECK_EQUAL(followed(7, 9), 0);
    CHECK_EQUAL(followed(~0ull, 1), 1); /* a counter that leaps is not believed either */
    CHECK_EQUAL(followed(~0ull, 2), 0);
    CHECK_EQUAL(followed(1ull << 41, 1000), 0);
}

/* -- whole times from lower halves ------------------------------------------------------------------------------------- */

#define RANGE (1ull << 32)

static struct bw_event out[MOST];

/* A time of this guest: a little ago, so that nothing that is stored with it lies ahead. */
static uint64_t lately(void)
{
    return bw_tsc() - 10000;
}

/* A reader whose session began so many ranges ago, and that has never looked since. */
static struct bw_stamps *started(double ranges)
{
    memset(memory, 0, BW_MEMORY_SIZE);
    return bw_stamps_new(memory, 0x510, BW_VECTOR_MSI, bw_tsc() - (uint64_t)(ranges * (double)RANGE));
}

static void check_drained(struct bw_stamps *stamps, uint64_t announced, uint32_t events, uint64_t lost)
{
    CHECK_EQUAL(bw_stamps_drain(stamps, &announced, out, MOST), events);
    CHECK_EQUAL(bw_stamps_lost(stamps), lost);
    CHECK_EQUAL(bw_stamps_nonsense(stamps), 0);
}

static void ring_once(uint64_t n, uint64_t before)
{
    store_times(n, before, before + 100);
    store(BW_STATUS + BW_ST_RUNG, n + 1);
}

static void completing(void)
{
    uint64_t now = lately();
    struct bw_stamps *stamps = started(0.9); /* nothing else is needed: the session is younger than the range */
    ring_once(0, now);
    check_drained(stamps, 0, 2, 0);
    CHECK_EQUAL(out[0].tsc, now);
    CHECK_EQUAL(out[1].tsc, now + 100);
    bw_stamps_free(stamps);

    stamps = started(9); /* which of nine times was it? Noticed, counted, not guessed */
    ring_once(0, now);
    check_drained(stamps, 0, 0, 2);
    ring_once(1, now = lately()); /* the reader has looked when slot 0 was there, and slot 1 may have been begun by then, */
    check_drained(stamps, 0, 0, 4); /* but its older look was nine ranges ago */
    ring_once(2, now = lately()); /* slot 1 was not yet there at the look before the last */
    check_drained(stamps, 0, 2, 4);
    CHECK_EQUAL(out[0].tsc, now);
    bw_stamps_free(stamps);

    stamps = started(9); /* the guest had waited, and marked when it went on */
    now = lately();
    store(slot(BW_RING_TURNS, 0), now - 1000);
    ring_once(0, now);
    check_drained(stamps, 0, 2, 0);
    CHECK_EQUAL(out[0].tsc, now);
    bw_stamps_free(stamps);

    stamps = started(9); /* of a handler on its own nothing tells: it is lost, and with it the doorbell that it may answer */
    store(slot(BW_RING_TURNS, 0), now - 1000);
    ring_once(0, now);
    store(BW_HANDLER_STAMPS, handler_stamp(now + 200, 1));
    store(BW_STATUS + BW_ST_HANDLED, 1);
    check_drained(stamps, 1, 0, 3);
    ring_once(1, now = lately()); /* the reader has looked, and slot 1 was not there */
    check_drained(stamps, 1, 0, 5);
    ring_once(2, now = lately());
    check_drained(stamps, 1, 2, 5);
    CHECK_EQUAL(out[0].seq, 3);
    bw_stamps_free(stamps);

    stamps = started(9); /* a mark that is too old says no more than none */
    store(slot(BW_RING_TURNS, 0), now - 2 * RANGE);
    ring_once(0, now);
    check_drained(stamps, 0, 0, 2);
    bw_stamps_free(stamps);
}

/* A guest that goes on while nobody reads for three ranges: where each time follows from the one before, all are known. */
static void following_on(void)
{
    uint64_t tenth = RANGE / 10, since;
    for (uint64_t gap = 0; gap < 2; gap++) {
        memset(memory, 0, BW_MEMORY_SIZE);
        since = bw_tsc() - 3 * RANGE;
        struct bw_stamps *stamps = bw_stamps_new(memory, 0x510, BW_VECTOR_MSI, since);
        uint64_t at[] = {6 * tenth, (gap ? 19 : 12) * tenth, 19 * tenth + 500, 24 * tenth, 29 * tenth};
        for (uint64_t n = 0; n < 5; n++)
            ring_once(n, since + at[n]);
        store(slot(BW_RING_HANDLERS, 3), handler_stamp(since + 23 * tenth, 1));
        check_drained(stamps, 1, gap ? 0 : 11, gap ? 11 : 0); /* a gap of more than a range: which one it is nobody knows */
        for (uint64_t n = 0; n < (gap ? 0 : 5); n++) {
            const struct bw_event *ring = &out[2 * n + (n >= 3)];
            CHECK_EQUAL(ring->kind, BW_RING);
            CHECK_EQUAL(ring->tsc, since + at[n]);
            CHECK_EQUAL(ring[1].tsc, since + at[n] + 100);
        }
        if (!gap)
            CHECK_EQUAL(out[6].tsc, since + 23 * tenth);
        bw_stamps_free(stamps);
    }
}

/* The same of handlers on their own, and of doorbells between them. */
static void handlers_following_on(void)
{
    uint64_t tenth = RANGE / 10;
    for (int with_doorbells = 0; with_doorbells < 2; with_doorbells++)
        for (int gap = 0; gap < 2; gap++) {
            memset(memory, 0, BW_MEMORY_SIZE);
            uint64_t since = bw_tsc() - 3 * RANGE;
            struct bw_stamps *stamps = bw_stamps_new(memory, 0x510, BW_VECTOR_MSI, since);
            uint64_t at[] = {6 * tenth, (gap ? 19 : 12) * tenth, 19 * tenth + 500, 24 * tenth, 29 * tenth};
            uint32_t events = with_doorbells ? 15 : 5;
            for (uint64_t n = 0; n < 5; n++) {
                if (with_doorbells)
                    ring_once(n, since + at[n] - 1000);
                store(slot(BW_HANDLER_STAMPS, n), handler_stamp(since + at[n], n + 1));
            }
            store(BW_STATUS + BW_ST_HANDLED, 5);
            check_drained(stamps, 5, gap ? 0 : events, gap ? events : 0);
            for (uint64_t n = 0; n < (gap ? 0 : 5); n++) {
                const struct bw_event *handler = &out[events - 5 + n];
                CHECK_EQUAL(handler->kind, BW_HANDLER);
                CHECK_EQUAL(handler->seq, n + 1);
                CHECK_EQUAL(handler->tsc, since + at[n]);
            }
            bw_stamps_free(stamps);
        }
}

/* A guest that is kept from its processor between its clock and its counter, for longer than any look allows for. */
static void kept(void)
{
    struct bw_stamps *stamps = started(0.5);
    check_drained(stamps, 0, 0, 0); /* looks: nothing is there */
    uint64_t then = bw_tsc() - RANGE * 3 / 8;
    ring_once(0, then);
    ring_once(1, then + 200);
    check_drained(stamps, 0, 4, 0); /* the session is younger than the range */
    CHECK_EQUAL(out[0].tsc, then);
    CHECK_EQUAL(out[2].tsc, then + 200);
    bw_stamps_free(stamps);

    stamps = started(9);
    check_drained(stamps, 6, 0, 0);
    store(slot(BW_RING_HANDLERS, 0), handler_stamp(then, 7));
    ring_once(0, then + 50);
    check_drained(stamps, 7, 0, 3); /* it may have been any time: not known, but no nonsense */
    bw_stamps_free(stamps);
}

/* Handler number n of those on their own saw this stamp while so many interrupts were announced: what is read of it. */
static struct bw_event numbered(struct bw_stamps *stamps, uint64_t n, uint64_t announced, uint64_t stamp)
{
    uint64_t nonsense = bw_stamps_nonsense(stamps);
    store(slot(BW_HANDLER_STAMPS, n), stamp);
    store(BW_STATUS + BW_ST_HANDLED, n + 1);
    uint32_t count = bw_stamps_drain(stamps, &announced, out, MOST);
    CHECK_EQUAL(count + bw_stamps_nonsense(stamps) - nonsense, 1);
    return count ? out[0] : (struct bw_event){.seq = ~0ull};
}

/* The lower half of a number, completed from the newest that is announced; turned around, it was the other vector. */
static void numbering(void)
{
    static const uint64_t newest[] = {5, 1ull << 31, (1ull << 31) + 3, (1ull << 32) - 1, 1ull << 32, (7ull << 32) + 2};
    struct bw_stamps *stamps = started(0.5);
    uint64_t n = 0;
    for (int i = 0; i < 6; i++)
        for (uint64_t behind = 0; behind < 5; behind++) {
            uint64_t irq = newest[i] - behind, stamp = handler_stamp(lately(), irq);
            struct bw_event seen = numbered(stamps, n++, newest[i], stamp);
            CHECK_EQUAL(seen.seq, irq);
            CHECK_EQUAL(seen.id, BW_VECTOR_MSI);
            seen = numbered(stamps, n++, newest[i], stamp ^ 1ull << 63);
            CHECK_EQUAL(seen.seq, irq);
            CHECK_EQUAL(seen.id, BW_VECTOR_OTHER);
        }
    for (int i = 0; i < 6; i++) { /* not yet announced, by either vector; and so long ago that it cannot be */
        CHECK_EQUAL(numbered(stamps, n++, newest[i], handler_stamp(lately(), newest[i] + 1)).seq, ~0ull);
        CHECK_EQUAL(numbered(stamps, n++, newest[i], handler_stamp(lately(), newest[i] + 1) ^ 1ull << 63).seq, ~0ull);
        CHECK_EQUAL(numbered(stamps, n++, newest[i], handler_stamp(lately(), newest[i] - (1u << 30))).seq, ~0ull);
    }
    bw_stamps_free(stamps);
}

/* A handler's time, and by it the doorbell's, from the look at which its interrupt was not yet announced. */
static void completing_handlers(void)
{
    struct bw_stamps *stamps = started(9);
    check_drained(stamps, 6, 0, 0); /* looks: 6 are announced */
    uint64_t now = lately();
    store(slot(BW_RING_HANDLERS, 0), handler_stamp(now, 7));
    ring_once(0, now + 50);
    check_drained(stamps, 7, 3, 0);
    CHECK_EQUAL(out[0].kind, BW_HANDLER);
    CHECK_EQUAL(out[0].tsc, now);
    CHECK_EQUAL(out[1].tsc, now + 50);
    bw_stamps_free(stamps);

    stamps = started(9);
    check_drained(stamps, 7, 0, 0);
    store(BW_HANDLER_STAMPS, handler_stamp(now, 7)); /* announced before the look: for all that is known its handler ran long ago */
    store(BW_STATUS + BW_ST_HANDLED, 1);
    check_drained(stamps, 7, 0, 1);
    now = lately();
    store(slot(BW_HANDLER_STAMPS, 1), handler_stamp(now, 8));
    store(BW_STATUS + BW_ST_HANDLED, 2);
    check_drained(stamps, 8, 1, 1);
    CHECK_EQUAL(out[0].tsc, now);
    bw_stamps_free(stamps);
}

int main(void)
{
    memory = calloc(1, BW_MEMORY_SIZE);
    honest();
    scribbling();
    lying();
    following();
    completing();
    completing_handlers();
    numbering();
    following_on();
    handlers_following_on();
    kept();
    free(memory);
    return failures != 0;
}
