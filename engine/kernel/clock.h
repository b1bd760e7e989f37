/* Turns the time of a record into TSC cycles, the clock of every event of bellwire.
 *
 * BPF programs tell CLOCK_MONOTONIC; a pair of both clocks is taken at every turn, and a time between two pairs lies on
 * the line between them. Where the kernel's own clock is the TSC that line is straight but for what NTP changes. */
#pragma once
#include <stdint.h>

#include "failure.h"

struct pair {
    uint64_t tsc, ns;
    uint64_t width; /* cycles that taking it took at most: the two belong together to within half of them */
};

struct clock {
    struct pair before, now;
    uint64_t error; /* cycles by which a time that is turned may be off, by the last two pairs and their line */
};

/* -1: the kernel's clock is another one, so that the two drift apart. */
int clock_begin(struct clock *clock, struct failure *why);
void clock_turn(struct clock *clock); /* takes the next pair */
uint64_t clock_tsc(const struct clock *clock, uint64_t ns);
