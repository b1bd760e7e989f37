"""Where the parts of a message chart are: lifelines side by side, time downwards, to scale or in even steps.

Each distinct time is a step. To scale, a step is as high as it was long; in even steps all are equally high, so that a
short one can be read beside a long one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bellwire.viz.panels.sequence.parts import GUEST, GUEST_B, IO, KVM, PARTNER, VCPU, Aside, Chart

BEYOND = 0.35  # of the journey's length: asides that come later than this after its end are left out
COLORS = {GUEST: "guest", GUEST_B: "guest", KVM: "kvm", VCPU: "heavy", IO: "io_thread", PARTNER: "vmm"}
FILLS = {GUEST: "guest_fill", GUEST_B: "guest_fill", KVM: "kvm_fill", VCPU: "vmm_fill", IO: "io_fill"}


@dataclass(frozen=True)
class Layout:
    """Lifelines between `left` and `right`, times between `top` and `bottom`, in pixels."""

    chart: Chart
    left: float
    right: float
    top: float
    bottom: float
    even: bool

    def x(self, lifeline: str) -> float:
        """Where a lifeline is: the outer ones have half a gap to the edge."""
        keys = [line.key for line in self.chart.lifelines]
        return self.left + (self.right - self.left) * (keys.index(lifeline) + 0.5) / len(keys)

    @property
    def gap(self) -> float:
        """Between two lifelines."""
        return (self.right - self.left) / max(len(self.chart.lifelines), 1)

    @property
    def asides(self) -> list[Aside]:
        """Those that are near enough to be shown."""
        last = self.chart.end + round(BEYOND * (self.chart.end - self.chart.start))
        return [aside for aside in self.chart.asides if self.chart.start <= aside.at <= last]

    @property
    def times(self) -> list[int]:
        """Every time that something begins or ends at, TSC, rising."""
        times = {tsc for segment in self.chart.segments for tsc in (segment.start, segment.end)}
        return sorted(times | {aside.at for aside in self.asides})

    def y(self, tsc: float) -> float:
        """Where a time is."""
        times = self.times
        share = float(np.interp(tsc - times[0], offsets(times), self._steps(times)))
        return self.top + (self.bottom - self.top) * share

    def tsc(self, y: float) -> int:
        """The time that is there."""
        times = self.times
        share = (y - self.top) / max(self.bottom - self.top, 1.0)
        return times[0] + round(float(np.interp(share, self._steps(times), offsets(times))))

    def _steps(self, times: list[int]) -> list[float]:
        """How far down each time is, 0..1."""
        return np.linspace(0, 1, len(times)).tolist() if self.even else scaled(times)


def offsets(times: list[int]) -> list[int]:
    """From the first on: numbers of 64 bits lose their last digits as floats."""
    return [tsc - times[0] for tsc in times]


def scaled(times: list[int]) -> list[float]:
    """How far along each time is, 0..1."""
    whole = max(times[-1] - times[0], 1)
    return [offset / whole for offset in offsets(times)]
