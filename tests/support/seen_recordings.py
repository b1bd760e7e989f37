"""Recordings of a VMM that was seen from outside, made of records that somebody might have taken: two seconds.

The vCPU (thread 33) rings the doorbell at 0xfe003000 each millisecond; the I/O thread (35) is woken, runs, and sends
vector 0x40. In the middle another doorbell is registered.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np

from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import SeenIoeventfd, Topology
from bellwire.engine.events import Clock, EventKind, Events, Lane, Records, Setting, end_to_end, event
from bellwire.engine.kernel.records import RECORD, RecordKind
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.recordings.attached.notes import AttachedTo, SeenNote, SeenThread
from bellwire.engine.recordings.attached.seen_events import SeenEvents, SeenThreads, counters_told
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import by_time, write_recording
from bellwire.engine.recordings.recording import Recording
from tests.support.seen_vmms import SEEN, VM, VMM

HZ = 1e9  # a cycle is a nanosecond
FIRST, MS = 10**12, 10**6
VCPU, IO, WORKER = 33, 35, 77
INTERRUPTED = 50  # the request after which KVM_RUN is interrupted
LATER = SeenIoeventfd(IoMatch("pio", 0x600, 2), 75)
CHANGED = replace(SEEN, vms=(replace(VM, ioeventfds=(*VM.ioeventfds, LATER)),))
THREADS = (SeenThread(VCPU, VMM.pid, "CPU 0/KVM"), SeenThread(IO, VMM.pid, "IO io0"), SeenThread(WORKER, 0, "kworker"))
NOTES = (SeenNote(FIRST, SEEN, THREADS), SeenNote(FIRST + 1000 * MS, CHANGED))
MESSAGE = GsiRoute.msi(2, 0x40)


def record(tsc: int, kind: RecordKind, thread: int, *values: int, cpu: int = 1) -> Records:
    """One of them."""
    a, b, c, d = (*values, 0, 0, 0, 0)[:4]
    return np.array([(tsc, kind, cpu, thread, a, b, c, d)], RECORD)


def one_request(at: int) -> list[Records]:
    """A doorbell, its hop to the thread, and the interrupt that this sends."""
    k = RecordKind
    return [
        record(at, k.FAST_MMIO, VCPU, 0xFE003000),
        record(at + 500, k.WAKING, VCPU, IO),
        record(at + 3000, k.RUNS, IO),
        record(at + 4000, k.WRITE, IO, 1),
        record(at + 4500, k.MSI, IO, MESSAGE.address, MESSAGE.data),
        record(at + 4600, k.ACCEPTED, IO, 0x40, 0),
        record(at + 4700, k.WAKING, IO, VCPU),
        record(at + 5000, k.WRITTEN, IO, 1),
        record(at + 8000, k.RUNS, VCPU),
        record(at + 9000, k.EOI, VCPU, 0x40, 0),
    ]


def one_exit(at: int, interrupted: bool = False) -> list[Records]:
    """A read of a device that user space answers; or a signal has come."""
    k = RecordKind
    why = (10, 2**32 - errno.EINTR) if interrupted else (6, 0)
    return [record(at, k.USER_EXIT, VCPU, *why), record(at + 7000, k.RUN_ENTERED, VCPU)]


def seen_records(count: int = 2000) -> Records:
    """A request each millisecond, an exit each ten, of which one is by a signal."""
    made = [one for n in range(count) for one in one_request(FIRST + n * MS)]
    made += [one for n in range(0, count, 10) for one in one_exit(FIRST + n * MS + 100_000, n == INTERRUPTED)]
    return np.sort(np.concatenate(made), order="tsc")


def seen_stream(count: int = 2000) -> Events:
    """The events, with what looks have counted five times a second, and what was lost."""
    threads = SeenThreads()
    threads.take(SEEN)
    events = SeenEvents(threads, Clock(HZ), "kvm_pvm").of(seen_records(count))
    looks = [counters_told(FIRST + n * 200 * MS, counted(n)) for n in range(count // 200)]
    beginning = event(FIRST, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 7, 0x1FFFF)
    lost = event(FIRST + count * MS // 2, EventKind.LOST, Lane.ENGINE, Lane.KVM, FIRST, 5)
    return by_time(end_to_end(beginning, events, *looks, lost))


def counted(look: int) -> Topology:
    """As the n-th look has found it: 100 exits and 50 interrupts since the one before."""
    (vcpu,) = VM.vcpus
    grown = {"exits": 2500 + 100 * look, "irq_injections": 1200 + 50 * look}
    return replace(SEEN, vms=(replace(VM, vcpus=(replace(vcpu, counters=grown),)),), counts={70: look})


def attached_header(process: KvmProcess = VMM) -> Header:
    """What such a recording says of itself."""
    host = {"cpu": "Test", "cpus": "2", "kernel": "6.1", "backend": "kvm_pvm"}
    return Header.of_attached(AttachedTo(process), host, Clock(HZ), "0.1", FIRST)


def seen_recording(path: Path, count: int = 2000) -> Recording:
    """One of them, opened."""
    batches = np.array_split(seen_stream(count), 4)
    with path.open("wb") as file:
        write_recording(file, attached_header(), batches, notes=NOTES)
    return Recording(path, attached=True)
