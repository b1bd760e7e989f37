"""What happened, in words: the sentence of each kind of event, for a row on the screen and for a search in millions.

A sentence is a form with places for the event's numbers. Few forms serve many events, so a search makes its texts by
the column (Arrow) and looks for a pattern with RE2, whose time grows with the text alone: no pattern that somebody
types can hang the window.
"""

from __future__ import annotations

import errno
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import (
    BUFFERS_USED,
    TRACEFS_BIT,
    EventfdRole,
    EventKind,
    Events,
    IrqIoctl,
    Lane,
    Operation,
    Setting,
    Switch,
    exit_name,
    pace_told,
)
from bellwire.engine.findings.findings import OPERATIONS
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.tally import stat_name
from bellwire.engine.language import tr, tr_later, tr_n
from bellwire.viz.text.figures import grouped, localized
from bellwire.viz.text.kernel_words import KERNEL_KINDS, kernel_form

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

LANE_NAMES = {
    Lane.GUEST: tr_later("guest"),
    Lane.VCPU: tr_later("vCPU"),
    Lane.KVM: tr_later("KVM"),
    Lane.IO_THREAD: tr_later("I/O thread"),
    Lane.ENGINE: tr_later("engine"),
}
IOCTLS = {"irq-line": "KVM_IRQ_LINE", "signal-msi": "KVM_SIGNAL_MSI"}  # by what a scenario calls them
IOCTL_NAMES = {IrqIoctl.IRQ_LINE: IOCTLS["irq-line"], IrqIoctl.SIGNAL_MSI: IOCTLS["signal-msi"]}
SWITCH_NAMES = {Switch.IOEVENTFD: "ioeventfd", Switch.IRQFD: "irqfd"}
EVENTFD_NAMES = {EventfdRole.DOORBELL: tr_later("doorbell"), EventfdRole.IRQ: tr_later("irqfd")}
WITH_ADDRESS = ("IO", "MMIO")  # exits whose argument is an address
BEFORE_FORMS = {
    Before.RUNG: tr_later("the stream begins behind doorbell #{seq}, rung by the guest"),
    Before.RECEIVED: tr_later("the stream begins behind doorbell #{seq}, received from queue {arg}"),
    Before.SIGNALLED: tr_later("the stream begins behind interrupt #{seq}, signalled by the host"),
    Before.COVERED: tr_later("the stream begins behind interrupt #{seq}, which a handler knew of"),
    Before.BUFFERS_ADDED: tr_later("the stream begins behind buffer {seq}, added to the virtqueue"),
    Before.BUFFERS_USED: tr_later("the stream begins behind buffer {seq}, used from the virtqueue"),
    Before.STAT: tr_later("the stream begins at {seq} of KVM's counter number {arg}"),
}
LATER = {"seq": "{seq}", "arg": "{arg}", "hex": "{hex}"}  # places of a form that each event fills in
Texts = Any  # an Arrow array of strings; Arrow is imported where it is used, because that takes a while
BY_VALUE = (
    EventKind.WIRE,
    EventKind.SETTING,
    EventKind.REFUSED,
)  # rare ones, whose sentence depends on the whole argument


def kind_name(kind: int) -> str:
    """As it is shown and typed: "irq_ioctl"; the number of a kind that this program does not know."""
    return EventKind(kind).name.lower() if kind in EventKind._value2member_map_ else f"kind_{kind}"


def lane_name(lane: int) -> str:
    """The lane's name on the screen."""
    return tr(LANE_NAMES[Lane(lane)]) if lane in Lane._value2member_map_ else tr("lane {lane}", lane=lane)


class Wording:
    """The sentences of one scenario's events."""

    def __init__(self, scenario: Scenario) -> None:
        doorbell = scenario.doorbell
        self._by_port = bool(doorbell and doorbell.bus == "pio")
        self._queues = doorbell.queues if doorbell else 1
        traits = traits_of(scenario)
        self._acknowledged, self._waits = Trait.ACKNOWLEDGED in traits, Trait.WAITS in traits
        self._direct = Trait.DIRECT in traits

    def text(self, event: np.void) -> str:
        """The sentence of one event, its numbers grouped for the eye."""
        kind, id, seq, arg = (int(event[name]) for name in ("kind", "id", "seq", "arg"))
        form = self.form(kind, id, seq, arg)
        return form.format(seq=grouped(seq), arg=grouped(arg), hex=f"{arg:#x}")

    def plain(self, events: Events) -> Texts:
        """The sentences of all of them, numbers without spaces; shape (n,)."""
        return filled_in(events, *self._forms(events))

    def _forms(self, events: Events) -> tuple[list[str], npt.NDArray[np.intp]]:
        """The different forms there are, and which of them each event has (shape (n,))."""
        kind, id = events["kind"].astype(np.uint64), events["id"].astype(np.uint64)
        told = events["kind"] == EventKind.PASSED_OVER
        id[told] = events["seq"][told] & np.uint64(0xFFFF)  # the kind that it tells of
        failed = events["kind"] == EventKind.USER_EXIT
        id[failed] |= events["arg"][failed] << np.uint64(8)  # the errno is told
        few = np.minimum(events["arg"], 2) * np.uint64(3) + np.minimum(events["seq"], 2)
        by_value = np.isin(events["kind"], [int(kind) for kind in BY_VALUE])
        key = (kind << np.uint64(40)) | (id << np.uint64(8)) | few
        key[by_value] = np.uint64(2**63) + np.arange(np.count_nonzero(by_value), dtype=np.uint64)
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        samples = events[first]
        forms = [self.form(*values) for values in samples[["kind", "id", "seq", "arg"]].tolist()]
        return forms, which

    def form(self, kind: int, id: int, seq: int, arg: int) -> str:
        """The sentence with {seq}, {arg} and {hex} (arg as an address) in the place of the numbers.

        Of seq and of arg it may depend on whether they are 0, 1 or more; of those in BY_VALUE on both, of
        PASSED_OVER on the kind in seq, of USER_EXIT on its errno in arg.
        """
        match kind:
            case EventKind.RING:
                if self._by_port:
                    return tr("OUT {address:#x}: doorbell #{seq}", address=id, **LATER)
                return tr("MOV to {address:#x}: doorbell #{seq}", address=id, **LATER)
            case EventKind.RUNG:
                return tr("the instruction after doorbell #{seq}")
            case EventKind.HANDLER:
                return self._handler(id, arg)
            case EventKind.EXIT:
                return exit_form(exit_name(id), seq)
            case EventKind.ENTRY:
                served = tr("KVM_RUN again, {reason} served", reason=f"KVM_EXIT_{exit_name(id)}")
                wrote = tr_n(
                    "{what}: wrote {hex}, {seq} byte", "{what}: wrote {hex}, {seq} bytes", seq, what=served, **LATER
                )
                return wrote if seq else served
            case EventKind.DOORBELL if self._queues > 1:
                return tr("read() of queue {queue} returned {arg}: up to doorbell #{seq}", queue=id, **LATER)
            case EventKind.DOORBELL:
                return tr("read() returned {arg}: up to doorbell #{seq}")
            case EventKind.IRQFD | EventKind.IRQ_IOCTL | EventKind.SUBMIT:
                what = self._signal(kind, id)
                return tr("{what}, answers doorbell #{arg}", what=what, **LATER) if arg else what
            case EventKind.RESAMPLE if self._acknowledged:
                return tr(
                    "eventfd of GSI {gsi} returned {arg}: the guest acknowledged, the vCPU thread lowered the line",
                    gsi=id,
                    **LATER,
                )
            case EventKind.WAIT:
                received = tr_n("{seq} doorbell received", "{seq} doorbells received", seq, **LATER)
                signalled = tr_n("{arg} interrupt signalled", "{arg} interrupts signalled", arg, **LATER)
                return tr("sleeps; {received}, {signalled}", received=received, signalled=signalled)
            case _:
                return rarer_form(kind, id, seq, arg)

    def _handler(self, vector: int, covers: int) -> str:
        """A run of the guest's interrupt handler."""
        if covers == 0:
            what = tr("nothing new since doorbell #{seq}") if self._direct else tr("nothing new since interrupt #{seq}")
        elif covers == 1:
            what = tr("doorbell #{seq}") if self._direct else tr("interrupt #{seq}")
        elif self._direct:
            what = tr("{arg} doorbells at once, up to #{seq}")
        else:
            what = tr("{arg} interrupts at once, up to #{seq}")
        return tr("handler of vector {vector:#x}: {what}", vector=vector, what=what)

    def _signal(self, kind: int, id: int) -> str:
        """How the host interrupts."""
        if kind == EventKind.IRQFD:
            return tr("write({fd}): interrupt #{seq}", fd="eventfd" if self._waits else "irqfd", **LATER)
        if kind == EventKind.SUBMIT:
            return tr("read submitted to io_uring: interrupt #{seq} when it completes")
        name = IOCTL_NAMES[IrqIoctl(id)] if id in IrqIoctl._value2member_map_ else str(id)
        return tr("ioctl({name}): interrupt #{seq}", name=name, **LATER)


def exit_form(reason: str, doorbell: int) -> str:
    """A return to user space; doorbell: 0 if it carries none."""
    name = f"KVM_EXIT_{reason}"
    addressed = reason in WITH_ADDRESS
    what = tr("exit {reason} at {hex}", reason=name, **LATER) if addressed else tr("exit {reason}", reason=name)
    return tr("{what}: doorbell #{seq}", what=what, **LATER) if doorbell else what


def rarer_form(kind: int, id: int, seq: int, arg: int) -> str:
    """The sentence of what does not happen at each signal."""
    match kind:
        case EventKind.STAT:
            return tr("KVM's counter {name}: {arg}", name=stat_name(id), **LATER)
        case EventKind.COUNT:
            role = tr(EVENTFD_NAMES[EventfdRole(id)]) if id in EventfdRole._value2member_map_ else tr("unknown")
            return tr("count of the {role} eventfd: {arg}", role=role, **LATER)
        case EventKind.WIRE:
            name = SWITCH_NAMES[Switch(id)] if id in Switch._value2member_map_ else tr("switch {id}", id=id)
            return tr("{switch} on", switch=name) if arg else tr("{switch} off", switch=name)
        case EventKind.SETTING:
            return setting_form(id, seq, arg)
        case EventKind.LOST if id == Lane.ENGINE:
            return tr_n(
                "{arg} event before this lost, in a damaged part of the recording",
                "{arg} events before this lost, in a damaged part of the recording",
                arg,
                **LATER,
            )
        case EventKind.LOST:
            return tr_n(
                "{arg} event of the lane {lane} lost before this",
                "{arg} events of the lane {lane} lost before this",
                arg,
                lane=lane_name(id),
                **LATER,
            )
        case EventKind.PASSED_OVER:
            return tr_n(
                "{arg} of what was lost was {kind}: it came faster than it could be shown",
                "{arg} of what was lost were {kind}: they came faster than they could be shown",
                arg,
                kind=kind_name(seq & 0xFFFF),
                **LATER,
            )
        case EventKind.RESAMPLE:
            return tr("resamplefd of GSI {gsi} returned {arg}: KVM has lowered the line at the EOI", gsi=id, **LATER)
        case EventKind.BUFFERS if id == BUFFERS_USED:
            return tr_n("{arg} buffer used, {seq} so far", "{arg} buffers used, {seq} so far", arg, **LATER)
        case EventKind.BUFFERS:
            return tr_n("{arg} buffer added, {seq} so far", "{arg} buffers added, {seq} so far", arg, **LATER)
        case EventKind.FETCH:
            return tr_n(
                "{arg} doorbell at {address:#x} fetched from KVM's ring of coalesced writes, {seq} so far",
                "{arg} doorbells at {address:#x} fetched from KVM's ring of coalesced writes, {seq} so far",
                arg,
                address=id,
                **LATER,
            )
        case EventKind.REFUSED:
            return refusal_form(id, seq, arg)
        case EventKind.BEFORE:
            return before_form(id)
        case EventKind.WINDOW:
            return tr("lets interrupts in again; announced up to #{seq}")
        case _ if kind in KERNEL_KINDS:
            return kernel_form(kind, id, seq, arg)
        case _:
            return tr("{kind}: id {id}, number {seq}, value {arg}", kind=kind_name(kind), id=id, **LATER)


def setting_form(id: int, seq: int, value: int) -> str:
    """A setting as it is from now on."""
    match id:
        case Setting.PACE:
            return pace_form(pace_told(seq, value))
        case Setting.BURST:
            return tr("burst: {arg} a tick")
        case Setting.IDLE:
            return tr("between signals the guest spins") if value else tr("between signals the guest halts")
        case Setting.RUNNING:
            return tr("the pace drives the guest") if value else tr("the guest is held")
        case Setting.ROUTE:
            return tr("the route leads to vector {hex}")
        case Setting.VCPU:
            return tr("the route leads to vCPU {arg}")
        case Setting.STALLED:
            return tr("the engine's thread stood still from here on")
        case Setting.PARTNER_STOPPED:
            return tr("process {arg} has been stopped") if value else tr("the process that was stopped goes on")
        case Setting.STEP:
            return tr("step {arg} of the lab")
        case Setting.MASKED:
            return tr("the interrupt's pin is masked") if value else tr("the interrupt's pin is open")
        case Setting.KERNEL if value >> TRACEFS_BIT & 1:
            return tr("the inside of the kernel is watched, by tracefs")
        case Setting.KERNEL:
            return tr("the inside of the kernel is watched") if value else tr("the inside of the kernel is not watched")
        case _:
            return tr("setting {id}: {arg}", id=id, **LATER)


def pace_form(per_second: float) -> str:
    """A pace as it is from now on."""
    if math.isinf(per_second):
        return tr("pace: flat out")
    if per_second and per_second != round(per_second):
        return tr("pace: {arg} a second", arg=localized(f"{per_second:.6g}"))
    return tr("pace: {arg} a second", **LATER) if per_second else tr("pace: by hand")


def refusal_form(id: int, place: int, error: int) -> str:
    """What the kernel has refused, of a GSI or at an address, and why."""
    known = id in Operation._value2member_map_
    what = tr(OPERATIONS[Operation(id)], subject=place) if known else tr("operation {id}", id=id)
    return tr("KVM refused {what}: {why}", what=what, why=errno.errorcode.get(error, str(error)))


def before_form(id: int) -> str:
    """What a stream that begins in the middle begins behind."""
    if id in Before._value2member_map_:
        return tr(BEFORE_FORMS[Before(id)])
    return tr("the stream begins behind number {id}: {seq} ({arg})", id=id, **LATER)


def filled_in(events: Events, forms: list[str], which: npt.NDArray[np.intp]) -> Texts:
    """Fills the forms in, each for all of its events at once."""
    import pyarrow as pa

    if not events.size:
        return pa.array([], pa.string())
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(forms)))
    parts = [filled(form, events[rows]) for form, rows in zip(forms, np.split(order, ends[:-1]), strict=True)]
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return pa.concat_arrays(parts).take(back)


def filled(form: str, events: Events) -> Texts:
    """One form with the numbers of each of the events (at least one); shape (n,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces: list[Any] = []
    for text, field in pieces_of(form):
        pieces.append(pa.scalar(text))
        if field:
            pieces.append(numbers(events["seq"] if field == "seq" else events["arg"], hex=field == "hex"))
    if len(pieces) == 1:
        return pa.array([form] * len(events))
    joined: Texts = pc.binary_join_element_wise(*pieces, pa.scalar(""))
    return joined


def pieces_of(form: str) -> list[tuple[str, str]]:
    """A form as (text, field after it); the field after the last text is ""."""
    from string import Formatter

    return [(text, field or "") for text, field, _, _ in Formatter().parse(form)]


def numbers(values: npt.NDArray[np.uint64], hex: bool) -> Texts:
    """Numbers as strings, decimal or as addresses; shape (n,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not hex:
        return pc.cast(pa.array(np.ascontiguousarray(values)), pa.string())
    different, which = np.unique(values, return_inverse=True)
    texts: Texts = pa.array([f"{value:#x}" for value in different.tolist()])
    return texts.take(which)


def like(texts: Texts, pattern: str) -> npt.NDArray[np.bool_]:
    """Which texts hold the pattern (RE2, capitals or not); shape (n,). ValueError if it is no pattern."""
    import pyarrow.compute as pc

    found: Any = pc.match_substring_regex(texts, pattern, ignore_case=True)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)
