"""What happened, in words: the sentence of each kind of event, for a row on the screen and for a search in millions.

A sentence is a form with places for the event's numbers. Few forms serve many events, so a search makes its texts by
the column (Arrow) and looks for a pattern with RE2, whose time grows with the text alone: no pattern that somebody
types can hang the window.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import (
    BUFFERS_USED,
    FLAT_OUT,
    EventfdRole,
    EventKind,
    Events,
    IrqIoctl,
    Lane,
    Operation,
    Setting,
    Switch,
    exit_name,
)
from bellwire.engine.findings.findings import OPERATIONS
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.tally import stat_name
from bellwire.viz.text.figures import grouped

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

LANE_NAMES = {
    Lane.GUEST: "guest",
    Lane.VCPU: "vCPU",
    Lane.KVM: "KVM",
    Lane.IO_THREAD: "I/O thread",
    Lane.ENGINE: "engine",
}
IOCTLS = {"irq-line": "KVM_IRQ_LINE", "signal-msi": "KVM_SIGNAL_MSI"}  # by what a scenario calls them
IOCTL_NAMES = {IrqIoctl.IRQ_LINE: IOCTLS["irq-line"], IrqIoctl.SIGNAL_MSI: IOCTLS["signal-msi"]}
SWITCH_NAMES = {Switch.IOEVENTFD: "ioeventfd", Switch.IRQFD: "irqfd"}
EVENTFD_NAMES = {EventfdRole.DOORBELL: "doorbell", EventfdRole.IRQ: "irqfd"}
WITH_ADDRESS = ("IO", "MMIO")  # exits whose argument is an address
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
    return LANE_NAMES[Lane(lane)] if lane in Lane._value2member_map_ else f"lane {lane}"


class Wording:
    """The sentences of one scenario's events."""

    def __init__(self, scenario: Scenario) -> None:
        doorbell = scenario.doorbell
        self._writes = "OUT" if doorbell and doorbell.bus == "pio" else "MOV to"
        self._queues = doorbell.queues if doorbell else 1
        traits = traits_of(scenario)
        self._acknowledged, self._waits = Trait.ACKNOWLEDGED in traits, Trait.WAITS in traits
        self._number = "doorbell" if Trait.DIRECT in traits else "interrupt"

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
        few = np.minimum(events["arg"], 2) * np.uint64(2) + np.minimum(events["seq"], 1)
        by_value = np.isin(events["kind"], [int(kind) for kind in BY_VALUE])
        key = (kind << np.uint64(40)) | (id << np.uint64(8)) | few
        key[by_value] = np.uint64(2**63) + np.arange(np.count_nonzero(by_value), dtype=np.uint64)
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        samples = events[first]
        forms = [self.form(*values) for values in samples[["kind", "id", "seq", "arg"]].tolist()]
        return forms, which

    def form(self, kind: int, id: int, seq: int, arg: int) -> str:
        """The sentence with {seq}, {arg} and {hex} (arg as an address) in the place of the numbers.

        Of seq it may depend on whether it is 0, of arg on whether it is 0, 1 or more; of those in BY_VALUE on both, of
        PASSED_OVER on the kind in seq.
        """
        match kind:
            case EventKind.RING:
                return f"{self._writes} {id:#x}: doorbell #{{seq}}"
            case EventKind.RUNG:
                return "the instruction after doorbell #{seq}"
            case EventKind.HANDLER:
                return self._handler(id, arg)
            case EventKind.EXIT:
                where = " at {hex}" if exit_name(id) in WITH_ADDRESS else ""
                return f"exit KVM_EXIT_{exit_name(id)}{where}{': doorbell #{seq}' if seq else ''}"
            case EventKind.ENTRY:
                wrote = ": wrote {hex}, {seq} bytes" if seq else ""
                return f"KVM_RUN again, KVM_EXIT_{exit_name(id)} served{wrote}"
            case EventKind.DOORBELL:
                queue = f" of queue {id}" if self._queues > 1 else ""
                return f"read(){queue} returned {{arg}}: up to doorbell #{{seq}}"
            case EventKind.IRQFD | EventKind.IRQ_IOCTL | EventKind.SUBMIT:
                return self._signal(kind, id) + (", answers doorbell #{arg}" if arg else "")
            case EventKind.RESAMPLE if self._acknowledged:
                return f"eventfd of GSI {id} returned {{arg}}: the guest acknowledged, the vCPU thread lowered the line"
            case EventKind.WAIT:
                return "sleeps; {seq} doorbells received, {arg} interrupts signalled"
            case _:
                return rarer_form(kind, id, seq, arg)

    def _handler(self, vector: int, covers: int) -> str:
        """A run of the guest's interrupt handler."""
        start = f"handler of vector {vector:#x}: "
        if covers == 0:
            return f"{start}nothing new since {self._number} #{{seq}}"
        return start + (
            f"{self._number} #{{seq}}" if covers == 1 else f"{{arg}} {self._number}s at once, up to #{{seq}}"
        )

    def _signal(self, kind: int, id: int) -> str:
        """How the host interrupts."""
        if kind == EventKind.IRQFD:
            return f"write({'eventfd' if self._waits else 'irqfd'}): interrupt #{{seq}}"
        if kind == EventKind.SUBMIT:
            return "read submitted to io_uring: interrupt #{seq} when it completes"
        name = IOCTL_NAMES[IrqIoctl(id)] if id in IrqIoctl._value2member_map_ else f"ioctl {id}"
        return f"ioctl({name}): interrupt #{{seq}}"


def rarer_form(kind: int, id: int, seq: int, arg: int) -> str:
    """The sentence of what does not happen at each signal."""
    match kind:
        case EventKind.STAT:
            return f"KVM's counter {stat_name(id)}: {{arg}}"
        case EventKind.COUNT:
            return f"count of the {EVENTFD_NAMES.get(id, 'unknown')} eventfd: {{arg}}"  # type: ignore[call-overload]
        case EventKind.WIRE:
            return f"{SWITCH_NAMES.get(id, f'switch {id}')} {'on' if arg else 'off'}"  # type: ignore[call-overload]
        case EventKind.SETTING:
            return setting_form(id, arg)
        case EventKind.LOST:
            return f"{{arg}} events of the lane {lane_name(id)} lost before this"
        case EventKind.PASSED_OVER:
            return f"{{arg}} of what was lost were {kind_name(seq & 0xFFFF)}: they came faster than they could be shown"
        case EventKind.RESAMPLE:
            return f"resamplefd of GSI {id} returned {{arg}}: KVM has lowered the line at the EOI"
        case EventKind.BUFFERS:
            return f"{{arg}} buffers {'used' if id == BUFFERS_USED else 'added'}, {{seq}} so far"
        case EventKind.FETCH:
            return f"{{arg}} doorbells at {id:#x} fetched from KVM's ring of coalesced writes, {{seq}} so far"
        case EventKind.REFUSED:
            return refusal_form(id, seq, arg)
        case EventKind.BEFORE:
            return before_form(id)
        case EventKind.WINDOW:
            return "lets interrupts in again; announced up to #{seq}"
        case _:
            return f"{kind_name(kind)}: id {id}, number {{seq}}, value {{arg}}"


def setting_form(id: int, value: int) -> str:
    """A setting as it is from now on."""
    match id:
        case Setting.PACE:
            return "pace: flat out" if value >= FLAT_OUT else "pace: {arg} a second" if value else "pace: by hand"
        case Setting.BURST:
            return "burst: {arg} a tick"
        case Setting.IDLE:
            return f"between signals the guest {'spins' if value else 'halts'}"
        case Setting.RUNNING:
            return "the pace drives the guest" if value else "the guest is held"
        case Setting.ROUTE:
            return "the route leads to vector {hex}"
        case Setting.VCPU:
            return "the route leads to vCPU {arg}"
        case Setting.STALLED:
            return "the engine's thread stood still from here on"
        case Setting.STEP:
            return "step {arg} of the lab"
        case Setting.MASKED:
            return f"the interrupt's pin is {'masked' if value else 'open'}"
        case _:
            return f"setting {id}: {{arg}}"


def refusal_form(id: int, place: int, error: int) -> str:
    """What the kernel has refused, of a GSI or at an address, and why."""
    what = OPERATIONS[Operation(id)].format(place) if id in Operation._value2member_map_ else f"operation {id}"
    return f"KVM refused {what}: {errno.errorcode.get(error, str(error))}"


def before_form(id: int) -> str:
    """What a stream that begins in the middle begins behind."""
    name = Before(id).name.lower().replace("_", " ") if id in Before._value2member_map_ else f"number {id}"
    return f"the stream begins behind {name} {{seq}} ({{arg}})"


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
