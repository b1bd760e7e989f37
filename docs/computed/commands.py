"""The reference of the commands, from the command line itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bellwire.viz.cli.app import whole_command_line

PROGRAM = "bellwire"


def command_reference() -> str:
    """Markdown: a section a command, in the order of `bellwire --help`; the one without a name is the first."""
    group = whole_command_line()
    commands = {name: command for name, command in group.commands.items() if not command.hidden}
    pages = [*section(PROGRAM, group.commands["open"], group), *lines_of_version()]
    for name, command in commands.items():
        pages += section(f"{PROGRAM} {name}", command, command)
    return "\n".join(pages)


def section(name: str, command: Any, told_by: Any) -> Iterator[str]:
    """How a command is called, what it does, its arguments and options. told_by: whose help says what it does."""
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join((name, *command.collect_usage_pieces(context)))
    yield from (f"## {name}", "", "```text", usage, "```", "")
    yield from (plain(told_by.help or ""), "", f":::{{program}} {name}", ":::", "")
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record and parameter.param_type_name == "option":
            yield from option(*record)


def lines_of_version() -> Iterator[str]:
    """The options that need no command."""
    yield from option("--version", "Print the version.")
    yield from option("--help", "Say how the program, or the command before it, is called.")


def option(spellings: str, told: str) -> Iterator[str]:
    """Sphinx's directive: it can be linked to, as {option}`bellwire run --signals`."""
    yield from (f":::{{option}} {spellings}", plain(told) or "See above.", ":::", "")


def plain(told: str) -> str:
    """Words of the help in Markdown: what looks like a command or an option is one."""
    text = re.sub(r"(?<!`)([<>*_\[\]])", r"\\\1", re.sub(r"\s*\n(?!\n)\s*", " ", told.strip()))
    return re.sub(r"(?<![\w`])(--[a-z][a-z-]+)", r"`\1`", text)
