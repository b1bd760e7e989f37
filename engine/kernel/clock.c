#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "clock.h"

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define TRIES 16 /* of a pair, of which the quickest is kept: an interrupt may come in between */
#define FIRST_LINE_NS 20000000

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct pair take_pair(void)
{
    struct pair best = {.width = UINT64_MAX};
    for (int number = 0; number < TRIES; number++) {
        unsigned cpu;
        uint64_t before = __rdtscp(&cpu), ns = monotonic_ns(), after = __rdtscp(&cpu);
        if (after - before < best.width)
            best = (struct pair){before + (after - before) / 2, ns, after - before};
    }
    return best;
}

int clock_begin(struct clock *clock, struct failure *why)
{
    char name[32] = "";
    FILE *file = fopen(CLOCKSOURCE, "re");
    char *read = file ? fgets(name, sizeof name, file) : NULL;
    if (file)
        fclose(file);
    if (!read || strcmp(name, "tsc\n"))
        return fail(why, "clocksource", 0, "");
    *clock = (struct clock){.now = take_pair()};
    struct timespec pause = {.tv_nsec = FIRST_LINE_NS};
    nanosleep(&pause, NULL);
    clock_turn(clock);
    return 0;
}

void clock_turn(struct clock *clock)
{
    struct pair next = take_pair();
    uint64_t bent = 0;
    if (clock->before.ns) { /* where the line before this one would have led */
        uint64_t expected = clock_tsc(clock, next.ns);
        bent = expected > next.tsc ? expected - next.tsc : next.tsc - expected;
    }
    uint64_t width = next.width > clock->now.width ? next.width : clock->now.width;
    clock->error = width / 2 + bent;
    clock->before = clock->now;
    clock->now = next;
}

uint64_t clock_tsc(const struct clock *clock, uint64_t ns)
{
    const struct pair *from = &clock->before, *to = &clock->now;
    __int128 cycles = (__int128)(to->tsc - from->tsc) * ((__int128)ns - from->ns);
    return (uint64_t)((__int128)from->tsc + cycles / (__int128)(to->ns - from->ns));
}
