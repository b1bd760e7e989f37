"""What of the manual is computed from the program itself, so that it is as true as the program.

A line `% computed: NAME` in a page becomes what PARTS says; `{shot}` shows a picture, with what that says of itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from docs.computed.commands import command_list, command_reference, variables_heard, ways_to_end
from docs.computed.elsewhere import recordings_elsewhere
from docs.computed.keys import keys_by_section, keys_of_a_lecture
from docs.computed.lesson_words import words_of_lessons
from docs.computed.scenario_keys import keys_of_scenarios
from docs.computed.schema import column_table, kind_table, number_tables
from docs.computed.shot import Shot
from docs.computed.terms import glossary_of_terms

MARK = re.compile(r"^% computed: (\w+)$", re.MULTILINE)
PARTS: dict[str, Callable[[], str]] = {
    "columns": column_table,
    "command_list": command_list,
    "commands": command_reference,
    "elsewhere": recordings_elsewhere,
    "keys": keys_by_section,
    "kinds": kind_table,
    "lecture_keys": keys_of_a_lecture,
    "lesson_words": words_of_lessons,
    "numbers": number_tables,
    "scenario_keys": keys_of_scenarios,
    "terms": glossary_of_terms,
    "variables": variables_heard,
    "ways_to_end": ways_to_end,
}


def put_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Computes what a page asks for, before it is read; KeyError for what nobody computes."""
    source[0] = MARK.sub(lambda mark: PARTS[mark[1]](), source[0])


def as_prose(app: Sphinx, what: str, name: str, it: object, options: object, lines: list[str]) -> None:
    """A docstring says `x` of code and means a * as such: in reStructuredText both are something else."""
    lines[:] = [re.sub(r"`([^`]+)`", r"``\1``", line.replace("*", r"\*")) for line in lines]


def setup(app: Sphinx) -> ExtensionMetadata:
    """As Sphinx asks of an extension."""
    app.connect("source-read", put_in)
    app.connect("autodoc-process-docstring", as_prose)
    app.add_directive("shot", Shot)
    return {"version": "1", "parallel_read_safe": True}
