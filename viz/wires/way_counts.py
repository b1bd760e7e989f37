"""Which of the two ways each signal took, counted event by event: no difference of two counts, so no edge blurs it.

A doorbell stayed in the kernel if its instruction was over without an exit of its number; a handler ran by the irqfd if
the interrupt that it knew of was sent by no ioctl.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import SIGNALLING, EventKind, Events, Switch, chosen, end_to_end, no_events, vms_in
from bellwire.engine.outlet import passed_over

REMEMBERED = 128  # signals of earlier batches whose handlers may be still to come
SLACK = 4  # doorbells that are cut in two where some were passed over: their exit is told of, their end is not
BY_NUMBER = ("taken", "noted", "injected")  # what is counted here

Numbers = npt.NDArray[np.uint64]


class WayCounts:
    """A fold over events: each batch gives, by name, what is to be counted, and how much each event stands for.

    taken: doorbells that stayed in the kernel while an ioeventfd was registered; noted: while there was none; injected:
    runs of the handler for what was written to an eventfd. Of what was passed over there is a bound.
    """

    def __init__(self) -> None:
        self._on = False  # whether an ioeventfd is registered
        self._direct = False  # whether doorbells are interrupts, which no event tells of
        self._first: dict[int, int] = {}  # by `vm`: the first doorbell of this stream
        self._left: dict[int, int] = {}  # by `vm`: the newest doorbell that left
        self._sent: Numbers = np.zeros(0, np.uint64)  # the newest signals, and
        self._by_ioctl: npt.NDArray[np.bool_] = np.zeros(0, bool)  # which of them were sent by an ioctl
        self._early = no_events()  # handlers that knew of a signal which is still to come

    def feed(self, of_kind: dict[EventKind, Events]) -> list[tuple[str, Events, Numbers | int]]:
        """The next batch by kind; (name, events, what each adds)."""
        none = next(iter(of_kind.values()))[:0]
        rung, told = of_kind.get(EventKind.RUNG, none), of_kind.get(EventKind.PASSED_OVER, none)
        rings, exits = of_kind.get(EventKind.RING, none), of_kind.get(EventKind.EXIT, none)
        stayed = rung[self._stayed(rings, rung, exits[exits["seq"] > 0])] if rung.size or exits.size else rung
        on = self._registered(of_kind.get(EventKind.WIRE, none), stayed)
        found: list[tuple[str, Events, Numbers | int]] = [("taken", stayed[on], 1), ("noted", stayed[~on], 1)]
        self._direct = self._direct or bool((of_kind.get(EventKind.WIRE, none)["seq"] > 0).any())
        self._remember({kind: of_kind[kind] for kind in SIGNALLING if kind in of_kind})
        handlers = self._that_can_be_told(of_kind.get(EventKind.HANDLER, none))
        found.append(("injected", handlers[self._written(handlers["seq"])], 1))
        return found + (self._passed_over(told) if told.size else [])

    def _stayed(self, rings: Events, rung: Events, left: Events) -> npt.NDArray[np.bool_]:
        """Which instructions were over without an exit, of those whose beginning this stream has seen."""
        stayed = np.ones(rung.size, bool)
        for vm in {*vms_in(rung), *vms_in(rings), *vms_in(left)}:
            own, gone = rung["vm"] == vm, left["seq"][left["vm"] == vm]
            begun = rings["seq"][rings["vm"] == vm]
            if begun.size and vm not in self._first:
                self._first[vm] = int(begun[0])
            numbers = rung["seq"][own]
            known = numbers >= np.uint64(self._first.get(vm, 2**63))
            stayed[own] = known & ~among(numbers, np.append(gone, np.uint64(self._left.get(vm, 0))))
            if gone.size:
                self._left[vm] = int(gone[-1])
        return stayed

    def _registered(self, wires: Events, rung: Events) -> npt.NDArray[np.bool_]:
        """During which instructions an ioeventfd was."""
        if not wires.size:
            return np.full(rung.size, self._on)
        wires = wires[wires["id"] == Switch.IOEVENTFD]
        states = np.concatenate([[self._on], wires["arg"] > 0])
        self._on = bool(states[-1])
        on: npt.NDArray[np.bool_] = states[np.searchsorted(wires["tsc"], rung["tsc"], "right")]
        return on

    def _remember(self, sent: dict[EventKind, Events]) -> None:
        """All of a batch, by kind, and the newest of those before."""
        if not sent:
            return
        numbers = np.concatenate([self._sent[-REMEMBERED:], *(some["seq"] for some in sent.values())])
        by_ioctl = [np.full(some.size, kind is EventKind.IRQ_IOCTL) for kind, some in sent.items()]
        order = np.argsort(numbers, kind="stable")
        self._sent = numbers[order]
        self._by_ioctl = np.concatenate([self._by_ioctl[-REMEMBERED:], *by_ioctl])[order]

    def _that_can_be_told(self, handlers: Events) -> Events:
        """Those whose signal has come, or does not come: one looks what is announced after it has begun."""
        if self._direct:
            return handlers
        handlers = end_to_end(self._early, handlers)
        ahead = handlers["seq"] > self._sent.max(initial=0)
        self._early = chosen(handlers, ahead)[-REMEMBERED:]
        return chosen(handlers, ~ahead)

    def _written(self, numbers: Numbers) -> npt.NDArray[np.bool_]:
        """Which of these interrupts are known to be sent by no ioctl."""
        return among(numbers, self._sent[~self._by_ioctl]) | self._direct

    def _passed_over(self, told: Events) -> list[tuple[str, Events, Numbers | int]]:
        """Of what came faster than it was taken: what must have gone this way, if anything must."""
        rung, exits, handlers = (passed_over(told, k) for k in (EventKind.RUNG, EventKind.EXIT, EventKind.HANDLER))
        called, sent = passed_over(told, EventKind.IRQ_IOCTL), passed_over(told, EventKind.IRQFD)
        stayed = int(rung["arg"].sum()) - int(exits["seq"].sum()) - SLACK * rung.size
        found: list[tuple[str, Events, Numbers | int]] = []
        if rung.size and stayed > 0:
            found.append(("taken" if self._on else "noted", rung[-1:], stayed))
        most = int(handlers["arg"].sum() if self._direct else sent["arg"].sum())
        if handlers.size and most and not called.size:
            found.append(("injected", handlers[-1:], min(most, int(handlers["arg"].sum()))))
        return found


def among(numbers: Numbers, some: Numbers) -> npt.NDArray[np.bool_]:
    """Which of the numbers are among some; shape (n,). As isin(), which takes several times as long for so few."""
    if not some.size:
        return np.zeros(numbers.size, bool)
    rising = np.sort(some)
    found: npt.NDArray[np.bool_] = rising[np.minimum(np.searchsorted(rising, numbers), some.size - 1)] == numbers
    return found
