"""What a record says as an event, field by field."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Lane
from bellwire.engine.kernel.event_fields import KINDS, NOT_TOLD, events_of
from bellwire.engine.kernel.records import RECORD, RecordKind

K = RecordKind


@pytest.mark.parametrize(
    ("record", "fields", "told"),
    [
        (K.PIO, {"a": 0x510, "b": 7, "c": 2, "d": 1}, (EventKind.PIO, 0x510, 7)),
        (K.PIO, {"a": 0x510, "b": 7, "c": 2, "d": 0}, (EventKind.DEVICE_READ, 0x510, 7)),
        (K.MMIO, {"a": 0x1_FE00_0000, "b": 7, "d": 2}, (EventKind.MMIO, 0xFE00_0000, 7)),
        (K.USER_EXIT, {"a": 2, "b": 0}, (EventKind.USER_EXIT, 2, 0)),
        (K.USER_EXIT, {"a": 2, "b": 2**32 - 4}, (EventKind.USER_EXIT, 0, 4)),
        (K.MSI, {"a": 0xFEE0_3000, "b": 0x4041}, (EventKind.MSI, 0x41, 3)),
        (K.SET_IRQ, {"a": 24, "b": 5}, (EventKind.SET_IRQ, 24, 1)),
        (K.ACCEPTED, {"a": 0x40, "b": 1}, (EventKind.ACCEPTED, 0x40, 1)),
        (K.EOI, {"a": NOT_TOLD}, (EventKind.GUEST_EOI, 0, 0)),
        (K.WOKEN, {"a": 900, "b": 3}, (EventKind.WOKEN, 1, 900)),
        (K.WRITE, {"a": 1024 + 16, "cpu": 1}, (EventKind.WRITE, 0, 16)),
        (K.RUNS, {"a": 9, "cpu": 1}, (EventKind.RUNS, 0, 1)),
        (K.WORK_ENDED, {"a": 9}, (0, 0, 0)),
    ],
)
def test_each_record_says_what_its_event_is(
    record: RecordKind, fields: dict[str, int], told: tuple[int, int, int]
) -> None:
    records = np.zeros(1, RECORD)
    records["kind"], records["tsc"] = record, 5
    for name, value in fields.items():
        records[name] = value
    (event,) = events_of(records, KINDS, host_ends=False)
    assert (event["kind"], event["id"], event["arg"]) == told
    assert (event["tsc"], event["lane"]) == (5, Lane.KVM)


@pytest.mark.parametrize("host_ends", [False, True])
def test_the_hosts_own_end_of_an_interrupt_is_its_injection(host_ends: bool) -> None:
    records = np.zeros(2, RECORD)
    records["kind"], records["a"] = K.EOI, (0x40, NOT_TOLD)
    kinds = events_of(records, KINDS, host_ends)["kind"].tolist()
    assert kinds == [EventKind.INJECTED if host_ends else EventKind.GUEST_EOI, EventKind.GUEST_EOI]
