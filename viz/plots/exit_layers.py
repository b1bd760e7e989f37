"""Exits as layers of bars, out of the rates: by who handled them, and why.

User space: our own EXIT events, one for each return of KVM_RUN. Kernel: KVM's counters of the vCPU, less what of them
went on to user space.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.exits import exit_name
from viz.rates import BIN_SECONDS, Rates

BAR = 5  # bins of the rates in a bar: a quarter of a second
BAR_SECONDS = BAR * BIN_SECONDS

# What KVM counts, and the KVM_EXIT_* reason that the same exit has if it goes on to user space.
KERNEL = (
    ("HLT", "halt_exits", "exit 5"),
    ("IO", "io_exits", "exit 2"),
    ("MMIO", "mmio_exits", "exit 6"),
    ("interrupt", "irq_exits", ""),
    ("irq window", "irq_window_exits", "exit 7"),
)

Bars = npt.NDArray[np.float64]


class Layer(NamedTuple):
    """One reason, by one handler: its share of each bar, per second."""

    handler: str  # "kernel" or "user"
    reason: str
    bars: Bars


def layers(rates: Rates, first: int, end: int) -> list[Layer]:
    """What happened in the bars first..end-1: the kernel's reasons, then user space's; none that is all zero."""
    names = [name for name in rates.names if name.startswith("exit ")]
    left = {name: bars_of(rates.between(name, first * BAR, end * BAR)) for name in names}
    nothing: Bars = np.zeros(max(end - first, 0))
    kernel = []
    for reason, counter, same in KERNEL:
        counted = sampled(rates, f"kvm {counter}", first, end)
        kernel.append(Layer("kernel", reason, np.maximum(counted - left.get(same, nothing), 0)))
    user = [Layer("user", exit_name(int(name.split()[1])), bars) for name, bars in left.items()]
    known = sum((layer.bars for layer in kernel + user), nothing)
    rest = np.maximum(sampled(rates, "kvm exits", first, end) - known, 0)
    found = [*kernel, Layer("kernel", "other", rest), *user]
    return [layer for layer in found if layer.bars.any()]


def bars_of(bins: Bars) -> Bars:
    """Counts in bins as rates in bars."""
    return np.asarray(bins.reshape(-1, BAR).sum(axis=1) / BAR_SECONDS)


def sampled(rates: Rates, name: str, first: int, end: int) -> Bars:
    """The rate of a counter that is looked at only now and then: what it grew by is spread over the time since the last
    look, but no further than one bar."""
    before = BAR
    bins = rates.between(name, first * BAR - before, end * BAR)
    looks = np.flatnonzero(bins)
    if not looks.size:
        return np.zeros(max(end - first, 0))
    since = np.maximum(np.concatenate([[-1], looks[:-1]]), looks - BAR)
    grown = np.cumsum(bins[looks])
    at = np.concatenate([since + 1.0, looks + 1.0])
    total = np.concatenate([grown - bins[looks], grown])
    order = np.lexsort((total, at))
    edges = np.arange(before, bins.size + 1, BAR, dtype=np.float64)
    return np.asarray(np.diff(np.interp(edges, at[order], total[order])) / BAR_SECONDS)
