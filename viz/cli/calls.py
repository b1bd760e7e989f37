"""What `bellwire call` prints: a scenario's calls, or one of them, for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from bellwire.engine.calls.call import Call
from bellwire.engine.calls.program import LANGUAGES, program_of
from bellwire.viz.cli.tables import Figures

FORMS = (*LANGUAGES, "bytes")


def as_text(call: Call, form: str) -> str:
    """One of FORMS, as it is pasted: a whole program, or rows of bytes."""
    if form in LANGUAGES:
        return program_of(call, form).text.rstrip("\n")
    return "\n".join(call.arguments.hex()) if call.arguments else ""


def as_json(call: Call) -> dict[str, Any]:
    """Everything about a call but its programs."""
    arguments = call.arguments
    fields = arguments.fields if arguments else ()
    return {
        "name": call.name,
        "group": call.group,
        "by": call.by,
        "call": call.title,
        "says": call.says,
        "state": call.state,
        "request": f"{call.request:#x}" if call.request else None,
        "struct": arguments.struct if arguments else None,
        "fields": [
            {"name": f.name, "offset": f.offset, "size": f.size, "value": f.value, "text": f.text} for f in fields
        ],
        "bytes": arguments.hex() if arguments else [],
    }


def call_table(calls: tuple[Call, ...]) -> RenderableType:
    """One row a call, in the order in which they are made."""
    table = Figures("Part", "By", "Call", "State", "What it does")
    for column in table.columns[:4]:
        column.no_wrap = True
    for call in calls:
        table.add_row(call.name, call.by, Text(call.title), call.state, Text(call.says))
    return table


def call_details(call: Call) -> RenderableType:
    """One call: what it does, its struct member by member, its bytes."""
    number = f", request {call.request:#x}" if call.request else ""
    state = f", {call.state}" if call.state else ""
    parts: list[RenderableType] = [Text(f"{call.title}{number}, by the {call.by}{state}"), Text(call.says)]
    if call.arguments:
        parts += [Text(f"\n{call.arguments.struct}, {len(call.arguments.data)} bytes"), field_table(call)]
        parts += [Text("\n" + "\n".join(call.arguments.hex()))]
    return Group(*parts)


def field_table(call: Call) -> RenderableType:
    """One row a member of what the kernel gets."""
    table = Figures("Offset", "Size", "Member", "Value", "")
    for field in call.arguments.fields if call.arguments else ():
        number = "" if field.value is None else f"{field.value:#x}"
        words = field.text if field.text not in (number, str(field.value)) else ""
        table.add_row(str(field.offset), str(field.size), Text(field.name), number, Text(words))
    return table
