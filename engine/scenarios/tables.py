"""The tables of a scenario file, each value held against its rule and all of them against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bellwire.engine.foreign import shown
from bellwire.engine.scenarios.contradictions import contradictions
from bellwire.engine.scenarios.in_force import effective, raises_a_pin
from bellwire.engine.scenarios.rules import (
    ADDRESSES,
    GSIS,
    OPTIONAL_TABLES,
    REQUIRED,
    RULES,
    Origin,
    handler_vector,
)

LONGEST_VALUE = 80  # characters of a wrong value that are quoted


def parsed_setting(table: str, key: str, word: str) -> Any:
    """A setting's value from the command line. What cannot be parsed stays a text, which its rule then refuses."""
    try:
        return RULES[table][key].parse(word)
    except ValueError:
        return word


def checked(tables: Mapping[str, Any], origin: Origin, *, recorded: bool = False) -> dict[str, dict[str, Any]]:
    """The values of all tables, defaults filled in; the table "" has the keys above the first header.

    recorded: the run was made by a program that may not have refused what does nothing: it is passed over.
    """
    top = {key: value for key, value in tables.items() if key not in RULES}
    values = {"": checked_table("", top, origin)}
    for name in filter(None, RULES):
        if name in tables:
            values[name] = checked_table(name, tables[name], origin)
        elif name not in OPTIONAL_TABLES:
            raise origin.error(name, "", f"the table [{name}] is missing")
    if "ioctl" not in tables.get("interrupt", {}) and "interrupt" in values and raises_a_pin(values):
        values["interrupt"]["ioctl"] = "irq-line"
    values = effective(values) if recorded else values
    for table, key, problem in contradictions(values):
        raise origin.error(table, key, problem)
    return values


def checked_table(name: str, table: Any, origin: Origin) -> dict[str, Any]:
    """One table's values, each held against its rule."""
    rules = RULES[name]
    if not isinstance(table, dict):
        raise origin.error(name, "", "must be a table")
    for key in table:
        if key not in rules:
            tables = [] if name else [f"[{table}]" for table in RULES if table]
            raise origin.error(name, key, f"unknown; allowed are {', '.join([*rules, *tables])}")
    values = {key: table.get(key, rule.default) for key, rule in rules.items()}
    for key, value in values.items():
        if value is REQUIRED:
            raise origin.error(name, key, f"missing; {rules[key].allowed} is needed")
        if key in table and not rules[key].accepts(value):
            raise origin.error(name, key, f"{as_toml(value)} is not allowed; allowed is {rules[key].allowed}")
    return with_derived(name, values)


def as_toml(value: Any) -> str:
    """A value as a TOML file would write it, cut off where it is long."""
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return "a number of more than 64 bits"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a table"
    words = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return shown(words, LONGEST_VALUE)


def with_derived(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values with what follows from others filled in."""
    follows: dict[str, Any] = {}
    if name == "doorbell":
        follows = {"address": ADDRESSES[values["bus"]], "width": values["length"] or 4}
    if name == "interrupt":
        follows = {"gsi": GSIS[values["route"]], "vector": handler_vector(values)}
    values = values | {key: value for key, value in follows.items() if values[key] is None}
    if name == "doorbell" and values["ioeventfd_address"] is None:
        values["ioeventfd_address"] = values["address"]
    return values
