"""The reference of the commands, from the command line itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bellwire.viz.cli.app import whole_command_line
from bellwire.viz.cli.desktop.manual_page import CODES, VARIABLES, every_command

PROGRAM = "bellwire"
BEHIND = re.compile(r"\s*\[([^\[\]]*)\]$")  # the help: what Click knows of the values
LIMITS = {
    r"required": "Required",
    r"default: ([^\s,]+)": r"Default: `\1`",
    r"default: (.+)": r"Default: \1",
    r"(\S+)<=x<=\d{10,}": r"\1 or more",
    r"(\S+)<=x<=(\S+)": r"From \1 to \2",
    r"x>=(\S+)": r"\1 or more",
    r"x>(\S+)": r"More than \1",
}


def command_reference() -> str:
    """Markdown: a section a command, in the order of `bellwire --help`; the one without a name is the first."""
    group = whole_command_line()
    pages = [*section(PROGRAM, group.commands["open"], group), *lines_of_version()]
    for name, command in every_command(group):
        pages += section(f"{PROGRAM} {name}", command, command)
    return "\n".join(pages)


def command_list() -> str:
    """Each command, with what it does in a sentence."""
    lines = ["| Command | What it does |", "|---|---|"]
    for name, command in every_command(whole_command_line()):
        called = f"{PROGRAM} {name}"
        first, _, _ = plain(command.help or "").partition("\n\n")
        lines.append(f"| [`{called}`](#{called.replace(' ', '-')}) | {first} |")
    return "\n".join(lines)


def ways_to_end() -> str:
    """What each exit code means, as the manual page has it."""
    rows = "\n".join(f"| {code} | {told} |" for code, told in CODES.items())
    return f"| Exit code | What it means |\n|---|---|\n{rows}"


def variables_heard() -> str:
    """What the program takes from its environment."""
    rows = "\n".join(f"| `{name}` | {told} |" for name, told in VARIABLES.items())
    return f"| Variable | What it says |\n|---|---|\n{rows}"


def section(name: str, command: Any, told_by: Any) -> Iterator[str]:
    """How a command is called, what it does, its arguments and options. told_by: whose help says what it does."""
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join((name, *map(as_written, command.collect_usage_pieces(context))))
    yield from (f"## {name}", "", "```text", usage, "```", "")
    yield from (plain(told_by.help or ""), "", f":::{{program}} {name}", ":::", "")
    shown = [parameter for parameter in command.params if parameter.get_help_record(context)]
    records = [(parameter.param_type_name, *parameter.get_help_record(context)) for parameter in shown]
    for kind, spellings, told in sorted(records, key=lambda record: record[0] == "option"):
        if kind == "option":
            yield from option(spellings, told)
        elif told.replace("[required]", "").strip():
            yield from (as_written(spellings.split(" <")[0]), f": {plain(told)}", "")


def as_written(argument: str) -> str:
    """An argument of a usage line: braces are for choices alone, and no brackets are doubled."""
    return re.sub(r"\{(\w+)\}", r"\1", argument).replace("[[", "[").replace("]]", "]")


def lines_of_version() -> Iterator[str]:
    """The options that need no command."""
    yield from option("--version", "Print the version.")
    yield from option("--help", "Say how the program, or the command before it, is called.")


def option(spellings: str, told: str) -> Iterator[str]:
    """Sphinx's directive: it can be linked to, as {option}`bellwire run --signals`."""
    yield from (f":::{{option}} {spellings}", plain(told) or "See above.", ":::", "")


def plain(told: str) -> str:
    """Words of the help in Markdown: what looks like a command or an option is one."""
    paragraphs = [" ".join(some.split()) for some in told.strip().split("\n\n")]
    text = BEHIND.sub(in_words, "\n\n".join(paragraphs))
    text = re.sub(r"(?<!`)([<>*_\[\]])", r"\\\1", text)
    return re.sub(r"(?<![\w`])(--[a-z][a-z-]+)", r"`\1`", text).strip()


def in_words(behind: re.Match[str]) -> str:
    """What Click puts behind the help in brackets, as sentences."""
    return "".join(f" {sentence}." for part in behind[1].split("; ") if (sentence := limit_in_words(part)))


def limit_in_words(part: str) -> str:
    """A default, a range, or that it has to be there; "" of what says nothing."""
    for pattern, words in LIMITS.items():
        if found := re.fullmatch(pattern, part):
            return found.expand(words)
    return part
