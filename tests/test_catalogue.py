"""What the program says is in the catalogue of each language, with the same places to fill in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from bellwire.engine import build
from bellwire.viz.lessons.labs.lab_texts import cause_texts, riddles
from bellwire.viz.lessons.lesson import BULLET, HOMEWORK
from bellwire.viz.lessons.lesson_file import shipped_lessons
from bellwire.viz.lessons.wording import audience_texts
from bellwire.viz.terms.glossary import SPELLINGS
from tests.catalogue import LANGUAGES, ROOT, SAYING, Message, in_code, in_tables, is_said, read_language, said

CODE = sorted(path for side in ("engine", "viz") for path in (ROOT / side).rglob("*.py"))
PIECES = (ast.JoinedStr, ast.BinOp, ast.IfExp)
FILES = sorted(LANGUAGES.glob("*.po"))
TAG = re.compile(r"</?\w[^<>]*>")


def identities(catalog: Catalog) -> set[tuple[object, object]]:
    return {(message.id, message.context) for message in catalog if message.id}


@cache
def all_said() -> set[tuple[object, object]]:
    """Every message, with its meaning, that stands in the code and in tables now."""
    return identities(said())


def places(text: str) -> list[str]:
    """What is filled in, in the order of the alphabet; ValueError if it could not be."""
    return sorted({name for _, name, _, _ in Formatter().parse(text) if name is not None})


def test_messages_are_found_in_code_and_in_tables() -> None:
    code = 'tr("a {b}", b=1); tr(x); [tr_later("c")]; tr_n("{n} d", "{n} ds", 2); tr_as("of f", "e")'
    assert list(in_code(code)) == [Message("a {b}"), Message("c"), Message("{n} d", "{n} ds"), Message("e", "", "of f")]
    table = {"title": "A  b", "rect": [1, "y"], "deep": [{"title": "C", "name": "no text"}, {"title": "–"}]}
    assert list(in_tables(table, frozenset({"title"}))) == [Message("A b"), Message("C")]


def test_everything_that_is_said_is_found() -> None:
    """The sign in numbers, a sentence of the code, a stage, a term."""
    found = {message for message, _ in all_said()}
    for message in (".", "KVM has refused nothing.", "The guest writes", "an eventfd"):
        assert message in found or any(message in str(one) for one in found)


def test_every_term_is_found_with_its_spellings() -> None:
    found = all_said()
    assert ("vCPU, virtual CPU", SPELLINGS) in found
    assert ("tracepoint", SPELLINGS) in found


def test_every_text_of_lessons_and_labs_is_found() -> None:
    found = {message for message, _ in all_said()}
    for lesson in shipped_lessons():
        steps = [(*audience_texts(step), *step.notes) for step in lesson.steps if step.name != HOMEWORK]
        texts = [lesson.title, *lesson.knows, *lesson.homework, *(text for step in steps for text in step)]
        assert [text for text in texts if text.removeprefix(BULLET) not in found] == [], lesson.name
    labs = riddles().values()
    assert [lab.name for lab in labs if lab.mended not in found] == []
    told = [cause.text for cause in cause_texts().values()]
    told += [symptom.text for lab in labs for symptom in lab.symptoms]
    assert [text for text in told if text not in found] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_translation_has_the_places_and_the_tags_of_its_message(path: Path) -> None:
    wrong = []
    for message in read_language(path):
        forms = message.string if isinstance(message.string, list | tuple) else [message.string]
        ids = message.id if isinstance(message.id, list | tuple) else [message.id]
        if message.id and all(forms):
            wanted = places(ids[-1])
            wrong += [form for form in forms if form and set(wanted) - {"n"} != set(places(form)) - {"n"}]
            wrong += [form for form in forms if form and sorted(TAG.findall(form)) != sorted(TAG.findall(ids[-1]))]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_a_whole_language_is_packed(path: Path, tmp_path: Path) -> None:
    source = tmp_path / path.name
    whole = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Open"\nmsgstr "{}"\n'
    source.write_text(whole.format("Öffnen"))
    assert build.pack_language(source)
    assert not build.pack_language(source)
    with source.with_suffix(".mo").open("rb") as file:
        assert [message.string for message in read_mo(file) if message.id] == ["Öffnen"]
    source.write_text(whole.format(""))
    build.install(source, source)  # with a new time
    assert not build.pack_language(source)
    assert not source.with_suffix(".mo").exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_language_says_all_that_is_said(path: Path) -> None:
    """`make languages` brings what is new into the file, where somebody puts the words beside it."""
    spoken = {(message.id, message.context) for message in read_language(path) if is_said(message.string)}
    assert all_said() - spoken == set()


def test_messages_can_be_found_and_are_said_late() -> None:
    """Each is a literal, or was marked where it is one; none is said while a module is imported."""
    assert [found for path in CODE for found in said_wrongly(path)] == []


def said_wrongly(path: Path) -> Iterator[str]:
    """Where, and why."""
    tree = ast.parse(path.read_text())
    inside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for body in (node.body if isinstance(node.body, list) else [node.body])
        for inner in ast.walk(body)
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING):
            continue
        where = f"{path.relative_to(ROOT)}:{node.lineno}"
        if node.func.id not in ("tr_later", "tr_n_later") and id(node) not in inside:
            yield f"{where}: is said while it is imported"
        if any(isinstance(word, PIECES) for word in node.args):
            yield f"{where}: pieces"
