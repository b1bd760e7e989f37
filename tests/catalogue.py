"""Brings assets/languages/*.po up to date with what the program says: `make languages`, after a sentence was changed.

Messages are found in the code, by the functions of engine/language.py, and in the files under assets and guests whose
texts are shown. What is new is left empty for a translator, what is no more said is dropped, and a message that has
changed a little keeps its old translation, marked as fuzzy until somebody has looked at it. Babel does both.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from bellwire.viz.lessons.lesson_file import lesson_paths, read_lesson
from bellwire.viz.lessons.translated import with_texts
from bellwire.viz.terms.glossary import SPELLINGS
from bellwire.viz.text.assets import ANATOMY_TEXTS, DIAGRAM_TEXTS, GLOSSARY_TEXTS, LAB_TEXTS, SCENARIO_TEXTS, asset

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ROOT / "assets" / "languages"
TEXTS = {  # which keys of a TOML file are said; the rest are names
    "assets/diagrams/*.toml": DIAGRAM_TEXTS,
    "assets/anatomy.toml": ANATOMY_TEXTS,
    "assets/glossary.toml": GLOSSARY_TEXTS,
    "assets/labs.toml": LAB_TEXTS,
    "guests/*.toml": SCENARIO_TEXTS,
}
SAYING = {"tr", "tr_n", "tr_as", "tr_later", "tr_n_later"}  # of engine/language.py


class Message(NamedTuple):
    """What is said. many: its plural, or ""; meaning: which of two that read the same, or ""."""

    text: str
    many: str = ""
    meaning: str = ""


def in_code(source: str) -> Iterator[Message]:
    """The messages of a module, in its order: literal arguments of what looks messages up."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        words = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        match called(call), words:
            case (("tr_n" | "tr_n_later"), [one, many, *_]):
                yield Message(one, many)
            case (("tr_as" | "pgettext"), [meaning, text, *_]):
                yield Message(text, meaning=meaning)
            case (("tr" | "tr_later"), [text, *_]):
                yield Message(text)


def called(call: ast.Call) -> str:
    """The name of a function or method."""
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def in_tables(value: Any, keys: frozenset[str], key: str = "") -> Iterator[Message]:
    """The messages of a TOML file, under these keys however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from in_tables(inner, keys, name)
    elif isinstance(value, list):
        for inner in value:
            yield from in_tables(inner, keys, key)
    elif isinstance(value, str) and key in keys and any(map(str.isalpha, value)):
        yield Message(" ".join(value.split()))


def in_lesson(path: Path) -> Iterator[Message]:
    """The messages of a lesson, in its order."""
    texts: list[str] = []
    with_texts(read_lesson(path), lambda text: texts.append(text) or text)  # type: ignore[func-returns-value]
    return map(Message, texts)


def in_glossary(terms: dict[str, Any]) -> Iterator[Message]:
    """What each term is called, beside what it means."""
    for name, table in terms.items():
        yield Message(", ".join((name, *table.get("also", ()))), meaning=SPELLINGS)


def said() -> Catalog:
    """Everything that the program can say, with the files in which it stands."""
    catalog = Catalog(project="bellwire", charset="utf-8", fuzzy=False)
    for side in ("engine", "viz"):
        for path in sorted((ROOT / side).rglob("*.py")):
            put(catalog, path, in_code(path.read_text()))
    for pattern, keys in TEXTS.items():
        for path in sorted(ROOT.glob(pattern)):
            put(catalog, path, in_tables(tomllib.loads(path.read_text()), keys))
    for path in lesson_paths():
        put(catalog, path, in_lesson(path))
    put(catalog, asset("glossary.toml"), in_glossary(tomllib.loads(asset("glossary.toml").read_text())["term"]))
    return catalog


def put(catalog: Catalog, path: Path, messages: Iterator[Message]) -> None:
    """Adds what a file says."""
    place = (str(path.resolve().relative_to(ROOT)), 0)
    for message in messages:
        text = (message.text, message.many) if message.many else message.text
        catalog.add(text, locations=[place], context=message.meaning or None)


def read_language(path: Path) -> Catalog:
    """A language's file."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, domain="bellwire", abort_invalid=True)


def write_language(path: Path, catalog: Catalog) -> None:
    """Under the head that the file has: Babel's has a date, and is another one each time."""
    head = path.read_text().partition("\n\n")[0]
    body = BytesIO()
    write_po(body, catalog, width=0, omit_header=True, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    path.write_text(f"{head}\n\n{body.getvalue().decode().strip()}\n")


def main() -> int:
    """Brings every language up to date; says what is left to do. Exit code 1 if something is."""
    template, left = said(), 0
    for path in sorted(LANGUAGES.glob("*.po")):
        catalog = read_language(path)
        catalog.update(template, update_header_comment=False, keep_user_comments=True)
        catalog.obsolete.clear()
        write_language(path, catalog)
        missing = [message.id for message in catalog if message.id and (message.fuzzy or not is_said(message.string))]
        print(f"{path.name}: {len(catalog)} messages, {len(missing)} to translate")
        left += len(missing)
    return 1 if left else 0


def is_said(translation: str | list[str] | tuple[str, ...] | None) -> bool:
    """Whether each form of a translation is there."""
    return all(translation) if isinstance(translation, list | tuple) else bool(translation)


if __name__ == "__main__":
    sys.exit(main())
