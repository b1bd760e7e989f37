"""What records of the kernel say as events, whoever's they are: kind, id and argument of each.

Which signal each is of, in whose VM, and what a thread is called is for who knows: engine/live/kernel_numbers.py of a
machine of our own, engine/recordings/attached/seen_events.py of a VMM that is seen from outside.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EVENT, EventKind, Events, Lane, Records
from bellwire.engine.kernel.records import RecordKind
from bellwire.engine.kvm.gsi import GSI_COUNT

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.uint64]
K = RecordKind

KINDS: dict[RecordKind, EventKind] = {  # of those that become one event whatever they hold
    K.FAST_MMIO: EventKind.FAST_MMIO,
    K.USER_EXIT: EventKind.USER_EXIT,
    K.MSI: EventKind.MSI,
    K.SET_IRQ: EventKind.SET_IRQ,
    K.ACCEPTED: EventKind.ACCEPTED,
    K.EOI: EventKind.GUEST_EOI,
    K.INJECTED: EventKind.INJECTED,
    K.WOKEN: EventKind.WOKEN,
    K.WAKING: EventKind.WAKING,
    K.RUNS: EventKind.RUNS,
    K.WRITE: EventKind.WRITE,
    K.WRITTEN: EventKind.WRITTEN,
    K.WORK_QUEUED: EventKind.WORK_QUEUED,
    K.WORK_STARTED: EventKind.WORK_STARTED,
}
BY_A_VCPU = (K.PIO, K.MMIO, K.FAST_MMIO, K.USER_EXIT, K.EOI, K.INJECTED, K.WOKEN)  # only such threads do this
ACCESSES = (K.PIO, K.MMIO, K.FAST_MMIO, K.IOEVENTFD_WRITE)
BY_GSI = (K.SET_IRQ, K.WORK_QUEUED, K.WORK_STARTED, K.IRQFD_WAKEUP, K.IRQFD_INJECT, K.RESAMPLER_ACK)
OF_THREADS = (K.WAKING, K.RUNS, K.WRITE, K.WRITTEN)
PVM_EOI = "kvm_pvm"  # where the host itself writes the EOI of what it injects
NOT_TOLD = 0xFFFFFFFF
MOST_ERRNO = 4095  # linux/err.h
MOST_CALL = 1023  # the largest number of a system call that an event tells


def events_of(records: Records, kinds: Mapping[RecordKind, EventKind], host_ends: bool) -> Events:
    """An event of each record: its time, kind, id and argument; kind 0: none. Shapes (n,).

    kinds: KINDS, and whatever else becomes an event. host_ends: whether an EOI is the host's own, at the injection. Of
    what a thread does the id is left to who knows the thread.
    """
    events = np.zeros(records.size, EVENT)
    events["tsc"], events["lane"] = records["tsc"], Lane.KVM
    of = np.ascontiguousarray(records["kind"])
    for record, kind in kinds.items():
        events["kind"][of == record] = kind
    tell_accesses(records, of, events)
    tell_interrupts(records, of, events)
    tell_injections(records, of, events, host_ends)
    acts, calls = np.isin(of, OF_THREADS), np.isin(of, (K.WRITE, K.WRITTEN))
    events["arg"][acts] = np.where(calls, records["a"] & np.uint64(MOST_CALL), records["cpu"])[acts]
    return events


def tell_accesses(records: Records, of: npt.NDArray[np.uint16], events: Events) -> None:
    """Doorbells and whatever else a guest reads or writes; why KVM_RUN returns."""
    pio, mmio = of == K.PIO, of == K.MMIO
    writes = np.where(pio, records["d"] == 1, records["d"] == 2)
    events["kind"][pio & writes], events["kind"][mmio & writes] = EventKind.PIO, EventKind.MMIO
    events["kind"][(pio | mmio) & ~writes] = EventKind.DEVICE_READ
    accesses, exits, error = np.isin(of, ACCESSES), of == K.USER_EXIT, errno_told(records["b"])
    events["id"][accesses] = (records["a"] & np.uint64(2**32 - 1))[accesses]
    events["arg"][accesses] = records["b"][accesses]
    events["id"][exits] = np.where(error == 0, np.minimum(records["a"], 255), 0)[exits]
    events["arg"][exits] = error[exits]


def errno_told(b: Numbers) -> Numbers:
    """The errno of a KVM_RUN that has failed, as kvm_userspace_exit tells it, negative, in 32 bits; 0: none."""
    told: Numbers = (np.uint64(2**32) - b) & np.uint64(MOST_ERRNO)
    return told


def tell_interrupts(records: Records, of: npt.NDArray[np.uint16], events: Events) -> None:
    """Messages, lines, work, and what a local APIC takes."""
    a, b = records["a"], records["b"]
    messages, lines, taken, by_gsi = of == K.MSI, of == K.SET_IRQ, of == K.ACCEPTED, np.isin(of, BY_GSI)
    events["id"][messages] = (b & np.uint64(0xFF))[messages]
    events["arg"][messages] = (a >> np.uint64(12) & np.uint64(0xFF))[messages]
    events["id"][by_gsi] = (a & np.uint64(GSI_COUNT - 1))[by_gsi]
    events["arg"][lines] = np.minimum(b, 1)[lines]
    events["id"][taken] = (a & np.uint64(0xFF))[taken]
    events["arg"][taken] = (b & np.uint64(2**32 - 1))[taken]


def tell_injections(records: Records, of: npt.NDArray[np.uint16], events: Events, host_ends: bool) -> None:
    """What goes into the guest, its EOIs, and halts that end."""
    a, b = records["a"], records["b"]
    ends, woken = of == K.EOI, of == K.WOKEN
    vectors = np.where(a == NOT_TOLD, 0, a & np.uint64(0xFF))
    told = ends | (of == K.INJECTED)
    events["id"][told] = vectors[told]
    events["kind"][ends & (vectors > 0) & host_ends] = EventKind.INJECTED
    events["id"][woken], events["arg"][woken] = np.minimum(b, 1)[woken], np.minimum(a, 2**56)[woken]
