"""C and Python mean the same bytes by an event, and the same numbers by its kinds and lanes."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine._core import ffi, lib
from bellwire.engine.events import EVENT, EventKind, Lane, no_events, vms_in

FIELDS = dict(ffi.typeof("struct bw_event").fields)
C_KINDS = {name.removeprefix("BW_"): value for value, name in ffi.typeof("enum bw_kind").elements.items()}
C_LANES = {name.removeprefix("BW_LANE_"): value for value, name in ffi.typeof("enum bw_lane").elements.items()}


def test_an_event_has_the_same_fields_in_the_same_order() -> None:
    assert tuple(FIELDS) == EVENT.names
    assert ffi.sizeof("struct bw_event") == EVENT.itemsize == 32


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_lies_at_the_same_place(name: str) -> None:
    assert EVENT.fields is not None
    dtype, offset = EVENT.fields[name][:2]
    assert (FIELDS[name].offset, ffi.sizeof(FIELDS[name].type)) == (offset, dtype.itemsize)
    assert dtype.kind == "u"


def test_what_the_core_records_python_knows_by_the_same_number() -> None:
    assert {kind.name: kind.value for kind in EventKind if kind.name in C_KINDS} == C_KINDS
    assert {lane.name: lane.value for lane in Lane if lane.name in C_LANES} == C_LANES


def test_an_event_pushed_in_c_is_read_in_python() -> None:
    ring = lib.bw_ring_new(4)
    values = (2**63 + 1, EventKind.EXIT.value, Lane.VCPU.value, 3, 2**32 - 1, 2**64 - 1, 2**40)
    assert lib.bw_ring_push(ring, ffi.new("struct bw_event *", values)) == 1
    out = np.zeros(4, no_events().dtype)
    assert lib.bw_ring_drain(ring, ffi.from_buffer("struct bw_event[]", out), 4) == 1
    lib.bw_ring_free(ring)
    assert out[0].item() == values


@pytest.mark.parametrize("vms", [[], [0, 0], [1, 0, 3, 1], [2, 2], [255]])
def test_the_guests_that_events_name_come_once_each_from_low_to_high(vms: list[int]) -> None:
    events = np.zeros(len(vms), EVENT)
    events["vm"] = vms
    assert vms_in(events) == np.unique(events["vm"]).tolist()
