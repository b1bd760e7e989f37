"""What a guest stamps is believed only if it can be true."""

from __future__ import annotations

import pytest

from bellwire.engine._core import ffi, lib
from bellwire.engine.machines.stamping import NOBODY

RUNG = lib.BW_STATUS + lib.BW_ST_RUNG
AGO = 1000  # cycles


@pytest.mark.parametrize("written", [False, True], ids=["never written", "written"])
def test_a_slot_that_was_never_written_is_no_doorbell_at_any_time(written: bool) -> None:
    """Also where the lower half of the guest's clock has just been 0, which is what such a slot says."""
    memory, out = ffi.new("char[]", lib.BW_MEMORY_SIZE), ffi.new("struct bw_event[8]")
    ffi.cast("uint64_t *", memory + RUNG)[0] = 1
    since = lib.bw_tsc()
    if written:  # AGO after the clock's lower half was 0, and again a cycle later
        ffi.cast("uint64_t *", memory + lib.BW_RING_TIMES)[0] = 1 << 32
    stamps = ffi.gc(lib.bw_stamps_new(memory, 0, 0, since - 2 * AGO), lib.bw_stamps_free)
    lib.bw_stamps_set_offset(stamps, -(since - AGO))
    count = lib.bw_stamps_drain(stamps, NOBODY, out, 8)
    told = [(event.kind, event.tsc) for event in out[0:count]]
    assert told == ([(lib.BW_RING, since - AGO), (lib.BW_RUNG, since - AGO + 1)] if written else [])
    assert lib.bw_stamps_nonsense(stamps) == (0 if written else 2)
