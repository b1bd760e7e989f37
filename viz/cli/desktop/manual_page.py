"""The manual page, bellwire(1), told by the commands themselves: what help says stands there, and nothing else.

It is written whenever it is needed, by the build and by `bellwire desktop install`, so that it says what is so.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import typer

from bellwire.viz.cli.desktop.metainfo import Release, newest_release, program_summary
from bellwire.viz.cli.terminal import DONE, FAILED, INTERRUPTED, NO_KVM, USAGE
from bellwire.viz.text.faults import FAULT_CODE

CODES = {
    DONE: "All is well.",
    FAILED: "Something failed, or did not hold.",
    USAGE: "It was called wrongly.",
    NO_KVM: "There is no usable KVM, which a guest needs.",
    FAULT_CODE: "A fault of bellwire's own.",
    INTERRUPTED: "Ctrl-C; as with any program, 128 and the number of the signal that ended it.",
}
VARIABLES = {
    "BELLWIRE_TRACEBACK": "If it is 1, the traceback of what went wrong is printed before the sentence about it.",
    "DISPLAY, WAYLAND_DISPLAY": "Where the window is opened. Without either, it is painted where nobody sees it.",
    "LC_ALL, LC_MESSAGES, LANG": "The first that is set says which language the window speaks, until one is chosen.",
    "XDG_DATA_HOME": "Where bellwire desktop install writes to; if it is not set, ~/.local/share.",
}
FILES = {
    "/dev/kvm": "What a guest runs in. bellwire doctor says what is amiss with it.",
    "*.arrow, *.arrows": "A recording: an Arrow file, or an Arrow stream.",
    "*.md": "A lesson.",
}
EXAMPLES = {
    "bellwire": "The window, with a guest that rings and is answered.",
    "bellwire record roundtrip --seconds 10 -o run.arrow": "Ten seconds of it as a file.",
    "bellwire run.arrow": "That file in the window.",
    "bellwire run roundtrip --signals 1000 --assert 'doorbell.p99<200us'": "Exits with 1 if that does not hold.",
    "bellwire shot run.arrow --at '#median' -o diagram.png": "The median journey as a picture.",
}
LIMITS = re.compile(r" *\[([^\[\]]+)\]$")  # what Click adds to a help text
WIDTH = 78  # of a line of the file
SIGNS = {"\\": r"\e", "-": r"\-", "`": r"\(ga", "'": r"\(aq", "~": r"\(ti", "^": r"\(ha", '"': r"\(dq"}  # of roff's own
RELATED = (("kvm_stat", 1), ("perf-kvm", 1), ("eventfd", 2), ("ioctl", 2))


def manual_page(program: Any) -> str:
    """In roff. program: Click's command, with all of its commands."""
    release = newest_release()
    return (
        "\n".join([*page_heading(release), *description(program), *commands_told(program), *closing_sections()]) + "\n"
    )


def page_heading(release: Release) -> Iterator[str]:
    """What the page is."""
    yield f'.TH BELLWIRE 1 {release.date} "bellwire {release.version}" "User Commands"'
    yield ".nh\n.ad l"
    yield ".SH NAME"
    yield f"bellwire \\- {roff(lowered(program_summary()))}"


def description(program: Any) -> Iterator[str]:
    """How it is called, and what it does."""
    first = program.commands["open"]
    yield ".SH SYNOPSIS"
    yield f".B bellwire\n{usage_of(first)}\n.br"
    yield r".B bellwire" "\n" r"\fICOMMAND\fR [\fIOPTIONS\fR] [\fIARGUMENTS\fR]"
    yield ".SH DESCRIPTION"
    yield from paragraphs(program.help)
    yield ".SH OPTIONS"
    yield from options_told(first)
    yield from options_told(program)


def commands_told(program: Any) -> Iterator[str]:
    """Each command that help shows."""
    yield ".SH COMMANDS"
    for name, command in every_command(program):
        yield f'.SS "bellwire {roff(name)}"'
        yield f".B bellwire {roff(name)}\n{usage_of(command)}\n.PP"
        yield from paragraphs(command.help)
        yield from options_told(command)


def every_command(program: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """With its name, those in a group as "shots build"."""
    for name, command in program.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from every_command(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def closing_sections() -> Iterator[str]:
    """What is the same for every command."""
    yield ".SH EXIT STATUS"
    yield from terms({str(code): told for code, told in CODES.items()})
    yield ".SH ENVIRONMENT"
    yield from terms(VARIABLES)
    yield ".SH FILES"
    yield from terms(FILES)
    yield ".SH EXAMPLES"
    yield from terms(EXAMPLES)
    yield ".SH SEE ALSO"
    for number, (name, section) in enumerate(RELATED, 1):
        yield f".BR {roff(name)} ({section})" + ("," if number < len(RELATED) else "")


def usage_of(command: Any) -> str:
    """What it is called with: options that must be there are among it."""
    pieces = [r"[\fIOPTIONS\fR]"]
    for one in command.params:
        if one.param_type_name == "argument":
            pieces.append(in_italics(one.metavar or one.name.upper()))
        elif one.required:
            pieces.append(option_in_bold(f"{one.opts[-1]} {one.metavar}"))
    return " ".join(pieces)


def options_told(command: Any) -> Iterator[str]:
    """Each of its options, and each argument that has something to say."""
    context = typer.Context(command)
    for one in command.params:
        shown, meaning = one.get_help_record(context) or ("", "")
        if one.param_type_name == "argument":
            if one.help:
                yield from term(in_italics(one.metavar or one.name.upper()), one.help)
        elif shown:
            yield from term(option_in_bold(shown), LIMITS.sub(only_default, " ".join(meaning.split())))


def only_default(found: re.Match[str]) -> str:
    """Of what Click adds in brackets, what the option is by itself: the synopsis says what is required."""
    kept = [part for part in found[1].split("; ") if part.startswith("default: ")]
    return f" [{kept[0]}]" if kept else ""


def option_in_bold(shown: str) -> str:
    """ "-o, --output FILE" with the options bold and what they take in italics."""
    names = (f"\\fB{roff(word)}\\fR" if word.startswith("-") else in_italics(word) for word in shown.split())
    return " ".join(names)


def in_italics(shown: str) -> str:
    """What stands for something else."""
    return f"\\fI{roff(shown)}\\fR"


def terms(told: dict[str, str]) -> Iterator[str]:
    """Words, and what each means."""
    for word, meaning in told.items():
        yield from term(f"\\fB{roff(word)}\\fR", meaning)


def term(word: str, meaning: str) -> Iterator[str]:
    """A word in roff, and what it means."""
    yield f".TP\n{word}"
    yield in_short_lines(meaning)


def paragraphs(text: str | None) -> Iterator[str]:
    """Of a docstring."""
    for number, paragraph in enumerate((text or "").strip().split("\n\n")):
        if number:
            yield ".PP"
        yield in_short_lines(paragraph)


def in_short_lines(text: str) -> str:
    """In short lines, none of which is a request."""
    lines = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(re.sub(r"^(?=\.)", r"\\&", roff(line)) for line in lines) or r"\&"


def roff(text: str) -> str:
    """A text in which each character is itself: a hyphen, too, can be copied into a shell."""
    return "".join(SIGNS.get(sign, sign) for sign in text)


def lowered(text: str) -> str:
    """As it stands behind a dash."""
    return text[:1].lower() + text[1:]
