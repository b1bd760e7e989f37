"""Which stages one journey passes, in order: decided by what happened to it, never by how the switches stand now."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, Journeys
from bellwire.engine.language import Spoken
from bellwire.engine.outlet import rows_by_sort
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.stages.anatomy import (
    Path,
    Stage,
    as_injected,
    followed_stages,
    interrupt_path,
    load_anatomy,
    matched_path,
    on_bus,
    told_further,
    without_reader,
)
from bellwire.viz.stages.moments import Moments
from bellwire.viz.stages.traced import TRACED

UNHEARD = frozenset({"eoi", "resample"})  # stages behind the handler, of which nobody may have heard


@dataclass(frozen=True)
class Stop:
    """A stage as one way passes it.

    began: the stamp that measures its beginning; "" if none does. by: the stamps at which it had begun, the first that
    there is counts; after: the stamp before which it had not. out: on the doorbell's way, not on the interrupt's.
    """

    stage: Stage
    path: str
    out: bool
    began: str = ""
    by: tuple[str, ...] = ()
    after: str = ""

    @property
    def name(self) -> str:
        """The stage's."""
        return self.stage.name


@dataclass(frozen=True)
class StageWay:
    """What a journey passes. beside: what others do meanwhile; paths: of the anatomy, whose stages these are."""

    stops: tuple[Stop, ...]
    beside: tuple[Stop, ...]
    paths: tuple[Path, ...] = ()

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        return f"<{' → '.join(self.names)}>"

    @property
    def names(self) -> tuple[str, ...]:
        """Of the stages, in order."""
        return tuple(stop.name for stop in self.stops)

    @cached_property
    def course(self) -> tuple[tuple[str, str], ...]:
        """Its stages by path and name, without those that are there only as the kernel tells of them.

        Journeys of one course are measured together, whatever the kernel has told of each.
        """
        further = {name for stop in self.stops for name in stop.stage.then}
        return tuple((stop.path, stop.name) for stop in self.stops if stop.name not in further)

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """The place of each stop on the course, counted as if the kernel told of all that there can be."""
        found, rank = list[int](), 0
        for stop, after in zip_longest(self.stops, self.stops[1:]):
            found.append(rank)
            rank += 1 if after and after.name in stop.stage.then else 1 + len(stop.stage.then)
        return tuple(found)

    def index(self, name: str, out: bool) -> int:
        """Of the stop at that stage, on the doorbell's way or on the interrupt's; -1 if there is none."""
        return next((i for i, stop in enumerate(self.stops) if stop.name == name and stop.out == out), -1)


def stop_of(path: Path, stage: Stage, out: bool, never: frozenset[str]) -> Stop:
    """One of a path's stages. never: the stamps that do not come, or come late, so that the kernel's are taken.

    What the kernel tells of a stage that others follow here is the beginning of the first of those.
    """
    usual = path.began.get(stage.name, stage.began)
    followed = any(other.name in stage.then for other in path.stages)
    began = stage.traced if usual in never and stage.traced and not followed else usual
    return Stop(stage, path.name, out, began, tuple(path.by.get(stage.name, ())), path.after.get(stage.name, ""))


@dataclass(frozen=True)
class Traveled:
    """What decides a journey's way. kept: KVM's ring of coalesced writes had its doorbell; resampled: a device heard of
    its end."""

    rings: bool
    interrupts: bool
    left: bool  # the doorbell left to user space
    by_ioctl: bool
    kept: bool
    resampled: bool
    late: bool = False  # there was no irqfd yet, so the signal waited in its eventfd
    watched: bool = False  # the kernel's own tracepoints tell of it
    acknowledged: bool = False  # and the function that lowers its line, before the device hears of its end
    further: frozenset[str] = field(default=frozenset(), kw_only=True)  # the stages of which they tell what follows


class WaysOf:
    """The ways of one scenario's journeys on one back end."""

    def __init__(self, scenario: Scenario, backend: str = "", kernel: str = "") -> None:
        """kernel: its release, as which stages a back end leaves out depends on it."""
        self.scenario, self.traits, self.backend = scenario, traits_of(scenario), backend
        stages = load_anatomy().stages.values()
        self._skipped = frozenset(stage.name for stage in stages if stage.left_out(backend, kernel))
        self._followed = followed_stages()
        self._never_stamped = frozenset({"", "window"} if Trait.WINDOW not in self.traits else {""})
        self._made = lru_cache(maxsize=64)(self._make)  # for each language: stages have texts

    def way(self, what: Traveled) -> StageWay:
        """The stages that such a journey passes."""
        return self._made(what, Spoken.name)

    def of(self, journeys: Journeys, moments: Moments) -> list[tuple[StageWay, npt.NDArray[np.intp]]]:
        """The journeys by their way: the indices of those that went each."""
        columns = (
            journeys["ring"] > 0,
            journeys["handler"] > 0,
            journeys["heavy"] & HEAVY_DOORBELL > 0,
            journeys["heavy"] & HEAVY_INTERRUPT > 0,
            moments["fetched"] > 0,
            moments["resampled"] > 0,
            moments["unheard"] > 0,
            np.logical_or.reduce([moments[name] > 0 for name in TRACED]),
            moments["acknowledged"] > 0,
        )
        followed = {name: moments[stamp] > 0 for name, stamp in self._followed.items()}
        keys = np.zeros(journeys.size, np.uint64)
        for at, column in enumerate((*columns, *followed.values())):
            keys |= column.astype(np.uint64) << np.uint64(at)
        found = []
        for _, rows in rows_by_sort(keys):
            told = frozenset(name for name, column in followed.items() if column[rows[0]])
            found.append((self.way(Traveled(*(bool(column[rows[0]]) for column in columns), further=told)), rows))
        return found

    def _make(self, what: Traveled, _language: str) -> StageWay:
        ways = [(path, True) for path in self._out(what)] + [(path, False) for path in self._back(what)]
        halves = [(as_injected(told_further(path, what.further), self.backend), out) for path, out in ways]
        without = self._skipped if what.resampled else self._skipped | UNHEARD
        never = self._never_stamped if what.watched else frozenset()
        never |= {"resampled"} if what.acknowledged else frozenset()
        stops: list[Stop] = []
        beside: list[Stop] = []
        for path, out in halves:
            stops += [stop_of(path, stage, out, never) for stage in path.stages if stage.name not in without]
            beside += [stop_of(path, stage, out, never) for stage in path.beside]
        return StageWay(tuple(stops), tuple(beside), tuple(path for path, _ in halves))

    def _out(self, what: Traveled) -> list[Path]:
        doorbell, paths = self.scenario.doorbell, load_anatomy().paths
        if not what.rings or not doorbell:
            return []
        if Trait.VMM_EXITS in self.traits:
            path = paths["exit-to-vmm"]
        elif what.kept or what.left:
            path = paths[on_bus("coalesced" if what.kept else "exit", doorbell)]
        else:
            path = paths[matched_path(doorbell)]
        return [without_reader(path) if Trait.DIRECT in self.traits else path]

    def _back(self, what: Traveled) -> list[Path]:
        interrupt = self.scenario.interrupt
        if not what.interrupts or not interrupt:
            return []
        if what.late:
            return [load_anatomy().paths["irqfd-late"]]
        irqfd = not what.by_ioctl or interrupt.waits or Trait.DIRECT in self.traits
        name = interrupt_path(self.traits, interrupt, irqfd).removesuffix("-masked")
        return [load_anatomy().paths["irqfd-ioapic" if name == "irqfd" else name]]
