"""Stamps on a journey's way that the kernel itself takes, where its tracepoints are listened to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EventKind, Events, chosen
from bellwire.engine.folds.journeys import Journeys, select
from bellwire.engine.folds.kernel.moments import BY_NUMBER, KernelMoments

# The kinds of events that each comes of, by the names of stamps in assets/anatomy.toml. kvm_fast_mmio is none of them:
# it is told once the bus was searched, and not before.
TRACED = {name: kinds for name, kinds in BY_NUMBER.items() if name != "write"}
TRACED |= {"io_runs": (EventKind.RUNS,), "vcpu_runs": (EventKind.RUNS,)}
KINDS = tuple({kind for kinds in TRACED.values() for kind in kinds} - {EventKind.FAST_MMIO})


def traced(journeys: Journeys, events: Events) -> dict[str, npt.NDArray[np.uint64]]:
    """What the kernel tells of each journey, TSC, shape (n,); 0: nothing. `events` are those from their time."""
    if not select(events, *KINDS).size:
        return {}
    told = select(events, *KINDS, EventKind.HANDLER)  # by which it is known which vCPU an interrupt has waited for
    kernel = KernelMoments()
    kernel.feed(chosen(told, np.argsort(told["tsc"], kind="stable")))
    found = kernel.of(journeys)
    return {name: found[name] for name in TRACED}
