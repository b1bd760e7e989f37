"""A call's struct as rich text: member by member with offset and size, then its bytes."""

from __future__ import annotations

from html import escape

from bellwire.engine.calls.arguments import Arguments, Field
from bellwire.engine.calls.call import Call
from bellwire.engine.counted import number_of
from bellwire.engine.language import tr, tr_as
from bellwire.viz.style.theme import MONO, Theme
from bellwire.viz.text.figures import breakable

SIZE = 11
NARROW = 8  # bytes a row that always has room


def struct_html(call: Call, began: Call | None, theme: Theme) -> str:
    """Members that are not as they were when the scenario began (`began`) are marked."""
    head = f"<p style='color:{theme.text_muted}'>{escape(facts_of(call))}</p>"
    if call.arguments is None:
        return page(head, theme)
    before = began.arguments if began else None
    rows = "".join(row(field, was(field, before), theme) for field in call.arguments.fields)
    lines = (f"{muted(f'{n * NARROW:04x}', theme)}&nbsp; {line}" for n, line in hex_lines(call.arguments))
    table = f"<table cellspacing='0' cellpadding='3' width='100%'>{column_heading(theme)}{rows}</table>"
    return page(f"{head}{table}<p style='line-height:130%'>{'<br>'.join(lines)}</p>", theme)


def muted(text: object, theme: Theme) -> str:
    """In the quieter colour."""
    return f"<span style='color:{theme.text_muted}'>{text}</span>"


def page(body: str, theme: Theme) -> str:
    """In the monospaced font."""
    return f"<div style='font-family:\"{MONO}\";font-size:{theme.type_px(SIZE)}px;color:{theme.text}'>{body}</div>"


def facts_of(call: Call) -> str:
    """The struct, its size, the ioctl's number, who makes the call."""
    parts = []
    if call.arguments:
        parts += [call.arguments.struct, number_of(len(call.arguments.data), "byte")]
    parts += [tr("request {number:#x}", number=call.request)] if call.request else []
    return " · ".join([*parts, tr("by the {by}", by=tr(call.by))])


def hex_lines(arguments: Arguments) -> list[tuple[int, str]]:
    """The hex dump, 8 bytes a line, numbered."""
    digits = " ".join(arguments.hex()).split()
    lines = [" ".join(digits[n : n + NARROW]) for n in range(0, len(digits), NARROW)]
    return list(enumerate(lines))


def was(field: Field, before: Arguments | None) -> bool:
    """Whether it has its value of the start."""
    return before is None or field in before.fields


def column_heading(theme: Theme) -> str:
    """Over the columns."""
    at = tr_as("offset of a member", "at")
    columns = ((at, "right"), (tr("size"), "right"), (tr("member"), "left"), (tr("value"), "left"))
    cells = "".join(f"<td align='{side}'>{muted(name, theme)}</td>" for name, side in columns)
    return f"<tr>{cells}</tr>"


def row(field: Field, same: bool, theme: Theme) -> str:
    """One member. A changed one is marked by a colour and an arrow; one that is 0 is quieter."""
    name, value = breakable(field.name, "_."), value_html(field)
    if not same:
        name, value = (f"<span style='color:{theme.selection}'>{text}</span>" for text in (name, f"→ {value}"))
    elif field.value == 0:
        value = muted(value, theme)
    places = "".join(f"<td align='right'>{muted(number, theme)}</td>" for number in (field.offset, field.size))
    return f"<tr>{places}<td>{name}</td><td>{value}</td></tr>"


def value_html(field: Field) -> str:
    """Number and words, if they are not the same."""
    if field.value is None:
        return breakable(field.text, "_.")
    plain = field.text in (str(field.value), f"{field.value:#x}")
    return field.text if plain else f"{field.value:#x} {breakable(field.text, '_.')}"


def struct_text(call: Call) -> str:
    """The same to paste."""
    if call.arguments is None:
        return facts_of(call)
    lines = [f"{f.offset:4} {f.size:2}  {f.name:28} {f.text}" for f in call.arguments.fields]
    return "\n".join([call.arguments.struct, *lines, "", *call.arguments.hex()])
