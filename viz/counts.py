"""What happened in the second before the playhead, as numbers: what the diagram's words are made of. No Qt."""

from __future__ import annotations

from viz.model import LiveModel


def counted(model: LiveModel, name: str) -> float:
    """How many of viz/rates.py's `name` in the last second."""
    return model.rates.last_second(name, model.playhead)


def whole(model: LiveModel, *names: str) -> list[int]:
    """The same as whole numbers."""
    return [round(counted(model, name)) for name in names]
