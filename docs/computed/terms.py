"""The glossary, from assets/glossary.toml, which the window's own glossary reads too."""

from __future__ import annotations

from collections.abc import Iterator

from bellwire.viz.terms.glossary import load_glossary


def glossary_of_terms() -> str:
    """Sphinx's directive: each spelling of a term can be linked to, as {term}`kick`."""
    return "\n".join(["```{glossary}", *lines_of_terms(), "```"])


def lines_of_terms() -> Iterator[str]:
    """A term's spellings, a line each, then what it means."""
    for term in load_glossary().terms.values():
        yield from term.spellings
        yield from (f"  {term.meaning}", "")
