"""Exits and signals, counted apart before and after each change of the wiring, so that they can be set side by side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bellwire.engine.events import STATS, EventKind, Events, Lane, Switch, by_kind, cut_at, exit_name, wiring_changes
from bellwire.engine.folds.beginning import Beginning
from bellwire.engine.language import tr
from bellwire.engine.outlet import passed_over
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Scenario

KVM_EXITS = STATS.index("exits")
COUNTED_BY_KVM = "counted by KVM"
SIGNALS = (EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.SUBMIT)


@dataclass(frozen=True)
class Exits:
    """How many signals there were, and what they took.

    kvm: exits by the kernel's own count, which is sampled ten times a second; None if it was never told.
    seen: whether KVM_RUN returns to this program; of a vCPU of another process nobody tells why it did.
    lost: events that may have been exits to user space, which then are at least so many.
    """

    signals: int = 0
    to_userspace: dict[str, int] = field(default_factory=dict)  # returns of KVM_RUN by reason
    kvm: int | None = None
    seen: bool = True
    lost: int = 0

    def per_signal(self) -> dict[str, float]:
        """ "to user space: IO", ..., "counted by KVM", each divided by the signals; nothing without a signal."""
        if not self.signals:
            return {}
        counts = {f"to user space: {reason}": count for reason, count in sorted(self.to_userspace.items())}
        counts |= {COUNTED_BY_KVM: self.kvm} if self.kvm is not None else {}
        return {name: count / self.signals for name, count in counts.items()}

    def each_signal(self, name: str) -> float | None:
        """The number of this name in per_signal(), 0 included; None if nobody counted it, or there is no signal."""
        told = self.kvm is not None if name == COUNTED_BY_KVM else self.seen
        return self.per_signal().get(name, 0.0) if told and self.signals else None

    def least(self, name: str) -> bool:
        """Whether the number of this name is no more than what there was at least."""
        return self.lost > 0 and name != COUNTED_BY_KVM

    def after(self, start: Exits) -> Exits:
        """What has come since `start`."""
        reasons = {name: count - start.to_userspace.get(name, 0) for name, count in self.to_userspace.items()}
        kvm = None if self.kvm is None else self.kvm - (start.kvm or 0)
        came = {name: count for name, count in reasons.items() if count}
        return Exits(self.signals - start.signals, came, kvm, self.seen, self.lost - start.lost)


class ExitSplit:
    """A fold over events. `whole`: the run; `since` the last change of the wiring; `before`: between the last two.

    Of a stream that begins in the middle of a run all count from there.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.rings = scenario.doorbell is not None  # else the host's interrupts are the signals
        self.whole = Exits(seen=Trait.REAL_QEMU not in traits_of(scenario))
        self._switch: tuple[str, bool] | None = None  # what was changed last, and whether it is on since
        self._changes = [Exits(), Exits()]  # `whole` as it was at the last two changes
        self._wiring: dict[int, int] = {}
        self._began = Beginning()
        self._kvm_before: int | None = None  # the kernel's count where the stream begins; None: not known yet

    @property
    def since(self) -> Exits:
        """Since the last change."""
        return self.whole.after(self._changes[1])

    @property
    def before(self) -> Exits:
        """Between the last two changes."""
        return self._changes[1].after(self._changes[0])

    @property
    def switched(self) -> str:
        """The last change: "ioeventfd off"; "" if there was none."""
        if self._switch is None:
            return ""
        switch, on = self._switch
        return tr("{switch} on", switch=switch) if on else tr("{switch} off", switch=switch)

    def feed(self, events: Events) -> None:
        """Adds the next batch, sorted by tsc."""
        if by_kind(events).counts[EventKind.BEFORE]:
            self._began.note(events)
        events = self._began.relative(events)
        for change, part in cut_at(events, wiring_changes(events, self._wiring)):
            if change is not None:
                self._changes = [self._changes[1], self.whole]
                self._switch = Switch(int(change["id"])).name.lower(), bool(change["arg"])
            self._count(part)

    def _count(self, events: Events) -> None:
        batch = by_kind(events)
        signals = batch.of(EventKind.RING)["seq"] if self.rings else batch.of(*SIGNALS)["seq"]
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
        told = batch.of(EventKind.STAT)
        told = told["arg"][told["id"] == KVM_EXITS]
        if told.size:
            if self._kvm_before is None:  # of a stream in the middle that nobody has told, from the first look on
                untold = self._began.noted and KVM_EXITS not in self._began.stats
                self._kvm_before = int(told[0]) if untold else 0
            self.whole = replace(self.whole, kvm=int(told[-1]) - self._kvm_before)
