"""What an event is: the one place where Python knows the layout of `struct bw_event` in engine/core/core.h.

An event is 32 bytes. Its clock is the raw TSC, the same on both sides (guest offset 0); sequence numbers start at 1.
A *doorbell* is numbered by the guest as it rings it, an *interrupt* by the host as it signals it. `vm` is which guest
an event is of; of a guest with several vCPUs (Scenario.vcpus), which vCPU.
"""

from __future__ import annotations

import errno
import math
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from bellwire.engine._core import lib


class Lane(IntEnum):
    """Where an event happened: one horizontal lane of the timeline."""

    GUEST = 0  # code inside the VM; stamped by the guest itself in shared memory
    VCPU = 1  # the vCPU thread in user space, around KVM_RUN
    KVM = 2  # what only the kernel knows: its counters, the eventfds' counts, and its own tracepoints
    IO_THREAD = 3  # the host side that is woken by a doorbell and answers
    ENGINE = 4  # what the operator did: wiring, pace; and losses


class EventKind(IntEnum):
    """What happened. Beside each: the meaning of `id`, `seq` and `arg`."""

    # The guest, just before the doorbell's instruction: id address, seq doorbell.
    RING = 1
    # The guest, at the instruction after it: id address, seq doorbell.
    RUNG = 2
    # The guest, first instruction of the interrupt handler: id vector, seq newest interrupt that was announced,
    # arg interrupts that this one covers (2 and more: merged ones; 0: an earlier handler has seen its announcement).
    HANDLER = 3
    # vCPU thread, KVM_RUN returned: id KVM_EXIT_* reason, seq the doorbell that it relays (0: none), arg address.
    EXIT = 4
    # vCPU thread, about to call KVM_RUN again: id the reason of the exit that it has served; of a write that left the
    # guest seq its length in bytes, arg the value written, zero-extended.
    ENTRY = 5
    # I/O thread, read() of a doorbell's eventfd returned: id queue, seq doorbells received so far from this queue, arg
    # the count that was read.
    DOORBELL = 6
    # I/O thread, about to write the irqfd: id GSI, seq interrupt, arg newest doorbell that it answers (0: none).
    IRQFD = 7
    # I/O thread, about to call the ioctl instead: id IrqIoctl, seq and arg as IRQFD.
    IRQ_IOCTL = 8
    # I/O thread, about to block: seq doorbells received so far, arg interrupts signalled so far.
    WAIT = 9
    # KVM's own counter, sampled: id index into STATS, arg value since the session's start.
    STAT = 10
    # An eventfd's count, peeked at in /proc/self/fdinfo: id EventfdRole, arg count.
    COUNT = 11
    # The wiring as it is from now on: id Switch, arg 1 on, 0 off; seq 1: the doorbell's eventfd is the irqfd's, so that
    # each doorbell is an interrupt which no thread reads; above 1: the pid of the process that reads each doorbell and
    # answers it by an interrupt.
    WIRE = 12
    # Pace, burst, idle, route as it is from now on: id Setting, arg value; seq of MASKED newest interrupt signalled, of
    # PACE ns from tick to tick.
    SETTING = 13
    # Events lost before this one: id the Lane that lost them (ENGINE: of any lane, they lie in a damaged part of a
    # recording), arg how many, seq the TSC from which on (0: not known).
    LOST = 14
    # I/O thread, read() of the resamplefd returned: the guest has ended the interrupt and KVM has lowered the line; or,
    # where KVM_IRQ_LINE raised it, the guest has acknowledged and the vCPU thread has lowered it. id GSI, seq
    # interrupts signalled so far, arg the count that was read.
    RESAMPLE = 15
    # I/O thread, about to submit to io_uring a read whose completion signals the irqfd: id GSI, seq interrupt, arg
    # newest doorbell that it answers (0: none).
    SUBMIT = 16
    # I/O thread, a virtqueue has moved on: id BUFFERS_ADDED: the driver's available index, as the device sees it,
    # BUFFERS_USED: the device's used index; seq buffers so far, arg buffers since the last such event.
    BUFFERS = 17
    # The guest, about to let interrupts in again after it has held them off: seq newest interrupt that was announced.
    WINDOW = 18
    # The stream begins in the middle of a run, behind these numbers: id Before (engine/folds/beginning.py), seq the
    # number, arg which queue or counter it is of.
    BEFORE = 20
    # Events before this one, all of one sort, that came faster than they were taken (engine/outlet.py): arg how many,
    # seq their kind (16 bits), lane (8), vm (8) and id (32), from the lowest bit on, id what their args add up to; of
    # EXIT how many were doorbells.
    PASSED_OVER = 21
    # vCPU thread, KVM_RUN returned: it takes doorbells out of KVM's ring of coalesced writes, about to write their
    # eventfd: id address, seq doorbells fetched so far, arg doorbells of this address fetched now.
    FETCH = 22
    # The kernel has refused what the engine asked for: id Operation, seq the GSI or the ioeventfd's address, arg errno.
    REFUSED = 19

    # What the kernel's own tracepoints tell, where the inside of the kernel is watched (engine/kernel/). Doorbells and
    # interrupts are numbered by what encloses them; seq 0: of another cause, a timer or another device.
    # kvm_pio, KVM has an OUT before it: id port, seq doorbell, arg value.
    PIO = 23
    # kvm_mmio, KVM has a store before it: id address (its lower half), seq doorbell, arg value.
    MMIO = 24
    # kvm_fast_mmio, KVM has matched a store by its address alone: id address (its lower half), seq doorbell.
    FAST_MMIO = 25
    # kvm_pio or kvm_mmio, KVM has a read of a device before it: id address (its lower half), arg value, if it is known.
    DEVICE_READ = 26
    # kvm_userspace_exit, KVM_RUN is about to return: id KVM_EXIT_* reason, seq the doorbell that leaves, arg errno (0:
    # the reason says why).
    USER_EXIT = 27
    # sched_waking, somebody makes a thread runnable: id ThreadRole (4 bits) and, above, thread, seq the doorbell (of a
    # vCPU the interrupt) that it is woken for, arg CPU on which that was done.
    WAKING = 28
    # sched_switch, a thread gets a CPU: id ThreadRole (4 bits) and, above, thread, seq the doorbell (of a vCPU the
    # interrupt) that it was woken for, arg CPU.
    RUNS = 29
    # sys_enter, the system call by which a thread signals an interrupt has entered the kernel: id ThreadRole (4 bits)
    # and, above, thread, seq interrupt, arg number of the call.
    WRITE = 30
    # sys_exit, it returns: id ThreadRole (4 bits) and, above, thread, seq interrupt, arg number of the call.
    WRITTEN = 31
    # kvm_msi_set_irq, a message: id vector, seq interrupt, arg APIC ID that it is sent to.
    MSI = 32
    # workqueue_queue_work, an irqfd whose route needs a thread has queued its work: id GSI, seq interrupt.
    WORK_QUEUED = 33
    # workqueue_execute_start, a kernel worker begins that work: id GSI, seq newest interrupt, arg interrupts that it
    # stands for (2 and more: merged while it waited; 0: it is not known).
    WORK_STARTED = 34
    # kvm_set_irq, a line changes: id GSI, seq interrupt, arg level.
    SET_IRQ = 35
    # kvm_apic_accept_irq, a local APIC has taken it (its IRR): id vector, seq interrupt, arg APIC ID.
    ACCEPTED = 36
    # kvm_inj_virq, or kvm_eoi where the host itself writes it as it injects (kvm_pvm): id vector, seq newest interrupt,
    # arg how many the APIC had taken since the one before (2 and more: merged in its IRR; 0: it is not known).
    INJECTED = 37
    # kvm_vcpu_wakeup, a vCPU that was halted goes on: id 1 it slept, 0 KVM polled, seq interrupt, arg ns that it took.
    WOKEN = 38
    # kvm_eoi, the guest has ended an interrupt: id vector (0: not told).
    GUEST_EOI = 39

    # What functions of the kernel tell as they are entered, where it lets them be probed (CONFIG_KPROBES).
    # ioeventfd_write, an ioeventfd is asked whether it takes a write: id address (its lower half), seq doorbell, arg
    # value.
    IOEVENTFD_WRITE = 40
    # eventfd_signal_mask, the kernel itself signals an eventfd: id EventfdSignaller, seq of an ioeventfd the doorbell,
    # of others the interrupt, arg the eventfd's number (eventfd-id in /proc/PID/fdinfo).
    EVENTFD_SIGNAL = 41
    # irqfd_wakeup, an irqfd is called as its eventfd is signalled: id GSI, seq interrupt, arg the eventfd's number.
    IRQFD_WAKEUP = 42
    # irqfd_inject, a worker of the kernel raises an irqfd's line: id GSI, seq newest interrupt.
    IRQFD_INJECT = 43
    # irqfd_resampler_ack, the guest has ended the interrupt and KVM lowers the line: id GSI, seq newest interrupt that
    # was injected.
    RESAMPLER_ACK = 44


SIGNALLING = (EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.SUBMIT)  # an interrupt, by the host
OTHER_VECTOR = int(lib.BW_VECTOR_OTHER)  # to which a route changes, and back
BUFFERS_ADDED, BUFFERS_USED = int(lib.BW_BUFFERS_ADDED), int(lib.BW_BUFFERS_USED)  # id of EventKind.BUFFERS
BLOCK_SIZE = int(lib.BW_BLOCK_SIZE)  # bytes that are read for each EventKind.SUBMIT


class ThreadRole(IntEnum):
    """Which thread a scheduler's event is of."""

    VCPU = 0  # a vCPU's, which `vm` names
    IO_THREAD = 1  # the one that answers doorbells
    WORKER = 2  # the kernel's own
    OTHER = 3  # another one of the same programs


ROLE_BITS = 4  # of `id`, below the thread's number

# The tracepoints that are listened to, as engine/kernel/tracepoints.c lists them: bits of Setting.KERNEL.
TRACEPOINTS: tuple[str, ...] = (
    "kvm_pio",
    "kvm_mmio",
    "kvm_fast_mmio",
    "kvm_userspace_exit",
    "kvm_msi_set_irq",
    "kvm_set_irq",
    "kvm_apic_accept_irq",
    "kvm_eoi",
    "kvm_inj_virq",
    "kvm_vcpu_wakeup",
    "sched_waking",
    "sched_switch",
    "workqueue_queue_work",
    "workqueue_execute_start",
    "workqueue_execute_end",
    "sys_enter",
    "sys_exit",
    "kvm_exit",
    "kvm_entry",
)
TRACEFS_BIT = 48  # of Setting.KERNEL: they are listened to by tracefs, and not by BPF


# The functions that are probed, as engine/kernel/functions.c lists them: bits of Setting.KERNEL from PROBES_BIT on, and
# from PROBES_LACK_BIT on the ProbesLack.
FUNCTIONS: tuple[str, ...] = (
    "ioeventfd_write",
    "eventfd_signal_mask",
    "irqfd_wakeup",
    "irqfd_inject",
    "irqfd_resampler_ack",
)
PROBES_BIT, PROBES_LACK_BIT = 32, 56


class ProbesLack(IntEnum):
    """Why no function of the kernel is probed."""

    NOTHING = 0  # some are, or nobody has tried
    SUPPORT = 1  # this kernel was built without probes
    PERMISSION = 2  # it refuses them
    FUNCTIONS = 3  # it has none of these functions as they are known


class EventfdSignaller(IntEnum):
    """Who signals an eventfd inside of the kernel."""

    IOEVENTFD = 0  # for a doorbell
    RESAMPLER = 1  # a resamplefd, for the end of an interrupt
    OTHER = 2  # io_uring, or a worker of the kernel


class EventfdRole(IntEnum):
    """The eventfds whose count is sampled."""

    DOORBELL = 0
    IRQ = 1


class Switch(IntEnum):
    """The two live switches."""

    IOEVENTFD = 0
    IRQFD = 1


class Setting(IntEnum):
    """What can be changed while the guest runs."""

    # Signals per second, in whole numbers; 0 by hand only; FLAT_OUT without a pause. seq: ns from tick to tick (0: as
    # long as the whole number says).
    PACE = 0
    BURST = 1  # signals a tick
    IDLE = 2  # 0 HLT, 1 spin
    RUNNING = 3  # 1 the pace drives signals, 0 held
    ROUTE = 4  # the vector that the GSI's route leads to, where it changes
    MASKED = 5  # 1 the interrupt's pin is masked, so that its edges are lost
    VCPU = 7  # the vCPU that the GSI's route leads to, where it changes
    STALLED = 8  # cycles from this event on in which the engine's thread did not run
    STEP = 6  # steps of the lab (engine/machines/lab.py) so far; the newest is about to be done
    # Tracepoints that are listened to, a bit each (TRACEPOINTS), and functions that are probed (FUNCTIONS, ProbesLack);
    # 0: none. seq: cycles by which their times may err.
    KERNEL = 9
    # The number of another process with a part in the signals: it has been stopped, by now at the latest; 0: it goes
    # on. seq: its number.
    PARTNER_STOPPED = 10


class Operation(IntEnum):
    """What the kernel can refuse while a guest runs."""

    IOEVENTFD_ASSIGN = 0
    IOEVENTFD_DEASSIGN = 1
    IRQFD_ASSIGN = 2
    IRQFD_DEASSIGN = 3
    SET_GSI_ROUTING = 4


class IrqIoctl(IntEnum):
    """The ioctl that an interrupt took instead of the irqfd."""

    IRQ_LINE = 0
    SIGNAL_MSI = 1


FLAT_OUT = 2**63  # Setting.PACE: as fast as it goes

HAPPENED = (Setting.STALLED,)  # what they tell was over as soon as it was told: nothing stands so from then on


def telling_beside(settings: Events) -> Events:
    """Those of SETTING events whose `seq` belongs to how something stands from then on, as their `arg` does."""
    return settings[~np.isin(settings["id"], (*HAPPENED, Setting.MASKED))]


def told_pace(per_second: float) -> tuple[int, int]:
    """(seq, arg) of Setting.PACE, of a pace that need not be a whole number; infinite: flat out."""
    if math.isinf(per_second):
        return 0, FLAT_OUT
    return round(1e9 / per_second) if per_second else 0, round(per_second)


def pace_told(seq: int, arg: int) -> float:
    """Signals a second by (seq, arg) of Setting.PACE; infinite: flat out."""
    if arg >= FLAT_OUT:
        return math.inf
    return 1e9 / seq if seq and seq != told_pace(arg)[0] else float(arg)


# The kernel's counters that are sampled, by the names that KVM_GET_STATS_FD gives (virt/kvm/api.rst, 4.133).
STATS: tuple[str, ...] = (
    "exits",
    "io_exits",
    "mmio_exits",
    "halt_exits",
    "irq_exits",
    "irq_window_exits",
    "signal_exits",
    "request_irq_exits",
    "irq_injections",
    "insn_emulation",
    "halt_wakeup",
    "halt_successful_poll",
    "fpu_reload",
)

EVENT: np.dtype[np.void] = np.dtype(
    [
        ("tsc", "<u8"),
        ("kind", "<u2"),
        ("lane", "u1"),
        ("vm", "u1"),
        ("id", "<u4"),
        ("seq", "<u8"),
        ("arg", "<u8"),
    ]
)

Records = npt.NDArray[np.void]  # shape (n,), of any dtype with fields
Events = Records  # dtype EVENT, sorted by tsc


def doorbell_numbers(reads: Events, queues: int) -> npt.NDArray[np.uint64]:
    """The newest doorbell that each DOORBELL event has received: a guest rings its queues in turn. Shape (n,)."""
    numbers: npt.NDArray[np.uint64] = (reads["seq"] - 1) * np.uint64(queues) + reads["id"] + 1
    return numbers


def chosen(records: Records, which: npt.NDArray[Any]) -> Records:
    """records[which], by a mask or by indices, copied; shape (n,).

    As whole records, several times as fast as numpy copies those with fields, which goes field by field.
    """
    whole = np.ascontiguousarray(records).view(np.dtype((np.void, records.itemsize)))
    picked: Records = whole[which].view(records.dtype)
    return picked


def end_to_end(*parts: Records) -> Records:
    """One behind the other, all of them of the dtype of the first; as fast as chosen()."""
    whole = np.dtype((np.void, parts[0].itemsize))
    together: Records = np.concatenate([np.ascontiguousarray(part).view(whole) for part in parts]).view(parts[0].dtype)
    return together


def put(to: Records, records: Records) -> None:
    """to[:] = records, which are as many and of the same dtype; to: in one piece. As fast as chosen()."""
    whole = np.dtype((np.void, to.itemsize))
    to.view(whole)[:] = np.ascontiguousarray(records).view(whole)


def vms_in(events: Events) -> list[int]:
    """Which guests the events name, from low to high: without a look through all of them in order, as unique() does."""
    vm = np.ascontiguousarray(events["vm"])
    return np.flatnonzero(np.bincount(vm)).tolist() if vm.any() else [0] * min(vm.size, 1)


def ids_in(events: Events) -> list[int]:
    """Which ids there are, from low to high: most often all are the same, and need not be put in order."""
    ids = np.ascontiguousarray(events["id"])
    few = ids[:1] if (ids == ids[:1]).all() else np.sort(ids)
    found: list[int] = few[np.append(True, few[1:] != few[:-1])[: few.size]].tolist()
    return found


def each_of(events: Events, field: str, values: list[int]) -> Iterator[tuple[int, Events]]:
    """The events that have each of these values, which are all there are; most often there is one."""
    for value in values:
        yield value, events if len(values) == 1 else chosen(events, events[field] == value)


def no_events() -> Events:
    """An empty batch."""
    return np.empty(0, EVENT)


class ByKind:
    """A batch by its kinds, each looked for once. counts: how many of each kind there are, by its number."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self._kinds = np.ascontiguousarray(events["kind"])
        self.counts: list[int] = np.bincount(self._kinds, minlength=max(EventKind) + 1).tolist()
        self._found: dict[EventKind, Events] = {}

    def of(self, *kinds: EventKind) -> Events:
        """The events of some kinds, in order; not to be changed."""
        there = [kind for kind in kinds if self.counts[kind]]
        if len(there) > 1:
            return chosen(self.events, np.logical_or.reduce([self._kinds == kind for kind in there]))
        if not there:
            return no_events()
        if there[0] not in self._found:
            self._found[there[0]] = chosen(self.events, self._kinds == there[0])
            self._found[there[0]].flags.writeable = False
        return self._found[there[0]]

    @property
    def kinds(self) -> list[EventKind]:
        """Which there are, from low to high."""
        return [kind for kind in KINDS_RISING if self.counts[kind]]


KINDS_RISING = sorted(EventKind)


class LastAsked(threading.local):
    """What the folds of this thread have asked for last: a batch, and parts of it."""

    def __init__(self) -> None:
        self.batches = deque[ByKind](maxlen=4)


LAST_ASKED = LastAsked()


def by_kind(events: Events) -> ByKind:
    """The batch by its kinds. A dozen folds ask for the same batch, one after the other; none of them changes it."""
    for batch in LAST_ASKED.batches:
        if batch.events is events:
            return batch
    LAST_ASKED.batches.appendleft(batch := ByKind(events))
    return batch


def cut_at(events: Events, changes: npt.NDArray[np.bool_]) -> Iterator[tuple[np.void | None, Events]]:
    """The batch in parts that each begin with a change, but for the first: (the change or None, the part)."""
    cuts = np.flatnonzero(changes).tolist()
    if not cuts:
        yield None, events
        return
    ends = [*cuts, events.size]
    yield None, events[: ends[0]]
    for start, end in zip(cuts, ends[1:], strict=True):
        yield events[start], events[start:end]


class Rewirings:
    """Where a stream's wiring changes. Changes that no signal comes between are one: two switches, thrown at once.

    signals: the kinds of events that are signals. The first word on a switch is no change.
    """

    def __init__(self, *signals: EventKind) -> None:
        self._heard = (*signals, EventKind.LOST, EventKind.PASSED_OVER)  # what is not there may be one
        self._wiring: dict[int, int] = {}  # 1 or 0 by switch
        self._quiet = False  # no signal has come since the newest change

    def parts(self, events: Events) -> Iterator[tuple[np.void | None, bool, Events]]:
        """The next batch as cut_at() cuts it: (the change or None, whether it is one with the change before, part)."""
        for change, part in cut_at(events, self._changes(events)):
            is_one = change is not None and self._quiet
            self._quiet = change is not None or self._quiet
            if self._quiet:
                counts = by_kind(part).counts
                self._quiet = not any(counts[kind] for kind in self._heard)
            yield change, is_one, part

    def _changes(self, events: Events) -> npt.NDArray[np.bool_]:
        changes = np.zeros(events.size, bool)
        if by_kind(events).counts[EventKind.WIRE]:
            for at in np.flatnonzero(events["kind"] == EventKind.WIRE).tolist():
                switch, on = int(events["id"][at]), int(events["arg"][at])
                changes[at] = self._wiring.get(switch, on) != on
                self._wiring[switch] = on
        return changes


def event(tsc: int, kind: EventKind, lane: Lane, id: int = 0, seq: int = 0, arg: int = 0) -> Events:
    """A batch of one event."""
    return np.array([(tsc, kind, lane, 0, id, seq, arg)], EVENT)


@dataclass(frozen=True)
class Clock:
    """Turns TSC cycles into time. The only place that does."""

    hz: float  # TSC cycles a second
    # Cycles that the guest's TSC is ahead of the host's, in the kernel's own words; None: it does not tell.
    offset: int | None = field(default=None, compare=False)
    emulated: bool = field(default=False, compare=False)  # the CPU: order and counts are true, how long it took is not

    def facts(self) -> dict[str, str]:
        """What the kernel says of the guest's clock, as a Source's `host` has it: tsc_khz, tsc_offset (if it tells)."""
        offset = {} if self.offset is None else {"tsc_offset": str(self.offset)}
        return {"tsc_khz": f"{self.hz / 1000:.0f}", **offset}

    def ns(self, cycles: float) -> float:
        """Nanoseconds that `cycles` last."""
        return cycles * 1e9 / self.hz

    def ns_array(self, cycles: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """Nanoseconds that each of `cycles` lasts; same shape."""
        return cycles.astype(np.float64) * (1e9 / self.hz)

    def cycles(self, seconds: float) -> int:
        """Cycles in `seconds`."""
        return round(seconds * self.hz)


# -- Names of the reasons for which KVM_RUN returns: KVM_EXIT_* of linux/kvm.h, a stable interface.

PREFIX = "KVM_EXIT_"
NAMES: dict[int, str] = dict(
    sorted((int(getattr(lib, name)), name.removeprefix(PREFIX)) for name in dir(lib) if name.startswith(PREFIX))
)


def exit_name(reason: int, error: int = 0) -> str:
    """The name after KVM_EXIT_, or the number of a reason that this program does not know.

    error: the errno of a KVM_RUN that has failed (EINTR: a signal came), which then is why, whatever the reason: its
    name. 0: the reason says why.
    """
    if error:
        return errno.errorcode.get(error, f"ERRNO_{error}")
    return NAMES.get(reason, f"REASON_{reason}")


def full_exit_name(reason: int, error: int = 0) -> str:
    """The same as linux/kvm.h and errno.h have it: KVM_EXIT_IO, EINTR."""
    return exit_name(reason, error) if error else f"{PREFIX}{exit_name(reason)}"
