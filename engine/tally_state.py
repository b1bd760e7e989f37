"""A Tally written down, so that a fold can go on where another one stood."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from engine.beginning import Beginning
from engine.events import Eventfd, Setting, Switch
from engine.tally import Tally

ENUMS: dict[str, type[IntEnum]] = {"eventfd_counts": Eventfd, "wiring": Switch, "settings": Setting}
NAMED = ("exits_to_userspace", "kvm")  # tables whose keys are names; those of all others are numbers
Pairs = list[list[Any]]


def pairs(table: dict[Any, Any]) -> Pairs:
    """A table as JSON can hold it."""
    return [[key if isinstance(key, str) else int(key), value] for key, value in table.items()]


def state_of(tally: Tally) -> dict[str, Any]:
    """Everything in it, ready for JSON."""
    return written(vars(tally)) | {"began": written(vars(tally.began))}


def written(values: dict[str, Any]) -> dict[str, Any]:
    """Values by name, tables among them as JSON can hold them."""
    return {name: pairs(value) if isinstance(value, dict) else value for name, value in values.items()}


def tally_of(state: dict[str, Any]) -> Tally:
    """The tally that was written down; ValueError, KeyError or TypeError if it is something else."""
    tally = Tally()
    for name, fresh in vars(tally).items():
        if isinstance(fresh, Beginning):
            tally.began = beginning_of(state[name])
        elif isinstance(fresh, dict):
            key = str if name in NAMED else ENUMS.get(name, int)
            setattr(tally, name, {key(number): value for number, value in state[name]})
        else:
            setattr(tally, name, type(fresh)(state[name]))
    return tally


def beginning_of(state: dict[str, Any]) -> Beginning:
    """The numbers that it counts from."""
    began = Beginning()
    for name, fresh in vars(began).items():
        value = state[name]
        setattr(began, name, {int(key): int(count) for key, count in value} if isinstance(fresh, dict) else value)
    return began
