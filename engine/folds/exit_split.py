"""Exits and signals, counted apart before and after each change of the wiring, so that they can be set side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bellwire.engine.events import SIGNALLING, STATS, EventKind, Events, Lane, Rewirings, Switch, by_kind, exit_name
from bellwire.engine.folds.beginning import Beginning
from bellwire.engine.language import tr
from bellwire.engine.outlet import passed_over
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Scenario

KVM_EXITS = STATS.index("exits")
COUNTED_BY_KVM = "counted by KVM"


def signals_of(scenario: Scenario) -> tuple[EventKind, ...]:
    """The kinds of events that its signals begin with: doorbells; where there are none, the host's interrupts."""
    return SIGNALLING if scenario.doorbell is None else (EventKind.RING,)


@dataclass(frozen=True)
class Sample:
    """One look at the kernel's own count of exits, and how many signals there had been by then."""

    exits: int
    signals: int


@dataclass(frozen=True)
class Exits:
    """How many signals there were, and what they took.

    kvm: exits by the kernel's own count, between the first and the last look at it, of which there are ten a second;
    None if there were not two. kvm_signals: signals that came between these.
    seen: whether KVM_RUN returns to this program; of a vCPU of another process nobody tells why it did.
    lost: events that may have been exits to user space, which then are at least so many.
    """

    signals: int = 0
    to_userspace: dict[str, int] = field(default_factory=dict)  # returns of KVM_RUN by reason
    kvm: int | None = None
    seen: bool = True
    lost: int = 0
    kvm_signals: int = 0

    def per_signal(self) -> dict[str, float]:
        """ "to user space: IO", ..., "counted by KVM", each divided by its signals; nothing without a signal."""
        told = {f"to user space: {reason}": count for reason, count in sorted(self.to_userspace.items())}
        each = {name: count / self.signals for name, count in told.items() if self.signals}
        by_kvm = {COUNTED_BY_KVM: self.kvm / self.kvm_signals} if self.kvm is not None and self.kvm_signals else {}
        return each | by_kvm

    def each_signal(self, name: str) -> float | None:
        """The number of this name in per_signal(), 0 included; None if nobody counted it, or there is no signal."""
        nothing = 0.0 if name != COUNTED_BY_KVM and self.seen and self.signals else None
        return self.per_signal().get(name, nothing)

    def least(self, name: str) -> bool:
        """Whether the number of this name is no more than what there was at least."""
        return self.lost > 0 and name != COUNTED_BY_KVM

    def after(self, start: Exits) -> Exits:
        """What has come since `start`, without the kernel's own count."""
        reasons = {name: count - start.to_userspace.get(name, 0) for name, count in self.to_userspace.items()}
        came = {name: count for name, count in reasons.items() if count}
        return Exits(self.signals - start.signals, came, None, self.seen, self.lost - start.lost)

    def counted(self, first: Sample | None, last: Sample | None) -> Exits:
        """The same with the kernel's own count between two looks at it."""
        if first is None or last is None or first is last:
            return replace(self, kvm=None, kvm_signals=0)
        return replace(self, kvm=last.exits - first.exits, kvm_signals=last.signals - first.signals)


class UnderOneWiring:
    """The time under one wiring: what there had been when it began, and looks at the kernel's own count since."""

    def __init__(self, start: Exits) -> None:
        self.start = start
        self.first: Sample | None = None
        self.last: Sample | None = None

    def look(self, sample: Sample) -> None:
        """One more look, the newest."""
        self.first, self.last = self.first or sample, sample

    def upto(self, end: Exits) -> Exits:
        """What has come in it, of all until then."""
        return end.after(self.start).counted(self.first, self.last)


class ExitSplit:
    """A fold over events. `whole`: the run; `since` the last change of the wiring; `before`: until then, from the one
    before. Changes that no signal came between are one change; the time between them is in neither.

    Of a stream that begins in the middle of a run all count from there.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._signals = signals_of(scenario)
        self.whole = Exits(seen=Trait.REAL_QEMU not in traits_of(scenario))
        self.before = Exits()
        self.wirings = 1  # that there were: changes that no signal came between are one
        # what was changed last: of each switch whether it was on before, and is since
        self._changes: Mapping[str, tuple[bool, bool]] = {}
        self._wiring = UnderOneWiring(Exits())
        self._first: Sample | None = None  # what the kernel's own count of the whole is counted from
        self._rewirings = Rewirings(*self._signals)
        self._began = Beginning()

    @property
    def since(self) -> Exits:
        """Since the last change."""
        return self._wiring.upto(self.whole)

    @property
    def switched(self) -> str:
        """The last change: "ioeventfd off", "ioeventfd on, irqfd on"; "" if there was none.

        Of a switch that stands as before another one's says what changed. Alone it has registered something anew:
        "ioeventfd off and on".
        """
        turned = {switch: on for switch, (was, on) in self._changes.items() if was != on}
        words = [tr("{switch} on", switch=one) if on else tr("{switch} off", switch=one) for one, on in turned.items()]
        anew = [
            tr("{switch} off and on", switch=one) if on else tr("{switch} on and off", switch=one)
            for one, (_, on) in self._changes.items()
        ]
        return ", ".join(words or anew)

    def feed(self, events: Events) -> None:
        """Adds the next batch, sorted by tsc."""
        if by_kind(events).counts[EventKind.BEFORE]:
            self._began.note(events)
        events = self._began.relative(events)
        for change, is_one, part in self._rewirings.parts(events):
            if change is not None:
                switch, on = Switch(int(change["id"])).name.lower(), bool(change["arg"])
                before = self._changes if is_one else {}
                self._changes = {**before, switch: (before.get(switch, (not on, on))[0], on)}
                self.before = self.before if is_one else self.since
                self.wirings += not is_one
                self._wiring = UnderOneWiring(self.whole)
            self._count(part)

    def _count(self, events: Events) -> None:
        batch = by_kind(events)
        self._look(events)
        signals = batch.of(*self._signals)["seq"]
        self.whole = replace(self.whole, signals=max(self.whole.signals, int(signals.max(initial=0))))
        reasons, counts = np.unique(batch.of(EventKind.EXIT)["id"], return_counts=True)
        gone = passed_over(events, EventKind.EXIT)
        if reasons.size or gone.size:
            names = dict(self.whole.to_userspace)
            for reason, count in [*zip(reasons.tolist(), counts.tolist(), strict=True), *gone[["id", "arg"]].tolist()]:
                names[exit_name(reason)] = names.get(exit_name(reason), 0) + count
            self.whole = replace(self.whole, to_userspace=names)
        losses = batch.of(EventKind.LOST)
        if losses.size:
            lost = int(losses["arg"][np.isin(losses["id"], (Lane.VCPU, Lane.ENGINE))].sum())
            self.whole = replace(self.whole, lost=self.whole.lost + lost)

    def _look(self, events: Events) -> None:
        """Takes note of the kernel's own count, before what else these events tell."""
        if not by_kind(events).counts[EventKind.STAT]:
            return
        looks = np.flatnonzero((events["kind"] == EventKind.STAT) & (events["id"] == KVM_EXITS))
        for at in sorted({*looks[:1].tolist(), *looks[-1:].tolist()}):
            signals = events["seq"][:at][np.isin(events["kind"][:at], self._signals)]
            sample = Sample(int(events["arg"][at]), max(self.whole.signals, int(signals.max(initial=0))))
            if self._first is None:  # the look before a part of a run is older than its first signal
                self._first = sample if self._began.noted else Sample(0, 0)
            self._wiring.look(sample)
            self.whole = self.whole.counted(self._first, sample)
