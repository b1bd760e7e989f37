"""What the timeline shows of a stretch of time: every journey, or how busy the lanes were.

As long as few events lie in view everything is exact; with more of them, what each pixel shows comes from bins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bellwire.engine.events import EventKind, Events, chosen, no_events
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.engine.folds.spans import Spans
from bellwire.viz.timeline.columns import Columns
from bellwire.viz.timeline.lanes import Shares, TimelineLane, cover, stretches

ROOM, BLOCK = 24, 8  # pixels that a journey, that a stretch needs to be drawn by itself
EXACT = 12_000  # events in view, or journeys under way; with more of them the bins are asked
REACH_SECONDS = 0.01  # a stretch that began so long before the view, or ends so long after it, is found in any case
NEARBY = 4000  # events that are looked through for one that began earlier or ends later

GUEST_KINDS = (EventKind.RING, EventKind.HANDLER)


@dataclass
class Scene:
    """What is in view: stretches and journeys one by one, or the busy share of each column."""

    start: int = 0
    end: int = 1
    lanes: tuple[TimelineLane, ...] = ()
    journeys: Journeys = field(default_factory=no_journeys)
    spans: dict[str, Spans] = field(default_factory=dict)
    events: Events = field(default_factory=no_events)
    shares: dict[str, Shares] | None = None
    vms: dict[int, int] = field(default_factory=dict)  # TSC of a stamp: the VM that it was made in
    kept: tuple[int, int] = (0, 0)  # from when to when anything is known

    def lane(self, kind: str, tsc: int = 0) -> str:
        """The key of the lane of a kind; of those of several VMs, the one where the stamp at `tsc` was made."""
        return f"{kind}{self.vms.get(tsc, 0)}"


def look(past: Columns, lanes: tuple[TimelineLane, ...], start: int, end: int, hz: float, pixels: int) -> Scene:
    """The scene of start..end (TSC), for a picture `pixels` wide."""
    kept = past.first, past.last
    rows = row_names(lanes)
    if past.about(start, end) > EXACT or past.under_way(start, end) > EXACT:
        shares = stacked_shares(past.busy(rows, start, end, pixels))
        return Scene(start, end, lanes, shares=shares, kept=past.counted)
    reach = reach_of(past, start, end, hz)
    around, journeys = past.events(start - reach, end + reach), past.journeys(start, end)
    spans = {row: inside(spans, start, end) for row, spans in stretches(around, journeys).items()}
    spans["unseen"] = unseen(journeys)
    if journeys.size * ROOM > pixels or max(some.start.size for some in spans.values()) * BLOCK > pixels:
        return Scene(
            start, end, lanes, journeys, shares=stacked_shares(busy_columns(rows, spans, start, end, pixels)), kept=kept
        )
    within = chosen(around, (around["tsc"] >= max(start, 0)) & (around["tsc"] <= end))
    return Scene(start, end, lanes, journeys, spans, within, vms=stamped_in(around), kept=kept)


def reach_of(past: Columns, start: int, end: int, hz: float) -> int:
    """How far beyond the view a stretch that is in it may begin or end, cycles: where little happens, further."""
    reach = round(hz * REACH_SECONDS)
    while start - reach > past.first or end + reach < past.last:
        if past.about(start - 4 * reach, end + 4 * reach) > NEARBY:
            break
        reach *= 4
    return reach


def row_names(lanes: tuple[TimelineLane, ...]) -> list[str]:
    """The stretches that columns are made of."""
    vms = sorted({lane.vm for lane in lanes})
    return ["flight", "awake", *(f"{what}{vm}" for vm in vms for what in ("instruction", "user"))]


def stacked_shares(shares: dict[str, Shares]) -> dict[str, Shares]:
    """A vCPU's time in the kernel as the height up to which it reaches when its time in user space is drawn over it."""
    vms = [row.removeprefix("user") for row in shares if row.startswith("user")]
    return shares | {f"kernel{vm}": np.maximum(shares[f"instruction{vm}"], shares[f"user{vm}"]) for vm in vms}


def inside(spans: Spans, start: int, end: int) -> Spans:
    """Those that lie in the view, in whole or in part."""
    seen = (spans.start <= np.uint64(end)) & (spans.end >= np.uint64(max(start, 0)))
    return Spans(spans.start[seen], spans.end[seen])


def unseen(journeys: Journeys) -> Spans:
    """While another process had the signal, and KVM and the scheduler: between a doorbell and its only handler."""
    return Spans(journeys["ring"], journeys["handler"])


def busy_columns(rows: list[str], spans: dict[str, Spans], start: int, end: int, pixels: int) -> dict[str, Shares]:
    """The busy share of each column, from the stretches themselves."""
    edges = np.linspace(start, end, pixels + 1).astype(np.uint64)
    none = Spans(np.empty(0, np.uint64), np.empty(0, np.uint64))
    busy = {row: cover(spans.get(row, none), edges) for row in rows}
    return {row: np.clip(cycles * pixels / max(end - start, 1), 0, 1) for row, cycles in busy.items()}


def stamped_in(events: Events) -> dict[int, int]:
    """The VM of each stamp of a guest other than the first, by its TSC."""
    stamps = events[np.isin(events["kind"], GUEST_KINDS) & (events["vm"] > 0)]
    return dict(zip(stamps["tsc"].tolist(), stamps["vm"].tolist(), strict=True))


def distances(journeys: Journeys, lane: str, tsc: float) -> Shares:
    """How far each journey's part in a lane is from a time, in cycles; shape (n,)."""
    stages = {
        "guest": (("ring", "rung"), ("handler", "handler")),
        "vcpu": (("exit", "entry"), ("ring", "exit")),
        "kvm": (("ring", "doorbell"), ("irq", "handler"), ("ring", "handler")),
        "io": (("doorbell", "irq"), ("irq", "irq"), ("doorbell", "doorbell")),
        "partner": (("ring", "handler"),),
    }
    best, direct = np.full(journeys.size, np.inf), journeys["irq"] == 0
    for start, end in stages[lane]:
        has = (journeys[start] > 0) & (journeys[end] > 0) & ((end != "handler") | (start != "ring") | direct)
        away = np.maximum(np.maximum(journeys[start] - tsc, tsc - journeys[end]), 0.0)
        best = np.where(has, np.minimum(best, away), best)
    return best
