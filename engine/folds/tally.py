"""What all events so far add up to: every counter on the screen and in the summary comes from here.

At rest two equations hold exactly, whatever was switched while the guest ran:

    doorbells rung      = received + pending
    interrupts signalled = handled - spurious + merged + lost + pending

Spurious and lost ones are the exception; irqs_spurious and irqs_lost say what they are. Where a doorbell's eventfd is
the irqfd's, each doorbell rung is an interrupt signalled, and the handler receives it. Of another process only the
interrupts are seen: it has received the doorbells that it has answered.

Totals are taken from the newest sequence number, not by counting events, so a lost event does not lose a doorbell; what
has no number and was passed over (engine/outlet.py) is counted by the event that tells of it. Of a
stream that begins in the middle of a run (engine/folds/beginning.py) they count from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import (
    BUFFERS_USED,
    SIGNALLING,
    STATS,
    EventfdRole,
    EventKind,
    Events,
    Lane,
    Operation,
    Setting,
    Switch,
    by_kind,
    exit_name,
    ids_in,
    pace_told,
    telling_beside,
)
from bellwire.engine.folds.beginning import Beginning
from bellwire.engine.folds.masked_pin import MaskedPin
from bellwire.engine.outlet import passed_over

NO_EVENTS = (EventKind.LOST, EventKind.PASSED_OVER, EventKind.BEFORE)  # but words about events
# What has numbers that only grow: the kinds that have them, the first one names them all, and whose losses may be of
# them. A guest's stamps are lost oldest first, so that the newest are there.
NUMBERED: tuple[tuple[tuple[EventKind, ...], Lane], ...] = (
    ((EventKind.RING,), Lane.ENGINE),
    ((EventKind.HANDLER,), Lane.ENGINE),
    ((EventKind.DOORBELL,), Lane.IO_THREAD),
    (SIGNALLING, Lane.IO_THREAD),
    ((EventKind.BUFFERS,), Lane.IO_THREAD),
)
EXIT_REASONS = ("IO", "MMIO", "SHUTDOWN")  # for which a guest leaves: of these none may have been seen, and all be lost
MOST_REFUSALS = 256  # that are told apart: a session has a few


@dataclass(frozen=True)
class Bounds:
    """Between what a count lies that is not exact; most: None where nothing bounds it."""

    least: int
    most: int | None


@dataclass(frozen=True)
class NotThere:
    """How many events are not there: lost, or passed over and only counted."""

    lost: int
    passed_over: int


class Tally:
    """A fold over events: feed it batches in order, read its fields. Work goes with the batch, memory is fixed."""

    def __init__(self) -> None:
        self.began = Beginning()
        self.doorbells_rung = 0
        self.doorbells_received = 0
        self.received_from: dict[int, int] = {}  # the same, queue by queue
        self.eventfd_reads = 0  # each returned one doorbell or more
        self.irqs_signalled = 0
        self.irqs_handled = 0  # runs of the guest's handler
        self.irqs_covered = 0  # interrupts that these runs served
        self.pin = MaskedPin()
        self.resamples = 0  # how often the device was told that its line is low: there are levels
        self.buffers_added = 0  # to a virtqueue, as far as its device has seen
        self.buffers_used = 0  # of these, those that the device has given back
        self.exits_to_userspace: dict[str, int] = {}  # "IO", "MMIO", "INTR" ...: how often KVM_RUN returned
        self.kvm: dict[str, int] = {}  # KVM's own counters since the start; of a part of a run since the first look
        self.kvm_from: dict[int, int] = {}  # of a part of a run: what they are counted from, by index
        self.kvm_looked = 0  # of a part of a run: when they were looked at first
        self.eventfd_counts: dict[EventfdRole, int] = {}  # as sampled last
        self.wiring: dict[Switch, bool] = {}
        self.direct = False  # whether each doorbell is an interrupt, and no thread of this process reads it
        self.partner_pid = 0  # of the process that reads it, if one does
        self.settings: dict[Setting, int] = {}
        self.beside: dict[Setting, int] = {}  # `seq` of the newest of each, where it says how something stands
        self.recorded = 0
        self.refused: dict[tuple[Operation, int, int], int] = {}  # by operation, GSI or address, and errno
        self.dropped = 0  # events that are not there: lost, or passed over
        self.lost_from: dict[int, int] = {}  # the lost ones by their Lane
        self.lost_behind: dict[int, int] = {}  # those that may be behind the newest event of a kind of NUMBERED
        self.passed_over = 0  # of these, those that came faster than they were taken; the counts above include them

    @property
    def lost(self) -> int:
        """Events that nobody has and nobody counted."""
        return self.dropped - self.passed_over

    @property
    def missing(self) -> int:
        """Events that are not there and that something is counted from: nothing here is from the kernel's inside."""
        return self.dropped - self.lost_from.get(Lane.KVM, 0)

    @property
    def pace(self) -> float | None:
        """Signals a second; 0 by hand, infinite flat out; None: nobody has told it yet."""
        told = self.settings.get(Setting.PACE)
        return None if told is None else pace_told(self.beside.get(Setting.PACE, 0), told)

    @property
    def exits_of_guest(self) -> dict[str, int]:
        """The exits to user space but INTR: that is how this program makes a vCPU stop."""
        return {name: count for name, count in self.exits_to_userspace.items() if name != "INTR"}

    @property
    def doorbells_pending(self) -> int:
        """Rung, but not yet received."""
        return self.doorbells_rung - self.doorbells_received

    @property
    def irqs_merged(self) -> int:
        """Interrupts that shared a run of the handler with another one."""
        return max(0, self.irqs_arrived - self.irqs_handled + self.irqs_spurious)

    @property
    def irqs_spurious(self) -> int:
        """Runs of the handler that no signal asked for: a level that was still high when the one before ended.

        Of a stream that begins in the middle also a run for what was signalled before it.
        """
        return max(0, self.irqs_handled - self.irqs_arrived) if self.resamples or self.began.noted else 0

    @property
    def irqs_arrived(self) -> int:
        """Interrupts that reached a handler, alone or along with others."""
        return self.irqs_covered - self.pin.lost(self.irqs_covered)

    @property
    def irqs_kept(self) -> int:
        """Of the pending ones those in the count of an eventfd that is no irqfd now, as sampled last."""
        return max(0, min(self._in_eventfd, self.irqs_pending))

    @property
    def _in_eventfd(self) -> int:
        """The count of the interrupt's eventfd, while no irqfd listens to it."""
        return 0 if self.wiring.get(Switch.IRQFD, True) else self.eventfd_counts.get(EventfdRole.IRQ, 0)

    @property
    def irqs_lost(self) -> int:
        """Interrupts that the kernel dropped: edges at a masked pin."""
        return self.pin.lost(self.irqs_signalled)

    @property
    def irqs_pending(self) -> int:
        """Signalled, but not yet handled by the guest."""
        return self.irqs_signalled - self.irqs_covered - self.irqs_lost + self.pin.lost(self.irqs_covered)

    @property
    def possible(self) -> bool:
        """Whether no more arrived than was signalled."""
        asked = self.irqs_arrived + self.irqs_spurious
        return min(self.doorbells_pending, self.irqs_pending, asked - self.irqs_handled) >= 0

    @property
    def settled(self) -> bool:
        """Whether nothing is under way."""
        return self.doorbells_pending == 0 and self.irqs_pending == 0

    def feed(self, events: Events) -> None:
        """Adds the next batch (shape (n,), dtype EVENT)."""
        counts = by_kind(events).counts
        self.eventfd_reads += counts[EventKind.DOORBELL]
        self.irqs_handled += counts[EventKind.HANDLER]
        self.resamples += counts[EventKind.RESAMPLE]
        self.recorded += len(events) - sum(counts[kind] for kind in NO_EVENTS)
        if counts[EventKind.LOST] or self.lost_behind:
            self._follow_losses(events)
        if counts[EventKind.BEFORE]:
            self._begin(events)
        batch = by_kind(self.began.relative(events))
        for kind in batch.kinds:
            self._feed_kind(kind, batch.of(kind))
        if self.partner_pid:
            self.irqs_signalled = self.doorbells_received = self.irqs_covered + self._in_eventfd
        elif self.direct:
            self.irqs_signalled, self.doorbells_received = self.doorbells_rung, self.irqs_covered

    def _begin(self, events: Events) -> None:
        """In the middle of a run: what is under way belongs to it."""
        self.began.note(events)
        rung, signalled, added = self.began.under_way
        self.doorbells_rung = max(self.doorbells_rung, rung)
        self.irqs_signalled = max(self.irqs_signalled, signalled)
        self.buffers_added = max(self.buffers_added, added)

    def _feed_kind(self, kind: EventKind, events: Events) -> None:
        """Adds events (at least one) that all are of one kind."""
        newest = int(events["seq"].max())
        match kind:
            case EventKind.RING:
                self.doorbells_rung = max(self.doorbells_rung, newest)
            case EventKind.DOORBELL:
                self._receive(events)
            case EventKind.IRQFD | EventKind.IRQ_IOCTL | EventKind.SUBMIT:
                self.irqs_signalled = max(self.irqs_signalled, newest)
            case EventKind.HANDLER:
                self.irqs_covered = max(self.irqs_covered, newest)
            case EventKind.BUFFERS:
                self._move_buffers(events)
            case EventKind.EXIT:
                self._count_exits(events)
            case EventKind.LOST:
                self._lose(events)
            case EventKind.PASSED_OVER:
                self._pass_over(events)
            case EventKind.STAT:
                self._sample(events)
            case EventKind.REFUSED:
                self._count_refusals(events)
            case EventKind.COUNT:
                self.eventfd_counts |= {EventfdRole(id): count for id, count in pairs(events)}
            case EventKind.WIRE:
                self.wiring |= {Switch(id): bool(on) for id, on in pairs(events)}
                self.direct, self.partner_pid = newest > 0, newest if newest > 1 else 0
            case EventKind.SETTING:
                self.settings |= {Setting(id): value for id, value in pairs(events)}
                self.pin.feed(events)
                self.beside |= {Setting(id): beside for id, beside in telling_beside(events)[["id", "seq"]].tolist()}

    def _sample(self, events: Events) -> None:
        """KVM's counters. The last look before a part of a run is older than the part: they count from the first look
        in it, or from the first word on each where nobody told how they stood. A look's events are of one time."""
        for tsc, id, value in events[["tsc", "id", "arg"]].tolist():
            if self.began.noted:
                self.kvm_looked = self.kvm_looked or tsc
                if tsc == self.kvm_looked or not self.began.stats:  # what a look does not tell has not changed
                    self.kvm_from.setdefault(id, value)
                if tsc == self.kvm_looked:  # what has come since is not known before the next look
                    continue
            self.kvm[stat_name(id)] = value - self.kvm_from.get(id, 0)

    def counter(self, index: int) -> int:
        """One of KVM's, by its index into STATS, since the start of the run, whatever of it this is."""
        return self.kvm.get(STATS[index], 0) + self.began.stats.get(index, 0) + self.kvm_from.get(index, 0)

    def _receive(self, events: Events) -> None:
        """The newest number of each queue: a queue numbers its doorbells by itself."""
        for queue in ids_in(events):
            newest = int(events["seq"][events["id"] == queue].max())
            self.received_from[queue] = max(self.received_from.get(queue, 0), newest)
        self.doorbells_received = sum(self.received_from.values())

    def _move_buffers(self, events: Events) -> None:
        """The newest number of either index."""
        used = events["id"] == BUFFERS_USED
        self.buffers_added = max(self.buffers_added, int(events["seq"][~used].max(initial=0)))
        self.buffers_used = max(self.buffers_used, int(events["seq"][used].max(initial=0)))

    def _count_exits(self, events: Events) -> None:
        reasons, counts = np.unique(events["id"], return_counts=True)
        self._add_exits(reasons, counts)

    def _add_exits(self, reasons: npt.NDArray[np.integer], counts: npt.NDArray[np.integer]) -> None:
        for reason, count in zip(reasons.tolist(), counts.tolist(), strict=True):
            name = exit_name(reason)
            self.exits_to_userspace[name] = self.exits_to_userspace.get(name, 0) + count

    def _lose(self, events: Events) -> None:
        self.dropped += int(events["arg"].sum())
        for lane, lost in pairs(events):
            self.lost_from[lane] = self.lost_from.get(lane, 0) + lost

    def _follow_losses(self, events: Events) -> None:
        """How many events are lost behind the newest one of each kind that has numbers."""
        losses = np.flatnonzero(events["kind"] == EventKind.LOST)
        for kinds, lane in NUMBERED:
            newest = np.flatnonzero(np.isin(events["kind"], kinds))
            behind = events[losses[losses > newest[-1]] if newest.size else losses]
            gone = int(behind["arg"][np.isin(behind["id"], (lane, Lane.ENGINE))].sum())
            gone += 0 if newest.size else self.lost_behind.pop(kinds[0], 0)
            self.lost_behind[kinds[0]] = gone
        self.lost_behind = {kind: gone for kind, gone in self.lost_behind.items() if gone}

    def _pass_over(self, events: Events) -> None:
        """Counts what was passed over as if it had come."""
        self.passed_over += int(events["arg"].sum())
        self.dropped += int(events["arg"].sum())
        self.eventfd_reads += int(passed_over(events, EventKind.DOORBELL)["arg"].sum())
        self.irqs_handled += int(passed_over(events, EventKind.HANDLER)["arg"].sum())
        self.resamples += int(passed_over(events, EventKind.RESAMPLE)["arg"].sum())
        exits = passed_over(events, EventKind.EXIT)
        self._add_exits(exits["id"], exits["arg"])

    def _count_refusals(self, events: Events) -> None:
        for id, seq, error in zip(events["id"].tolist(), events["seq"].tolist(), events["arg"].tolist(), strict=True):
            key = (Operation(id), seq, error)
            if key in self.refused or len(self.refused) < MOST_REFUSALS:
                self.refused[key] = self.refused.get(key, 0) + 1

    def counts(self) -> dict[str, Any]:
        """The counters by name, ready for JSON."""
        return {
            "doorbells_rung": self.doorbells_rung,
            "doorbells_received": self.doorbells_received,
            "doorbells_pending": self.doorbells_pending,
            "eventfd_reads": self.eventfd_reads,
            "irqs_signalled": self.irqs_signalled,
            "irqs_handled": self.irqs_handled,
            "irqs_merged": self.irqs_merged,
            "irqs_spurious": self.irqs_spurious,
            "irqs_lost": self.irqs_lost,
            "irqs_kept": self.irqs_kept,
            "irqs_pending": self.irqs_pending,
            "buffers_added": self.buffers_added,
            "buffers_used": self.buffers_used,
            "exits_to_userspace": dict(self.exits_to_userspace),
            "kvm": dict(self.kvm),
        }

    # -- what is no more than a bound, as events are missing

    def may_lack(self, *lanes: Lane) -> int:
        """Events of these lanes that nobody has: so many may be missing in what is counted from them."""
        return sum(self.lost_from.get(lane, 0) for lane in {*lanes, Lane.ENGINE})

    def bounds(self) -> dict[str, Bounds]:
        """The counters that are no more than bounds, by name: those of counts(), "resamples" and "refused"; of the
        exits to user space the sum, but INTR, and behind a dot each reason's.

        What is counted event by event is too small by as many as are lost of its lane. What is a number is known from
        the newest event on, unless events are lost behind that. Where stamps of the guest were dropped, each of the
        interrupts that seem merged may have had a handler of its own, and each run beyond them no signal.
        """
        if not self.lost:
            return {}
        exits = {**dict.fromkeys(EXIT_REASONS, 0), **self.exits_to_userspace}
        numbers = self._bounds_of_numbers()
        found = {
            **numbers,
            **self._bounds_of_handlers(),
            "eventfd_reads": self._bounds_of_reads(numbers["doorbells_received"].most),
            "resamples": lacking(self.resamples, self.may_lack(Lane.IO_THREAD)),
            "refused": lacking(sum(self.refused.values()), self.may_lack()),
            "exits_to_userspace": lacking(sum(self.exits_of_guest.values()), self.may_lack(Lane.VCPU)),
            **{f"exits_to_userspace.{name}": lacking(exits[name], self.may_lack(Lane.VCPU)) for name in exits},
        }
        return {name: bounds for name, bounds in found.items() if bounds.least != bounds.most}

    def _bounds_of_numbers(self) -> dict[str, Bounds]:
        """Of what has numbers that only grow."""
        rung, signalled = lacking(self.doorbells_rung, self._behind(EventKind.RING)), self._bounds_of_signals
        unseen, unread = self._behind(EventKind.HANDLER), self._behind(EventKind.DOORBELL)
        more = unseen if self.direct else unread  # doorbells may have been received
        received = Bounds(self.doorbells_received, rung.most if more else self.doorbells_received)
        pending, unmoved = self.irqs_pending, self._behind(EventKind.BUFFERS) if self.buffers_added else 0
        return {
            "doorbells_rung": rung,
            "doorbells_received": received,
            "doorbells_pending": remainder(rung, received),
            "irqs_signalled": signalled,
            "irqs_pending": Bounds(0 if unseen else pending, raised(pending - self.irqs_signalled, signalled.most)),
            "buffers_added": lacking(self.buffers_added, unmoved),
            "buffers_used": lacking(self.buffers_used, unmoved),
        }

    def _bounds_of_reads(self, received: int | None) -> Bounds:
        """Each has brought a doorbell at least, of those that were received at most."""
        reads = self.eventfd_reads
        most = reads if self.direct else reads + self.may_lack(Lane.IO_THREAD)
        return Bounds(reads, max(reads, most if received is None else min(most, received)))

    def _bounds_of_handlers(self) -> dict[str, Bounds]:
        """Of the handler's runs, and of what is told by them."""
        arrived = Bounds(self.irqs_arrived, self.irqs_arrived)
        if self._behind(EventKind.HANDLER):
            arrived = Bounds(self.irqs_arrived, raised(-self.irqs_lost, self._bounds_of_signals.most))
        most = self.irqs_handled + self.may_lack(Lane.GUEST)
        uncaused = self.resamples or self.began.noted  # a run may have had no signal
        if arrived.most is not None and not uncaused:
            most = max(self.irqs_handled, min(most, arrived.most))
        handled = Bounds(self.irqs_handled, most)
        return {
            "irqs_handled": handled,
            "irqs_merged": remainder(arrived, handled),
            "irqs_spurious": remainder(handled, arrived) if uncaused else Bounds(0, 0),
        }

    @property
    def _bounds_of_signals(self) -> Bounds:
        """Of the interrupts that were signalled: another process's are known by their handlers alone."""
        if self.partner_pid:
            return Bounds(self.irqs_signalled, None if self._behind(EventKind.HANDLER) else self.irqs_signalled)
        return lacking(self.irqs_signalled, self._behind(EventKind.RING if self.direct else EventKind.IRQFD))

    def _behind(self, kind: EventKind) -> int:
        """Events that are lost behind the newest one of this kind and may have been some of it."""
        return self.lost_behind.get(kind, 0)


def lacking(count: int, missing: int) -> Bounds:
    """Of a count that so many may be missing from."""
    return Bounds(count, count + missing)


def remainder(whole: Bounds, part: Bounds) -> Bounds:
    """Of what is left, which is no less than nothing."""
    least = 0 if part.most is None else max(0, whole.least - part.most)
    return Bounds(least, None if whole.most is None else max(0, whole.most - part.least))


def raised(count: int, most: int | None) -> int | None:
    """So many more; None where nothing bounds it."""
    return None if most is None else count + most


def pairs(events: Events) -> Iterator[tuple[int, int]]:
    """(id, arg) of each event, oldest first."""
    return zip(events["id"].tolist(), events["arg"].tolist(), strict=True)


def stat_name(id: int) -> str:
    """The kernel's name of a sampled counter."""
    return STATS[id] if id < len(STATS) else f"stat_{id}"


# -- A Tally written down, so that a fold can go on where another one stood.


def refused_key(key: list[int]) -> tuple[Operation, int, int]:
    """Operation, GSI or address, and errno."""
    return Operation(key[0]), key[1], key[2]


KEYS: dict[str, Callable[[Any], Any]] = {  # what the keys of tables are, if not numbers
    "eventfd_counts": EventfdRole,
    "wiring": Switch,
    "settings": Setting,
    "beside": Setting,
    "exits_to_userspace": str,
    "kvm": str,
    "refused": refused_key,
}
Pairs = list[list[Any]]


def as_pairs(table: dict[Any, Any]) -> Pairs:
    """A table as JSON can hold it."""
    return [[list(key) if isinstance(key, tuple) else key, value] for key, value in table.items()]


def state_of(folded: object) -> dict[str, Any]:
    """Everything in a tally, or in a part of it, ready for JSON."""
    return {name: state_of(value) if is_part(value) else written(value) for name, value in vars(folded).items()}


def is_part(value: object) -> bool:
    """Whether it is itself made of named values, as a Beginning is."""
    return is_dataclass(value)


def written(value: Any) -> Any:
    """A number, a list of them or a table, as JSON can hold it."""
    return as_pairs(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value


def tally_of(state: dict[str, Any]) -> Tally:
    """The tally that was written down; ValueError, KeyError or TypeError if it is something else."""
    tally = Tally()
    restore(tally, state)
    return tally


def restore(fresh: object, state: dict[str, Any]) -> None:
    """Puts what was written down into a tally, or a part of it, that has counted nothing."""
    for name, value in vars(fresh).items():
        if is_part(value):
            restore(value, state[name])
        elif isinstance(value, dict):
            key = KEYS.get(name, int)
            setattr(fresh, name, {key(number): count for number, count in state[name]})
        else:
            setattr(fresh, name, type(value)(state[name]))
