"""Records of the kernel as a test writes them, of the VMM of seen_vmms: its vCPU's thread is 33."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from bellwire.engine.attached.hops.places import SeenPlaces
from bellwire.engine.attached.hops.rows import HopRows, Indices
from bellwire.engine.attached.topology import Topology
from bellwire.engine.events import Clock, Records
from bellwire.engine.kernel.records import RECORD, RecordKind
from tests.support.seen_vmms import SEEN, VM, VMM

CLOCK = Clock(1e9)  # a cycle is a nanosecond
VCPU, READER, WORKER = 33, 50, 60
STORE, PORT = 0xFE003000, 0x510  # doorbells of SEEN; the port's takes 2 bytes, 9
MESSAGE, VECTOR = 0xFEE00000, 0x40
K = RecordKind
HERE = replace(SEEN, process=replace(VMM, pid=os.getpid()))  # whose threads can be looked up

Row = tuple[int, RecordKind, int, tuple[int, ...]]


def row(tsc: int, kind: RecordKind, thread: int, *values: int) -> Row:
    """A record: when, what, in which thread, and a to d as far as they matter."""
    return tsc, kind, thread, values


def records(*rows: Row) -> Records:
    """All of them, as they were written."""
    table = [(tsc, kind, 0, thread, *values, *[0] * (4 - len(values))) for tsc, kind, thread, values in rows]
    return np.array(table, RECORD)


def store(tsc: int, thread: int = VCPU) -> Row:
    """A guest's store to the doorbell that takes any length."""
    return row(tsc, K.MMIO, thread, STORE, 1, 2, 2)


def message(tsc: int, thread: int, vector: int = VECTOR) -> Row:
    """A message to the only local APIC."""
    return row(tsc, K.MSI, thread, MESSAGE, vector)


def looked_at(some: Records, topology: Topology = SEEN) -> tuple[HopRows, SeenPlaces, Indices]:
    """As a fold gets them: rows, places, and which doorbell each rings."""
    rows, places = HopRows(some), SeenPlaces(topology)
    return rows, places, places.doorbell_of(rows)


assert VM.vcpus[0].tid == VCPU
