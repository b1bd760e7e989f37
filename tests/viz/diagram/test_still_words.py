"""What the diagram says can be said in another language, all of it; and at once, whatever was worked out before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bellwire.engine.language import Spoken
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.still_words import Words
from bellwire.viz.model.live import LiveModel, journey_shown
from tests.support.accented import accented, in_accents, unsaid
from tests.support.shipped_models import shipped_model

# What no language says otherwise: instructions, calls, functions, and names of the field.
CODE = ("mov", "out", "ioctl", "read", "write", "uring", "enter", "kvm", "device", "wakeup", "avail", "used", "EBUSY")
FIELD = ("KVM", "EXIT", "IRQ", "LINE", "SIGNAL", "GSI", "MSI", "PIO", "MMIO", "eventfd", "ioeventfd", "irqfd", "vCPU")
NAMES = frozenset((*CODE, *FIELD, "pid", "pvm"))


def texts(model: LiveModel, extended: bool) -> Iterator[str]:
    """Everything that the picture says, and what it says of its parts."""
    plan = blueprint_of(model.scenario, model.source.backend, extended)
    words = Words.of(model, plan)
    yield from (words.rate, *words.facts.values(), *words.pills.values(), *words.names.values())
    yield from (passage.why for passage in words.passages.values())
    yield from (passage.differs for passage in words.passages.values() if passage.differs.isalpha())
    yield from (part.tip() for table in plan.tables for part in table.values())
    yield from (box.title for box in plan.boxes.values())


@pytest.mark.parametrize("name", [scenario.name for scenario in list_scenarios()])
def test_everything_that_the_diagram_says_goes_through_the_catalogue(name: str) -> None:
    model = shipped_model(name)
    with in_accents():
        left = {text: words for ext in (False, True) for text in texts(model, ext) if (words := unsaid(text, NAMES))}
    assert left == {}


def test_a_stage_on_a_way_that_is_known_already_is_said_in_the_language_of_now() -> None:
    model = shipped_model("roundtrip")
    journey = journey_shown(model)[:1]

    def title() -> str:
        _, times = model.travel.staged(journey)
        return times.way.stops[0].stage.title

    before = title()
    with in_accents():
        assert Spoken.name == "xx"
        assert title() == accented(before)
    assert title() == before
