"""What of the manual is computed: every part can be, and has all that the program knows."""

from __future__ import annotations

import re

import pytest

from bellwire.viz.cli.app import whole_command_line
from bellwire.viz.cli.desktop.manual_page import every_command
from bellwire.viz.terms.glossary import load_glossary
from docs.computed import MARK, PARTS
from docs.computed.commands import command_reference, plain
from docs.computed.terms import glossary_of_terms
from tests.support.manual_blocks import DOCS, pages


@pytest.mark.parametrize("name", PARTS)
def test_each_part_can_be_computed(name: str) -> None:
    assert len(PARTS[name]().split()) > 20


def test_no_page_asks_for_what_nobody_computes() -> None:
    assert {name for page in pages() for name in MARK.findall((DOCS / page).read_text())} <= set(PARTS)


def test_every_command_and_each_of_its_options_is_in_the_reference() -> None:
    sections = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", command_reference() + "\n", re.MULTILINE))
    commands = dict(every_command(whole_command_line()))
    assert list(sections) == ["bellwire", *(f"bellwire {name}" for name in commands)]
    for name, command in commands.items():
        told = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", sections[f"bellwire {name}"]))
        options = [one.opts for one in command.params if one.param_type_name == "option" and not one.hidden]
        assert {spelling for spellings in options for spelling in spellings} <= told, name
        assert sections[f"bellwire {name}"].count("```text") == 1


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("Its colours.  [default: light]", "Its colours. Default: `light`."),
        ("The file.  [required]", "The file. Required."),
        ("How many.  [default: 3; 1<=x<=8]", "How many. Default: `3`. From 1 to 8."),
        ("Until N.  [1<=x<=4611686018427387904]", "Until N. 1 or more."),
        ("With --json, *.toml.", r"With `--json`, \*.toml."),
    ],
)
def test_what_click_adds_is_said_in_words(told: str, said: str) -> None:
    assert plain(told) == said


def test_each_spelling_of_a_term_can_be_linked_to() -> None:
    lines = glossary_of_terms().splitlines()
    terms = load_glossary().terms.values()
    assert {spelling for term in terms for spelling in term.spellings} <= set(lines)
    assert sum(line.startswith("  ") for line in lines) == len(terms)
