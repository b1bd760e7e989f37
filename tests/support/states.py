"""What a model shows at its playhead, to be compared with what it shows at another time."""

from __future__ import annotations

from typing import Any, NamedTuple

from bellwire.viz.diagram import counter_words
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.still_words import Words
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.travel import Token


class State(NamedTuple):
    """What a step may change, and everything that is shown of it."""

    playhead: int
    journeys: list[Any]
    events: bytes
    tokens: tuple[Token, ...]
    words: str
    state: str


def state(model: LiveModel, with_words: bool = True) -> State:
    """As it is now, as values that stay. with_words: which are most of the work."""
    chosen = model.selection
    return State(
        model.playhead,
        chosen.journeys.tolist(),
        chosen.events.tobytes(),
        tuple(model.tokens()),
        words_of(model) if with_words else "",
        model.state,
    )


def words_of(model: LiveModel) -> str:
    """All that the diagram says."""
    facts = Words.of(model, blueprint_of(model.scenario)).facts
    return str((facts, [counter_words.eventfd_count(model, which, model.tokens()) for which in counter_words.FDS]))
