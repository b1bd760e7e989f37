"""A Tally written down, so that a fold can go on where another one stood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any

from engine.events import Eventfd, Operation, Setting, Switch
from engine.tally import Tally


def refused_key(key: list[int]) -> tuple[Operation, int, int]:
    """Operation, GSI or address, and errno."""
    return Operation(key[0]), key[1], key[2]


KEYS: dict[str, Callable[[Any], Any]] = {  # what the keys of tables are, if not numbers
    "eventfd_counts": Eventfd,
    "wiring": Switch,
    "settings": Setting,
    "exits_to_userspace": str,
    "kvm": str,
    "refused": refused_key,
}
Pairs = list[list[Any]]


def pairs(table: dict[Any, Any]) -> Pairs:
    """A table as JSON can hold it."""
    return [[list(key) if isinstance(key, tuple) else key, value] for key, value in table.items()]


def state_of(folded: object) -> dict[str, Any]:
    """Everything in a tally, or in a part of it, ready for JSON."""
    return {name: state_of(value) if is_part(value) else written(value) for name, value in vars(folded).items()}


def is_part(value: object) -> bool:
    """Whether it is itself made of named values, as a Beginning is."""
    return is_dataclass(value)


def written(value: Any) -> Any:
    """A number, a list of them or a table, as JSON can hold it."""
    return pairs(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value


def tally_of(state: dict[str, Any]) -> Tally:
    """The tally that was written down; ValueError, KeyError or TypeError if it is something else."""
    tally = Tally()
    restore(tally, state)
    return tally


def restore(fresh: object, state: dict[str, Any]) -> None:
    """Puts what was written down into a tally, or a part of it, that has counted nothing."""
    for name, value in vars(fresh).items():
        if is_part(value):
            restore(value, state[name])
        elif isinstance(value, dict):
            key = KEYS.get(name, int)
            setattr(fresh, name, {key(number): count for number, count in state[name]})
        else:
            setattr(fresh, name, type(value)(state[name]))
