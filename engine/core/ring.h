/* What the threads of the core use of a ring beside core.h. */
#pragma once
#include <stdint.h>

#include "core.h"

static inline void bw_emit(struct bw_ring *ring, uint64_t tsc, uint16_t kind, uint8_t lane, uint32_t id, uint64_t seq,
                           uint64_t arg)
{
    struct bw_event event = {tsc, kind, lane, 0, id, seq, arg};
    bw_ring_push(ring, &event);
}
