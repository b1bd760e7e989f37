"""What the commands print, for people, for programs and while something lasts; and their exit codes."""

from __future__ import annotations

import codecs
import json
import math
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from bellwire.engine.foreign import STEERING, shown

if TYPE_CHECKING:  # what lays tables out is imported once there is one: it takes 0.02 s
    from rich.console import Console, RenderableType
    from rich.segment import Segment

DONE, FAILED, USAGE, NO_KVM, INTERRUPTED = 0, 1, 2, 3, 130  # exit codes, beside FAULT_CODE
WIDE = 200  # columns where there is no terminal


def in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    """What an old character set has instead: a space that is no thin one, and "?" for the rest."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from bellwire.viz.text.figures import THIN

    return "".join(" " if sign == THIN else "?" for sign in error.object[error.start : error.end]), error.end


codecs.register_error("plain", in_plain_signs)

Print = Callable[["RenderableType"], None]


def complain(sentence: str, code: int) -> int:
    """One sentence on stderr."""
    say(sentence)
    return code


def complain_of_all(trouble: list[str]) -> int:
    """What was amiss in a run that has ended, each a sentence on stderr; the exit code that this comes to."""
    for sentence in trouble:
        complain(sentence, FAILED)
    return FAILED if trouble else DONE


def say(sentence: str) -> None:
    """One sentence on stderr, if that can be written to: beside it there is nobody to tell."""
    with suppress(OSError, ValueError):
        print(f"bellwire: {shown(sentence)}", file=sys.stderr, flush=True)


def out(content: RenderableType) -> None:
    """Prints for people: in colour on a terminal, and never cut off where there is none.

    Texts are data: no brackets in them are markup, and what would steer the terminal is seen instead.
    """
    if isinstance(content, str) and fits(content):
        print(shown(content, lines=True))
        return
    from rich.segment import Segments

    console = terminal_console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(Segments(map(plain_segment, console.render(content))), end="")


def fits(text: str) -> bool:
    """Whether each line is sure to be printed as it is: no sign is wider than two columns, and no tab is among them."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    return "\t" not in text and all(2 * len(line) <= columns for line in text.split("\n"))


def plain_segment(segment: Segment) -> Segment:
    """The same, but for what steers in its text; colours are not part of that."""
    return segment if segment.control else segment._replace(text=shown(segment.text, lines=True))


def out_json(content: Any) -> None:
    """Prints for programs, which read the same text; what steers a terminal, or its locale lacks, is escaped."""
    has_all = codecs.lookup(sys.stdout.encoding or "utf-8").name.startswith("utf")
    text = json.dumps(content, indent=2, ensure_ascii=not has_all)
    print(re.sub(f"(?!\n){STEERING.pattern}", lambda found: json.dumps(found[0])[1:-1], text))


def terminal_console(stderr: bool = False) -> Console:
    """What lays out on standard output, or on standard error: texts are data, and no line is wider than the terminal.

    By itself Rich takes each terminal with TERM=dumb, an editor's for one, for 80 columns wide.
    """
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if console.is_dumb_terminal:
        console.width, console.height = shutil.get_terminal_size()
    return console


@contextmanager
def progress_bar(name: str, seconds: float, count: int | None) -> Iterator[Callable[[float, int], None]]:
    """On a terminal, a bar that vanishes at the end; anywhere else nothing."""
    console = terminal_console(stderr=True)
    if not console.is_terminal or (count is None and seconds < 1):
        yield lambda elapsed, signals: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from bellwire.viz.text.figures import grouped

    columns = (TextColumn(name), BarColumn(), TextColumn("{task.fields[signals]} signals"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=count or (None if math.isinf(seconds) else seconds), signals="0")
        yield lambda elapsed, signals: bar.update(
            task, completed=elapsed if count is None else signals, signals=grouped(signals)
        )


@contextmanager
def share_bar(what: str, long: bool = True) -> Iterator[Callable[[float], None]]:
    """On a terminal, a bar for work that is `long`, which vanishes at the end; anywhere else nothing."""
    console = terminal_console(stderr=True)
    if not console.is_terminal or not long:
        yield lambda share: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)
