"""What of the manual can be run: the fenced blocks of its pages, each read by what stands behind its opening fence.

`console` holds commands behind `$ ` and what they print, `python` a program, `text output` what the program before it
prints; `like`: but for its figures. `toml file=NAME`, or another language, is a file that later commands read. Whatever
cannot be run says why: `untested: ...`; what is no whole file is an `excerpt`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

DOCS = Path(__file__).resolve().parents[2] / "docs"
PROMPT = "$ "
WRITTEN = ("toml", "markdown", "c", "python", "json", "html", "yaml", "css", "bibtex")
WITH_GUEST = (
    "run",
    "record",
    "bench",
    "doctor",
    "quiz",
    "handout",
    "slides",
    "lesson",
)  # but for what asks for a replay
OF_SCENARIO = ("open", "shot", "clip", "export-html", "explain", "compare")  # where it is named in place of a recording
NO_GUEST = ("--replay", "--check", "--help")
REASON = re.compile(r"untested: \S+ \S+ .*\S")  # three words at least


class BlockError(Exception):
    """A block of the manual that nobody could run, and that does not say why."""


@dataclass(frozen=True)
class Command:
    """A line behind the prompt, and what the page shows of its output."""

    line: str
    shown: str = ""

    @property
    def words(self) -> list[str] | None:
        """Of `bellwire ...`, without the program's name; None if a shell has to read the line."""
        if not re.match(r"bellwire\b", self.line) or re.search(r"[|&;<>$`]|\*", self.line.replace("'$", "")):
            return None
        return shlex.split(self.line)[1:]


@dataclass(frozen=True)
class Block:
    """A fence: its page and line, its language, the words behind that, its text."""

    page: str
    line: int
    language: str
    info: str
    text: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """For whoever reads of a failure."""
        return f"docs/{self.page}:{self.line}"

    @property
    def is_like(self) -> bool:
        """Whether figures are others each time."""
        return "like" in self.info.split()

    @property
    def is_tested(self) -> bool:
        """Unless it says why not."""
        return not self.info.startswith("untested: ")

    def commands(self) -> Iterator[Command]:
        """Of a console, in order."""
        lines: list[str] = []
        for piece in re.split(r"^(?=\$ )", self.text.replace("\\\n", " "), flags=re.MULTILINE):
            if piece.startswith(PROMPT):
                first, _, shown = piece.removeprefix(PROMPT).partition("\n")
                yield Command(re.sub(r"\s+#.*", "", first).strip(), shown)
            elif piece.strip():
                lines.append(piece)
        if lines:
            raise BlockError(f"{self.where}: it begins without a prompt, {lines[0]!r}")


def pages() -> list[str]:
    """All of them, from docs/."""
    return sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def is_in_tree(page: str) -> bool:
    """Whether its commands are for who has the source: its front matter says `tree: true`."""
    return re.match(r"---\n(?:.*\n)*?tree: true\n(?:.*\n)*?---\n", (DOCS / page).read_text()) is not None


def blocks_of(page: str) -> list[Block]:
    """Those that are run or written; BlockError for one that says nothing of itself."""
    return list(blocks_in((DOCS / page).read_text(), page))


def blocks_in(text: str, page: str) -> Iterator[Block]:
    """Of a page's Markdown. What Sphinx reads itself, in braces, is its business."""
    for token in MarkdownIt("commonmark").parse(text):
        line = (token.map or [0])[0] + 1
        if token.type == "code_block":
            raise BlockError(f"docs/{page}:{line}: a block that is indented says nothing of itself; fence it")
        if token.type == "fence" and not token.info.startswith("{"):
            language, _, info = token.info.strip().partition(" ")
            block = Block(page, line, language, info, token.content, dict(re.findall(r"(\w+)=(\S+)", info)))
            check(block)
            yield block


def check(block: Block) -> None:
    """BlockError for a block which would go untested in silence."""
    kinds = {
        "console": r"(like)?\s?(exit=\d+(,\d+)*)?",
        "python": r"(file=\S+)?",
        "text": r"(output( like)?)?",
        **{language: r"file=\S+|excerpt" for language in WRITTEN if language != "python"},
    }
    if block.language not in kinds:
        raise BlockError(f"{block.where}: {block.language!r} is none of {', '.join(sorted(kinds))}")
    if not (re.fullmatch(kinds[block.language], block.info) or REASON.fullmatch(block.info)):
        raise BlockError(f"{block.where}: it should be run, or say why not (`untested: ...`), not {block.info!r}")
    if block.language == "console":
        list(block.commands())


def needs_guest(block: Block, scenarios: set[str]) -> bool:
    """Whether it can only be run where there is KVM."""
    if not block.is_tested:
        return False
    if block.language == "python":
        return "Session(" in block.text
    return block.language == "console" and any(starts_guest(command.line, scenarios) for command in block.commands())


def starts_guest(line: str, scenarios: set[str]) -> bool:
    """Of a command's line, pipes included."""
    for part in re.split(r"&&|\|\||[|;]", line):
        words = part.split()
        if words[:1] != ["bellwire"] or set(words) & set(NO_GUEST):
            continue
        name = (words[1:] or ["open"])[0]
        if name in WITH_GUEST or name in scenarios or (name.startswith("-") and name != "--version"):
            return True
        if name in OF_SCENARIO and (len(words) < 3 or set(words[2:]) & scenarios):
            return True
    return False
