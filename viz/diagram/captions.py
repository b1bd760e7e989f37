"""The sentence or two under the diagram that a lecturer could read aloud, computed from the last second's counters.

Who is special in some way has sentences of its own for doorbells and interrupts; losses are added.
"""

from __future__ import annotations

from collections.abc import Callable

from bellwire.engine.findings.finding import or_more
from bellwire.engine.language import tr
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.diagram.captions_of_one import (
    acknowledged,
    coalesced,
    doorbells,
    fan_out,
    held_off,
    interrupts,
    listening,
    lowered_level,
    masked,
    masking,
    missed,
    routed,
    second_irqfd,
    spaced,
)
from bellwire.viz.diagram.captions_of_others import (
    completed_reads,
    in_qemu,
    itself,
    neighbours,
    partnered,
    peers,
    suppressed,
    two_vcpus,
)
from bellwire.viz.diagram.journey_words import journey_caption
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.shown import rung_by_hand
from bellwire.viz.text.figures import count_of, duration, listed, ratio, times
from bellwire.viz.text.trust import not_there

Say = Callable[[LiveModel], str]


def caption(model: LiveModel) -> str:
    """What is happening, in one or two sentences."""
    if not model.tally.recorded:
        return tr("Waiting for the first event.") if model.source.alive else tr("No guest runs.")
    if model.transport.exact or model.story is not None or rung_by_hand(model).size:
        return journey_caption(model)
    if model.ended:
        return tr("The guest has ended; {so_far} until then.", so_far=so_far(model))
    if model.transport.together:
        return together(model)
    if why := model.why_unknown:
        return tr("What there was in the last second is not known: {why}.", why=why)
    said = next((say for trait, say in SENTENCES if trait in model.traits), None)
    return spaced(said(model) if said else spaced(doorbells(model), interrupts(model)), lost_events(model))


def together(model: LiveModel) -> str:
    """Why in slow motion tokens still stand for several journeys."""
    seconds, factor = usual_then(model), model.transport.factor
    return tr(
        "At {ratio} a journey of {journey} lasts {seen}, too short to be seen: tokens go at a pace for the eye, each "
        "with the number of journeys that it stands for.",
        ratio=ratio(factor),
        journey=duration(seconds * 1e9),
        seen=duration(seconds * factor * 1e9),
    )


def usual_then(model: LiveModel) -> float:
    """How long a journey took at the median under the wiring that is looked at, until then; seconds.

    In slow motion that is not the present, in which a source may be far ahead.
    """
    seen, whole = model.latencies, model.whole_latency
    median = seen.since[whole].known_percentile(50) if seen.of_clocks_that_agree(whole) else None
    return median / 1e9 if median is not None else model.usual_seconds or 0.0


def so_far(model: LiveModel) -> str:
    """What the guest and the host did in all."""
    parts = []
    if model.scenario.doorbell:
        parts.append(tr("it rang {doorbells}", doorbells=count_of(model.tally.doorbells_rung, "doorbell")))
    if model.tally.direct:  # nobody of the host sends any
        runs = or_more(times(model.tally.irqs_handled), "irqs_handled" in model.tally.bounds())
        two = Trait.TWO_GUESTS in model.traits
        parts.append(
            tr("guest B's handler ran {times}", times=runs) if two else tr("its handler ran {times}", times=runs)
        )
    elif model.scenario.interrupt:
        parts.append(tr("the host sent {interrupts}", interrupts=count_of(model.tally.irqs_signalled, "interrupt")))
    return listed(parts)


def lost_events(model: LiveModel) -> str:
    """Losses are data."""
    missing = not_there(model.not_there)
    return tr("{missing} so far.", missing=missing) if missing else ""


# The first trait that the scenario has decides.
SENTENCES: tuple[tuple[Trait, Say], ...] = (
    (Trait.IVSHMEM, peers),
    (Trait.TWO_GUESTS, neighbours),
    (Trait.TWO_VCPUS, two_vcpus),
    (Trait.QEMU_SERVES, in_qemu),
    (Trait.PARTNERED, partnered),
    (Trait.DIRECT, itself),
    (Trait.IO_URING, completed_reads),
    (Trait.VIRTQUEUE, suppressed),
    (Trait.COALESCED, coalesced),
    (Trait.MISS, missed),
    (Trait.MENDED, missed),
    (Trait.QUEUES, fan_out),
    (Trait.SECOND_IRQFD, second_irqfd),
    (Trait.MASKED, masked),
    (Trait.MASKING, masking),
    (Trait.WAITS, listening),
    (Trait.RESAMPLE, lowered_level),
    (Trait.ACKNOWLEDGED, acknowledged),
    (Trait.WINDOW, held_off),
    (Trait.REROUTE, routed),
)
