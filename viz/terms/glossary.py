"""The terms of the field, each in a sentence or two (assets/glossary.toml), and where they stand in a text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bellwire.engine.language import kept_while_spoken, tr_as, tr_table
from bellwire.viz.text.assets import GLOSSARY_TEXTS, asset

SPELLINGS = "a term, then its other spellings"  # the meaning of a message that holds them, with commas between


@dataclass(frozen=True)
class Term:
    """A term, what it means, and its other spellings."""

    name: str
    meaning: str
    also: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """All of them, its name first."""
        return self.name, *self.also


@dataclass(frozen=True)
class Glossary:
    """All of them, by name; `spellings` leads from each spelling, in lower case, to its term."""

    terms: dict[str, Term]
    spellings: dict[str, Term]
    pattern: re.Pattern[str]

    def found_in(self, text: str) -> Iterator[tuple[int, int, Term]]:
        """Where terms stand in a text: from, to, which; the longest at each place, and also with an ending.

        In any case, but for abbreviations: a bar is no BAR.
        """
        for match in self.pattern.finditer(text):
            yield match.start(), match.end(), self.spellings[match[1].lower()]


@kept_while_spoken()
def load_glossary() -> Glossary:
    """The glossary that is shipped, in the order of the alphabet."""
    tables = tr_table(tomllib.loads(asset("glossary.toml").read_text()), GLOSSARY_TEXTS)["term"]
    terms = [term_spoken((name, *table.get("also", ())), table["meaning"]) for name, table in tables.items()]
    spellings = {word.lower(): term for term in terms for word in term.spellings}
    written = sorted((word for term in terms for word in term.spellings), key=len, reverse=True)
    words = "|".join(re.escape(word) if word.isupper() else f"(?i:{re.escape(word)})" for word in written)
    endings = "|".join(map(re.escape, tr_as("endings of a term, of its plural or cases", "s").split(", ")))
    pattern = re.compile(rf"(?<![\w-])({words})(?:{endings})?(?![\w-])")
    return Glossary({term.name: term for term in sorted(terms, key=lambda term: term.name.lower())}, spellings, pattern)


def term_spoken(spellings: Sequence[str], meaning: str) -> Term:
    """A term as the language that is spoken spells it."""
    name, *also = tr_as(SPELLINGS, ", ".join(spellings)).split(", ")
    return Term(name, meaning, tuple(also))
