"""Terms in a text: the longest one at each place, in any case and in the plural."""

from __future__ import annotations

from bellwire.viz.terms.glossary import load_glossary
from tests.support.accented import accented, in_accents


def found(text: str) -> list[tuple[str, str]]:
    return [(text[start:end], term.name) for start, end, term in load_glossary().found_in(text)]


def test_terms_are_found_in_every_spelling_and_not_within_words() -> None:
    assert found("Eventfds wake; an ioeventfd is one, the virtual CPU is not. Unguested.") == [
        ("Eventfds", "eventfd"),
        ("ioeventfd", "ioeventfd"),
        ("virtual CPU", "vCPU"),
    ]


def test_an_abbreviation_is_found_as_it_is_written() -> None:
    assert found("Bars, a pic and a VM; two VMs in BARs") == [("VM", "VM"), ("VMs", "VM"), ("BARs", "BAR")]


def test_another_language_has_its_own_spellings_and_endings() -> None:
    with in_accents():
        assert found(accented("Eventfds; a virtual CPU") + " eventfd") == [
            (accented("Eventfds"), accented("eventfd")),
            (accented("virtual CPU"), accented("vCPU")),
        ]


def test_each_term_says_what_it_means_in_a_sentence_that_ends() -> None:
    for term in load_glossary().terms.values():
        assert term.meaning.endswith("."), term.name
        assert len(term.meaning) < 300, term.name
